"""What the images of the release that serves are built from, for people who read a preview."""

import pulumi

from slipway.explain.stash import PACKED, SHOWN, kept, stash_name
from slipway.prepared import Prepared
from slipway.state import StackState


def inventories_stash(
    prepared: Prepared, state: StackState, opts: pulumi.ResourceOptions
) -> pulumi.Stash:
    """Declare the Stash with the hash of each file.

    It must depend on the gate: so a preview compares with what serves, whatever was tried since.

    Args:
        prepared: the release.
        state: the stack's state, with what is known of the releases before.
        opts: options of the resource.
    """
    name = stash_name(prepared.stack.component)
    found = kept(prepared, state.stash(name))
    # What is for the program would be in the way in a preview; of a secret, a word is shown.
    packed = pulumi.Output.secret(found.packed)
    return pulumi.Stash(name, input={SHOWN: found.shown, PACKED: packed}, opts=opts)
