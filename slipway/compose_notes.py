"""What is said about a compose file beside its faults, and what only this machine could give it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from slipway.compose_reader import READERS_OWN
from slipway.key_lines import KeyLines, line_of
from slipway.services import Project
from slipway.unset_variables import (
    OTHER_ELSEWHERE,
    env_files,
    machines_variable,
    used_variables,
)


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


def not_in_utf_8(lines: KeyLines) -> Iterator[str]:
    """Variables in files that the reader would give other values, since it knows only UTF-8."""
    for file in dict.fromkeys(env_files(lines)):
        rows = file.read_bytes().split(b"\n") if file.is_file() else []
        for number, row in enumerate(rows, 1):
            if not row.lstrip().startswith(b"#") and "\ufffd" in row.decode("utf-8", "replace"):
                yield f"{file}:{number} is not UTF-8 text; save it as UTF-8"
                break


def of_this_machine(lines: KeyLines, variables: Mapping[str, str]) -> list[str]:
    """What would have another value on every machine, since the reader itself needs it there.

    Args:
        lines: of the compose file.
        variables: those to which the stack gives values.
    """
    own = [name for name in READERS_OWN if name not in variables]
    used = used_variables(lines)
    found = [machines_variable(lines, name) for name in own if name in used]
    for file, root in lines.documents:
        for name, service in _services(root):
            above = f"services.{name}"
            for key, node in (("environment", service), ("build.args", service.get("build"))):
                found += _passed_on(file, f"{above}.{key}", node, own)
            if "HOME" in own:
                found += _below_home(file, f"{above}.volumes", service)
    return found


def _services(root: Any) -> list[tuple[str, dict[str, Any]]]:
    services = root.get("services") if isinstance(root, dict) else None
    named = services.items() if isinstance(services, dict) else ()
    return [(name, service) for name, service in named if isinstance(service, dict)]


def _passed_on(file: Path, path: str, node: Any, own: Sequence[str]) -> Iterator[str]:
    """Names without a value, which have the reader's."""
    entries = node.get(path.rpartition(".")[2]) if isinstance(node, dict) else None
    if isinstance(entries, dict):
        named: list[tuple[object, object]] = [(k, k) for k, v in entries.items() if v is None]
    else:
        named = list(enumerate(entries if isinstance(entries, list) else ()))
    for place, name in named:
        if name in own:
            line = line_of(entries, place)
            yield f"{file}:{line} {path}.{name}: {OTHER_ELSEWHERE}; write its value, or remove it"


def _below_home(file: Path, path: str, service: Mapping[str, Any]) -> Iterator[str]:
    """Mounts whose source is below the home folder of whoever reads the file."""
    mounts = service.get("volumes")
    for index, mount in enumerate(mounts if isinstance(mounts, list) else ()):
        source = mount.get("source") if isinstance(mount, dict) else mount
        if str(source).startswith("~"):
            yield (
                f"{file}:{line_of(mounts, index)} {path}.{index}: ~ is another folder on every "
                "machine; write an absolute path of the Docker host, or a path of the project (./…)"
            )
