"""What a build printed: kept in a file, shown when the build fails."""

import re
from pathlib import Path

FOLDER = Path(".slipway/builds")
"""From the program's folder. Constant, because the engine builds anew when the path differs."""
_LINES = 30
_NO_SPACE = re.compile("no space left on device", re.IGNORECASE)


def log_file(image: str) -> Path:
    """Where the build of an image writes."""
    return FOLDER / f"{image}.log"


def begin(image: str) -> None:
    """Make an empty log for a build that is about to begin."""
    file = log_file(image)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("")


def failure_report(image: str) -> str:
    """What to say of a build that failed: the end of its output, and what to do next."""
    file = log_file(image)
    text = file.read_text(errors="replace") if file.exists() else ""
    tail = [line for line in text.splitlines() if line.strip()][-_LINES:]
    remedy = "mend the step that failed"
    if _NO_SPACE.search(text):
        remedy = "the disk is full: make room (docker builder prune, docker image prune)"
    lines = [f"the image {image} could not be built; end of the build's output:"]
    lines += [f"  | {line}" for line in tail] or ["  | (nothing)"]
    lines.append(
        f"next: {remedy}, and run pulumi up again; what served before still serves; the whole "
        f"output is in {file}"
    )
    return "\n".join(lines)
