"""The start of a deploy: put in order what a killed deploy left in the state."""

import json
import os
import socket
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from slipway.locks import clear_locks, interrupted_creates, lock_folder, process_started

ROOT = Path(__file__).absolute().parents[2]


def put_in_order(stack: str, say: Callable[[str], None] = print) -> dict[str, Any] | None:
    """Clear a lock and unfinished creations of a process that has ended.

    Args:
        stack: that is to be deployed.
        say: takes a line about what was cleared.

    Returns:
        the stack's state, with its secrets in plain text; None where it could not be read, or was
        changed.

    Raises:
        GateError: a process that may live holds the lock.
    """
    backend = os.environ.get("PULUMI_BACKEND_URL", "")
    project = YAML(typ="safe").load(ROOT / "Pulumi.yaml")["name"]
    folder = lock_folder(backend, project, stack, ROOT)
    if folder is not None:
        for lock in clear_locks(folder, stack, socket.gethostname(), process_started):
            say(f"took away the lock that a deploy which has ended left: {lock}")
    return _forget_interrupted(stack, say)


def _forget_interrupted(stack: str, say: Callable[[str], None]) -> dict[str, Any] | None:
    """Take the notes of unfinished creations out of the state; they would be warned of for ever.

    Whether a container was made nonetheless is seen by the program itself, which looks at Docker.
    `--exclude **` keeps the refresh from more than that: reading each resource anew would put into
    the state what Docker has by accident, such as a container that is stopped. Where it fails,
    because the backend is not to be reached or another deploy runs, `pulumi up` will say so.
    """
    exported = _pulumi("stack", "export", "--show-secrets", "--stack", stack)
    if exported.returncode != 0:
        return None
    state: dict[str, Any] = json.loads(exported.stdout)
    names = interrupted_creates(state)
    if not names:
        return state
    cleared = _pulumi(
        "refresh", "--clear-pending-creates", "--exclude", "**", "--yes", "--skip-preview",
        "--non-interactive", "--stack", stack,
    )  # fmt: skip
    for name in names if cleared.returncode == 0 else ():
        say(f"forgot what a deploy that has ended was creating: {name}")
    return None


def _pulumi(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command: Sequence[str] = ["pulumi", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
