"""What Docker sends of a build context: which files, folders and links, and what is in them."""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from slipway.dockerignore import IgnoreRules, Verdict
from slipway.hash_cache import Clock, Known, Reading, stamp_of

_CHUNK = 1 << 20
_PERMISSIONS = 0o7777
_BATCH = 64
"""Files that a thread takes at once: most are small, and to hand over each would cost as much."""
_THREADS = min(8, os.cpu_count() or 1)
# What was a file a moment ago may be a pipe by now, and to open that would wait for a writer.
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK

_Found = tuple[str, os.stat_result]


class Entry(NamedTuple):
    """One file, folder or link of a build context.

    Args:
        path: from the context's root, with `/`; backslashes, and bytes that are no UTF-8, are
            escaped.
        mode: file type and permission bits, in octal.
        target: a link's target.
        content: SHA-256 of a file's content.
    """

    path: str
    mode: str
    target: str | None = None
    content: str | None = None


def scan(context: Path, rules: IgnoreRules, known: Known | None = None) -> list[Entry]:
    """The entries of a build context that Docker would send, sorted within each folder.

    An ignored folder is not part of the context, unless something below it is kept by a `!`.

    Args:
        context: its folder.
        rules: what is left out.
        known: what was in files when they were last read; takes up what is read now.
    """
    root, found = str(context), list[_Found]()
    known = known or Known()
    _walk(root, "", rules, rules.at_root, found)
    entries = [_entry(root, path, status, known) for path, status in found]
    unread = [
        number
        for number, (_, status) in enumerate(found)
        if entries[number].content is None and stat.S_ISREG(status.st_mode)
    ]
    readings = _read_all([os.path.join(root, found[number][0]) for number in unread], known.clock)
    for number, reading in zip(unread, readings, strict=True):
        entries[number] = entries[number]._replace(content=reading.content)
        if reading.stamp == stamp_of(found[number][1]):
            known.learn(entries[number].path, reading)
    return entries


def _walk(root: str, below: str, rules: IgnoreRules, above: Verdict, found: list[_Found]) -> None:
    for child in _children(root, below):
        path = f"{below}/{child.name}" if below else child.name
        said = rules.look(path, above)
        folder = child.is_dir(follow_symlinks=False)
        if said.ignored and not (folder and rules.may_keep_below(path)):
            continue
        try:
            status = child.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        place = len(found)
        if folder and (not said.ignored or os.access(child.path, os.R_OK | os.X_OK)):
            _walk(root, path, rules, said, found)
        if not said.ignored or len(found) > place:
            found.insert(place, (path, status))


def _children(root: str, below: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(os.path.join(root, below)) as listing:
            return sorted(listing, key=attrgetter("name"))
    except FileNotFoundError:
        if not below:
            raise
        return []  # It is gone by now: Docker would not meet it either.


def _entry(root: str, path: str, status: os.stat_result, known: Known) -> Entry:
    """The entry, with the content of a file only if it is known."""
    name, mode = readable(path), _mode(status.st_mode)
    if stat.S_ISREG(status.st_mode):
        return Entry(name, mode, None, known.content(name, stamp_of(status)))
    if stat.S_ISLNK(status.st_mode):
        return Entry(name, mode, readable(os.readlink(os.path.join(root, path))))
    return Entry(name, mode)


def _read_all(paths: Sequence[str], clock: Clock) -> Iterable[Reading]:
    def read(batch: Sequence[str]) -> list[Reading]:
        return [_read(path, clock) for path in batch]

    batches = [paths[start : start + _BATCH] for start in range(0, len(paths), _BATCH)]
    if len(batches) < 2:
        return chain.from_iterable(map(read, batches))
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(chain.from_iterable(pool.map(read, batches)))


def _read(path: str, clock: Clock) -> Reading:
    file = os.open(path, _READ)
    try:
        read_at, status = clock(), os.fstat(file)
        stamp, hasher = stamp_of(status), hashlib.sha256()
        for chunk in _chunks(file, status.st_size):
            hasher.update(chunk)
        same = stamp_of(os.fstat(file)) == stamp
    finally:
        os.close(file)
    changed_at = max(status.st_mtime_ns, status.st_ctime_ns)
    return Reading(stamp, changed_at, read_at if same else 0, hasher.hexdigest())


def _chunks(file: int, size: int) -> Iterator[bytes]:
    while chunk := os.read(file, min(size + 1, _CHUNK)):
        yield chunk


@lru_cache(maxsize=256)
def _mode(mode: int) -> str:
    # A link's permission bits mean nothing and differ between systems.
    permissions = 0 if stat.S_ISLNK(mode) else mode & _PERMISSIONS
    return f"{stat.S_IFMT(mode) | permissions:o}"


def readable(path: str) -> str:
    """A path as text in which no two look the same; see `Entry`."""
    if path.isascii() and "\\" not in path:
        return path
    # Backslashes are escaped too, so that no two paths look the same.
    return os.fsencode(path).replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")
