"""Judging compiled files: whether Python would run code that is not the source's.

The header is that of PEP 552: a magic number, flags, and either time and size of the source or a
hash of it. Python sees by itself whether time and size are still the source's, or a hash that it
is to check. It believes a hash that it is not to check, and a compiled file beside no source.
"""

import _imp
import re
import struct
from collections.abc import Callable, Iterable, Mapping

from slipway.proof.files import Found
from slipway.proof.report import ProofFinding

HEAD = 16
"""Bytes of a header."""
_HASHED, _CHECKED = 0b01, 0b10
_SIPHASH_13 = 3495
"""Of Python 3.11, from which on sources are hashed as the Python does it that runs this."""
_OLD_NUMBERS = 20000
"""Numbers from here on are those of Python 1 and 2."""
_CACHED = re.compile(r"(?P<folder>.*/)__pycache__/(?P<name>[^/]+?)\.[^/.]+(?:\.opt-[^/.]+)?\.pyc")
_PACKAGES = re.compile(r".*/(?:site|dist)-packages/.*")
_REMEDY = (
    "write **/__pycache__ and **/*.pyc into .dockerignore, and compile after the last COPY, if at "
    "all"
)

Hashed = Callable[[str, bytes], bytes | None]
"""Gives the hash of a source in the image, for a magic number; None if it cannot."""


def compiled(found: Mapping[str, Found]) -> list[str]:
    """The compiled files that count as the application's: not those of installed packages."""
    paths = (path for path, there in found.items() if there.kind == "file")
    return sorted(p for p in paths if p.endswith(".pyc") and not _PACKAGES.fullmatch(p))


def source_of(path: str) -> str:
    """Where the source of a compiled file must be."""
    cached = _CACHED.fullmatch(path)
    return f"{cached['folder']}{cached['name']}.py" if cached else path.removesuffix("c")


def judge(paths: Iterable[str], found: Mapping[str, Found], hashed: Hashed) -> list[ProofFinding]:
    """What is wrong with compiled files.

    Args:
        paths: of them.
        found: what is in the image.
        hashed: asks for the hash of a source.
    """
    findings = []
    for path in paths:
        source = source_of(path)
        there = found.get(source)
        if there is None or there.kind == "folder":
            expected, seen = f"its source at {source}", "none: Python would run what is gone"
            if "/__pycache__/" in path:
                seen = "none"
        else:
            expected, seen = _fault(path, source, found[path].head, there, hashed)
        if expected:
            findings.append(
                ProofFinding(
                    kind="bytecode", what=path, expected=expected, found=seen, remedy=_REMEDY
                )
            )
    return findings


def _fault(path: str, source: str, head: bytes, there: Found, hashed: Hashed) -> tuple[str, str]:
    """What a compiled file had to be, and what it is; empty if it is that."""
    if "/__pycache__/" not in path:
        return "", ""  # Beside a source, Python takes the source.
    if len(head) < HEAD:
        return "a header of 16 bytes", f"{len(head)} bytes"
    magic, flags = head[:4], struct.unpack_from("<I", head, 4)[0]
    if flags & ~(_HASHED | _CHECKED):
        return "flags that PEP 552 knows", f"{flags:#x}"
    if not flags & _HASHED:
        mtime, size = struct.unpack_from("<II", head, 8)
        wanted = (there.mtime & 0xFFFFFFFF, there.size & 0xFFFFFFFF)
        if (mtime, size) == wanted:
            return "", ""
        return _timed(source, *wanted), _timed("a source", mtime, size)
    if flags & _CHECKED:
        return "", ""  # Python hashes the source itself, each time.
    actual = hashed(source, magic)
    if actual == head[8:16]:
        return "", ""
    wanted_hash = "a hash that can be checked" if actual is None else actual.hex()
    return f"compiled from {source}, hash {wanted_hash}", f"hash {head[8:16].hex()}, never checked"


def _timed(of: str, mtime: int, size: int) -> str:
    return f"compiled from {of} of {size} bytes, modified at {mtime}"


def source_hash(magic: bytes, content: bytes) -> bytes | None:
    """The hash of a source as its compiled file has it; None for Pythons that hash otherwise.

    Args:
        magic: of the compiled file.
        content: of the source.
    """
    number = int.from_bytes(magic[:2], "little")
    if not _SIPHASH_13 <= number < _OLD_NUMBERS:
        return None
    return _imp.source_hash(int.from_bytes(magic, "little"), content)
