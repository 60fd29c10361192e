"""The set-up as a value: steps that look at the facts, and act only where something is missing."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from slipway.errors import InternalError


@dataclass(frozen=True)
class Finding:
    """What a look at the machine gave: whether the step is done, and how (or what lacks)."""

    done: bool
    detail: str


def present(detail: str) -> Finding:
    """The step's result is there."""
    return Finding(True, detail)


def missing(detail: str) -> Finding:
    """The step's result is not there; `detail` says what lacks."""
    return Finding(False, detail)


@dataclass(frozen=True)
class Step:
    """One part of the set-up.

    Args:
        name: what it provides.
        look: judges from facts whether it is done; changes nothing.
        act: provides it; may be killed at any point and started again.
    """

    name: str
    look: Callable[[], Finding]
    act: Callable[[], None]


def check(steps: Sequence[Step], say: Callable[[str], None]) -> bool:
    """Tell for each step whether it is done; True when all are."""
    findings = [(step.name, step.look()) for step in steps]
    for name, finding in findings:
        say(f"{'ok     ' if finding.done else 'missing'}  {name}: {finding.detail}")
    return all(finding.done for _, finding in findings)


def carry_out(
    steps: Sequence[Step],
    say: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Do what is missing, in order, and tell how long each step took.

    Raises:
        SetupError: a step could not be done; those before it stay done.
        InternalError: a step claims success, but its result is not there.
    """
    for number, step in enumerate(steps, start=1):
        head = f"[{number}/{len(steps)}] {step.name}"
        began = clock()
        finding = step.look()
        if finding.done:
            say(f"{head}: already there ({finding.detail})")
            continue
        say(f"{head}: {finding.detail}")
        step.act()
        finding = step.look()
        if not finding.done:
            raise InternalError(
                f"{step.name}: set up without an error, yet still missing: {finding.detail}"
            )
        say(f"    done in {clock() - began:.1f} s ({finding.detail})")
