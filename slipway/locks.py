"""What a killed deploy left in Pulumi's state: its lock, and notes of what it was creating.

A file backend keeps a lock as `.pulumi/locks/organization/<project>/<stack>/<id>.json`, which a
killed process leaves behind. Other backends have locks of their own, which are left to Pulumi.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import psutil

from slipway.errors import GateError

_FILE = "file://"
_CLOCK_TOLERANCE = 2.0


@dataclass(frozen=True)
class Lock:
    """A lock on a stack's state.

    Args:
        file: where it is.
        user: who started the process that took it.
        host: name of the machine on which that process ran.
        pid: its process id there.
        since: when it took the lock.
    """

    file: Path
    user: str
    host: str
    pid: int
    since: datetime

    def __str__(self) -> str:
        time = self.since.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return f"{self.user}, process {self.pid} on {self.host}, since {time}"


def lock_folder(backend: str, project: str, stack: str, root: Path) -> Path | None:
    """Where a file backend keeps a stack's locks; None for another kind of backend.

    Args:
        backend: its URL.
        project: the Pulumi project's name.
        stack: the stack's name.
        root: folder that a relative path in the URL starts from.
    """
    if not backend.startswith(_FILE):
        return None
    path = Path(unquote(backend.removeprefix(_FILE).partition("?")[0])).expanduser()
    return root / path / ".pulumi/locks/organization" / project / stack


def find_locks(folder: Path) -> list[Lock]:
    """The locks in a folder; one that is taken away in the meantime is none.

    Raises:
        GateError: a lock cannot be read.
    """
    locks = []
    for file in sorted(folder.glob("*.json")):
        try:
            locks.append(_parse(file, json.loads(file.read_text("utf-8"))))
        except FileNotFoundError:
            continue
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise GateError(
                f"{file}: a lock that cannot be read ({error}); see that no other deploy of this "
                "stack is running, remove the file, then run this again"
            ) from error
    return locks


def _parse(file: Path, content: Mapping[str, Any]) -> Lock:
    since = datetime.fromisoformat(content["timestamp"])
    return Lock(file, content["username"], content["hostname"], int(content["pid"]), since)


def process_started(pid: int) -> float | None:
    """When a process of this machine began, in seconds since the epoch; None if it has ended."""
    try:
        process = psutil.Process(pid)
        # Killed, and not yet noticed by its parent: it does nothing any more.
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.NoSuchProcess:
        return None


def left_behind(lock: Lock, here: str, started: Callable[[int], float | None]) -> bool:
    """Whether the process that took a lock is known to have ended.

    The lock tells no more than a host's name. Of two machines that have one name and share their
    state, one may take the other's lock away; the lease at the gate, which knows them apart, still
    keeps two deploys from switching at once.

    Args:
        lock: the lock.
        here: name of this machine.
        started: `process_started`.
    """
    if lock.host != here:
        return False
    began = started(lock.pid)
    # A process that is younger than the lock only has the number of the one that took it.
    return began is None or began > lock.since.timestamp() + _CLOCK_TOLERANCE


def clear_locks(
    folder: Path, stack: str, here: str, started: Callable[[int], float | None]
) -> list[Lock]:
    """Take away the locks that dead processes left; gives them.

    Each file by itself, and not all at once as `pulumi cancel` would: of two deploys that find the
    same old lock, the slower one must not take away the lock that the other has by then.

    Raises:
        GateError: a lock is held by a process that is alive, or that cannot be seen from here.
    """
    found = find_locks(folder)
    held = [lock for lock in found if not left_behind(lock, here, started)]
    if held:
        raise GateError(refusal(held[0], stack, here))
    for lock in found:
        lock.file.unlink(missing_ok=True)
        # What a backend without `metadata=skip` keeps beside each of its files.
        lock.file.with_name(f"{lock.file.name}.attrs").unlink(missing_ok=True)
    return found


def refusal(lock: Lock, stack: str, here: str) -> str:
    """Why a stack cannot be deployed now, and what to do."""
    head = f"stack {stack} is locked by {lock}: "
    if lock.host == here:
        return (
            f"{head}that deploy is running; wait for it, or stop it (kill -INT {lock.pid}), then "
            f"run scripts/deploy {stack} again"
        )
    return (
        f"{head}whether it runs can only be seen on {lock.host}; wait for it, or, if it has ended, "
        f"run: . scripts/activate; pulumi cancel --yes --stack {stack}; scripts/deploy {stack}"
    )


def interrupted_creates(export: Mapping[str, Any]) -> list[str]:
    """Names of what a killed run was creating, out of `pulumi stack export`.

    Other operations that were interrupted are forgotten by the engine itself, at the next update.
    """
    operations = export.get("deployment", {}).get("pending_operations") or []
    return [
        operation["resource"]["urn"].split("::", 2)[2]
        for operation in operations
        if operation.get("type") == "creating"
    ]
