from typing import Any

import pytest
from pydantic import ValidationError

from slipway.extension import Extension, Probe, Route
from slipway.services import HealthCheck, Service

from .support import extension, probe, service, worker


def problems(kind: Any, fields: object) -> list[tuple[str, str]]:
    """Where and what, for each problem."""
    with pytest.raises(ValidationError) as refusal:
        kind.model_validate(fields)
    return [(".".join(map(str, e["loc"])), e["msg"]) for e in refusal.value.errors()]


def test_service_that_says_nothing_gets_composes_defaults() -> None:
    assert Service(name="web").model_dump(by_alias=True) == {
        "name": "web",
        "build": None,
        "image": None,
        "command": None,
        "entrypoint": None,
        "environment": {},
        "expose": [],
        "healthcheck": None,
        "init": None,
        "labels": {},
        "read_only": False,
        "restart": "no",
        "stop_grace_period": 10.0,
        "stop_signal": None,
        "user": None,
        "volumes": [],
        "working_dir": None,
        "ports": [],
        "depends_on": {},
        "container_name": None,
        "networks": {"default": {"aliases": []}},
        "secrets": [],
        "configs": [],
        "logging": None,
        "tty": False,
        "stdin_open": False,
        "hostname": None,
        "shm_size": None,
        "ulimits": {},
        "profiles": [],
        "pull_policy": None,
        "platform": None,
        "cap_add": [],
        "cap_drop": [],
        "extra_hosts": [],
        "security_opt": [],
        "tmpfs": [],
        "deploy": {
            "replicas": 1,
            "resources": {"limits": {"cpus": None, "memory": None}},
            "placement": {},
        },
        "x-slipway": {
            "route": None,
            "probes": [],
            "successes": 3,
            "interval": 0.5,
            "timeout": 60.0,
            "stable_for": None,
            "drain": 30.0,
            "release": None,
            "release_timeout": 600.0,
            "singleton": False,
            "overlap": True,
            "hold": 30.0,
            "ephemeral": False,
            "allow": [],
        },
    }


def test_probe_that_says_nothing_gets_what_a_page_should_do() -> None:
    assert Probe(path="/").model_dump(by_alias=True) == {
        "path": "/",
        "name": "",
        "method": "GET",
        "headers": {},
        "status": [200],
        "json": {},
        "text": None,
        "max_ms": None,
        "follow_redirects": False,
        "tcp": False,
    }


def test_two_services_share_no_default() -> None:
    assert Extension().probes is not Extension().probes


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("always", "unless-stopped"),
        ("unless-stopped", "unless-stopped"),
        ("on-failure", "on-failure"),
        ("no", "no"),
    ],
)
def test_stopped_candidates_are_not_revived_with_the_daemon(written: str, kept: str) -> None:
    assert service(restart=written).restart == kept


def test_unknown_restart_policy_is_refused() -> None:
    assert problems(Service, {"name": "web", "restart": "on-failure:3"}) == [
        ("restart", "Input should be 'no', 'on-failure' or 'unless-stopped'")
    ]


@pytest.mark.parametrize(
    ("written", "seconds"), [("1m30s", 90), ("250ms", 0.25), (5, 5), (0.5, 0.5)]
)
def test_durations_are_compose_notation_or_seconds(written: object, seconds: float) -> None:
    chosen = extension(timeout=written, interval=written, stable_for=written, drain=written)

    assert (chosen.timeout, chosen.interval, chosen.stable_for, chosen.drain) == (seconds,) * 4
    assert worker(stop_grace_period=written).stop_grace_period == seconds


def test_durations_that_are_none_are_refused() -> None:
    fields = {"timeout": "soon", "drain": -1, "interval": "-1s", "stable_for": [5]}

    assert problems(Extension, fields) == [
        (
            "interval",
            'Value error, "-1s" is not a duration; write it like 15s, 1m30s or 250ms',
        ),
        ("timeout", 'Value error, "soon" is not a duration; write it like 15s, 1m30s or 250ms'),
        ("stable_for", "Input should be a valid number"),
        ("drain", "Input should be greater than or equal to 0"),
    ]


@pytest.mark.parametrize("endless", ["inf", float("inf"), float("nan")])
def test_durations_without_end_are_refused(endless: object) -> None:
    assert [where for where, _ in problems(Extension, {"timeout": endless})] == ["timeout"]


@pytest.mark.parametrize(("written", "codes"), [(204, [204]), ([200, 302], [200, 302])])
def test_status_is_a_code_or_several(written: object, codes: list[int]) -> None:
    assert probe(status=written).status == codes


@pytest.mark.parametrize("wrong", [[], 99, [200, 600], "ok"])
def test_status_that_no_answer_can_have_is_refused(wrong: object) -> None:
    assert problems(Probe, {"path": "/", "status": wrong})


def test_relative_probe_path_is_refused_with_the_right_one() -> None:
    assert problems(Probe, {"path": "health"}) == [
        ("path", 'Value error, "health" is not an absolute path; write /health')
    ]


@pytest.mark.parametrize(
    "fields", [{"method": "DELETE"}, {"text": ""}, {"max_ms": 0}, {"headers": []}]
)
def test_probe_that_cannot_pass_or_would_change_things_is_refused(fields: dict[str, Any]) -> None:
    assert [where for where, _ in problems(Probe, {"path": "/", **fields})] == list(fields)


def test_probe_is_called_by_its_name_or_by_what_it_asks() -> None:
    assert probe("/a", method="HEAD").title == "HEAD /a"
    assert probe("/a", name="landing page").title == "landing page"


def test_probes_without_a_route_are_refused() -> None:
    assert problems(Extension, {"probes": [{"path": "/"}]}) == [
        ("", "Value error, probes need a route; add route: {port: <container port>}")
    ]


@pytest.mark.parametrize("port", [0, 65536, "http"])
def test_port_that_is_none_is_refused(port: object) -> None:
    assert [where for where, _ in problems(Route, {"port": port})] == ["port"]


@pytest.mark.parametrize(
    "kind",
    [Extension, Route, Probe, HealthCheck],
)
def test_unknown_key_is_refused(kind: Any) -> None:
    assert ("surprise", "Extra inputs are not permitted") in problems(kind, {"surprise": 1})


def test_mount_of_a_kind_that_is_not_known_is_refused() -> None:
    fields = {"name": "web", "volumes": [{"type": "npipe", "source": "/src", "target": "/app"}]}

    assert problems(Service, fields) == [
        (
            "volumes.0",
            "Input tag 'npipe' found using 'type' does not match any of the expected tags: "
            "'volume', 'bind', 'tmpfs'",
        )
    ]


def test_image_is_built_for_one_platform_at_most() -> None:
    build = {"context": ".", "platforms": ["linux/amd64", "linux/arm64"]}

    assert [where for where, _ in problems(Service, {"name": "web", "build": build})] == [
        "build.platforms"
    ]


@pytest.mark.parametrize(
    ("check", "verdict"),
    [
        (None, False),
        ({"test": ["CMD", "true"]}, True),
        ({"test": ["CMD-SHELL", "true"]}, True),
        ({"test": ["NONE"]}, False),
        ({"test": ["CMD", "true"], "disable": True}, False),
        ({"interval": "5s"}, False),
    ],
)
def test_health_check_counts_where_it_is_on(check: object, verdict: bool) -> None:
    assert worker(healthcheck=check).has_health_check is verdict


def test_route_makes_a_service_routed() -> None:
    assert service().routed is True
    assert worker().routed is False


def test_environment_is_not_printed() -> None:
    assert "hunter2" not in repr(service(environment={"PASSWORD": "hunter2"}))
