import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docker
import pytest
import requests
from docker.errors import APIError, ImageNotFound, NotFound

from slipway import host as host_module
from slipway.errors import HostError
from slipway.host import (
    ContainerState,
    Host,
    NetworkState,
    connect,
    has_digest,
    registry_login,
)
from slipway.registry import Credentials

from .support import DIGEST, OTHER_DIGEST

INSPECTED = {
    "Id": "1234",
    "Name": "/shop-web",
    "RestartCount": 2,
    "Image": "sha256:image",
    "State": {
        "Status": "running",
        "ExitCode": 0,
        "StartedAt": "2026-01-01T00:00:00Z",
        "Health": {"Status": "unhealthy", "Log": [{"Output": "old"}, {"Output": " refused\n"}]},
    },
    "Config": {"Labels": {"a": "b"}},
}
SHOP = ContainerState(
    id="1234",
    name="shop-web",
    status="running",
    exit_code=0,
    restarts=2,
    started_at="2026-01-01T00:00:00Z",
    health="unhealthy",
    health_output="refused",
    image="sha256:image",
    labels={"a": "b"},
)
NO_ENGINE = (
    "no Docker engine answers; start it (scripts/bootstrap, or systemctl start docker), or set "
    "DOCKER_HOST to one that runs"
)


class FakeApi:
    """Docker's low-level client: answers from a table, or raises what stands there."""

    base_url = "http+docker://localhost"

    def __init__(self, **answers: Any) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self._answers = answers

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls.append((name, *args, kwargs))
            answer = self._answers[name]
            if callable(answer):
                answer = answer(*args, **kwargs)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


class FakeClient:
    def __init__(self, api: FakeApi) -> None:
        self.api = api
        self.images = api


def host(**answers: Any) -> Host:
    return Host(FakeClient(FakeApi(**answers)))


def missing(*args: Any, **kwargs: Any) -> NotFound:
    return NotFound("no such thing")


def failure(status: int) -> APIError:
    response = requests.Response()
    response.status_code = status
    return APIError("failed", response, "no space left")


def test_container_is_told_as_a_value() -> None:
    assert host(inspect_container=INSPECTED).container("shop-web") == SHOP
    assert host(inspect_container=missing).container("shop-web") is None


def test_container_without_health_check_has_no_health() -> None:
    none = {**INSPECTED["State"], "Health": {"Status": "none"}}  # type: ignore[dict-item]
    without = {key: value for key, value in none.items() if key != "Health"}

    for state in (none, without):
        found = host(inspect_container={**INSPECTED, "State": state}).container("shop-web")
        assert found is not None
        assert (found.health, found.health_output) == (None, "")


def test_containers_are_found_by_all_labels_and_sorted() -> None:
    def inspect(name: str) -> Any:
        names = {"1": "/b", "2": "/a"}
        return {**INSPECTED, "Name": names[name]} if name in names else missing()

    api = FakeApi(containers=[{"Id": "1"}, {"Id": "2"}, {"Id": "gone"}], inspect_container=inspect)
    found = Host(FakeClient(api)).containers({"a": "1", "b": "2"})

    assert [state.name for state in found] == ["a", "b"]
    assert api.calls[0] == ("containers", {"all": True, "filters": {"label": ["a=1", "b=2"]}})


def test_publisher_of_a_port_is_found() -> None:
    items = [
        {"Id": "1", "Ports": None},
        {"Id": "2", "Ports": [{"PrivatePort": 8001}]},
        {"Id": "1234", "Ports": [{"PublicPort": 8001}]},
    ]
    engine = host(containers=lambda **kwargs: [] if kwargs else items, inspect_container=INSPECTED)

    assert engine.publisher(8001) == SHOP
    assert engine.publisher(8002) is None


def test_what_is_gone_counts_as_stopped_and_removed() -> None:
    engine = host(stop=missing, remove_container=missing, logs=missing, get=missing)

    engine.stop("shop-web", 1)
    engine.remove("shop-web")
    assert engine.log_tail("shop-web", 5) == ""
    assert engine.image_digests("shop") == []


