from pathlib import Path

import pytest

from slipway.doctor.stack_file import DEFAULT_RETENTION, StackFile, parse_stack_file
from slipway.errors import ConfigError

NAME = "stacks/Pulumi.test.yaml"


def problems(text: str, project: str = "") -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        parse_stack_file(NAME, text, project)
    return caught.value.problems


def test_all_that_doctor_needs_is_read() -> None:
    text = """
config:
  slipway:compose: app/compose.yaml
  slipway:port: "8001"
  slipway:bind: 127.0.0.1
  slipway:registry: registry.example.com/team
  slipway:imageRetention: 36h
  slipway:pin: 4
  slipway:variables: {LEVEL: info, WORKERS: 2}
  slipway:secrets: {TOKEN: {secure: v1:abc}}
  aws:region: eu-west-1
encryptionsalt: v1:x
"""
    assert parse_stack_file(NAME, text) == StackFile(
        compose=Path("app/compose.yaml"),
        port=8001,
        bind="127.0.0.1",
        registry="registry.example.com/team",
        retention=36 * 3600.0,
        pin=4,
        variables={"LEVEL": "info", "WORKERS": "2", "TOKEN": "secret"},
    )


@pytest.mark.parametrize("text", ["", "config:\n", "config: {}\n"])
def test_file_without_settings_has_the_defaults(text: str) -> None:
    assert parse_stack_file(NAME, text, registry="reg:5000") == StackFile(registry="reg:5000")
    assert DEFAULT_RETENTION == 30 * 86400


def test_project_file_has_values_for_all_stacks() -> None:
    project = """
name: shop
config:
  slipway:port: {type: integer, default: 8000}
  slipway:bind: {value: 127.0.0.1}
  slipway:compose: app.yaml
"""
    found = parse_stack_file(NAME, "config: {slipway:port: 9000}", project)
    assert (found.port, found.bind, found.compose) == (9000, "127.0.0.1", Path("app.yaml"))


def test_wrong_values_are_told_together() -> None:
    text = "config: {slipway:port: http, slipway:pin: last, slipway:imageRetention: 3w}"
    assert problems(text) == (
        f"{NAME} slipway:port: 'http' is no number; write one, such as 8000",
        f"{NAME} slipway:pin: 'last' is no number; write one, such as 8000",
        f"{NAME} slipway:imageRetention: '3w' is no duration; write it like 720h",
    )


def test_file_that_is_no_yaml_is_told_with_its_line() -> None:
    (problem,) = problems("config:\n  slipway:port: [1\n")
    assert problem.startswith(f"{NAME}:3: is no YAML: expected ',' or ']'")


def test_config_that_is_no_mapping_is_told() -> None:
    assert problems("config: [1]") == (
        f"{NAME} config: is no mapping; write config: {{slipway:port: …}}",
    )


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        (StackFile(port=8000), StackFile(port=8000), True),
        (StackFile(port=8000), StackFile(port=8001), False),
        (StackFile(port=8000, bind="127.0.0.1"), StackFile(port=8000), True),
        (StackFile(port=8000, bind="10.0.0.1"), StackFile(port=8000, bind="10.0.0.2"), False),
    ],
)
def test_port_is_shared_on_one_address_only(one: StackFile, other: StackFile, shared: bool) -> None:
    assert one.shares_address(other) is shared
