"""What must be where in an image, as the Dockerfile and the source say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from slipway.build_context import Entry

SHARED = frozenset(
    {
        *(
            "/",
            "/bin",
            "/boot",
            "/dev",
            "/etc",
            "/home",
            "/lib",
            "/lib64",
            "/media",
            "/mnt",
            "/opt",
        ),
        *("/proc", "/root", "/run", "/sbin", "/sys", "/tmp", "/usr", "/var"),  # noqa: S108
        *("/usr/bin", "/usr/include", "/usr/lib", "/usr/libexec", "/usr/local", "/usr/sbin"),
        *("/usr/share", "/usr/src", "/usr/local/bin", "/usr/local/etc", "/usr/local/lib"),
        *("/usr/local/sbin", "/usr/local/share", "/usr/local/src", "/var/lib", "/var/www"),
    }
)
"""Folders that an application does not have to itself: they are not looked into as a whole."""


@dataclass(frozen=True)
class Expected:
    """A file or link of the source that must be in the image.

    Args:
        path: where.
        source: path in the build context.
        content: SHA-256 of a file's content.
        target: a link's target.
        line: of the Dockerfile's COPY; 0 if `x-slipway.proof.files` says where it is.
        inside: where it is instead if there is a folder at `path`.
        folder: that its COPY fills.
        changed: line of the first instruction after its COPY that may have changed it: any RUN,
            and a COPY to its folder of what is not from the source.
    """

    path: str
    source: str
    content: str | None
    target: str | None
    line: int
    inside: str | None = None
    folder: str = "/"
    changed: int | None = None


@dataclass(frozen=True)
class Mapped:
    """Where a source is in an image.

    Args:
        expected: what must be there, sorted by path.
        left_out: files of which nothing is expected, by the reason.
    """

    expected: tuple[Expected, ...] = ()
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def fetched(self) -> tuple[str, ...]:
        """What must be fetched to see all of it: whole folders, or single files."""
        found = {_own_part(expected) for expected in self.expected}
        return tuple(sorted(path for path in found if not _below(path, found)))

    @property
    def shared_caches(self) -> tuple[str, ...]:
        """Where Python would keep what it has compiled of single files in shared folders."""
        single = set(self.fetched)
        folders = {e.path.rpartition("/")[0] for e in self.expected if e.path in single}
        return tuple(sorted(f"{folder}/__pycache__" for folder in folders))


def is_comparable(entry: Entry) -> bool:
    """Whether an entry of a build context has something to compare."""
    return entry.content is not None or entry.target is not None


def _own_part(expected: Expected) -> str:
    """The largest part of the way to a file that the application has to itself."""
    part = expected.folder
    for step in expected.path.removeprefix(part.rstrip("/") + "/").split("/"):
        if part not in SHARED:
            return part
        part = f"{part.rstrip('/')}/{step}"
    return part


def _below(path: str, others: Iterable[str]) -> bool:
    return any(path != other and path.startswith(other.rstrip("/") + "/") for other in others)
