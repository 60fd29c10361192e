"""The source hash: one name for everything that can change an image.

It covers the build context after `.dockerignore` (paths, modes, link targets, contents), the
Dockerfile, build arguments, target, platform, labels, further contexts, and the digest of each
base image. It does not depend on modification times, on the order of a directory listing or on
where the project lies.
"""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from slipway.canonical import canonical_json
from slipway.dockerfile import base_images
from slipway.dockerignore import Pattern, ignore_file, ignored, read_patterns
from slipway.errors import ConfigError
from slipway.reference import parse_reference
from slipway.services import Build

_CHUNK = 1 << 20
_IMAGE = "docker-image://"
_PERMISSIONS = 0o7777
_SCHEME = "slipway-source-1"
"""Changes when the rule of hashing does, so that hashes of two rules are never compared."""


@dataclass(frozen=True)
class Entry:
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


@dataclass(frozen=True)
class Source:
    """What an image is built from.

    Args:
        hash: the source hash, 64 hexadecimal digits.
        entries: the build context, sorted by path.
    """

    hash: str
    entries: tuple[Entry, ...]


def read_source(build: Build, platform: str) -> Source:
    """Hash what `build` would build.

    Args:
        build: the compose file's build section.
        platform: platform to build for, such as linux/amd64.

    Raises:
        ConfigError: context or Dockerfile are missing, Dockerfile or ignore file are not valid,
            or a base image is not pinned by digest.
    """
    context = Path(build.context)
    dockerfile = context / build.dockerfile
    if not dockerfile.is_file():
        raise ConfigError(
            [f"{dockerfile}: no such Dockerfile; correct build.context or build.dockerfile"]
        )
    text = _text(dockerfile)
    bases = pinned_bases(dockerfile, text, build.args, frozenset(build.additional_contexts))
    try:
        entries = tuple(scan(context, _patterns(context, build.dockerfile)))
    except OSError as error:
        raise ConfigError(
            [
                f"{error.filename!r} in the build context cannot be read ({error.strerror}); make "
                "it readable, or name it in .dockerignore, and run this again"
            ]
        ) from error
    return Source(source_hash(entries, text, build, platform, bases), entries)


def source_hash(
    entries: Iterable[Entry],
    dockerfile: str,
    build: Build,
    platform: str,
    bases: Mapping[str, str],
) -> str:
    """The hash over a context's entries and the rest of what a build reads."""
    hasher = hashlib.sha256()
    head = {
        "scheme": _SCHEME,
        "dockerfile": dockerfile,
        "args": dict(build.args),
        "target": build.target,
        "platform": platform,
        "bases": dict(bases),
    }
    if build.labels:
        head["labels"] = dict(build.labels)
    if build.additional_contexts:
        head["contexts"] = _contexts(build)
    hasher.update(canonical_json(head) + b"\n")
    for entry in sorted(entries, key=lambda entry: entry.path):
        fields = [entry.path, entry.mode, entry.target, entry.content]
        hasher.update(canonical_json(fields) + b"\n")
    return hasher.hexdigest()


def _contexts(build: Build) -> dict[str, str]:
    """What each additional context holds: a folder's hash, or an image's digest."""
    found, problems = {}, []
    for name, source in sorted(build.additional_contexts.items()):
        if source.startswith(_IMAGE) and parse_reference(source.removeprefix(_IMAGE)).pinned:
            found[name] = source
        elif Path(source).is_dir():
            found[name] = _digest_of(scan(Path(source), []))
        else:
            problems.append(
                f"{build.context} build.additional_contexts.{name}: {source} is neither a folder "
                "that is there nor an image that is pinned by digest; download it first, or pin it"
            )
    if problems:
        raise ConfigError(problems)
    return found


def _digest_of(entries: Iterable[Entry]) -> str:
    hasher = hashlib.sha256()
    for entry in sorted(entries, key=lambda entry: entry.path):
        fields = [entry.path, entry.mode, entry.target, entry.content]
        hasher.update(canonical_json(fields) + b"\n")
    return hasher.hexdigest()


def pinned_bases(
    dockerfile: Path,
    text: str,
    args: Mapping[str, str | None],
    contexts: frozenset[str] = frozenset(),
) -> dict[str, str]:
    """The digest of each base image, by the image's name; `contexts` are names of folders.

    Raises:
        ConfigError: one or more are not pinned by digest.
    """
    problems, bases = [], {}
    for base in base_images(text, args):
        if base.image in contexts:
            continue
        if not base.image:
            problems.append(
                f"{dockerfile}:{base.line} {base.text}: the build argument has no value; "
                "give it under build.args in the compose file"
            )
            continue
        reference = parse_reference(base.image)
        if reference.digest is None:
            problems.append(
                f"{dockerfile}:{base.line} {base.image}: not pinned by digest, so that the same "
                "source could give another image tomorrow; run scripts/pin"
            )
            continue
        bases[base.image] = reference.digest
    if problems:
        raise ConfigError(problems)
    return bases


def _patterns(context: Path, dockerfile: str) -> list[Pattern]:
    file = ignore_file(context, dockerfile)
    if file is None:
        return []
    try:
        return read_patterns(_text(file))
    except ValueError as error:
        raise ConfigError([f"{file}: {error}"]) from error


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError([f"{file}: is not UTF-8 text; save it as UTF-8"]) from error


def scan(context: Path, patterns: Sequence[Pattern]) -> Iterator[Entry]:
    """The entries of a build context that Docker would send, sorted within each folder.

    An ignored folder is not part of the context, unless something below it is kept by a `!`.
    """
    rescues = any(pattern.include for pattern in patterns)
    yield from _scan_folder(os.fsencode(context), b"", patterns, rescues)


def _scan_folder(
    root: bytes, below: bytes, patterns: Sequence[Pattern], rescues: bool
) -> Iterator[Entry]:
    with os.scandir(os.path.join(root, below)) as listing:
        children = sorted(listing, key=lambda child: child.name)
    for child in children:
        path = os.path.join(below, child.name)
        name = os.fsdecode(path)
        skipped = ignored(name, patterns)
        if child.is_dir(follow_symlinks=False):
            if skipped and not rescues:
                continue
            inside = list(_scan_folder(root, path, patterns, rescues))
            if inside or not skipped:
                yield _entry(root, path)
            yield from inside
        elif not skipped:
            mode = child.stat(follow_symlinks=False).st_mode
            if not stat.S_ISSOCK(mode):  # Docker does not send sockets.
                yield _entry(root, path)


def _entry(root: bytes, path: bytes) -> Entry:
    full = os.path.join(root, path)
    status = os.lstat(full)
    kind = stat.S_IFMT(status.st_mode)
    # A link's permission bits mean nothing and differ between systems.
    permissions = 0 if stat.S_ISLNK(status.st_mode) else status.st_mode & _PERMISSIONS
    return Entry(
        path=_readable(path),
        mode=f"{kind | permissions:o}",
        target=_readable(os.readlink(full)) if stat.S_ISLNK(status.st_mode) else None,
        content=_content(full) if stat.S_ISREG(status.st_mode) else None,
    )


def _readable(path: bytes) -> str:
    # Backslashes are escaped too, so that no two paths look the same.
    return path.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")


def _content(path: bytes) -> str:
    hasher = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            hasher.update(chunk)
    return hasher.hexdigest()
