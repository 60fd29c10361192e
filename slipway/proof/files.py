"""Judging the files of an image by those of its source."""

import fnmatch
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from slipway.proof.expected import Expected, Mapped
from slipway.proof.report import ProofFinding

SAMPLE = 1 << 18
"""Bytes of a file that differs, up to which it is shown in what."""
_SHORT = 12
_WIDEST = 120
_HIDDEN = re.compile(r"(?:.*/)?\.env[^/]*|.*\.(?:pem|key|p12|pfx)|.*(?:secret|credential).*", re.I)

Read = Callable[[str], bytes | None]
"""Gives a source file's content; None if it cannot be read."""


@dataclass(frozen=True)
class Found:
    """Something in an image.

    Args:
        kind: what it is.
        content: SHA-256 of a file's content.
        size: of a file, in bytes.
        mtime: when it was last modified, in seconds since the epoch.
        target: a link's target.
        head: a file's first bytes; of compiled files only.
        sample: a file's content; only where it is short and differs from what was expected.
    """

    kind: Literal["file", "link", "folder", "other"]
    content: str = ""
    size: int = 0
    mtime: int = 0
    target: str = ""
    head: bytes = b""
    sample: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Compared:
    """What came of a comparison.

    Args:
        count: files that were compared.
        findings: what differs.
        allowed: what differs, and may.
        extra: files in the image that come from no source file.
    """

    count: int = 0
    findings: tuple[ProofFinding, ...] = ()
    allowed: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()


def compare(
    mapped: Mapped,
    found: Mapping[str, Found],
    generated: Sequence[str],
    read: Read,
    dockerfile: str,
) -> Compared:
    """Compare what must be in an image with what is.

    Args:
        mapped: what must be there.
        found: what is, by path.
        generated: patterns of what build steps may change.
        read: reads a source file.
        dockerfile: how messages call it.
    """
    findings, allowed, seen = [], [], set[str]()
    for expected in mapped.expected:
        path = _place(expected, found)
        seen.add(path)
        actual = found.get(path)
        if _agree(expected, actual):
            continue
        if is_generated(generated, path, expected.source):
            allowed.append(f"{path} differs from {expected.source}: proof.generated allows it")
            continue
        findings.append(_finding(expected, path, actual, read, dockerfile))
    extra = [path for path, there in found.items() if there.kind == "file" and path not in seen]
    return Compared(len(mapped.expected), tuple(findings), tuple(allowed), tuple(sorted(extra)))


def is_generated(patterns: Sequence[str], path: str, source: str) -> bool:
    """Whether a pattern names a file, by its path in the image or in the source."""
    return any(
        fnmatch.fnmatchcase(path if pattern.startswith("/") else source, pattern)
        for pattern in patterns
    )


def _place(expected: Expected, found: Mapping[str, Found]) -> str:
    """Where a file must be: a COPY to a folder puts it inside."""
    at = found.get(expected.path)
    folder = at is not None and at.kind == "folder"
    return expected.inside if expected.inside and folder else expected.path


def _agree(expected: Expected, actual: Found | None) -> bool:
    if actual is None:
        return False
    if expected.content is not None:
        return actual.kind == "file" and actual.content == expected.content
    return actual.kind == "link" and actual.target == expected.target


def _finding(
    expected: Expected, path: str, actual: Found | None, read: Read, dockerfile: str
) -> ProofFinding:
    by = f"{dockerfile}:{expected.line}" if expected.line else "x-slipway.proof.files"
    changed = expected.changed
    remedy = (
        f"{dockerfile}:{changed} may have changed it: name it under x-slipway.proof.generated if "
        "that is meant"
        if changed
        else "the image was not built from this source: delete its tag in the registry, and deploy "
        "again"
    )
    return ProofFinding(
        kind="file",
        what=path,
        source=expected.source,
        expected=f"{_said(expected)} ({by})",
        found=_seen(actual),
        detail=_first_difference(expected, actual, read),
        remedy=remedy,
    )


def _said(expected: Expected) -> str:
    if expected.content is None:
        return f"a link to {expected.target}"
    return f"sha256 {expected.content[:_SHORT]}"


def _seen(actual: Found | None) -> str:
    if actual is None:
        return "nothing"
    if actual.kind == "file":
        return f"sha256 {actual.content[:_SHORT]}"
    return f"a link to {actual.target}" if actual.kind == "link" else f"a {actual.kind}"


def _first_difference(expected: Expected, actual: Found | None, read: Read) -> str:
    """The first line in which two texts differ; empty where that is not to be told."""
    if actual is None or actual.sample is None or _HIDDEN.fullmatch(expected.source):
        return ""
    wanted = read(expected.source)
    ours, theirs = _lines(wanted), _lines(actual.sample)
    if ours is None or theirs is None:
        return ""
    for number in range(max(len(ours), len(theirs))):
        one = ours[number] if number < len(ours) else None
        other = theirs[number] if number < len(theirs) else None
        if one != other:
            return (
                f"line {number + 1} in the source: {_line(one)}\n"
                f"line {number + 1} in the image:  {_line(other)}"
            )
    return ""


def _lines(content: bytes | None) -> list[str] | None:
    if content is None or len(content) > SAMPLE or b"\0" in content:
        return None
    try:
        return content.decode().split("\n")
    except UnicodeDecodeError:
        return None


def _line(text: str | None) -> str:
    if text is None:
        return "(ends before)"
    return repr(text) if len(text) <= _WIDEST else f"{text[:_WIDEST]!r}…"
