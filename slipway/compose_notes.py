"""What is said about a compose file beside its faults, and what only this machine could give it."""

from collections.abc import Iterator, Mapping

from slipway.key_lines import KeyLines
from slipway.services import Project
from slipway.unset_variables import unset_variable, variables_in

_READERS_OWN = ("PATH", "HOME")


def left_out(lines: KeyLines, project: Project, complete: bool) -> Iterator[str]:
    """Services that no active profile has."""
    written = lines.written("services") or {}
    for name in written if complete else []:
        profiles = lines.written("services", name, "profiles")
        if name not in project.services and profiles:
            yield (
                f"{lines.where('services', name, 'profiles')}: left out, since no profile of "
                f"{', '.join(map(str, profiles))} is active; set COMPOSE_PROFILES under "
                "slipway:variables to have it"
            )


def unheard(lines: KeyLines, project: Project) -> Iterator[str]:
    """Names that the stack's own take the place of."""
    for name, network in project.networks.items():
        if network.name and not network.external:
            yield (
                f"{lines.where('networks', name, 'name')}: networks are named after the stack, so "
                f"{network.name} is not its name; for one that is there already write "
                "external: true"
            )


def of_this_machine(lines: KeyLines, variables: Mapping[str, str]) -> list[str]:
    """What the reader itself needs has a value, but another one on every machine."""
    used = variables_in(lines.written()) - variables.keys()
    return [unset_variable(lines, name) for name in _READERS_OWN if name in used]
