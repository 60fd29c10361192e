"""What doctor tells: one finding for each thing that it looked at."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is: a warning can wait, a problem stops a deploy or harms what serves."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Args:
        check: what was looked at, in a word or two.
        level: how bad it is.
        what: what was found.
        why: why it matters; empty if all is well.
        command: what mends it; empty if all is well.
        stack: the stack that it is about; None for the machine.
    """

    check: str
    level: Level
    what: str
    why: str = ""
    command: str = ""
    stack: str | None = None


def ok(check: str, what: str) -> Finding:
    """All is well."""
    return Finding(check, Level.OK, what)


def warning(check: str, what: str, why: str, command: str) -> Finding:
    """It can wait."""
    return Finding(check, Level.WARNING, what, why, command)


def problem(check: str, what: str, why: str, command: str) -> Finding:
    """It stops a deploy, or harms what serves."""
    return Finding(check, Level.PROBLEM, what, why, command)


def sized(count: float) -> str:
    """Bytes as people read them.

    >>> sized(1_536_000_000)
    '1.5 GB'
    """
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if count >= 10 or unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
