from typing import Any

import pytest
from pydantic import ValidationError

from slipway.services import (
    Build,
    FileSource,
    HealthCheck,
    Network,
    Port,
    Project,
    Service,
    Ulimit,
    Volume,
)

from .support import service, worker


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
            "proof": {
                "files": {},
                "generated": [],
                "required": [],
                "imports": [],
                "app": None,
                "routes": None,
                "timeout": 60.0,
            },
            "allow": [],
        },
    }


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("always", "unless-stopped"),
        ("unless-stopped", "unless-stopped"),
        ("on-failure", "unless-stopped"),
        ("no", "no"),
    ],
)
def test_stopped_candidates_are_not_revived_with_the_daemon(written: str, kept: str) -> None:
    assert service(restart=written).restart == kept


def test_unknown_restart_policy_is_refused() -> None:
    assert problems(Service, {"name": "web", "restart": "on-failure:3"}) == [
        ("restart", "Input should be 'no' or 'unless-stopped'")
    ]


@pytest.mark.parametrize(
    ("written", "seconds"), [("1m30s", 90), ("250ms", 0.25), (5, 5), (0.5, 0.5)]
)
def test_durations_are_compose_notation_or_seconds(written: object, seconds: float) -> None:
    assert worker(stop_grace_period=written).stop_grace_period == seconds


@pytest.mark.parametrize(
    "kind",
    [Service, Build, HealthCheck, Network, Volume, FileSource],
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


@pytest.mark.parametrize(
    ("fields", "shown", "loopback"),
    [
        ({"target": 80}, ":80", False),
        ({"target": 80, "published": "8080"}, "8080:80", False),
        ({"target": 53, "published": "53", "protocol": "udp"}, "53:53/udp", False),
        (
            {"target": 80, "published": "80", "host_ip": "127.0.0.1"},
            "127.0.0.1:80:80",
            True,
        ),
        ({"target": 80, "published": "80", "host_ip": "::1"}, "::1:80:80", True),
        ({"target": 80, "published": "80", "host_ip": "0.0.0.0"}, "0.0.0.0:80:80", False),
    ],
)
def test_port_is_shown_as_it_is_written(fields: dict[str, Any], shown: str, loopback: bool) -> None:
    port = Port.model_validate(fields)
    assert (str(port), port.loopback) == (shown, loopback)


def test_service_is_called_by_its_name_its_container_s_and_its_aliases() -> None:
    networks = {"default": None, "back": {"aliases": ["api", "shop"]}}
    named = worker("web", container_name="shop", networks=networks)
    assert named.names == ("web", "shop", "api")
    assert worker("web").names == ("web",)


def test_service_without_networks_is_in_the_default_one() -> None:
    assert list(worker().networks) == ["default"]
    assert list(worker(networks={"back": None}).networks) == ["back"]


def test_limit_of_the_kernel_is_one_number_or_two() -> None:
    limits = worker(ulimits={"nofile": 5, "nproc": {"soft": 1, "hard": 2}}).ulimits
    assert limits == {"nofile": Ulimit(soft=5, hard=5), "nproc": Ulimit(soft=1, hard=2)}


def test_folder_in_memory_is_one_or_several() -> None:
    assert (worker(tmpfs="/a").tmpfs, worker(tmpfs=["/a", "/b"]).tmpfs) == (["/a"], ["/a", "/b"])


@pytest.mark.parametrize(
    ("deploy", "where"),
    [
        ({"replicas": 2}, "deploy.replicas"),
        ({"mode": "global"}, "deploy.mode"),
        ({"resources": {"reservations": {"cpus": 1}}}, "deploy.resources.reservations"),
        ({"placement": {"constraints": ["node.role == manager"]}}, "deploy.placement"),
    ],
)
def test_what_one_host_cannot_do_is_refused(deploy: dict[str, Any], where: str) -> None:
    fields = {"name": "web", "deploy": deploy}
    assert [place for place, _ in problems(Service, fields)] == [where]


def test_limits_of_a_container_are_read() -> None:
    deploy = {"replicas": 1, "resources": {"limits": {"cpus": 0.5, "memory": "1024"}}}
    limits = worker(deploy=deploy).deploy.resources.limits
    assert (limits.cpus, limits.memory) == (0.5, 1024)


def test_dependency_on_a_condition_that_compose_does_not_have_is_refused() -> None:
    fields = {"name": "web", "depends_on": {"db": {"condition": "soon"}}}
    assert [place for place, _ in problems(Service, fields)] == ["depends_on.db.condition"]


def test_routed_services_of_a_project_are_those_with_a_route() -> None:
    services = {"web": service(), "worker": worker()}
    project = Project(name="shop", file="compose.yaml", services=services)
    assert project.routed == [services["web"]]
