"""What a release would change, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Status(StrEnum):
    """What becomes of a service."""

    NEW = "new"
    REMOVED = "removed"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Change:
    """A setting that differs.

    Args:
        key: such as `environment.DEBUG` or `from docker.io/library/python:3.11`.
        before: what it is where it serves; None if it is not there.
        after: what it would be; None if it would not be there.
    """

    key: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class FileChanges:
    """Files that differ, by their paths in the build context.

    Args:
        changed: content, mode or link target.
        added: those that the image which serves was built without.
        removed: those that the image would be built without.
        modes: of those whose mode alone differs, the mode before and after.
    """

    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    modes: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.changed or self.added or self.removed)


@dataclass(frozen=True)
class Commit:
    """A commit between the release that serves and the source.

    Args:
        id: 40 digits.
        author: who wrote it.
        subject: its first line.
        taken_back: whether what serves has it and the source has not.
    """

    id: str
    author: str
    subject: str
    taken_back: bool = False


@dataclass(frozen=True)
class ServiceChange:
    """What a release would change about a service.

    Args:
        service: its name.
        status: what becomes of it.
        new_container: whether it would get another container.
        image: what it runs now, and would run; None for what is not there, or not built yet.
        files: of its build context; None where they are not known.
        recipe: what else its image is built from.
        settings: of the compose file and `x-slipway`.
        commits: those that touch its build context, newest first.
        notes: what else is to be said, a sentence each.
    """

    service: str
    status: Status
    new_container: bool = False
    image: tuple[str | None, str | None] = (None, None)
    files: FileChanges | None = field(default_factory=FileChanges)
    recipe: tuple[Change, ...] = ()
    settings: tuple[Change, ...] = ()
    commits: tuple[Commit, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceImage:
    """An image that is made from the source.

    Args:
        name: repository and tag.
        services: those that would run it.
        digest: what the registry has under that name; None if it is to be built.
        known: whether the registry has said so.
    """

    name: str
    services: tuple[str, ...]
    digest: str | None = None
    known: bool = True


@dataclass(frozen=True)
class Command:
    """A command that a release would run to its end before containers start.

    Args:
        service: whose it is.
        command: what is run, with secrets by reference; empty for what the image says.
        release: whether it is a release command of `x-slipway`, and no service of its own.
    """

    service: str
    command: str
    release: bool = True


@dataclass(frozen=True)
class Explanation:
    """What releasing a stack's source would change.

    Args:
        stack: its name.
        services: all that serve or would serve, by name.
        release: number of the release that serves; None if there is none.
        time: when that was released.
        commit: what it was made from, if that is known.
        project: volumes and networks that differ.
        notes: what else is to be said, a sentence each.
        images: those that are made from the source.
        commands: those that would run, in their order.
    """

    stack: str
    services: tuple[ServiceChange, ...]
    release: int | None = None
    time: str | None = None
    commit: str | None = None
    project: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()
    images: tuple[SourceImage, ...] = ()
    commands: tuple[Command, ...] = ()
