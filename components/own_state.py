"""The program's look at stacks' states, its own first of all, before it declares anything."""

import time

import pulumi

from slipway.state import StackState, parse_state

_READ = "pulumi:pulumi:readStackResourceOutputs"
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds between tries. The engine writes the state when the program's stack resource begins; a
file backend replaces the state's file atomically, but not the attributes beside it, and a read in
that instant fails."""


def read_own_state() -> StackState:
    """The state of this stack as the last update left it; empty for a new stack.

    A StackReference would give outputs that are not known yet, and names need plain values.

    Raises:
        RunError: the backend does not give it.
    """
    return read_state(pulumi.get_stack())


def read_state(stack: str) -> StackState:
    """The state of a stack of this project; see `read_own_state`.

    Raises:
        RunError: the backend does not give it.
    """
    name = "/".join([pulumi.get_organization(), pulumi.get_project(), stack])
    for pause in _PAUSES:
        try:
            return _read(name)
        except Exception as error:  # The SDK raises plain exceptions here.
            pulumi.log.debug(f"the state could not be read ({error}), trying again")
            time.sleep(pause)
    try:
        return _read(name)
    except Exception as error:
        raise pulumi.RunError(
            f"the state of stack {name} cannot be read ({error}); check the backend with pulumi "
            "stack export, and run this again"
        ) from error


def _read(name: str) -> StackState:
    answer = pulumi.runtime.invoke(_READ, {"stackName": name})
    return parse_state((answer.value or {}).get("outputs") or {})
