"""The stack's configuration: the keys below `slipway:` in stacks/Pulumi.<stack>.yaml."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from slipway.errors import ConfigError
from slipway.prepared import Settings
from slipway.type_words import said_of_type
from slipway.values import Seconds

_NAMESPACE = "slipway"


class _Configuration(BaseModel):
    """The keys, in the spelling of the file: `stableFor` is `stable_for` here."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    compose: Path = Path("compose.yaml")
    port: int = Field(ge=1, le=65535)
    registry: str = Field(min_length=1)
    ingress_image: str | None = None
    stable_for: Seconds = 15.0
    platform: str = "linux/amd64"
    bind: str = "0.0.0.0"  # noqa: S104  a public port is meant to be public
    address: str | None = Field(default=None, pattern=r"https?://.+")
    keep_releases: int = Field(default=20, ge=1)
    pin: int | None = Field(default=None, ge=1)
    promote_from: str | None = Field(default=None, min_length=1)
    min_soak: Seconds = 0.0
    # The program has no use for it: scripts/doctor reads it from the file.
    image_retention: Seconds | None = None
    variables: dict[str, Any] = Field(default_factory=dict)
    secrets: dict[str, Any] = Field(default_factory=dict)


def parse_settings(
    config: Mapping[str, str], stack: str, default_registry: str | None = None
) -> Settings:
    """The settings of a stack.

    Args:
        config: all of its configuration, as the engine hands it on: texts, maps as JSON.
        stack: its name.
        default_registry: where images are pushed if it does not say; default the local registry.

    Raises:
        ConfigError: a key is missing, unknown or has a value that it cannot have.
    """
    raw = _own_keys(config)
    raw.setdefault("registry", default_registry or "localhost:5000")
    try:
        found = _Configuration.model_validate(raw)
    except ValidationError as error:
        raise ConfigError([_problem(stack, detail) for detail in error.errors()]) from None
    values = dict(found)
    del values["image_retention"]
    values["variables"] = _texts(found.variables)
    values["secrets"] = _texts(found.secrets)
    return Settings(**values)


def _own_keys(config: Mapping[str, str]) -> dict[str, Any]:
    """The keys below `slipway:`; maps come as JSON."""
    own = {
        key.removeprefix(f"{_NAMESPACE}:"): value
        for key, value in config.items()
        if key.startswith(f"{_NAMESPACE}:")
    }
    for key in ("variables", "secrets"):
        # A text that is no JSON is no map either: the model says so, with the others' problems.
        with suppress(ValueError):
            own[key] = json.loads(own.get(key, "{}"))
    return own


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Values as compose files see them: texts; numbers and truth values as YAML writes them."""
    return {k: v if isinstance(v, str) else json.dumps(v) for k, v in values.items()}


def _problem(stack: str, detail: Any) -> str:
    file = f"stacks/Pulumi.{stack}.yaml"
    key = ".".join(str(part) for part in detail["loc"])
    known = ", ".join(to_camel(name) for name in _Configuration.model_fields)
    if detail["type"] == "extra_forbidden":
        return f"{file} slipway:{key}: no such key; there are {known}"
    if detail["type"] == "missing":
        command = f"pulumi config set --stack {stack} slipway:{key} <value>"
        return f"{file} slipway:{key}: missing; run {command}"
    if key.startswith("secrets"):
        return f"{file} slipway:secrets: must be a map of names to values"
    message = said_of_type(detail)
    # Our own messages quote the value already.
    found = "" if f'"{detail["input"]}"' in message else f" (found {detail['input']!r})"
    return f"{file} slipway:{key}: {message}{found}"
