import hashlib
import os
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway import hash_cache
from slipway.build_context import scan
from slipway.dockerignore import IgnoreRules
from slipway.hash_cache import HashCache, Known, Reading, decode, encode, stamp_of

SECOND = 1_000_000_000
NOW = 1_700_000_000 * SECOND
ALL = IgnoreRules()
STAMP, OTHER_STAMP, CONTENT = b"a" * 40, b"b" * 40, "c0ffee00" * 8
RECORD = STAMP + bytes.fromhex(CONTENT)
RECORDS = {"file": RECORD, "other": RECORD}


def later() -> int:
    """A time by which all files here have been left alone for long."""
    return time.time_ns() + 60 * SECOND


def later_in(folder: Path) -> int:
    return later()


def next_tick() -> None:
    """Wait until the file system's clock shows another time."""
    time.sleep(0.03)


def reading(changed_at: int) -> Reading:
    return Reading(STAMP, changed_at, NOW, CONTENT)


class Checkout:
    """A build context with one file, and a cache beside it whose clock is set by hand."""

    def __init__(self, root: Path) -> None:
        self.context, self.file = root / "app", root / "app/file"
        self.context.mkdir()
        self.file.write_bytes(b"one")
        self.cache = HashCache(root / "hashes", later, later_in)

    def contents(self, cache: HashCache | None = None) -> list[str | None]:
        """What a scan with the cache finds, which is kept for the next one."""
        cache = cache or self.cache
        known = cache.open(self.context)
        found = [entry.content for entry in scan(self.context, ALL, known)]
        cache.close(known, self.context)
        return found

    def fresh(self) -> list[str | None]:
        """What is really there."""
        return [entry.content for entry in scan(self.context, ALL)]

    def known(self) -> dict[str, bytes]:
        return dict(self.cache.open(self.context).before)

    def stored(self) -> Path:
        (file,) = self.cache.folder.iterdir()
        return file


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def write_in_place(file: Path) -> None:
    file.write_bytes(b"two")


def rename_over(file: Path) -> None:
    (file.parent / "new").write_bytes(b"two")
    (file.parent / "new").rename(file)


def make_anew(file: Path) -> None:
    file.unlink()
    file.write_bytes(b"two")


def link_another(file: Path) -> None:
    other = file.parent.parent / "other"
    other.write_bytes(b"two")
    file.unlink()
    file.hardlink_to(other)


EDITS = [write_in_place, rename_over, make_anew, link_another]


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("keeping_mtime", [False, True])
def test_edit_of_the_same_size_is_seen(
    checkout: Checkout, edit: Callable[[Path], None], keeping_mtime: bool
) -> None:
    before, mtime = checkout.contents(), checkout.file.stat().st_mtime_ns
    next_tick()
    edit(checkout.file)
    if keeping_mtime:
        os.utime(checkout.file, ns=(mtime, mtime))

    assert checkout.contents() == checkout.fresh() != before


