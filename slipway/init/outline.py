"""A rough view of a compose file: what its services are made from, and where that stands."""

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

from slipway.conventions import KnownImage, known_image
from slipway.init.image import ImageFacts, image_facts
from slipway.init.variables import Values, dotenv, unset_variables
from slipway.yaml_edit import entries, items, line_of, parse, text_of, value_of


@dataclass(frozen=True)
class Port:
    """A published port: as written, its number inside the container, and on the host."""

    text: str
    line: int
    target: int | None
    published: str
    udp: bool = False


@dataclass(frozen=True)
class Mount:
    """What is mounted: as written, from where, to where, and whether it can be written to."""

    text: str
    line: int
    source: str
    target: str
    read_only: bool

    @property
    def is_path(self) -> bool:
        """Whether it is a file or folder of the host, and not a volume."""
        return self.source.startswith((".", "/", "~"))


@dataclass(frozen=True)
class ServiceOutline:
    """A service, as far as proposals need it.

    Args:
        name: its name.
        key: where its name stands.
        node: what stands under it.
        context: folder that its image is built from; None if it is pulled.
        image: what the image says, if it is built here; else nothing.
        image_name: the image as written, variables filled in.
        command: what it starts: entrypoint and command, of the file or of the Dockerfile.
        environment: variables with their values.
        ports: published ports.
        exposed: ports that other services are told of.
        mounts: volumes, folders and files.
        health: its health check, the file's or the Dockerfile's.
        labels: labels with their values.
    """

    name: str
    key: ScalarNode
    node: Node
    context: Path | None
    image: ImageFacts
    image_name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    ports: tuple[Port, ...]
    exposed: tuple[int, ...]
    mounts: tuple[Mount, ...]
    health: tuple[str, ...]
    labels: Mapping[str, str]

    @property
    def known(self) -> KnownImage | None:
        """What is known of the image that runs: the pulled one, or the base of the built one."""
        return known_image(self.image.base if self.context else self.image_name)

    @property
    def has_extension(self) -> bool:
        return "x-slipway" in {k.value for k, _ in self._own}

    @property
    def _own(self) -> list[tuple[Node, Node]]:
        return list(self.node.value) if isinstance(self.node, MappingNode) else []

    def line(self, key: str) -> int:
        """The line of a key, or of the service if it has no such key."""
        found = entries(self.node).get(key)
        return line_of(found[0]) if found else line_of(self.key)


@dataclass(frozen=True)
class Outline:
    """A compose file.

    Args:
        file: where it is.
        text: what stands in it.
        root: its nodes.
        name: the project's name.
        services: in the order of the file.
        unset: variables without a value, with the line that uses them first.
    """

    file: Path
    text: str
    root: Node | None
    name: str
    services: tuple[ServiceOutline, ...]
    unset: Mapping[str, int] = field(default_factory=dict)


def outline(file: Path, text: str) -> Outline:
    """The outline of a compose file.

    Raises:
        ConfigError: it is no YAML.
    """
    values = Values(dotenv(file.parent / ".env"))
    root = parse(file, text)
    named = value_of(root, "name")
    name = values.fill(text_of(named)) if named else file.resolve().parent.name
    services = entries(value_of(root, "services"))
    found = [_service(file.parent, key, node, values) for key, node in services.values()]
    return Outline(
        file,
        text,
        root,
        _slug(name),
        tuple(_share_builds(found)),
        unset_variables(text, values.known),
    )


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "app"


def _service(folder: Path, key: ScalarNode, node: Node, values: Values) -> ServiceOutline:
    context, image = _build(folder, value_of(node, "build"), values)
    entrypoint = _words(value_of(node, "entrypoint"), values)
    command = _words(value_of(node, "command"), values)
    health = _health(value_of(node, "healthcheck"), values)
    if entrypoint is None:
        entrypoint = image.entrypoint
        command = image.command if command is None else command
    return ServiceOutline(
        name=str(key.value),
        key=key,
        node=node,
        context=context,
        image=image,
        image_name=values.fill(text_of(value_of(node, "image"))),
        command=(*entrypoint, *(command or ())),
        environment=_pairs(value_of(node, "environment"), values),
        ports=tuple(_port(item, values) for item in items(value_of(node, "ports"))),
        exposed=tuple(_exposed(value_of(node, "expose"), values)) or image.ports,
        mounts=tuple(_mount(item, values) for item in items(value_of(node, "volumes"))),
        health=image.health if health is None else health,
        labels=_pairs(value_of(node, "labels"), values),
    )


