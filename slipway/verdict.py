"""The last words of a deploy that ended badly: all that is needed is on one screen."""

from collections.abc import Sequence

from slipway.evidence.checked import summary_of
from slipway.verify import Check


def broken(stack: str, number: int | None, failed: Sequence[Check], errors: str) -> str:
    """What is said when the release before could not be brought back.

    Args:
        stack: the stack.
        number: of the release that the state calls live; None if it has none.
        failed: what is not as that release must be.
        errors: what went wrong first.
    """
    lines = [f"FAILED, and the release before could not be brought back: stack {stack}"]
    if number is None:
        lines.append("  the state has no release")
    else:
        lines.append(f"  the state says that release {number} serves")
        lines += [f"  {check}" for check in failed] or ["  all of it is as it should be"]
    return "\n".join([*lines, *why(errors), *_next(stack)])


def unknown(stack: str, problem: str, errors: str) -> str:
    """What is said when it cannot be seen how a stack is.

    Args:
        stack: the stack.
        problem: why it cannot be seen.
        errors: what went wrong first.
    """
    head = f"FAILED, and what serves is not known: stack {stack}"
    return "\n".join([head, f"  {problem}", *why(errors), *_next(stack)])


def why(errors: str) -> list[str]:
    """What went wrong, in a line: what was said of it is far above by now."""
    return [f"why: {summary_of(errors)}"] if errors else []


def _next(stack: str) -> list[str]:
    return [
        "next:",
        f"  scripts/doctor {stack}             what is wrong, and what mends it",
        f"  scripts/deploy {stack}             tries again; a release of the ledger: "
        f"scripts/rollback {stack} N",
    ]