def test_unchanged_file_is_not_read_again(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = checkout.contents()
    monkeypatch.setattr(os, "read", lambda *_: pytest.fail("it was read"))

    assert checkout.contents() == before


def test_edits_within_one_tick_of_the_clock_are_seen(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    real = HashCache(tmp_path / "hashes")
    for number in range(50):
        checkout.file.write_bytes(b"%03d" % number)
        assert checkout.contents(real) == checkout.fresh()
    assert list((tmp_path / "hashes").iterdir()) == []


@pytest.mark.parametrize(
    "changed_at",
    [
        pytest.param(NOW - 1, id="a-moment-ago"),
        pytest.param(NOW - 2 * SECOND, id="two-seconds-ago"),
        pytest.param(NOW + SECOND, id="in-the-future"),
        pytest.param(NOW + 3600 * SECOND, id="by-a-clock-that-was-set-back-since"),
    ],
)
def test_file_that_just_changed_is_not_remembered(changed_at: int) -> None:
    known = Known()
    known.learn("file", reading(changed_at))

    assert known.seen == {}


def test_file_that_was_left_alone_is_remembered() -> None:
    known = Known()
    known.learn("file", reading(NOW - 2 * SECOND - 1))

    assert known.seen == {"file": RECORD}


def test_what_was_written_by_a_clock_that_was_ahead_is_not_trusted() -> None:
    assert decode(encode(RECORDS, NOW), NOW) == RECORDS
    with pytest.raises(ValueError, match="future"):
        decode(encode(RECORDS, NOW + 1), NOW)


def test_clock_that_was_set_back_makes_files_be_read_anew(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    checkout.contents()
    assert list(checkout.known()) == ["file"]

    back = HashCache(tmp_path / "hashes", lambda: time.time_ns() - 3600 * SECOND, later_in)
    assert back.open(checkout.context).before == {}
    assert checkout.contents(back) == checkout.fresh()


def test_file_systems_clock_counts_where_it_is_behind(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    behind = HashCache(tmp_path / "hashes", later, lambda folder: time.time_ns())
    checkout.contents(behind)

    assert checkout.known() == {}


def test_record_counts_for_its_path_and_stamp_only() -> None:
    known = Known(RECORDS)

    assert known.content("file", OTHER_STAMP) is None
    assert known.content("third", STAMP) is None
    assert known.seen == {}
    assert known.content("file", STAMP) == CONTENT
    assert known.seen == {"file": RECORD}


def test_stamp_has_all_that_the_file_system_says(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    os.utime(tmp_path / "file", ns=(1, 123_456_789))
    found = (tmp_path / "file").stat()

    assert struct.unpack("<QQQqq", stamp_of(found)) == (
        found.st_dev,
        found.st_ino,
        3,
        123_456_789,
        found.st_ctime_ns,
    )


def test_file_from_another_millennium_is_not_remembered() -> None:
    long_ago: Any = SimpleNamespace(
        st_dev=1, st_ino=2, st_size=3, st_mtime_ns=-(10**19), st_ctime_ns=4
    )
    known = Known()
    known.learn("file", Reading(stamp_of(long_ago), 0, NOW, CONTENT))

    assert stamp_of(long_ago) == b""
    assert known.seen == {}


DAMAGES = {
    "empty": lambda data: b"",
    "cut": lambda data: data[:-1],
    "longer": lambda data: data + b" ",
    "another digit": lambda data: data.replace(b"file", b"fale"),
    "another version": lambda data: b"slipway-hashes-0 " + data.partition(b" ")[2],
    "another program's": lambda data: b'{"files": []}',
    "no text": lambda data: b"\xff\xfe\0",
    "nothing": lambda data: sealed(b""),
    "no records": lambda data: sealed(struct.pack("<qQ", 0, 2) + bytes(100)),
    "very many records": lambda data: sealed(struct.pack("<qQ", 0, 2**63)),
    "a path too many": lambda data: sealed(data.partition(b"\n")[2] + b"\0path"),
    "paths that are no text": lambda data: sealed(data.partition(b"\n")[2] + b"\xff"),
}


def sealed(body: bytes) -> bytes:
    """Whatever it is, with a right checksum."""
    head = encode({}, NOW).partition(b" ")[0]
    return b"%s %s\n%s" % (head, hashlib.sha256(body).hexdigest().encode(), body)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_or_foreign_file_is_ignored_and_replaced(checkout: Checkout, damage: str) -> None:
    before = checkout.contents()
    stored = checkout.stored()
    whole = stored.read_bytes()
    stored.write_bytes(DAMAGES[damage](whole))

    assert checkout.known() == {}
    assert checkout.contents() == before
    assert list(checkout.known()) == ["file"]


@given(st.binary(max_size=200), st.integers(0, 400))
def test_any_damage_is_noticed(noise: bytes, place: int) -> None:
    data = encode(RECORDS, NOW)
    place %= len(data)
    damaged = data[:place] + noise + data[place + len(noise) :]
    try:
        found = decode(damaged, NOW)
    except ValueError:
        return
    assert damaged == data
    assert found == RECORDS


def test_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    (tmp_path / "file").write_text("in the way")
    blocked = HashCache(tmp_path / "file/hashes", later, later_in)

    assert checkout.contents(blocked) == checkout.fresh()
    assert (tmp_path / "file").read_text() == "in the way"


def test_full_disk_is_no_error_and_leaves_nothing(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)

    assert checkout.contents() == checkout.fresh()
    assert list(checkout.cache.folder.iterdir()) == []


def test_two_runs_at_once_do_no_harm(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    for number in range(200):
        (checkout.context / str(number)).write_bytes(b"%d" % number)
    expected, wrong = checkout.fresh(), list[object]()

    def run() -> None:
        for turn in range(8):
            if checkout.contents() != expected:
                wrong.append(turn)
            for file in checkout.cache.folder.glob("[0-9a-f]*"):
                decode(file.read_bytes(), later())  # It is always whole.

    runs = [threading.Thread(target=run) for _ in range(4)]
    for each in runs:
        each.start()
    for each in runs:
        each.join()
    assert wrong == []
    assert len(checkout.known()) == 201


def test_deleted_files_are_forgotten(checkout: Checkout) -> None:
    (checkout.context / "second").write_bytes(b"two")
    checkout.contents()
    checkout.file.unlink()
    checkout.contents()

    assert list(checkout.known()) == ["second"]


def test_nothing_is_written_when_nothing_changed(checkout: Checkout) -> None:
    checkout.contents()
    before = checkout.stored().stat()
    checkout.contents()

    assert checkout.stored().stat() == before


def test_largest_files_are_remembered_where_there_are_too_many(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hash_cache, "MOST_FILES", 2)
    (checkout.context / "large").write_bytes(bytes(100))
    (checkout.context / "larger").write_bytes(bytes(101))
    checkout.contents()

    assert list(checkout.known()) == ["large", "larger"]


def test_latest_contexts_and_no_leftovers_are_kept(
    checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hash_cache, "MOST_CONTEXTS", 2)
    folder = checkout.cache.folder
    folder.mkdir()
    for name, age in [("a" * 24, 30), ("b" * 24, 20), ("notes", 40), (".unfinished-x", 7200)]:
        (folder / name).touch()
        os.utime(folder / name, (time.time() - age, time.time() - age))
    (folder / ".unfinished-y").touch()  # Of a run that is writing now.
    checkout.contents()

    names = {file.name for file in folder.iterdir()}
    assert len(names) == 4
    assert names > {"b" * 24, "notes", ".unfinished-y"}


def test_contexts_and_their_dockerfiles_are_told_apart(checkout: Checkout, tmp_path: Path) -> None:
    checkout.contents()

    assert checkout.cache.open(checkout.context, "web.Dockerfile").before == {}
    assert checkout.cache.open(tmp_path).before == {}


def test_names_that_are_no_utf_8_are_remembered(checkout: Checkout) -> None:
    with open(os.fsencode(checkout.context) + b"/\xff\\", "wb") as file:
        file.write(b"odd")
    checkout.contents()

    assert sorted(checkout.known()) == ["\\xff\\\\", "file"]
    assert checkout.contents() == checkout.fresh()
