import hashlib
import os
import socket
from pathlib import Path

import pytest

from slipway import build_context
from slipway.build_context import Entry, scan
from slipway.dockerignore import IgnoreRules, read_rules
from slipway.hash_cache import HashCache, Known

from .test_hash_cache import later, later_in, next_tick

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def write(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"abc")


def paths(root: Path, ignore: str = "") -> list[str]:
    return [entry.path for entry in scan(root, read_rules(ignore))]


def test_entries_tell_type_mode_target_and_content(tmp_path: Path) -> None:
    write(tmp_path, "file")
    (tmp_path / "file").chmod(0o4754)
    (tmp_path / "folder").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe", 0o600)

    assert scan(tmp_path, IgnoreRules()) == [
        Entry("file", "104754", content=ABC),
        Entry("folder", "40700"),
        Entry("link", "120000", target="file"),
        Entry("pipe", "10600"),
    ]


def test_sockets_count_because_buildkit_sends_them_as_empty_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # The path of a socket may be short only.
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")

        assert paths(tmp_path) == ["socket"]


def test_hard_links_count_as_files(tmp_path: Path) -> None:
    write(tmp_path, "ignored")
    (tmp_path / "same").hardlink_to(tmp_path / "ignored")

    assert [e.content for e in scan(tmp_path, read_rules("ignored"))] == [ABC]


def test_files_kept_below_an_ignored_folder_are_found(tmp_path: Path) -> None:
    write(tmp_path, "docs/a/keep.md", "docs/a/drop.md", "docs/b/drop.md", "main.py")

    assert paths(tmp_path, "docs\n!docs/a/keep.md") == [
        "docs",
        "docs/a",
        "docs/a/keep.md",
        "main.py",
    ]


def test_file_in_a_folder_is_judged_by_what_matched_the_folder(tmp_path: Path) -> None:
    write(tmp_path, "a/b", "a/c")

    assert paths(tmp_path, "a/b\n!a") == ["a", "a/c"]


def test_empty_folder_that_is_ignored_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "empty/inner").mkdir(parents=True)

    assert paths(tmp_path, "empty\n!empty/*.py") == []


def test_ignored_folder_is_not_even_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "node_modules/x", "static/x")
    opened: list[str] = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: opened.append(path) or scandir(path))
    paths(tmp_path, "node_modules\n!static/y")

    assert opened == [f"{tmp_path}/", f"{tmp_path}/static"]


def test_ignored_folder_that_may_not_be_opened_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "private/x")
    monkeypatch.setattr(os, "access", lambda path, mode: not path.endswith("private"))

    assert paths(tmp_path, "private\n!*.py") == []


def test_files_that_vanish_meanwhile_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "a", "b/c", "d")
    listed = build_context._children

    def children(root: str, below: str) -> list[os.DirEntry[str]]:
        found = listed(root, below)
        (tmp_path / "a").unlink(missing_ok=True)
        return found

    monkeypatch.setattr(build_context, "_children", children)
    assert paths(tmp_path) == ["b", "b/c", "d"]


def test_missing_context_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        scan(tmp_path / "gone", IgnoreRules())


def test_many_files_are_read_each_for_itself(tmp_path: Path) -> None:
    for number in range(3 * 64 + 1):
        (tmp_path / f"{number:03}").write_bytes(b"abc" if number % 2 else b"")
    found = scan(tmp_path, IgnoreRules())

    assert [e.path for e in found] == [f"{number:03}" for number in range(3 * 64 + 1)]
    assert [e.content for e in found] == [ABC if n % 2 else EMPTY for n in range(3 * 64 + 1)]


def test_large_file_is_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(3 << 20))
    (tmp_path / "b").write_bytes(bytes((3 << 20) + 1))

    assert [e.content for e in scan(tmp_path, IgnoreRules())] == [
        hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in ("a", "b")
    ]


def test_file_that_cannot_be_read_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str, flags: int) -> int:
        raise PermissionError(13, "Permission denied", path)

    write(tmp_path, "secret")
    monkeypatch.setattr(os, "open", refuse)

    with pytest.raises(PermissionError):
        scan(tmp_path, IgnoreRules())


def test_file_that_changes_while_it_is_read_is_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "busy", "calm")
    next_tick()
    status = (tmp_path / "busy").stat()
    read = os.read

    def disturbed(file: int, size: int) -> bytes:
        found = read(file, size)
        if os.fstat(file).st_ino == status.st_ino:
            (tmp_path / "busy").write_bytes(b"xyz")
            os.utime(tmp_path / "busy", ns=(status.st_atime_ns, status.st_mtime_ns))
        return found

    monkeypatch.setattr(os, "read", disturbed)
    known = HashCache(tmp_path / "none", later, later_in).open(tmp_path)
    scan(tmp_path, IgnoreRules(), known)

    assert list(known.seen) == ["calm"]


def test_file_that_was_exchanged_before_it_was_opened_is_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "file", "other")
    open_ = os.open

    def exchanged(path: str, flags: int) -> int:
        os.replace(tmp_path / "other", tmp_path / "file")
        return open_(path, flags)

    monkeypatch.setattr(os, "open", exchanged)
    known = Known(clock=later)
    scan(tmp_path, read_rules("other"), known)

    assert known.seen == {}


def test_what_became_a_link_or_a_pipe_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "file", "other")
    open_ = os.open

    def exchanged(path: str, flags: int) -> int:
        (tmp_path / "file").unlink()
        (tmp_path / "file").symlink_to("other")
        return open_(path, flags)

    monkeypatch.setattr(os, "open", exchanged)
    with pytest.raises(OSError, match="symbolic links"):
        scan(tmp_path, read_rules("other"))
