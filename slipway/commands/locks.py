"""The start of scripts/deploy: put in order what a killed deploy left in the state."""

import json
import os
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from ruamel.yaml import YAML

from slipway.commands.edge import errors_shown
from slipway.locks import clear_locks, interrupted_creates, lock_folder, process_started

ROOT = Path(__file__).resolve().parents[2]


def locks(stack: Annotated[str, typer.Argument(help="stack that is to be deployed")]) -> None:
    """Clear a lock and unfinished creations of a process that has ended; refuse a live one's."""
    with errors_shown():
        backend = os.environ.get("PULUMI_BACKEND_URL", "")
        project = YAML(typ="safe").load(ROOT / "Pulumi.yaml")["name"]
        folder = lock_folder(backend, project, stack, ROOT)
        if folder is not None:
            for lock in clear_locks(folder, stack, socket.gethostname(), process_started):
                print(f"took away the lock that a deploy which has ended left: {lock}")
        _forget_interrupted(stack)


def _forget_interrupted(stack: str) -> None:
    """Take the notes of unfinished creations out of the state; they would be warned of for ever.

    Whether a container was made nonetheless is seen by the program itself, which looks at Docker.
    `--exclude **` keeps the refresh from more than that: reading each resource anew would put into
    the state what Docker has by accident, such as a container that is stopped. Where it fails,
    because the backend is not to be reached or another deploy runs, `pulumi up` will say so.
    """
    exported = _pulumi("stack", "export", "--stack", stack)
    if exported.returncode != 0:
        return
    names = interrupted_creates(json.loads(exported.stdout))
    if not names:
        return
    cleared = _pulumi(
        "refresh", "--clear-pending-creates", "--exclude", "**", "--yes", "--skip-preview",
        "--non-interactive", "--stack", stack,
    )  # fmt: skip
    for name in names if cleared.returncode == 0 else ():
        print(f"forgot what a deploy that has ended was creating: {name}")


def _pulumi(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command: Sequence[str] = ["pulumi", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    typer.run(locks)
