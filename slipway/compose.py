"""Reading a compose file: by the reference implementation, into typed services.

The file is interpreted by `docker compose config`, or by the helper in `tools/compose-config`
over the same Go package. Slipway itself looks at the text only to find the line of a key.
"""

import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from slipway.errors import ConfigError, HostError
from slipway.services import Project

Run = Callable[[Sequence[str], Mapping[str, str]], "subprocess.CompletedProcess[str]"]
"""Runs a command with an environment."""

_HELPER = "compose-config"
_LATER = "Slipway does not honour it yet; remove it"
_REMEDIES = {
    "ports": "it binds a fixed host port, which old and new container cannot share; "
    "use x-slipway.route.port and the stack's slipway:port",
    "container_name": "old and new container cannot share a name; remove it",
    "depends_on": "services of a release start together and are proven together; remove it",
    "network_mode": "the ingress reaches services by the stack's own network; remove it",
    "networks": "all services of a stack share its own network; remove it",
    "deploy": "replicas and resources are not honoured yet; remove it",
    "secrets": "put the value under slipway:secrets in the stack's configuration and name it "
    "in environment as ${NAME}",
    "configs": "bake the file into the image",
}
_UNSET = re.compile(r'The \\*"(\w+)\\*" variable is not set')
_DEFAULT_NETWORK = {"default": None}


