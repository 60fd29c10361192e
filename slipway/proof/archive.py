"""Archives as Docker gives and takes them."""

import hashlib
import io
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from slipway.build_context import readable
from slipway.mounted_files import UploadedFile
from slipway.proof.bytecode import HEAD
from slipway.proof.files import SAMPLE, Found

_CHUNK = 1 << 20


class Stream(io.RawIOBase):
    """Chunks as a file that is read from its beginning to its end."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


def read_tree(stream: Any, path: str, wanted: Mapping[str, str]) -> Iterator[tuple[str, Found]]:
    """What is in an archive that Docker made of a path.

    Args:
        stream: the archive; its first member is what is at the path.
        path: absolute.
        wanted: the content that files must have, by path.
    """
    root: str | None = None
    seen: dict[str, Found] = {}
    with tarfile.open(fileobj=stream, mode="r|", errors="surrogateescape") as archive:
        for member in archive:
            root = member.name if root is None else root
            place = path + readable(member.name[len(root) :].rstrip("/"))
            linked = seen.get(member.linkname) if member.islnk() else None
            found = linked or _found(archive, member, place, wanted)
            seen[member.name] = found
            yield place, found


def _found(
    archive: tarfile.TarFile, member: tarfile.TarInfo, place: str, wanted: Mapping[str, str]
) -> Found:
    if member.isdir():
        return Found("folder")
    if member.issym():
        return Found("link", target=readable(member.linkname))
    data = archive.extractfile(member) if member.isreg() else None
    if data is None:
        return Found("other")
    hasher, kept = hashlib.sha256(), b""
    keeps = member.size <= SAMPLE and (place in wanted or place.endswith(".pyc"))
    while chunk := data.read(_CHUNK):
        hasher.update(chunk)
        kept = kept + chunk if keeps else kept
    content = hasher.hexdigest()
    return Found(
        "file",
        content=content,
        size=member.size,
        mtime=int(member.mtime),
        head=kept[:HEAD] if place.endswith(".pyc") else b"",
        sample=kept if place in wanted and keeps and wanted[place] != content else None,
    )


def first_file(stream: Any) -> bytes | None:
    """The content of an archive's first member; None if that is no file."""
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        member = archive.next()
        data = archive.extractfile(member) if member is not None and member.isreg() else None
        return data.read() if data else None


def packed(files: Sequence[UploadedFile]) -> bytes:
    """Files as an archive for the root of a container."""
    found = io.BytesIO()
    with tarfile.open(fileobj=found, mode="w") as archive:
        for file in files:
            member = tarfile.TarInfo(file.path.lstrip("/"))
            member.size, member.mode = len(file.content), int(file.permissions, 8)
            archive.addfile(member, io.BytesIO(file.content))
    return found.getvalue()
