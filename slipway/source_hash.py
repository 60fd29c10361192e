"""The source hash: one name for everything that can change an image.

It covers the build context after `.dockerignore` (paths, modes, link targets, contents), the
Dockerfile, build arguments, target, platform, labels, ids of build secrets, further contexts, and
the digest of each base image. It does not depend on modification times, on the order of a
directory listing or on where the project lies.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from json.encoder import encode_basestring
from pathlib import Path
from typing import Any

from slipway.build_context import Entry, scan
from slipway.canonical import canonical_json
from slipway.dockerfile import BaseImage, base_images
from slipway.dockerignore import IgnoreRules, ignore_file, read_rules
from slipway.errors import ConfigError
from slipway.hash_cache import HashCache, Known
from slipway.reference import parse_reference
from slipway.services import Build
from slipway.yaml_edit import read_text

_IMAGE = "docker-image://"
_SCHEME = "slipway-source-2"
"""Changes when the rule of hashing does, so that hashes of two rules are never compared."""
_OWN_FOLDER = ".slipway"


@dataclass(frozen=True)
class Source:
    """What an image is built from.

    Args:
        hash: the source hash, 64 hexadecimal digits.
        entries: the build context, sorted by path.
        head: all else that is hashed: the Dockerfile's text, arguments, base images and so on.
        beside: the entries of additional contexts that are folders, by the context's name.
    """

    hash: str
    entries: tuple[Entry, ...]
    head: Mapping[str, Any] = field(default_factory=dict, repr=False)
    beside: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict, repr=False)

    @property
    def dockerfile(self) -> str:
        """Text of the Dockerfile."""
        return str(self.head.get("dockerfile", ""))


def read_source(
    build: Build,
    platform: str,
    cache: HashCache | None = None,
    compose_file: str = "compose.yaml",
) -> Source:
    """Hash what `build` would build.

    Args:
        build: the compose file's build section.
        platform: platform to build for, such as linux/amd64.
        cache: spares reading files that have not changed; without it, all are read.
        compose_file: which file the build is of, for messages.

    Raises:
        ConfigError: context or Dockerfile are missing, Dockerfile or ignore file are not valid,
            a base image is not pinned by digest, or a file cannot be read.
    """
    context = Path(build.context)
    dockerfile = context / build.dockerfile
    if not dockerfile.is_file():
        raise ConfigError(
            [f"{dockerfile}: no such Dockerfile; correct build.context or build.dockerfile"]
        )
    # Its ends of lines too: in a script that it writes they make another image.
    text = read_text(dockerfile)
    bases = pinned_bases(dockerfile, text, build, platform, compose_file)
    rules = _rules(context, build.dockerfile)
    entries = _entries(context, rules, cache, build.dockerfile)
    refuse_own_files(context, entries)
    contexts, beside = _contexts(build, cache)
    head = _head(text, build, platform, bases, contexts)
    return Source(_hash(entries, head), tuple(entries), head, beside)


def refuse_own_files(context: Path, entries: Iterable[Entry]) -> None:
    """Refuse a context that Slipway itself writes into.

    Raises:
        ConfigError: each deploy would change the source, and `COPY . .` take the passphrase along.
    """
    if any(entry.path.split("/")[0] == _OWN_FOLDER for entry in entries):
        raise ConfigError(
            [
                f"{context}: {_OWN_FOLDER} would be sent to the build, where each deploy writes "
                f"and the passphrase may be; write .slipway and backups into "
                f"{context}/.dockerignore, a line each"
            ]
        )


def source_hash(
    entries: Iterable[Entry],
    dockerfile: str,
    build: Build,
    platform: str,
    bases: Mapping[str, str],
    contexts: Mapping[str, str] | None = None,
) -> str:
    """The hash over a context's entries and the rest of what a build reads.

    Args:
        entries: of the build context.
        dockerfile: its text.
        build: the build section.
        platform: what to build for.
        bases: digests of the base images.
        contexts: what each additional context holds.
    """
    return _hash(entries, _head(dockerfile, build, platform, bases, contexts or {}))


def _hash(entries: Iterable[Entry], head: Mapping[str, Any]) -> str:
    return _digest_of(entries, canonical_json({"scheme": _SCHEME, **head}) + b"\n")


def _head(
    dockerfile: str,
    build: Build,
    platform: str,
    bases: Mapping[str, str],
    contexts: Mapping[str, str],
) -> dict[str, Any]:
    head: dict[str, Any] = {
        "dockerfile": dockerfile,
        "args": dict(build.args),
        "target": build.target,
        "platform": platform,
        "bases": dict(bases),
    }
    if build.labels:
        head["labels"] = dict(build.labels)
    if build.secrets:
        # Which there are, since a step may do without one; what they hold is nobody's to guess.
        head["secrets"] = sorted(secret.id for secret in build.secrets)
    if contexts:
        head["contexts"] = dict(contexts)
    return head


def _digest_of(entries: Iterable[Entry], head: bytes = b"") -> str:
    hasher = hashlib.sha256(head)
    lines = [_line(entry) for entry in sorted(entries, key=lambda entry: entry.path)]
    hasher.update("".join(lines).encode())
    return hasher.hexdigest()


def _line(entry: Entry) -> str:
    """The entry as canonical JSON; an encoder for each would take most of the time."""
    target = "null" if entry.target is None else encode_basestring(entry.target)
    content = "null" if entry.content is None else f'"{entry.content}"'
    return f'[{encode_basestring(entry.path)},"{entry.mode}",{target},{content}]\n'


def _contexts(
    build: Build, cache: HashCache | None
) -> tuple[dict[str, str], dict[str, tuple[Entry, ...]]]:
    """What each additional context holds: a folder's hash, or an image's digest; and the folders'
    entries."""
    found: dict[str, str] = {}
    folders: dict[str, tuple[Entry, ...]] = {}
    problems = []
    for name, source in sorted(build.additional_contexts.items()):
        if source.startswith(_IMAGE) and parse_reference(source.removeprefix(_IMAGE)).pinned:
            found[name] = source
        elif Path(source).is_dir():
            # All of it, also what an ignore file there leaves out: too much does no harm.
            folders[name] = tuple(_entries(Path(source), IgnoreRules(), cache))
            found[name] = _digest_of(folders[name])
        else:
            problems.append(
                f"{build.context} build.additional_contexts.{name}: {source} is neither a folder "
                "that is there nor an image that is pinned by digest; download it first, or pin it"
            )
    if problems:
        raise ConfigError(problems)
    return found, folders


def _entries(
    context: Path, rules: IgnoreRules, cache: HashCache | None, dockerfile: str = ""
) -> list[Entry]:
    known = cache.open(context, dockerfile) if cache else Known()
    try:
        entries = scan(context, rules, known)
    except OSError as error:
        raise ConfigError(
            [
                f"{os.fsdecode(error.filename)!r} in the build context cannot be read "
                f"({error.strerror}); make it readable, or name it in .dockerignore, and run this "
                "again"
            ]
        ) from error
    if cache:
        cache.close(known, context, dockerfile)
    return entries


def pinned_bases(
    dockerfile: Path, text: str, build: Build, platform: str, compose_file: str
) -> dict[str, str]:
    """The digest of each base image, by the image's name.

    Raises:
        ConfigError: one or more are not pinned by digest.
    """
    problems, bases = [], {}
    for base in base_images(text, build.args, platform):
        if base.image in build.additional_contexts:
            continue
        try:
            bases[base.image] = _digest_of_base(base, compose_file)
        except ConfigError as error:
            place = f"{dockerfile}:{base.line}"
            problems += [f"{place} {problem}" for problem in error.problems]
    if problems:
        raise ConfigError(problems)
    return bases


def _digest_of_base(base: BaseImage, compose_file: str) -> str:
    if not base.image:
        raise ConfigError(
            [
                f"{base.text}: the build argument has no value; give it under build.args in the "
                "compose file"
            ]
        )
    try:
        reference = parse_reference(base.image)
    except ConfigError:
        if "$" not in base.text:
            raise
        raise ConfigError(
            [
                f'{base.text}: gives "{base.image}" with the arguments that are known here, which '
                "is no image; give them a value under build.args in the compose file, or write "
                "the image out"
            ]
        ) from None
    if reference.digest is None:
        # What a stack's configuration gives them is not known to the script.
        by_hand = f", or add the digest where {base.text} gets its variables"
        raise ConfigError(
            [
                f"{base.image}: not pinned by digest, so that the same source could give another "
                f"image tomorrow; run scripts/pin {compose_file}"
                + (by_hand if "$" in base.text else "")
            ]
        )
    return reference.digest


def _rules(context: Path, dockerfile: str) -> IgnoreRules:
    file = ignore_file(context, dockerfile)
    if file is None:
        return IgnoreRules()
    try:
        return read_rules(read_text(file).replace("\r\n", "\n"))
    except ValueError as error:
        raise ConfigError([f"{file}: {error}"]) from error