def _build(folder: Path, node: Node | None, values: Values) -> tuple[Path | None, ImageFacts]:
    if node is None:
        return None, ImageFacts()
    text = text_of(node)
    context = values.fill(text if text is not None else text_of(value_of(node, "context"))) or "."
    dockerfile = values.fill(text_of(value_of(node, "dockerfile"))) or "Dockerfile"
    target = values.fill(text_of(value_of(node, "target"))) or None
    path = Path(os.path.normpath(folder / context))
    arguments = _pairs(value_of(node, "args"), values)
    return path, image_facts(path / dockerfile, target, arguments)


def _words(node: Node | None, values: Values) -> tuple[str, ...] | None:
    text = text_of(node)
    if text is not None:
        try:
            return tuple(shlex.split(values.fill(text)))
        except ValueError:
            return tuple(values.fill(text).split())
    listed = items(node)
    if node is None or (not listed and isinstance(node, ScalarNode)):
        return None
    return tuple(values.fill(text_of(item)) for item in listed)


def _pairs(node: Node | None, values: Values) -> dict[str, str]:
    found = {k: values.fill(text_of(v)) for k, (_, v) in entries(node).items()}
    for item in items(node):
        name, _, value = (text_of(item) or "").partition("=")
        found[name] = values.fill(value)
    return found


def _port(node: Node, values: Values) -> Port:
    if isinstance(node, MappingNode):
        target = values.fill(text_of(value_of(node, "target")))
        published = values.fill(text_of(value_of(node, "published")))
        udp = text_of(value_of(node, "protocol")) == "udp"
        text = f"{published}:{target}"
    else:
        text = text_of(node) or ""
        *host, target = values.fill(text).partition("/")[0].split(":")
        published, udp = ("" if not host else host[-1]), text.endswith("/udp")
    number = int(target) if target.isdigit() else None
    return Port(text, line_of(node), number, published, udp)


def _exposed(node: Node | None, values: Values) -> Iterator[int]:
    for item in items(node):
        port = values.fill(text_of(item)).partition("/")[0]
        if port.isdigit():
            yield int(port)


def _mount(node: Node, values: Values) -> Mount:
    if isinstance(node, MappingNode):
        source = values.fill(text_of(value_of(node, "source")))
        target = values.fill(text_of(value_of(node, "target")))
        read_only = text_of(value_of(node, "read_only")) == "true"
        return Mount(f"{source}:{target}", line_of(node), source, target, read_only)
    text = text_of(node) or ""
    source, sign, rest = values.fill(text).partition(":")
    target, _, mode = rest.partition(":")
    if not sign:  # A volume without a name.
        source, target = "", source
    return Mount(text, line_of(node), source, target, "ro" in mode.split(","))


def _health(node: Node | None, values: Values) -> tuple[str, ...] | None:
    """The test of a health check, as Docker takes it; nothing if it is off, None if not said."""
    if node is None:
        return None
    if text_of(value_of(node, "disable")) == "true":
        return ()
    test = value_of(node, "test")
    text = text_of(test)
    if text is not None:
        return ("CMD-SHELL", values.fill(text))
    words = tuple(values.fill(text_of(item)) for item in items(test))
    return words if words[:1] not in ((), ("NONE",)) else (() if words else None)


def _share_builds(services: list[ServiceOutline]) -> Iterator[ServiceOutline]:
    """A service that names the image which a sibling builds is built too."""
    builders = {s.image_name: s for s in services if s.context and s.image_name}
    for service in services:
        builder = builders.get(service.image_name)
        if service.context is None and builder is not None:
            own = dict(vars(service))
            own |= {"context": builder.context, "image": builder.image}
            own["command"] = service.command or (*builder.image.entrypoint, *builder.image.command)
            own["exposed"] = service.exposed or builder.image.ports
            own["health"] = service.health or builder.image.health
            yield ServiceOutline(**own)
        else:
            yield service
