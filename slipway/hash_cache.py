"""What files had in them when they were last read, so that unchanged ones are not read again.

A record holds for a file only while all that the file system says of it is the same: its place,
device, inode, size, and the times at which content and attributes last changed. The latter time
(ctime) cannot be set by programs, so that an edit is seen even where it keeps size and mtime.

A file that changed less than two seconds before it was read may change again without another
time to show for it; it is read anew each time until it is older.

Whatever is wrong with the cache, the files are read: it is never a reason to fail.
"""

import hashlib
import os
import re
import struct
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(".slipway/hashes")
"""From the program's folder."""
MOST_FILES = 200_000
"""So many files are remembered of one build context, the largest; about 40 MB."""
MOST_CONTEXTS = 32
"""So many build contexts are remembered, the latest."""

_RACY = 2_000_000_000
_START = struct.Struct("<qQ")
_STAMP = struct.Struct("<QQQqq")
_RECORD = _STAMP.size + hashlib.sha256().digest_size
_HEAD = b"slipway-hashes-1 "
_UNFINISHED = ".unfinished-"

_OWN_NAME = re.compile("[0-9a-f]{24}")

Clock = Callable[[], int]
"""Nanoseconds since the epoch."""


class Reading(NamedTuple):
    """A file that was read.

    Args:
        stamp: of the file, the same before and after.
        changed_at: when its content or anything else of it last changed, in nanoseconds.
        read_at: when reading began, in nanoseconds; 0 if it changed meanwhile.
        content: SHA-256 of the content, in hexadecimal.
    """

    stamp: bytes
    changed_at: int
    read_at: int
    content: str

    @property
    def settled(self) -> bool:
        """Whether a later change must have another time, because this one was long ago."""
        return self.read_at - self.changed_at > _RACY


def stamp_of(status: os.stat_result) -> bytes:
    """What the file system says of a file: device, inode, size, mtime and ctime."""
    try:
        return _STAMP.pack(
            status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
        )
    except struct.error:
        return b""  # Its time is some centuries away; no record has this stamp.


def encode(records: Mapping[str, bytes], now: int) -> bytes:
    """The records as a file: a line with a checksum, then time and number, records, paths.

    Args:
        records: stamp and content of each file, one behind the other, by path.
        now: in nanoseconds since the epoch.
    """
    paths = "\0".join(records).encode()
    body = _START.pack(now, len(records)) + b"".join(records.values()) + paths
    return _HEAD + hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def decode(data: bytes, now: int) -> dict[str, bytes]:
    """The records of a file.

    Args:
        data: the file.
        now: in nanoseconds since the epoch.

    Raises:
        ValueError: it is damaged, it is something else, or it is from the future: then the clock
            was ahead, and what it said of the age of files was wrong.
    """
    head, _, body = data.partition(b"\n")
    if head != _HEAD + hashlib.sha256(body).hexdigest().encode():
        raise ValueError("not a whole file of records")
    if len(body) < _START.size:
        raise ValueError("not records")
    written, count = _START.unpack_from(body)
    end = _START.size + count * _RECORD
    paths = body[end:].decode().split("\0") if count else []
    if len(paths) != count or written > now:
        raise ValueError("not records, or from the future")
    rows = [body[place : place + _RECORD] for place in range(_START.size, end, _RECORD)]
    return dict(zip(paths, rows, strict=True))


@dataclass
class Known:
    """The records of one build context.

    Args:
        before: of earlier runs.
        clock: tells when a file is read.
        seen: of this run.
    """

    before: Mapping[str, bytes] = field(default_factory=dict)
    clock: Clock = time.time_ns
    seen: dict[str, bytes] = field(default_factory=dict)

    def content(self, path: str, stamp: bytes) -> str | None:
        """What a file has in it, if that is known.

        Args:
            path: from the context's root.
            stamp: of the file as it is now.
        """
        record = self.before.get(path)
        if record is None or record[: _STAMP.size] != stamp:
            return None
        self.seen[path] = record
        return record[_STAMP.size :].hex()

    def learn(self, path: str, reading: Reading) -> None:
        """Remember a file that was read, unless it may change without being noticed."""
        if reading.settled and reading.stamp:
            self.seen[path] = reading.stamp + bytes.fromhex(reading.content)


def file_time(folder: Path) -> int:
    """The time that the file system of a folder gives its files."""
    with tempfile.TemporaryFile(dir=folder) as file:
        return os.fstat(file.fileno()).st_mtime_ns


@dataclass(frozen=True)
class HashCache:
    """The records of all build contexts of a checkout, on disk.

    Two runs at once do each other no harm: each writes a whole file, and the later one stays.

    Args:
        folder: where they are; made when needed.
        clock: the time.
        file_time: the time that the file system of a folder gives its files.
    """

    folder: Path = FOLDER
    clock: Clock = time.time_ns
    file_time: Callable[[Path], int] = file_time

    def open(self, context: Path, dockerfile: str = "") -> Known:
        """What is known of a build context.

        Args:
            context: its folder.
            dockerfile: two Dockerfiles of one context may each leave out other files.
        """
        ahead = self._ahead()
        try:
            data = self._file(context, dockerfile).read_bytes()
            before = decode(data, self.clock() - ahead)
        except (OSError, ValueError):
            before = {}
        return Known(before, lambda: self.clock() - ahead)

    def close(self, known: Known, context: Path, dockerfile: str = "") -> None:
        """Keep what was seen of a context, and forget what was not."""
        records = known.seen
        if len(records) > MOST_FILES:
            largest = sorted(records, key=lambda path: (-_size(records[path]), path))
            records = {path: records[path] for path in sorted(largest[:MOST_FILES])}
        if records == known.before:
            return
        with suppress(OSError):
            _write(self._file(context, dockerfile), encode(records, known.clock()))
            _prune(self.folder)

    def _file(self, context: Path, dockerfile: str) -> Path:
        # Seen from here, so that a checkout that was moved still knows its files.
        place = os.path.relpath(context, self.folder)
        name = hashlib.sha256(os.fsencode(f"{place}\0{dockerfile}")).hexdigest()[:24]
        return self.folder / name

    def _ahead(self) -> int:
        """By how much the clock is ahead of the file system's: a server may have its own."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            return max(0, self.clock() - self.file_time(self.folder))
        except OSError:
            return 0


def _size(record: bytes) -> int:
    _, _, size, _, _ = _STAMP.unpack_from(record)
    return int(size)


def _write(file: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=_UNFINISHED, dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as unfinished:
            unfinished.write(data)
        os.replace(name, file)
    except BaseException:
        os.unlink(name)
        raise


def _prune(folder: Path) -> None:
    """Take away the oldest files, and what killed runs have left."""
    files = sorted(folder.iterdir(), key=lambda file: -file.lstat().st_mtime_ns)
    kept = [file for file in files if _OWN_NAME.fullmatch(file.name)]
    hour_ago = time.time() - 3600
    left = [f for f in files if f.name.startswith(_UNFINISHED) and f.stat().st_mtime < hour_ago]
    for file in kept[MOST_CONTEXTS:] + left:
        file.unlink(missing_ok=True)
