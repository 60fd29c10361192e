"""What networks and volumes keep for as long as they are there.

Docker cannot change them, and making them anew would take the network from under what serves, or
the data with the volume. The engine is told to leave them alone, so a change in the file must be
refused: otherwise it would be taken for done.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from slipway.errors import ConfigError
from slipway.key_lines import KeyLines
from slipway.services import DEFAULT_NETWORK, Project
from slipway.state import NETWORK, VOLUME, StackState

_DRIVER = "local"


def network_resource(component: str, network: str) -> str:
    """Name of the resource of a compose file's network."""
    own = "network" if network == DEFAULT_NETWORK else f"network-{network}"
    return f"{component}-{own}"


def volume_resource(component: str, volume: str) -> str:
    """Name of the resource of a compose file's volume."""
    return f"{component}-{volume}"


def refuse_fixed_changes(
    project: Project, state: StackState, component: str, lines: KeyLines
) -> None:
    """Refuse other settings than those that networks and volumes were made with.

    Args:
        project: the release's volumes and networks.
        state: of the stack.
        component: names of resources begin with it.
        lines: finds lines for messages.

    Raises:
        ConfigError: one or more settings differ.
    """
    problems = [*_networks(project, state, component, lines)]
    problems += _volumes(project, state, component, lines)
    if problems:
        raise ConfigError(problems)


def _networks(
    project: Project, state: StackState, component: str, lines: KeyLines
) -> Iterator[str]:
    made = state.named(NETWORK)
    for name, network in project.networks.items():
        found = made.get(network_resource(component, name))
        if found is None or network.external:
            continue
        was = bool(found.get("internal"))
        if was != network.internal:
            yield (
                f"{lines.where('networks', name)}: internal was {_yaml(was)} when the network was "
                "made, and a network cannot be changed; give it another name, here and where "
                "services name it"
            )


def _volumes(project: Project, state: StackState, component: str, lines: KeyLines) -> Iterator[str]:
    made = state.named(VOLUME)
    for name, volume in project.volumes.items():
        found = made.get(volume_resource(component, name))
        if found is None or volume.external:
            continue
        now = {"driver": volume.driver or _DRIVER, "driver_opts": volume.driver_opts}
        differ = sorted(key for key, was in _made_with(found).items() if was != now[key])
        if differ:
            yield (
                f"{lines.where('volumes', name)}: {' and '.join(differ)} were others when the "
                "volume was made, and a volume cannot be changed; give it another name, here and "
                "where services mount it, and copy the data over"
            )


def _made_with(found: Mapping[str, Any]) -> dict[str, Any]:
    options = found.get("driverOpts") or {}
    texts = {name: str(value) for name, value in options.items()}
    return {"driver": found.get("driver") or _DRIVER, "driver_opts": texts}


def _yaml(value: bool) -> str:
    return "true" if value else "false"