def run_command(
    command: Sequence[str], environ: Mapping[str, str]
) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end; an executable that is not there counts as exit code 127."""
    try:
        return subprocess.run(
            list(command), env=dict(environ), capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return subprocess.CompletedProcess(list(command), 127, "", f"{command[0]}: not found")


def read_project(
    file: Path, environ: Mapping[str, str], variables: Mapping[str, str], run: Run = run_command
) -> Project:
    """The compose project in `file`.

    Args:
        file: path of the compose file.
        environ: process environment; says where to find the reader, and gives values for
            `${NAME}` that `variables` does not have.
        variables: values for `${NAME}` from the stack's configuration.
        run: runs the reader.

    Raises:
        ConfigError: the file is missing, not valid, or has keys that Slipway does not honour.
        HostError: no reader is installed.
    """
    if not file.is_file():
        raise ConfigError(
            [f"{file}: no such file; set slipway:compose in the stack's configuration"]
        )
    resolved = _interpret(file, {**environ, **variables}, run)
    lines = KeyLines(file)
    project, problems = _typed(file, resolved, lines)
    problems += list(_missing_checks(project, lines)) if project else []
    if problems or project is None:
        raise ConfigError(problems)
    return project


def _interpret(file: Path, environ: Mapping[str, str], run: Run) -> dict[str, Any]:
    plugin = run(["docker", "compose", "version"], environ)
    has_plugin = plugin.returncode == 0
    if has_plugin:
        # Its JSON leaves out extensions of services, its YAML does not.
        command = ["docker", "compose", "--file", str(file), "config"]
    else:
        command = [_HELPER, str(file)]
    answer = run(command, environ)
    if answer.returncode == 127 and not has_plugin:
        raise HostError(
            f"cannot read {file}: neither `docker compose` nor {_HELPER} is installed; "
            "run scripts/bootstrap, then . scripts/activate"
        )
    if answer.returncode != 0:
        raise ConfigError(
            [f"{file}: {answer.stderr.strip() or 'the compose reader gave no reason'}"]
        )
    unset = list(dict.fromkeys(_UNSET.findall(answer.stderr)))
    if unset:
        raise ConfigError([_unset_variable(file, name) for name in unset])
    # The plugin doubles each `$`, so that its output is a compose file again; the helper does not.
    text = answer.stdout.replace("$$", "$") if has_plugin else answer.stdout
    interpreted: dict[str, Any] = YAML(typ="safe").load(text)
    return interpreted


def _unset_variable(file: Path, name: str) -> str:
    text = file.read_text()
    use = re.search(rf"\$\{{?{re.escape(name)}\b", text)
    line = text.count("\n", 0, use.start()) + 1 if use else 1
    return (
        f"{file}:{line} ${{{name}}}: has no value; set it under slipway:variables, or with pulumi "
        f"config set --stack <stack> --secret --path slipway:secrets.{name} <value>, "
        f"or give it a default: ${{{name}:-}}"
    )


def _typed(
    file: Path, resolved: Mapping[str, Any], lines: "KeyLines"
) -> tuple[Project | None, list[str]]:
    problems = list(_top_level_problems(file, resolved, lines))
    services = {
        name: {"name": name, **_without_defaults(service)}
        for name, service in sorted((resolved.get("services") or {}).items())
    }
    try:
        project = Project.model_validate(
            {
                "name": resolved["name"],
                "file": str(file),
                "services": services,
                "volumes": sorted(resolved.get("volumes") or {}),
            }
        )
    except ValidationError as error:
        return None, problems + _problems(file, error.errors(), lines)
    return project, problems


def _without_defaults(service: Mapping[str, Any]) -> dict[str, Any]:
    """The service without what the reader adds where the file says nothing."""
    kept = {key: value for key, value in service.items() if value is not None}
    if kept.get("networks") == _DEFAULT_NETWORK:
        del kept["networks"]
    for mount in kept.get("volumes", []):
        if mount.get("volume") is None:
            mount.pop("volume", None)
    return kept


def _top_level_problems(
    file: Path, resolved: Mapping[str, Any], lines: "KeyLines"
) -> Iterator[str]:
    for key, value in resolved.items():
        if key in ("name", "services", "volumes") or key.startswith("x-"):
            continue
        if key == "networks" and set(value) <= {"default"}:
            settings = value.get("default") or {}
            if not set(settings) - {"name", "ipam"} and not settings.get("ipam"):
                continue
        yield f"{file}:{lines.of((key,))} {key}: {_REMEDIES.get(key, _LATER)}"
    for name, volume in (resolved.get("volumes") or {}).items():
        unknown = sorted(set(volume or {}) - {"name"})
        named = (volume or {}).get("name")
        if not unknown and named not in (None, f"{resolved.get('name')}_{name}"):
            yield (
                f"{file}:{lines.of(('volumes', name, 'name'))} volumes.{name}.name: Slipway names "
                "volumes after the stack, so this one would not be found; remove name, and copy "
                "the data over"
            )
        if unknown:
            where = f"{file}:{lines.of(('volumes', name, unknown[0]))}"
            yield f"{where} volumes.{name}.{unknown[0]}: {_LATER}"


def _problems(file: Path, details: Sequence[ErrorDetails], lines: "KeyLines") -> list[str]:
    """One problem for each wrong value, and one for each mount that is of no named volume."""
    mounts = dict.fromkeys(
        detail["loc"][:4]
        for detail in details
        if detail["loc"][2:3] == ("volumes",) and detail["loc"][4:] in (("type",), ("source",))
    )
    problems = [_problem(file, d, lines) for d in details if d["loc"][:4] not in mounts]
    return problems + [
        f"{_where(file, mount, lines)}: only named volumes are honoured yet; a bind mount would "
        "hide the image or depend on this machine's folders; use a named volume"
        for mount in mounts
    ]


def _where(file: Path, path: Sequence[object], lines: "KeyLines") -> str:
    return f"{file}:{lines.of(path)} {'.'.join(str(part) for part in path)}"


def _problem(file: Path, detail: ErrorDetails, lines: "KeyLines") -> str:
    where = _where(file, detail["loc"], lines)
    if detail["type"] == "extra_forbidden":
        return f"{where}: {_REMEDIES.get(str(detail['loc'][-1]), _LATER)}"
    if detail["type"] == "missing":
        return f"{where}: is missing; add it"
    message = detail["msg"].removeprefix("Value error, ")
    if isinstance(detail["input"], dict | list):  # Long, and may hold headers that are secret.
        return f"{where}: {message}"
    return f"{where}: {message} (found {json.dumps(detail['input'], default=str)})"


def _missing_checks(project: Project, lines: "KeyLines") -> Iterator[str]:
    for name, service in project.services.items():
        where = f"{project.file}:{lines.of(('services', name))} services.{name}"
        if service.build is None and service.image is None:
            yield f"{where}: has neither build nor image; add one"
        if service.routed and not service.extension.probes and not service.has_health_check:
            yield (
                f"{where}: takes public traffic, but nothing tells whether it is well; add "
                "x-slipway.probes: [{path: /health}] (any path that answers 200) or a healthcheck"
            )
        unknown = {mount.source for mount in service.volumes} - set(project.volumes)
        for volume in sorted(unknown):
            yield f"{where}.volumes: {volume} is not declared; add it under the top-level volumes"
    routed = [name for name, service in project.services.items() if service.routed]
    if len(routed) != 1:
        found = ", ".join(routed) or "none"
        yield (
            f"{project.file} services: exactly one service takes the stack's public traffic so "
            f"far, found {found}; set x-slipway.route on one"
        )


class KeyLines:
    """Finds the line of a key in a YAML file, for messages."""

    def __init__(self, file: Path) -> None:
        try:
            self._root: Any = YAML().load(file.read_text())
        except YAMLError:
            self._root = None

    def of(self, path: Sequence[object]) -> int:
        """The line of the deepest part of `path` that stands in the file; 1 if none does.

        A value that comes from an anchor counts as standing where the anchor's does.
        """
        node, line = self._root, 1
        for part in path:
            found = _line_of(node, part)
            if found is None:
                break
            line = found
            node = node[part]
        return line


def _line_of(node: Any, part: object) -> int | None:
    find = "key" if isinstance(node, dict) else "item"
    try:
        position = getattr(node.lc, find)(part)
        return int(position[0]) + 1
    except (AttributeError, KeyError, IndexError, TypeError):
        pass
    # A merged key (`<<: *anchor`) has no position of its own in this mapping.
    for merged in getattr(node, "merge", []):
        found = _line_of(merged, part)
        if found is not None:
            return found
    return None
