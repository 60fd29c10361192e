"""A stack's configuration file, as far as doctor needs it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from slipway.durations import parse_duration
from slipway.errors import ConfigError

DEFAULT_RETENTION = 720 * 3600.0
"""Seconds that an image outlives its last release: 30 days."""
_PREFIX = "slipway:"


@dataclass(frozen=True)
class StackFile:
    """What stacks/Pulumi.<stack>.yaml says.

    Args:
        compose: the compose file, from the project's folder.
        port: public port; None if it is not set.
        bind: address of the host on which it listens.
        registry: where images are pushed, with a path if it has one.
        retention: seconds that an image outlives its last release.
        pin: number of the release at which the stack is held.
        variables: values for `${NAME}` in the compose file; secrets have a stand-in.
    """

    compose: Path = Path("compose.yaml")
    port: int | None = None
    bind: str = "0.0.0.0"  # noqa: S104  the default of slipway:bind
    registry: str = "localhost:5000"
    retention: float = DEFAULT_RETENTION
    pin: int | None = None
    variables: Mapping[str, str] = field(default_factory=dict)

    def shares_address(self, other: "StackFile") -> bool:
        """Whether both want the same port of the same address."""
        everywhere = {"0.0.0.0", "::", ""}  # noqa: S104
        binds = {self.bind, other.bind}
        return self.port == other.port and (len(binds) == 1 or bool(binds & everywhere))


def parse_stack_file(
    name: str, text: str, project_text: str = "", registry: str = "localhost:5000"
) -> StackFile:
    """The configuration in a stack's file.

    Args:
        name: of the file, for messages.
        text: its content.
        project_text: content of Pulumi.yaml, whose `config` has values for all stacks.
        registry: what `slipway:registry` is where it is not set.

    Raises:
        ConfigError: it is no YAML, or a key that doctor reads has a value that it cannot have.
    """
    config = {**_project_config(project_text), **_config(name, text)}
    problems: list[str] = []
    values = {
        "port": _integer(config, "port", name, problems),
        "pin": _integer(config, "pin", name, problems),
        "retention": _retention(config, name, problems),
    }
    if problems:
        raise ConfigError(problems)
    return StackFile(
        compose=Path(str(config.get("compose", "compose.yaml"))),
        bind=str(config.get("bind", "0.0.0.0")),  # noqa: S104
        registry=str(config.get("registry", registry)),
        variables={**_texts(config.get("variables")), **_texts(config.get("secrets"))},
        **values,  # type: ignore[arg-type]  # each has the type of its field
    )


def _config(name: str, text: str) -> dict[str, Any]:
    try:
        root = YAML(typ="safe", pure=True).load(text) or {}
    except YAMLError as error:
        place = getattr(error, "problem_mark", None)
        where = f"{name}:{place.line + 1}" if place else name
        said = getattr(error, "problem", None) or error
        raise ConfigError([f"{where}: is no YAML: {said}; mend it there"]) from error
    config = root.get("config", {}) if isinstance(root, Mapping) else None
    if not isinstance(config, Mapping | None):
        raise ConfigError([f"{name} config: is no mapping; write config: {{slipway:port: …}}"])
    return {
        str(key).removeprefix(_PREFIX): value
        for key, value in (config or {}).items()
        if str(key).startswith(_PREFIX)
    }


def _project_config(text: str) -> dict[str, Any]:
    """Defaults for all stacks: `slipway:key: value`, or `{value: …}`, or `{default: …}`."""
    found = {}
    for key, value in _config("Pulumi.yaml", text).items():
        typed = value if isinstance(value, Mapping) else {"value": value}
        chosen = typed.get("value", typed.get("default"))
        if chosen is not None:
            found[key] = chosen
    return found


def _integer(config: Mapping[str, Any], key: str, name: str, problems: list[str]) -> int | None:
    value = config.get(key)
    try:
        return None if value is None else int(str(value))
    except ValueError:
        problems.append(f"{name} {_PREFIX}{key}: {value!r} is no number; write one, such as 8000")
        return None


def _retention(config: Mapping[str, Any], name: str, problems: list[str]) -> float:
    value = config.get("imageRetention")
    if value is None:
        return DEFAULT_RETENTION
    try:
        return parse_duration(str(value))
    except ValueError:
        problems.append(
            f"{name} {_PREFIX}imageRetention: {value!r} is no duration; write it like 720h"
        )
        return DEFAULT_RETENTION


def _texts(values: Any) -> dict[str, str]:
    """Values as compose files see them; an encrypted one has a stand-in."""
    if not isinstance(values, Mapping):
        return {}
    return {
        str(name): "secret" if isinstance(value, Mapping) else str(value)
        for name, value in values.items()
    }
