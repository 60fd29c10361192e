"""What a build printed: kept in a file, shown when the build fails."""

import re
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(".slipway/builds")
"""From the program's folder. Constant, because the engine builds anew when the path differs."""
_LINES = 30
_NO_SPACE = re.compile("no space left on device", re.IGNORECASE)
_SYNTAX = re.compile(r"dockerfile parse error (?:on )?line (\d+): (.*)", re.IGNORECASE)
_COUNT = re.compile(r"\d+ errors? occurred:")


def log_file(image: str) -> Path:
    """Where the build of an image writes."""
    return FOLDER / f"{image}.log"


def begin(image: str) -> None:
    """Make an empty log for a build that is about to begin."""
    file = log_file(image)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("")


def failure_report(image: str, dockerfile: str, context: str, errors: Sequence[str]) -> str:
    """What to say of a build that failed: why, the end of its output, and what to do next.

    Args:
        image: name of its resource.
        dockerfile: path of its Dockerfile, from the program's folder.
        context: path of its build context.
        errors: what the provider said, newest first: a Dockerfile that cannot be read, or is not
            there, prints nothing.
    """
    file = log_file(image)
    text = file.read_text(errors="replace") if file.exists() else ""
    tail = [line for line in text.splitlines() if line.strip()][-_LINES:]
    remedy = "mend the step that failed"
    if _NO_SPACE.search(text):
        remedy = "the disk is full: make room (docker builder prune, docker image prune)"
    lines = [f"the image {image} could not be built from {dockerfile} (context {context}):"]
    lines += [f"  {line}" for line in _said(errors, dockerfile)]
    lines.append("end of the build's output:")
    lines += [f"  | {line}" for line in tail] or ["  | (nothing)"]
    lines.append(
        f"next: {remedy}, and run pulumi up again; what served before still serves; the whole "
        f"output is in {file}"
    )
    return "\n".join(lines)


def _said(errors: Sequence[str], dockerfile: str) -> list[str]:
    """The lines of the newest error, without the provider's own count and bullets."""
    lines = [line.strip().removeprefix("* ") for line in "".join(errors[:1]).splitlines()]
    told = [line for line in lines if line and not _COUNT.fullmatch(line)]
    if match := _SYNTAX.search("\n".join(told)):
        return [f"{dockerfile}:{match[1]}: {match[2]}"]
    return told
