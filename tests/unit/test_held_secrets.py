import json
from typing import Any

import pytest

from slipway.held_secrets import held_secrets
from slipway.state import CONTAINER, STASH

URN = "urn:pulumi:test::shop::"


def state(written: dict[str, str], envs: Any, *, name: str = "web-1") -> dict[str, Any]:
    """A state whose service `web` was written so, and got these variables."""
    services = {
        "web": {"image": "i", "record": {"environment": written}},
        "web-release": {"image": "i", "job_of": "web"},
    }
    live = {
        "ledger": {"1": {"number": 1, "services": services}},
        "containers": {"web": {"name": "web-1", "id": "1"}},
    }
    outputs = {
        f"{STASH}::shop-live": {"input": live},
        f"{CONTAINER}::shop-web-1": {"name": name, "envs": envs},
    }
    resources = [{"urn": URN + found, "outputs": value} for found, value in outputs.items()]
    return {"deployment": {"resources": resources}}


@pytest.mark.parametrize(
    ("written", "actual", "found"),
    [
        ("${TOKEN}", "first", ["first"]),
        ("postgres://kim:${PASSWORD}@db/${NAME}", "postgres://kim:a@b=c@db/d", ["a@b=c", "d"]),
        ("${kept:12}", "a\nb", ["a\nb"]),
        ("$$5 ${TOKEN}.", "$5 first.", ["first"]),
        ("${TOKEN}", "", []),
        ("info", "info", []),
        ("$$HOME", "$HOME", []),
        ("now ${TOKEN}", "another text", ["another text"]),
    ],
    ids=["whole", "parts", "kept", "dollar", "empty", "plain", "no reference", "not as written"],
)
def test_values_stand_where_the_ledger_has_references(
    written: str, actual: str, found: list[str]
) -> None:
    envs = ["OTHER=x=y", f"NAME={actual}"]
    assert held_secrets(state({"NAME": written}, envs)) == found


def test_environment_that_the_state_keeps_as_a_secret_is_read() -> None:
    hidden = {"4dabf": "1b470", "plaintext": json.dumps(["TOKEN=first"])}
    assert held_secrets(state({"TOKEN": "${TOKEN}"}, hidden)) == ["first"]


@pytest.mark.parametrize("envs", [None, {"ciphertext": "v1:x"}], ids=["none", "not shown"])
def test_environment_that_is_not_there_gives_nothing(envs: Any) -> None:
    assert held_secrets(state({"TOKEN": "${TOKEN}"}, envs)) == []


def test_only_what_serves_is_looked_at() -> None:
    assert held_secrets(state({"TOKEN": "${TOKEN}"}, ["TOKEN=first"], name="old")) == []


@pytest.mark.parametrize("export", [{}, {"deployment": {"resources": []}}])
def test_stack_without_release_holds_nothing(export: dict[str, Any]) -> None:
    assert held_secrets(export) == []
