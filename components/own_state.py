"""The program's look at its own stack's state, before it declares anything."""

import pulumi

from slipway.state import StackState, parse_state

_READ = "pulumi:pulumi:readStackResourceOutputs"


def read_own_state() -> StackState:
    """The state of this stack as the last update left it; empty for a new stack.

    A StackReference would give outputs that are not known yet, and names need plain values.
    """
    name = "/".join([pulumi.get_organization(), pulumi.get_project(), pulumi.get_stack()])
    answer = pulumi.runtime.invoke(_READ, {"stackName": name})
    return parse_state((answer.value or {}).get("outputs") or {})
