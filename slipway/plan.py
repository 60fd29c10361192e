"""From services to what a stack must hold: images, containers, names. Pure but for look-ups."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway.canonical import SHORT, digest
from slipway.errors import ConfigError, RegistryError
from slipway.reference import ImageReference, parse_reference
from slipway.release import ContainerSpec, container_spec, revision
from slipway.services import Build, Project, Service
from slipway.source_hash import Source, read_source
from slipway.state import CONTAINER, REMOTE_IMAGE, StackState

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
    """

    name: str
    build: Build
    platform: str
    source: Source
    reference: ImageReference
    digest: str | None
    declared: bool


@dataclass(frozen=True)
class ContainerPlan:
    """A service's container.

    Args:
        service: its service.
        resource: name of its resource.
        name: its name on the host.
        revision: hash of all that it is made from.
        spec: what it is made from.
        image: the image that is built for it, or the reference of the one that is pulled.
    """

    service: Service
    resource: str
    name: str
    revision: str
    spec: ContainerSpec
    image: ImagePlan | ImageReference

    @property
    def upstream(self) -> str | None:
        """container:port for the proxy; None where the service takes no public traffic."""
        route = self.service.extension.route
        return f"{self.name}:{route.port}" if route else None


def plan_images(
    project: Project,
    component: str,
    registry: str,
    platform: str,
    state: StackState,
    look_up: LookUp,
) -> dict[str, ImagePlan]:
    """The image that is built for each service; services with equal builds share one.

    Args:
        project: the compose project.
        component: name of the stack's component; names of resources begin with it.
        registry: host of the registry, with a path if it has one.
        platform: what to build for where the compose file names nothing.
        state: of this stack.
        look_up: asks the registry.

    Raises:
        ConfigError: a source cannot be hashed; problems of all services are told together.
    """
    plans: dict[str, ImagePlan] = {}
    by_build: dict[str, ImagePlan] = {}
    problems: list[str] = []
    for name, service in sorted(project.services.items()):
        if service.build is None:
            continue
        key = digest(service.build.model_dump(mode="json"))
        try:
            if key not in by_build:
                by_build[key] = _plan_image(
                    project, service.build, component, registry, platform, state, look_up
                )
            plans[name] = by_build[key]
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))
    return plans


def _plan_image(
    project: Project,
    build: Build,
    component: str,
    registry: str,
    platform: str,
    state: StackState,
    look_up: LookUp,
) -> ImagePlan:
    chosen = build.platforms[0] if build.platforms else platform
    source = read_source(build, chosen)
    tag = f"src-{source.hash[:TAG_DIGITS]}"
    reference = parse_reference(f"{registry}/{project.name}:{tag}")
    found = look_up(reference)
    # A build that the state has, but the registry has not, was never pushed, or the registry lost
    # it; whatever it holds, it is made anew.
    name = _incarnation(
        f"{component}-{source.hash[:SHORT]}", state, REMOTE_IMAGE, lambda latest: found is None
    )
    # A build that the state has stays declared: the engine would take it out otherwise, and the
    # next preview would differ.
    declared = found is None or state.has(REMOTE_IMAGE, name)
    return ImagePlan(name, build, chosen, source, reference, found, declared)


def require_unchanged(image: ImagePlan) -> None:
    """See, before an image is pushed, that its source is still what it is named after.

    Raises:
        ConfigError: a file was changed while the image was built.
    """
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


def pulled_image(project: Project, service: Service) -> ImageReference:
    """The pinned image of a service without build.

    Raises:
        ConfigError: it is not pinned.
    """
    reference = parse_reference(str(service.image))
    if reference.digest is None:
        raise ConfigError(
            [
                f"{project.file} services.{service.name}.image: {service.image} is not pinned by "
                f"digest, so that the same file could run another image tomorrow; run "
                f"scripts/pin {project.file}"
            ]
        )
    return reference


def plan_containers(
    project: Project,
    images: Mapping[str, ImagePlan],
    key: str,
    component: str,
    prefix: str,
    state: StackState,
    missing: frozenset[str],
) -> list[ContainerPlan]:
    """The container of each service.

    Args:
        project: the compose project.
        images: the built images, by service.
        key: the stack's random key.
        component: names of resources begin with it.
        prefix: names on the host begin with it.
        state: of this stack.
        missing: resources of containers that are gone from the host though the state has them;
            they are made anew under a name of their own.
    """
    plans: list[ContainerPlan] = []
    problems: list[str] = []
    for name, service in sorted(project.services.items()):
        try:
            image = images.get(name) or pulled_image(project, service)
        except ConfigError as error:
            problems += error.problems
            continue
        source_hash = image.source.hash if isinstance(image, ImagePlan) else None
        spec = container_spec(service, source_hash or str(image), source_hash)
        revised = revision(spec, key)
        resource = _incarnation(
            f"{component}-{name}-{revised}", state, CONTAINER, missing.__contains__
        )
        suffix = resource.removeprefix(f"{component}-")
        plans.append(ContainerPlan(service, resource, f"{prefix}-{suffix}", revised, spec, image))
    if problems:
        raise ConfigError(problems)
    return plans


def _incarnation(base: str, state: StackState, kind: str, is_lost: Callable[[str], bool]) -> str:
    """The resource's name: `base`, or `base-2` and so on where what it names was lost before."""
    numbered = re.compile(re.escape(base) + r"(?:-(\d+))?")
    matches = (numbered.fullmatch(name) for name in state.named(kind))
    numbers = [int(match[1] or 1) for match in matches if match]
    if not numbers:
        return base
    latest = base if max(numbers) == 1 else f"{base}-{max(numbers)}"
    return f"{base}-{max(numbers) + 1}" if is_lost(latest) else latest


def ingress_resource(component: str, state: StackState, missing: frozenset[str]) -> str:
    """Name of the ingress container's resource."""
    return _incarnation(f"{component}-ingress", state, CONTAINER, missing.__contains__)


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
