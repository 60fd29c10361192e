import _imp
import importlib.util
import struct

import pytest

from slipway.proof.bytecode import compiled, judge, source_hash, source_of
from slipway.proof.files import Found

MAGIC = importlib.util.MAGIC_NUMBER
CACHED, SOURCE = "/srv/__pycache__/a.cpython-311.pyc", "/srv/a.py"
TEXT = b"x = 1\n"


def timed(mtime: int, size: int) -> Found:
    return Found("file", head=MAGIC + struct.pack("<III", 0, mtime, size))


def hashed(flags: int, digest: bytes) -> Found:
    return Found("file", head=MAGIC + struct.pack("<I", flags) + digest)


def source(mtime: int = 100, size: int = 6) -> Found:
    return Found("file", mtime=mtime, size=size)


def faults(path: str, there: Found, source: Found | None = None) -> list[tuple[str, str]]:
    image = {path: there, **({SOURCE: source} if source else {})}
    findings = judge([path], image, lambda path, magic: source_hash(magic, TEXT))
    return [(f.expected, f.found) for f in findings]


# --- what Python would run though it is not the source's -------------------------------------


def test_compiled_file_without_a_source_is_refused() -> None:
    assert faults(CACHED, timed(100, 6)) == [("its source at /srv/a.py", "none")]


def test_compiled_file_in_the_place_of_its_source_is_refused() -> None:
    assert faults("/srv/a.pyc", timed(100, 6)) == [
        ("its source at /srv/a.py", "none: Python would run what is gone")
    ]


@pytest.mark.parametrize(("mtime", "size"), [(99, 6), (100, 7)])
def test_compiled_file_of_another_source_is_refused(mtime: int, size: int) -> None:
    assert faults(CACHED, timed(mtime, size), source=source()) == [
        (
            "compiled from /srv/a.py of 6 bytes, modified at 100",
            f"compiled from a source of {size} bytes, modified at {mtime}",
        )
    ]


def test_hash_that_python_never_checks_is_checked_here() -> None:
    right = importlib.util.source_hash(TEXT)
    assert faults(CACHED, hashed(0b01, b"12345678"), source=source()) == [
        (f"compiled from /srv/a.py, hash {right.hex()}", "hash 3132333435363738, never checked")
    ]
    assert faults(CACHED, hashed(0b01, right), source=source()) == []


def test_hash_of_an_older_python_that_nobody_checks_is_refused() -> None:
    old = struct.pack("<H", 3439) + b"\r\n"
    there = Found("file", head=old + struct.pack("<I", 0b01) + b"12345678")
    ((wanted, _),) = faults(CACHED, there, source=source())
    assert wanted == "compiled from /srv/a.py, hash a hash that can be checked"


@pytest.mark.parametrize("head", [b"", MAGIC, MAGIC + bytes(11)])
def test_damaged_header_is_refused(head: bytes) -> None:
    ((wanted, _),) = faults(CACHED, Found("file", head=head), source=source())
    assert wanted == "a header of 16 bytes"


def test_flags_that_are_not_known_are_refused() -> None:
    assert faults(CACHED, hashed(0b100, bytes(8)), source=source()) == [
        ("flags that PEP 552 knows", "0x4")
    ]


# --- what is well ----------------------------------------------------------------------------


def test_compiled_file_of_its_source_is_well() -> None:
    assert faults(CACHED, timed(100, 6), source=source()) == []


def test_time_after_2106_is_kept_in_32_bits() -> None:
    late = (1 << 32) + 5
    assert faults(CACHED, timed(5, 6), source=source(mtime=late)) == []


def test_hash_that_python_checks_itself_is_left_to_it() -> None:
    assert faults(CACHED, hashed(0b11, b"12345678"), source=source()) == []


def test_compiled_file_beside_its_source_is_not_run() -> None:
    assert faults("/srv/a.pyc", timed(1, 1), source=source()) == []


# --- which files these are -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/srv/__pycache__/a.cpython-311.pyc", "/srv/a.py"),
        ("/srv/__pycache__/a.cpython-311.opt-2.pyc", "/srv/a.py"),
        ("/srv/__pycache__/a.b.pypy39.pyc", "/srv/a.b.py"),
        ("/srv/a.pyc", "/srv/a.py"),
    ],
)
def test_source_is_where_python_has_it(path: str, place: str) -> None:
    assert source_of(path) == place


def test_installed_packages_are_left_alone() -> None:
    file = Found("file")
    image = {
        "/srv/b.pyc": file,
        "/srv/a.pyc": file,
        "/srv/a.py": file,
        "/srv/x.pyc": Found("folder"),
        "/srv/venv/lib/python3.11/site-packages/p/__pycache__/q.cpython-311.pyc": file,
        "/usr/lib/python3/dist-packages/p.pyc": file,
    }
    assert compiled(image) == ["/srv/a.pyc", "/srv/b.pyc"]


def test_hash_is_the_one_that_pythons_own_compiler_writes() -> None:
    assert source_hash(MAGIC, TEXT) == importlib.util.source_hash(TEXT)
    assert source_hash(MAGIC, TEXT) == _imp.source_hash(int.from_bytes(MAGIC, "little"), TEXT)
