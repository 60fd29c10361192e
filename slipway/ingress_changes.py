"""What a proxy that runs does otherwise than is wanted now, key by key."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from slipway.errors import ConfigError
from slipway.host_names import network_names
from slipway.key_lines import KeyLines
from slipway.plan import ingress_networks, plan_sites
from slipway.services import Project, Service

_EXTENSION = "x-slipway"
_HOLD = (_EXTENSION, "hold")


@dataclass(frozen=True)
class Wanted:
    """What the proxy is to do.

    Args:
        stack: the Pulumi stack.
        image: of the proxy.
        published: address and port of the host on which it listens.
        project: the new release.
        earlier: routes of the release that serves, which the proxy that runs was made for; None
            where they are not known.
        prefix: names on the host begin with it.
        lines: finds lines for messages.
    """

    stack: str
    image: str
    published: tuple[str, int]
    project: Project
    earlier: Project | None
    prefix: str
    lines: KeyLines

    @property
    def file(self) -> str:
        """The stack's configuration."""
        return f"stacks/Pulumi.{self.stack}.yaml"


def refuse_ingress_change(found: Mapping[str, Any], wanted: Wanted, variable: str) -> None:
    """Refuse settings that an ingress could get only by being made anew.

    Args:
        found: the ingress container in the state.
        wanted: what it is to do, which is not what it does.
        variable: environment variable that allows it for one run.

    Raises:
        ConfigError: always, with what differs.
    """
    differences = [*_published(found, wanted), *_routes(wanted), *_networks(wanted)]
    told = "; ".join(differences) or (
        f"{wanted.file}: its proxy's image (slipway:ingressImage), or what this version of Slipway "
        "makes of the same routes, is another than that of the proxy that runs"
    )
    raise ConfigError(
        [
            f"{told}; for that the proxy must be stopped and made anew, which interrupts the "
            f"service for some seconds; to do it: {variable}=1 pulumi up --stack {wanted.stack}"
        ]
    )


def _published(found: Mapping[str, Any], wanted: Wanted) -> Iterator[str]:
    ports: list[Mapping[str, Any]] = found.get("ports") or [{}]
    image = str(found.get("image"))
    before = {
        "port": ports[0].get("external"),
        "bind": ports[0].get("ip"),
        # Docker may tell no more than the id.
        "ingressImage": image if "@" in image else None,
    }
    bind, number = wanted.published
    now = {"port": number, "bind": bind, "ingressImage": wanted.image}
    for key, was in before.items():
        if was is not None and was != now[key]:
            yield f"{wanted.file} slipway:{key}: was {was} and is {now[key]}"


def _routes(wanted: Wanted) -> Iterator[str]:
    if wanted.earlier is None:
        return
    before = {service.name: service for service in wanted.earlier.routed}
    now = {service.name: service for service in wanted.project.routed}
    for name in sorted(before.keys() | now.keys()):
        if name not in now:
            yield f"{wanted.lines.where('services', name)}: had a route, and has none now"
        elif name not in before:
            where = wanted.lines.where("services", name, _EXTENSION, "route")
            yield f"{where}: is new, and the proxy has no such route yet"
        else:
            yield from _of_service(before[name], now[name], wanted.lines)


def _of_service(before: Service, now: Service, lines: KeyLines) -> Iterator[str]:
    was, is_ = _settings(before), _settings(now)
    for key in sorted(was.keys() | is_.keys()):
        if key == _HOLD and before.extension.overlap != now.extension.overlap:
            continue  # That follows from overlap.
        if was.get(key) != is_.get(key):
            where = lines.where("services", now.name, *key)
            yield f"{where}: was {_shown(was.get(key))} and is {_shown(is_.get(key))}"


def _settings(service: Service) -> dict[tuple[str, ...], Any]:
    """What the proxy takes from a service, by the keys that say it."""
    extension, route = service.extension, service.extension.route
    found: dict[tuple[str, ...], Any] = {
        (_EXTENSION, "route", key): value for key, value in (dict(route) if route else {}).items()
    }
    found[_EXTENSION, "overlap"] = extension.overlap
    if not extension.overlap:
        found[_HOLD] = f"{extension.hold:g}s"
    # Aliases and container_name, too: the proxy answers to them.
    found["networks",] = list(service.names[1:])
    return found


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]"
    return "not there" if value is None else str(value)


def _networks(wanted: Wanted) -> Iterator[str]:
    if wanted.earlier is None:
        return
    was, now = (_places(project, wanted.prefix) for project in (wanted.earlier, wanted.project))
    if was != now:
        yield (
            f"{wanted.lines.where('networks')}: the proxy was in {_shown(was)}, where its services "
            f"were, and must be in {_shown(now)}"
        )


def _places(project: Project, prefix: str) -> list[str]:
    names = network_names(project.networks, prefix)
    return sorted(names.get(name, name) for name in ingress_networks(project, plan_sites(project)))
