"""What is known of the machine and of the stacks before anything is judged.

A fact that could not be had is an `Unread` that says why: one thing that is broken hides nothing
of the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from slipway.doctor.stack_file import StackFile


@dataclass(frozen=True)
class Unread:
    """A fact that could not be had.

    Args:
        why: the reason, in words for the user.
    """

    why: str


@dataclass(frozen=True)
class Engine:
    """The Docker engine.

    Args:
        version: as it tells it, such as 28.0.4.
        data_root: folder of its images and volumes.
        local: whether it runs on this machine.
    """

    version: str
    data_root: Path
    local: bool


@dataclass(frozen=True)
class Disk:
    """The space on the file system of a folder, in bytes.

    Args:
        holds: what lies there, in words.
        path: the folder.
        free: what may still be written.
        total: its size.
        device: of the file system; folders with the same one share their space.
    """

    holds: str
    path: Path
    free: int
    total: int
    device: int = 0


@dataclass(frozen=True)
class Passphrase:
    """The file with the passphrase of the stacks' secrets; `mode` is None if there is none."""

    file: Path
    mode: int | None


@dataclass(frozen=True)
class MachineFacts:
    """What all stacks share.

    Args:
        engine: the Docker engine.
        cli: version of the Pulumi CLI.
        plugins: versions of the Docker provider plugin that are installed.
        registries: by host, why it does not answer; None if it does.
        disks: where space may run out.
        backend: names of the project's stacks that the backend knows.
        passphrase: its file; None where the passphrase comes from the environment.
    """

    engine: Engine | Unread
    cli: str | Unread
    plugins: tuple[str, ...] | Unread
    registries: Mapping[str, str | None]
    disks: tuple[Disk | Unread, ...]
    backend: tuple[str, ...] | Unread
    passphrase: Passphrase | None


@dataclass(frozen=True)
class LockFact:
    """A lock on a stack's state.

    Args:
        text: who holds it, since when.
        over: whether the process that took it is known to have ended.
        here: whether it was taken on this machine.
        pid: of that process.
    """

    text: str
    over: bool
    here: bool
    pid: int


@dataclass(frozen=True)
class Evidence:
    """A file that a run writes while it works, and replaces when it ends; `run` is its start."""

    file: Path
    run: datetime | None


@dataclass(frozen=True)
class Orphan:
    """A container with a stack's owner label that its state does not know.

    Args:
        name: of the container.
        id: full container id.
        status: running, exited, created, …
        routed: whether the proxy leads to it, or might: it runs, and the proxy was not to be asked.
        created: when it was made; None if Docker does not say.
    """

    name: str
    id: str
    status: str
    routed: bool = False
    created: datetime | None = None


@dataclass(frozen=True)
class StateFacts:
    """What the backend has of a stack.

    Args:
        release: number of the release that serves; None without one.
        pending: what a run that was cut off was creating.
    """

    release: int | None
    pending: tuple[str, ...] = ()


@dataclass(frozen=True)
class StackFacts:
    """What is known of one stack.

    Args:
        name: of the stack.
        file: its configuration.
        state: what the backend has of it; None if it has no such stack.
        locks: on its state; None where the backend has locks of its own.
        port_taken: who else has its port, in words; None if it is free or its own proxy's.
        compose: what is not pinned, a line each.
        drift: how ledger, containers and proxy differ, a line each; None without a release.
        orphans: containers of the stack that its state does not know.
        evidence: files of runs that did not end.
    """

    name: str
    file: StackFile | Unread
    state: StateFacts | Unread | None
    locks: tuple[LockFact, ...] | Unread | None = ()
    port_taken: str | Unread | None = None
    compose: tuple[str, ...] | Unread = ()
    drift: tuple[str, ...] | Unread | None = None
    orphans: tuple[Orphan, ...] | Unread = ()
    evidence: tuple[Evidence, ...] = ()

    @property
    def busy(self) -> bool:
        """Whether a deploy of the stack may be at work now."""
        return isinstance(self.locks, tuple) and any(not lock.over for lock in self.locks)


@dataclass(frozen=True)
class ImageFacts:
    """Images that no release needs any more.

    Args:
        count: how many.
        size: bytes of all of them.
        unread: registries' repositories that could not be looked at, and why.
    """

    count: int
    size: int
    unread: tuple[str, ...] = ()


@dataclass(frozen=True)
class Facts:
    """All that doctor looks at.

    Args:
        machine: what all stacks share.
        stacks: the stacks to be told of.
        configured: configuration of all stacks in stacks/, by name, where it can be read.
        images: those that no release needs any more.
        now: the time of the look.
    """

    machine: MachineFacts
    stacks: tuple[StackFacts, ...]
    configured: Mapping[str, StackFile]
    images: ImageFacts | Unread
    now: datetime
