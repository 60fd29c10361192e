"""Reading a compose file into typed services, and telling all that is wrong with it.

The file is interpreted by Compose's own reader (`slipway.compose_repair`). Slipway itself looks at
the text only to find the line of a key.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from slipway.compose_keys import problem_with, unknown_top_level
from slipway.compose_notes import left_out, not_in_utf_8, of_this_machine, unheard
from slipway.compose_reader import Run, run_command
from slipway.compose_repair import interpret
from slipway.errors import ConfigError
from slipway.key_lines import KeyLines
from slipway.left_to_image import complete
from slipway.services import FileSource, Network, Project, Service, Volume
from slipway.values import Model

_M = TypeVar("_M", bound=Model)


@dataclass(frozen=True)
class Reading:
    """What was read of a compose file.

    Args:
        project: the services that could be read.
        lines: finds lines for further messages.
        problems: what is wrong, a line each.
        warnings: what is taken otherwise than a reader of the file might think, a line each.
        complete: whether all services could be read.
        unread: services of which not all could be.
        whole: whether all services are there, with what they wait for, though not all keys of them.
    """

    project: Project
    lines: KeyLines
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    complete: bool = True
    unread: frozenset[str] = frozenset()
    whole: bool = True


def read_project(
    file: Path, environ: Mapping[str, str], variables: Mapping[str, str], run: Run = run_command
) -> Reading:
    """The compose project in `file`, with all that is wrong with its keys.

    Args:
        file: path of the compose file.
        environ: process environment; says where to find the reader, and gives values for
            `${NAME}` that `variables` does not have.
        variables: values for `${NAME}` from the stack's configuration.
        run: runs the reader.

    Raises:
        ConfigError: the file is missing, or nothing of it can be read.
        HostError: no reader is installed.
    """
    if not file.is_file():
        raise ConfigError(
            [f"{file}: no such file; set slipway:compose in the stack's configuration"]
        )
    lines = KeyLines(file)
    found = interpret(file, {**environ, **variables}, lines, run)
    typed = _Typed(lines)
    written = typed.project(file, found.document)
    unread = frozenset(typed.unread | found.unread)
    project, missing = complete(written, lines, unread)
    warnings = [*left_out(lines, project, typed.complete), *unheard(lines, project)]
    found.problems += [*of_this_machine(lines, variables), *not_in_utf_8(lines)]
    return Reading(
        project,
        lines,
        (*found.problems, *typed.problems, *missing),
        tuple(warnings),
        typed.complete and found.complete,
        unread,
        typed.whole and found.complete,
    )


class _Typed:
    """Turns what the reader gave into values, service by service, so that one that cannot be read
    hides nothing of the others."""

    def __init__(self, lines: KeyLines) -> None:
        self._lines = lines
        self.problems: list[str] = []
        self.complete = True
        self.whole = True
        self.unread: set[str] = set()

    def project(self, file: Path, document: Mapping[str, Any]) -> Project:
        self.problems += unknown_top_level(document, self._lines)
        services = {
            name: service
            for name, found in sorted((document.get("services") or {}).items())
            if (service := self._service(name, found)) is not None
        }
        _set_platforms(services)
        _share_builds(services)
        return Project(
            name=str(document["name"]),
            file=str(file),
            services=services,
            volumes=self._each(Volume, "volumes", _volumes(document)),
            networks=self._each(Network, "networks", _networks(document)),
            secrets=self._each(FileSource, "secrets", document.get("secrets") or {}),
            configs=self._each(FileSource, "configs", document.get("configs") or {}),
        )

    def _service(self, name: str, found: Mapping[str, Any]) -> Service | None:
        service = {"name": name, **_without_defaults(found)}
        try:
            return Service.model_validate(service)
        except ValidationError as error:
            self.complete = False
            self.unread.add(name)
            self._tell(("services", name), error)
            rest = _rest(service, error)
            waits = any(detail["loc"][0] == "depends_on" for detail in error.errors())
            self.whole = self.whole and rest is not None and not waits
            return rest

    def _each(self, model: type[_M], key: str, found: Mapping[str, Any]) -> dict[str, _M]:
        values = {}
        for name, value in sorted(found.items()):
            try:
                values[name] = model.model_validate(_named(model, value or {}))
            except ValidationError as error:
                self._tell((key, name), error)
                values[name] = _declared(model, value or {}, error)
        return values

    def _tell(self, path: tuple[object, ...], error: ValidationError) -> None:
        self.problems += [problem_with(detail, path, self._lines) for detail in error.errors()]


def _rest(service: dict[str, Any], error: ValidationError) -> Service | None:
    """The service without the keys that are wrong, so that the others' faults are told too."""
    for detail in error.errors():
        key, *below = detail["loc"]
        if key == "x-slipway" and below and isinstance(service.get(key), dict):
            service[key].pop(str(below[0]), None)
        else:
            service.pop(str(key), None)
    try:
        return Service.model_validate(service)
    except ValidationError:
        return None


def _declared(model: type[_M], value: Mapping[str, Any], error: ValidationError) -> _M:
    """What is declared all the same, so that nobody is told that it is not."""
    wrong = {str(detail["loc"][0]) for detail in error.errors()}
    kept = {key: item for key, item in _named(model, value).items() if key not in wrong}
    return model.model_validate(kept)


def _set_platforms(services: dict[str, Service]) -> None:
    """An image is built for the platform that its container asks for."""
    for name, service in services.items():
        if service.platform and service.build and not service.build.platforms:
            build = service.build.model_copy(update={"platforms": [service.platform]})
            services[name] = service.model_copy(update={"build": build})


def _share_builds(services: dict[str, Service]) -> None:
    """A service that only names the image that a sibling builds runs what the sibling builds."""
    builders = {s.image: s.build for s in services.values() if s.build and s.image}
    for name, service in services.items():
        if service.build is None and service.image in builders:
            services[name] = service.model_copy(update={"build": builders[service.image]})


def _without_defaults(service: Mapping[str, Any]) -> dict[str, Any]:
    """The service without what the reader adds where the file says nothing."""
    kept = {key: value for key, value in service.items() if value is not None}
    for mount in kept.get("volumes", []):
        for key in ("volume", "bind", "tmpfs"):
            if mount.get(key) is None:
                mount.pop(key, None)
    return kept


def _volumes(document: Mapping[str, Any]) -> dict[str, Any]:
    """The volumes without the names that the reader gives them, which are not ours."""
    project = document.get("name")
    return {
        name: {
            key: value
            for key, value in (volume or {}).items()
            if volume.get("external") or (key, value) != ("name", f"{project}_{name}")
        }
        for name, volume in (document.get("volumes") or {}).items()
    }


def _networks(document: Mapping[str, Any]) -> dict[str, Any]:
    project = document.get("name")
    return {
        name: {
            key: value
            for key, value in (network or {}).items()
            if value not in (None, {})
            and (key, value) != ("driver", "bridge")
            and (network.get("external") or value != f"{project}_{name}")
        }
        for name, network in (document.get("networks") or {}).items()
    }


def _named(model: type[Model], value: Mapping[str, Any]) -> dict[str, Any]:
    """Secrets and configs: the reader's name for one that is not external says nothing."""
    if model is FileSource and not value.get("external"):
        return {key: item for key, item in value.items() if key != "name"}
    return dict(value)


def require(problems: Sequence[str]) -> None:
    """Raise if there are problems; each is told once.

    Raises:
        ConfigError: there are.
    """
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))
