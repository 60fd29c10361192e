"""The routes of the release that serves, for a proxy that is made while it does.

A proxy that is made anew for other routes must go on leading requests as before until the new
release serves, and from then on if it fails.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slipway.blueprint import own_services
from slipway.errors import ConfigError
from slipway.host_names import network_names
from slipway.none_values import with_none
from slipway.plan import ContainerPlan, ingress_networks, ingress_settings, plan_sites
from slipway.proxy import Site
from slipway.secret_references import resolve
from slipway.services import Project

_EXTENSION = "x-slipway"
_ROUTING = ("route", "overlap", "hold")
_NAMING = ("networks", "container_name")


@dataclass(frozen=True)
class EarlierRoutes:
    """What a proxy needs of the release that serves.

    Args:
        sites: what that release's own proxy does.
        networks: names that the proxy answers to for it, by network of both releases.
        settings: the name of that proxy's settings, if one that has these beside its own can be
            all that it was; else empty.
    """

    sites: tuple[Site, ...] = ()
    networks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    settings: str = ""


def recorded_project(entry: Mapping[str, Any], values: Mapping[str, str]) -> Project | None:
    """The part of a release of the ledger that its routes are made from.

    Args:
        entry: the release.
        values: of the references in it, by name.

    Returns:
        None where a value of it is gone.
    """
    try:
        services = {
            name: _routed(name, resolve(found["record"]["service"], values))
            for name, found in own_services(entry).items()
            if "route" in found.get("record", {}).get("service", {}).get(_EXTENSION, {})
        }
    except ConfigError:
        return None
    file = f"release {entry['number']}"
    content = {"name": entry["project"]["name"], "file": file, "services": services}
    return Project.model_validate({**content, "networks": entry["project"].get("networks", {})})


def _routed(name: str, record: Mapping[str, Any]) -> dict[str, Any]:
    found = with_none(record)
    routing = {key: value for key, value in found[_EXTENSION].items() if key in _ROUTING}
    naming = {key: value for key, value in found.items() if key in _NAMING}
    return {"name": name, **naming, _EXTENSION: routing}


def earlier_routes(
    earlier: Project | None,
    plans: Sequence[ContainerPlan],
    project: Project,
    image: str,
    published: tuple[str, int],
    prefix: str,
) -> EarlierRoutes:
    """What the proxy of a release needs of the one that serves.

    Args:
        earlier: `recorded_project` of the release that serves; None if there is none.
        plans: the containers of the new release.
        project: the new release.
        image: the proxy's image.
        published: address and port of the host on which it listens.
        prefix: names on the host begin with it.
    """
    if earlier is None:
        return EarlierRoutes()
    sites = plan_sites(earlier)
    if sites == plan_sites(project):
        return EarlierRoutes()
    before, now = (network_names(p.networks, prefix) for p in (earlier, project))
    wanted = ingress_networks(earlier, sites)
    networks = {
        # A container of the new release that has the name itself must be found under it.
        network: tuple(name for name in names if name not in _taken(plans, network))
        for network, names in wanted.items()
        if now.get(network) == before[network]
    }
    settings = ingress_settings(earlier, sites, image, published, prefix)
    return EarlierRoutes(sites, networks, settings if networks == wanted else "")


def _taken(plans: Sequence[ContainerPlan], network: str) -> set[str]:
    return {name for plan in plans for name in plan.placement.aliases.get(network, ())}
