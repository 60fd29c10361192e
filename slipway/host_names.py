"""Names on the Docker host of what a compose file names: volumes and networks."""

from collections.abc import Mapping

from slipway.services import DEFAULT_NETWORK, Network, Volume


def volume_names(volumes: Mapping[str, Volume], prefix: str) -> dict[str, str]:
    """Names on the host of a project's volumes.

    Args:
        volumes: the project's.
        prefix: names on the host begin with it.
    """
    return {
        name: volume.name or name if volume.external else _own_volume(name, prefix)
        for name, volume in volumes.items()
    }


def network_names(networks: Mapping[str, Network], prefix: str) -> dict[str, str]:
    """Names on the host of a project's networks, with the one that every project has.

    Args:
        networks: the project's.
        prefix: names on the host begin with it.
    """
    names = {DEFAULT_NETWORK: _own_network(DEFAULT_NETWORK, prefix)}
    for name, network in networks.items():
        own = _own_network(name, prefix)
        names[name] = network.name or name if network.external else own
    return names


def adopted_volumes(volumes: Mapping[str, Volume], prefix: str) -> dict[str, str]:
    """Those of `volume_names` that are not named after the stack."""
    found = volume_names(volumes, prefix).items()
    return {name: there for name, there in found if there != _own_volume(name, prefix)}


def adopted_networks(networks: Mapping[str, Network], prefix: str) -> dict[str, str]:
    """Those of `network_names` that are not named after the stack."""
    found = network_names(networks, prefix).items()
    return {name: there for name, there in found if there != _own_network(name, prefix)}


def _own_volume(name: str, prefix: str) -> str:
    return f"{prefix}-{name}"


def _own_network(name: str, prefix: str) -> str:
    return prefix if name == DEFAULT_NETWORK else f"{prefix}-{name}"
