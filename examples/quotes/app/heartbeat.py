"""A file whose age tells whether the worker is alive."""

import time
from pathlib import Path

MAX_AGE_SECONDS = 15.0


def beat(path: Path) -> None:
    path.touch()


def problem(path: Path, now: float) -> str | None:
    """Say what is wrong with the heartbeat, or return None when it is fresh."""
    try:
        age = now - path.stat().st_mtime
    except FileNotFoundError:
        return f"no heartbeat: {path} does not exist"
    if age > MAX_AGE_SECONDS:
        return f"last heartbeat {age:.0f} s ago, allowed are {MAX_AGE_SECONDS:.0f} s"
    return None


def check(path: Path) -> int:
    """Print the verdict and return the exit code for a container's health check."""
    wrong = problem(path, time.time())
    print(wrong or "alive")
    return 1 if wrong else 0