def test_removal_in_progress_counts_as_removed() -> None:
    host(remove_container=failure(409)).remove("shop-web")

    with pytest.raises(HostError, match=r"^Docker could not remove container shop-web: no space"):
        host(remove_container=failure(500)).remove("shop-web")


def test_grace_is_given_in_whole_seconds() -> None:
    api = FakeApi(stop=None)
    Host(FakeClient(api)).stop("shop-web", 4.6)

    assert api.calls == [("stop", "shop-web", {"timeout": 5})]


def test_log_is_read_whatever_its_encoding() -> None:
    assert host(logs=b"caf\xe9\n\n").log_tail("shop-web", 5) == "caf\ufffd"


def test_command_gives_code_and_output() -> None:
    engine = host(
        exec_create={"Id": "e"}, exec_start=b"out", exec_inspect={"ExitCode": 9, "Running": False}
    )

    assert engine.execute("shop-web", ["true"]) == (9, "out")


def test_networks_of_exactly_this_name_are_told() -> None:
    details = {
        "1": {"Id": "1", "Labels": None, "Containers": {"c": {}}},
        "3": {"Id": "3", "Labels": {"a": "b"}, "Containers": {}},
    }
    listed = [
        {"Id": "1", "Name": "shop"},
        {"Id": "2", "Name": "shop-2"},
        {"Id": "3", "Name": "shop"},
    ]
    engine = host(networks=listed, inspect_network=details.__getitem__)

    assert engine.networks("shop") == [
        NetworkState("1", {}, used=True),
        NetworkState("3", {"a": "b"}, used=False),
    ]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (requests.exceptions.ConnectionError("x"), f"cannot start container shop: {NO_ENGINE}"),
        (
            requests.exceptions.ReadTimeout("slow"),
            f"cannot start container shop (slow): {NO_ENGINE}",
        ),
        (failure(500), "Docker could not start container shop: no space left"),
        (ImageNotFound("no image"), "Docker could not start container shop: no image"),
    ],
)
def test_failure_says_what_was_tried(error: Exception, message: str) -> None:
    with pytest.raises(HostError) as refusal:
        host(start=error).start("shop")

    assert str(refusal.value) == message


def test_engine_that_is_not_there_says_how_to_start_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A port, for the SDK leaves the socket open when a path does not answer.
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")

    with pytest.raises(HostError) as refusal:
        connect()

    assert str(refusal.value).startswith("cannot reach the Docker engine")
    assert str(refusal.value).endswith(NO_ENGINE)


@pytest.mark.parametrize(
    ("base_url", "local"),
    [
        ("http+docker://localhost", True),
        ("http://127.0.0.1:2375", True),
        ("http+docker://ssh", False),
        ("https://docker.example.com:2376", False),
    ],
)
def test_engine_of_another_machine_is_told_from_one_of_this(base_url: str, local: bool) -> None:
    api = FakeApi()
    api.base_url = base_url
    assert Host(FakeClient(api)).local is local


def test_digests_are_compared_whatever_the_name() -> None:
    names = [f"python@{DIGEST}"]

    assert has_digest(names, f"docker.io/library/python:3@{DIGEST}") is True
    assert has_digest(names, f"python@{OTHER_DIGEST}") is False
    assert has_digest([], f"python@{DIGEST}") is False


@pytest.fixture
def docker_config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return tmp_path / "config.json"


def test_login_in_the_file_is_found(docker_config: Path) -> None:
    auth = base64.b64encode(b"me:pass").decode()
    hub = docker.auth.INDEX_NAME
    docker_config.write_text(
        json.dumps({"auths": {"reg:5000": {"auth": auth}, hub: {"auth": auth}}})
    )

    assert registry_login("reg:5000") == Credentials("me", "pass")
    assert registry_login("docker.io") == Credentials("me", "pass")
    assert registry_login("other:5000") is None


