import json
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.configuration import read_settings
from slipway.errors import ConfigError
from slipway.prepared import Settings

KEYS = (
    "compose, port, registry, ingressImage, stableFor, platform, bind, address, keepReleases, "
    "pin, promoteFrom, minSoak, imageRetention, variables, secrets"
)


@pytest.fixture(autouse=True)
def _stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulumi, "get_stack", lambda: "test")
    monkeypatch.delenv("SLIPWAY_REGISTRY", raising=False)


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Reads settings as the engine hands them on: texts, maps as JSON."""

    def read(keys: dict[str, Any]) -> Settings:
        config = {
            f"slipway:{key}": value if isinstance(value, str) else json.dumps(value)
            for key, value in keys.items()
        }
        monkeypatch.setenv("PULUMI_CONFIG", json.dumps({"aws:region": "eu-west-1", **config}))
        return read_settings()

    return read


def problems(configured: Any, keys: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        configured(keys)
    return caught.value.problems


def test_port_is_all_that_must_be_set(configured: Any) -> None:
    assert configured({"port": "8000"}) == Settings(Path("compose.yaml"), 8000)


def test_every_key_is_read(configured: Any) -> None:
    keys = {
        "compose": "examples/quotes/compose.yaml",
        "port": "8002",
        "registry": "registry.example/team",
        "ingressImage": "caddy@sha256:1",
        "stableFor": "1m30s",
        "platform": "linux/arm64",
        "bind": "127.0.0.1",
        "address": "https://quotes.example",
        "keepReleases": "5",
        "imageRetention": "720h",
        "variables": {"LEVEL": "info"},
        "secrets": {"PASSWORD": "hunter2"},
    }
    assert configured(keys) == Settings(
        compose=Path("examples/quotes/compose.yaml"),
        port=8002,
        registry="registry.example/team",
        ingress_image="caddy@sha256:1",
        stable_for=90.0,
        platform="linux/arm64",
        bind="127.0.0.1",
        address="https://quotes.example",
        keep_releases=5,
        variables={"LEVEL": "info"},
        secrets={"PASSWORD": "hunter2"},
    )


def test_registry_of_the_environment_is_used_where_the_stack_names_none(
    configured: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_REGISTRY", "localhost:5001")
    assert configured({"port": "1"}).registry == "localhost:5001"
    assert configured({"port": "1", "registry": "elsewhere"}).registry == "elsewhere"


def test_numbers_and_truth_values_in_maps_are_texts_as_yaml_writes_them(configured: Any) -> None:
    values = {"PORT": 8000, "RATIO": 0.5, "DEBUG": True, "ZIP": "007", "EMPTY": ""}
    texts = {"PORT": "8000", "RATIO": "0.5", "DEBUG": "true", "ZIP": "007", "EMPTY": ""}
    settings = configured({"port": "1", "variables": values, "secrets": values})
    assert (settings.variables, settings.secrets) == (texts, texts)


def test_missing_port_is_told_with_the_command_that_sets_it(configured: Any) -> None:
    assert problems(configured, {}) == (
        "stacks/Pulumi.test.yaml slipway:port: missing; run pulumi config set "
        "--stack test slipway:port <value>",
    )


def test_unknown_key_is_told_with_the_known_ones(configured: Any) -> None:
    assert problems(configured, {"port": "1", "prot": "8000"}) == (
        f"stacks/Pulumi.test.yaml slipway:prot: no such key; there are {KEYS}",
    )


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (
            "stableFor",
            "soon",
            '"soon" is not a duration; write it like 15s, 1m30s or 250ms',
        ),
        ("port", "0", "must be 1 or more (found '0')"),
        ("port", "65536", "must be 65535 or less (found '65536')"),
        ("port", "web", "must be a whole number (found 'web')"),
        ("keepReleases", "0", "must be 1 or more (found '0')"),
        (
            "address",
            "quotes.example",
            "must look like https?://.+ (found 'quotes.example')",
        ),
        ("variables", "text", "must be a mapping (key: value) (found 'text')"),
        ("secrets", "hunter2", "must be a map of names to values"),
        ("secrets", ["hunter2"], "must be a map of names to values"),
    ],
)
def test_value_that_cannot_be_is_told(configured: Any, key: str, value: Any, message: str) -> None:
    assert problems(configured, {"port": "1", key: value}) == (
        f"stacks/Pulumi.test.yaml slipway:{key}: {message}",
    )


def test_all_problems_are_told_together(configured: Any) -> None:
    found = problems(configured, {"stableFor": "soon", "wrong": "x", "secrets": "hunter2"})
    assert [problem.split(": ")[0] for problem in found] == [
        "stacks/Pulumi.test.yaml slipway:port",
        "stacks/Pulumi.test.yaml slipway:stableFor",
        "stacks/Pulumi.test.yaml slipway:secrets",
        "stacks/Pulumi.test.yaml slipway:wrong",
    ]
    assert "hunter2" not in "\n".join(found)


def test_secrets_are_not_shown_when_settings_are_printed(configured: Any) -> None:
    assert "hunter2" not in repr(configured({"port": "1", "secrets": {"PASSWORD": "hunter2"}}))
