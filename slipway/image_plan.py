"""From builds to images: what is built, what is there already, what may not be run."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slipway.canonical import SHORT, digest
from slipway.errors import ConfigError, RegistryError
from slipway.hash_cache import HashCache
from slipway.key_lines import KeyLines
from slipway.reference import ImageReference, parse_reference
from slipway.services import Build, Project
from slipway.source_hash import Source, read_source
from slipway.state import REMOTE_IMAGE, StackState

TAG_DIGITS = 24
"""Digits of the source hash in a tag: 96 bits, never moved and never met twice."""

LookUp = Callable[[ImageReference], str | None]
"""Gives the digest that a registry has for a reference, or None."""


@dataclass(frozen=True)
class ImagePlan:
    """An image that is built from source.

    Args:
        name: of its resources.
        build: how it is built.
        platform: what for.
        source: what from.
        reference: repository and tag.
        digest: what the registry has under that tag; None if it must be built first.
        declared: whether this stack builds it, or has built it.
        secrets: files that build steps mount as secrets, by id.
    """

    name: str
    build: Build
    platform: str
    source: Source
    reference: ImageReference
    digest: str | None
    declared: bool
    secrets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ReleasedImage:
    """An image that was built for a release of the ledger.

    Args:
        reference: `repository@sha256:…`.
        source_hash: what it was built from.
    """

    reference: ImageReference
    source_hash: str


Image = ImagePlan | ReleasedImage | ImageReference
"""What a service runs: what is built now, what was built before, or what is pulled."""


def plan_images(
    project: Project,
    component: str,
    registry: str,
    platform: str,
    state: StackState,
    look_up: LookUp,
    cache: HashCache | None = None,
) -> dict[str, ImagePlan]:
    """The image that is built for each service; services with equal builds share one.

    Args:
        project: the compose project.
        component: name of the stack's component; names of resources begin with it.
        registry: host of the registry, with a path if it has one.
        platform: what to build for where the compose file names nothing.
        state: of this stack.
        look_up: asks the registry.
        cache: spares reading files that have not changed.

    Raises:
        ConfigError: a source cannot be hashed; problems of all services are told together.
    """
    plans: dict[str, ImagePlan] = {}
    by_build: dict[str, ImagePlan] = {}
    problems: list[str] = []
    lines = KeyLines(Path(project.file))
    for name, service in sorted(project.services.items()):
        if service.build is None:
            continue
        key = digest(service.build.model_dump(mode="json"))
        try:
            if key not in by_build:
                secrets = _build_secrets(
                    service.build, project, lines.where("services", name, "build", "secrets")
                )
                by_build[key] = _plan_image(
                    f"{registry}/{project.name}",
                    service.build,
                    secrets,
                    component,
                    platform,
                    state,
                    look_up,
                    cache,
                    project.file,
                )
            plans[name] = by_build[key]
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))
    return plans


def _plan_image(
    repository: str,
    build: Build,
    secrets: dict[str, str],
    component: str,
    platform: str,
    state: StackState,
    look_up: LookUp,
    cache: HashCache | None,
    compose_file: str,
) -> ImagePlan:
    chosen = build.platforms[0] if build.platforms else platform
    source = read_source(build, chosen, cache, compose_file)
    tag = f"src-{source.hash[:TAG_DIGITS]}"
    reference = parse_reference(f"{repository}:{tag}")
    found = look_up(reference)
    # A build that the state has, but the registry has not, was never pushed, or the registry lost
    # it; whatever it holds, it is made anew.
    base = f"{component}-{source.hash[:SHORT]}"
    name = state.incarnation(base, REMOTE_IMAGE, lambda latest: found is None)
    # A build that the state has stays declared: the engine would take it out otherwise, and the
    # next preview would differ.
    declared = found is None or state.has(REMOTE_IMAGE, name)
    return ImagePlan(name, build, chosen, source, reference, found, declared, secrets)


def _build_secrets(build: Build, project: Project, where: str) -> dict[str, str]:
    files, problems = {}, []
    for secret in build.secrets:
        source = project.secrets.get(secret.source)
        if source is not None and source.file is not None:
            files[secret.id] = source.file
        else:
            problems.append(
                f"{where}: {secret.source} is of no file, and a build reads its secrets from "
                "files; write secrets: {" + secret.source + ": {file: …}} with a file that is "
                "ignored by git"
            )
    if problems:
        raise ConfigError(problems)
    return files


def require_unchanged(image: ImagePlan) -> None:
    """See, before an image is pushed, that its source is still what it is named after.

    Raises:
        ConfigError: a file was changed while the image was built.
    """
    # Every file is read: what the cache says may be older than the plan.
    now = read_source(image.build, image.platform)
    if now.hash == image.source.hash:
        return
    before, after = ({entry.path: entry for entry in s.entries} for s in (image.source, now))
    changed = sorted(p for p in before.keys() | after.keys() if before.get(p) != after.get(p))
    raise ConfigError(
        [
            f"{image.build.context}: changed while the image was built "
            f"({', '.join(changed[:5]) or 'the Dockerfile'}), so that the image may hold either; "
            "it was not pushed; run pulumi up again"
        ]
    )


def pulled_images(project: Project, lines: KeyLines) -> dict[str, ImageReference]:
    """The pinned image of each service without build.

    Raises:
        ConfigError: one or more are not pinned, or are no references.
    """
    found: dict[str, ImageReference] = {}
    problems: list[str] = []
    for name, service in project.services.items():
        if service.build is not None or service.image is None:
            continue
        where = lines.where("services", name, "image")
        try:
            found[name] = parse_reference(service.image)
        except ConfigError as error:
            problems += [f"{where}: {problem}" for problem in error.problems]
            continue
        if not found[name].pinned:
            problems.append(
                f"{where}: {service.image} is not pinned by digest, so that the same file could "
                f"run another image tomorrow; run scripts/pin {project.file}"
            )
    if problems:
        raise ConfigError(problems)
    return found


def refuse_moved_tags(images: Mapping[str, ImagePlan], ledger: list[dict[str, Any]]) -> None:
    """Refuse an image whose tag has another digest now than the ledger recorded.

    Raises:
        RegistryError: someone pushed another image under a tag that is never moved.
    """
    recorded = {
        service["source_hash"]: service["image"]
        for entry in reversed(ledger)  # the newest has the last word
        for service in entry["services"].values()
        if service.get("source_hash")
    }
    for image in images.values():
        known = recorded.get(image.source.hash)
        if known and image.digest and not known.endswith(f"@{image.digest}"):
            raise RegistryError(
                f"{image.reference} has the digest {image.digest} now, but {known} was released "
                "from the same source: the tag was overwritten; delete the tag in the registry, "
                "or change the source, and run pulumi up again"
            )


def relative_context(build: Build, base: Path) -> str:
    """The build context as seen from the program's folder, so that no clone's path is in the
    state and two clones that share a backend see the same build."""
    return os.path.relpath(build.context, base)
