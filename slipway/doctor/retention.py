"""Which images no release needs any more. Pure: it names them, `prune` removes them.

Only what Slipway has pushed itself is ever named: images of the repositories that stacks build
into, under tags of the form `src-<source hash>`. Other images may stand in the same repository.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from slipway.errors import ConfigError
from slipway.image_plan import TAG_DIGITS
from slipway.reference import ImageReference, parse_reference
from slipway.state import live_fact

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_SOURCE_TAG = re.compile(rf"src-[0-9a-f]{{{TAG_DIGITS}}}")
_LIVE = re.compile(r"pulumi:index:Stash::[^:]*-live$")
_FIRST_CREDIBLE = datetime(2000, 1, 1, tzinfo=UTC)
"""Reproducible builds write 1970 as their time: the age of such an image is not known."""


@dataclass(frozen=True)
class Needed:
    """What must stay.

    Args:
        digests: of images, wherever they lie.
        tags: of the form `src-…`, wherever they lie.
        ids: of images that a container on the host is made from.
    """

    digests: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()


@dataclass(frozen=True)
class HostImage:
    """An image of the Docker host, with all its names."""

    id: str
    names: tuple[str, ...]
    created: datetime | None
    size: int


@dataclass(frozen=True)
class RegistryImage:
    """An image of a registry.

    Args:
        repository: name with the registry.
        digest: of its manifest.
        tags: all that lead to it.
        parts: digests of the manifests that an index is made of.
        created: when it was built; None if it does not say.
        size: bytes, as compressed.
    """

    repository: str
    digest: str
    tags: tuple[str, ...]
    parts: tuple[str, ...] = ()
    created: datetime | None = None
    size: int = 0


@dataclass(frozen=True)
class Candidate:
    """An image that may go.

    Args:
        reference: its name, as people write it.
        digest: of its manifest; the image's id where it was never pushed.
        created: when it was built.
        size: bytes.
        where: host or registry.
        names: what is to be removed, in this order.
    """

    reference: str
    digest: str
    created: datetime
    size: int
    where: str
    names: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str, str]:
        """Tells whether two looks have found the same."""
        return self.where, self.reference, self.digest


def needed_by(exports: Mapping[str, Mapping[str, Any]], used: Iterable[HostImage] = ()) -> Needed:
    """What the releases of all stacks need, and whatever else their states speak of.

    Args:
        exports: `pulumi stack export` of all stacks, by name.
        used: images that containers on the host are made from.

    Raises:
        ConfigError: a ledger cannot be read.
    """
    digests: set[str] = set()
    tags: set[str] = set()
    for stack, export in exports.items():
        for service in _services(stack, export):
            digests.update(_DIGEST.findall(str(service.get("image"))))
            if service.get("source_hash"):
                tags.add(f"src-{service['source_hash'][:TAG_DIGITS]}")
        text = json.dumps(export)
        digests.update(_DIGEST.findall(text))
        tags.update(_SOURCE_TAG.findall(text))
    ids = set()
    for image in used:
        ids.add(image.id)
        digests.update(digest for name in image.names for digest in _DIGEST.findall(name))
        tags.update(tag for name in image.names for tag in _SOURCE_TAG.findall(name))
    return Needed(frozenset(digests), frozenset(tags), frozenset(ids))


def built_repositories(stack: str, export: Mapping[str, Any]) -> frozenset[str]:
    """The repositories that a stack's releases were built into.

    Those of pulled images are none: other projects, and base images, stand there too.

    Raises:
        ConfigError: the ledger cannot be read.
    """
    built = (s for s in _services(stack, export) if s.get("source_hash"))
    return frozenset(parse_reference(str(service["image"])).name for service in built)


def _services(stack: str, export: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Each service of each release in an export."""
    found: list[Mapping[str, Any]] = []
    resources = (export.get("deployment") or {}).get("resources") or []
    try:
        for resource in resources:
            if _LIVE.search(resource["urn"]):
                for entry in live_fact(resource["outputs"]["input"]).ledger:
                    found += entry["services"].values()
        for service in found:
            parse_reference(service["image"])
    except (KeyError, ValueError, TypeError, AttributeError, ConfigError) as error:
        raise ConfigError([f"the ledger of stack {stack} cannot be read ({error})"]) from error
    return found


def unneeded(tags: Mapping[str, str], needed: Needed) -> dict[str, tuple[str, ...]]:
    """The digests of a repository that nothing needs, with their tags.

    Args:
        tags: the digest behind each tag.
        needed: what must stay.
    """
    by_digest: dict[str, list[str]] = {}
    for tag, digest in sorted(tags.items()):
        by_digest.setdefault(digest, []).append(tag)
    return {
        digest: tuple(names)
        for digest, names in by_digest.items()
        # A manifest goes with all of its tags: one that must stay, or is not ours, keeps it.
        if digest not in needed.digests
        and all(_SOURCE_TAG.fullmatch(tag) and tag not in needed.tags for tag in names)
    }


def old_in_registry(
    images: Sequence[RegistryImage], needed: Needed, retention: float, now: datetime
) -> list[Candidate]:
    """What may go from a registry: nothing needs it, and it is old enough.

    Args:
        images: those of one repository.
        needed: what must stay.
        retention: seconds that an image outlives its last release.
        now: the time.
    """
    return [
        Candidate(
            f"{image.repository}:{image.tags[0]}",
            image.digest,
            image.created,
            image.size,
            "registry",
            (f"{image.repository}@{image.digest}",),
        )
        for image in images
        if image.digest in unneeded(dict.fromkeys(image.tags, image.digest), needed)
        and not needed.digests.intersection(image.parts)
        and image.created is not None
        and _old(image.created, retention, now)
    ]


def old_on_host(
    images: Sequence[HostImage], needed: Needed, retentions: Mapping[str, float], now: datetime
) -> list[Candidate]:
    """What may go from the host: nothing needs it, and it is old enough.

    Args:
        images: all of the host.
        needed: what must stay.
        retentions: seconds that an image outlives its last release, by repository.
        now: the time.
    """
    found = (_on_host(image, needed, retentions, now) for image in images)
    return [candidate for candidate in found if candidate is not None]


def _on_host(
    image: HostImage, needed: Needed, retentions: Mapping[str, float], now: datetime
) -> Candidate | None:
    own = [(name, found) for name, found in _parsed(image) if found.name in retentions]
    if not own or image.created is None or image.id in needed.ids:
        return None
    retention = max(retentions[found.name] for _, found in own)
    if not _old(image.created, retention, now) or any(_stays(found, needed) for _, found in own):
        return None
    # The tags first: with the last of them Docker removes the digest's name itself.
    names = sorted((name for name, _ in own), key=lambda name: ("@" in name, name))
    digest = next((found.digest for _, found in own if found.digest), image.id)
    return Candidate(names[0], digest, image.created, image.size, "host", tuple(names))


def _parsed(image: HostImage) -> Iterator[tuple[str, ImageReference]]:
    for name in image.names:
        with suppress(ConfigError):  # Docker takes some names that no registry would.
            yield name, parse_reference(name)


def _stays(found: ImageReference, needed: Needed) -> bool:
    if found.digest is not None:
        return found.digest in needed.digests
    tag = found.tag or ""
    return tag in needed.tags or _SOURCE_TAG.fullmatch(tag) is None


def _old(created: datetime, retention: float, now: datetime) -> bool:
    return created > _FIRST_CREDIBLE and (now - created).total_seconds() > retention