def test_login_of_a_credential_helper_is_found(
    docker_config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper = docker_config.parent / "docker-credential-test"
    answer = json.dumps({"ServerURL": "reg:5000", "Username": "me", "Secret": "pass"})
    helper.write_text(f"#!/bin/sh\necho '{answer}'\n")
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", str(docker_config.parent), prepend=":")
    docker_config.write_text(json.dumps({"credHelpers": {"reg:5000": "test"}}))

    assert registry_login("reg:5000") == Credentials("me", "pass")


# The Docker SDK warns before it raises.
@pytest.mark.filterwarnings("ignore:docker-credential-missing not installed:UserWarning")
def test_helper_that_is_not_installed_says_what_to_do(docker_config: Path) -> None:
    docker_config.write_text(json.dumps({"credHelpers": {"reg:5000": "missing"}}))

    with pytest.raises(HostError) as refusal:
        registry_login("reg:5000")

    assert str(refusal.value).startswith("the login for reg:5000 cannot be read (")
    assert str(refusal.value).endswith("); run docker login reg:5000 again")


def test_no_login_at_all_is_none(docker_config: Path) -> None:
    assert registry_login("reg:5000") is None


def test_volume_is_there_or_not() -> None:
    assert host(inspect_volume={"Name": "data"}).has_volume("data")
    assert not host(inspect_volume=missing).has_volume("data")
    with pytest.raises(HostError, match=r"^Docker could not look at volume data: no space left$"):
        host(inspect_volume=failure(500)).has_volume("data")


def test_writers_of_a_volume_are_running_containers_that_do_more_than_read_it() -> None:
    def mounted(id_: str, name: str, *, writable: bool) -> dict[str, Any]:
        return {"Id": id_, "Mounts": [{"Type": "volume", "Name": name, "RW": writable}]}

    there = [
        mounted("1", "data", writable=True),
        mounted("2", "data", writable=False),
        mounted("3", "data-2", writable=True),
        {"Id": "4"},
    ]
    asked = host(containers=there, inspect_container=lambda id_: {**INSPECTED, "Id": id_})
    assert [found.id for found in asked.writers("data")] == ["1"]


@pytest.mark.parametrize(
    ("told", "version"),
    [
        ({"Version": "28.0.4"}, (28, 0)),
        ({"Version": "20.10.24+dfsg1"}, (20, 10)),
        ({"Version": "23.0"}, (23, 0)),
        ({}, (0, 0)),
    ],
)
def test_version_of_the_engine_is_compared_by_its_first_two_numbers(
    told: dict[str, str], version: tuple[int, int]
) -> None:
    client = FakeClient(FakeApi())
    client.version = lambda: told
    assert Host(client).engine_version() == version


def ended(code: int) -> dict[str, Any]:
    return {"Actor": {"Attributes": {"exitCode": str(code)}}}


@pytest.mark.parametrize(
    ("events", "code"), [([], None), ([ended(1)], 1), ([ended(1), ended(137)], 137)]
)
def test_exit_code_of_a_container_that_runs_again_is_that_of_its_last_end(
    events: list[dict[str, Any]], code: int | None
) -> None:
    api = FakeApi(events=events)
    assert Host(FakeClient(api)).last_exit_code("shop-web") == code
    ((_, options),) = api.calls
    assert options["filters"] == {"container": "shop-web", "event": "die"}


def test_exit_code_that_docker_tells_late_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_module.time, "sleep", lambda seconds: None)
    answers = [
        {"ExitCode": None, "Running": True},
        {"ExitCode": None, "Running": False},
        {"ExitCode": 3, "Running": False},
    ]
    engine = host(exec_create={"Id": "e"}, exec_start=b"", exec_inspect=lambda id_: answers.pop(0))
    assert engine.execute("shop-web", ["false"]) == (3, "")


def test_exit_code_that_docker_never_tells_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_module.time, "sleep", lambda seconds: None)
    endless = {"ExitCode": None, "Running": True}
    engine = host(exec_create={"Id": "e"}, exec_start=b"", exec_inspect=endless)
    with pytest.raises(
        HostError, match=r"^Docker does not tell how a command in container shop-web ended$"
    ):
        engine.execute("shop-web", ["true"])
