"""Refusing engines on which the gate would not hold."""

import os

import pulumi

from slipway.errors import UserError
from slipway.preflight import ancestors, refuse_engine_options

OLDEST = "3.238.0"
"""Before it, the engine only warned when a hook failed, and called a refused release a success."""


def require_engine() -> None:
    """Refuse to go on under an engine that is too old, or told to go on after errors.

    Raises:
        RunError: the message says how to get a newer one.
    """
    try:
        refuse_engine_options(os.environ, ancestors())
    except UserError as error:
        raise pulumi.RunError(str(error)) from error
    try:
        pulumi.require_pulumi_version(f">={OLDEST}")
    except Exception as error:  # The SDK raises plain exceptions here.
        raise pulumi.RunError(
            f"the Pulumi CLI is older than {OLDEST} ({error}); under it a release that fails its "
            "checks would count as a success; run scripts/bootstrap and . scripts/activate, or "
            "install a newer CLI"
        ) from error
