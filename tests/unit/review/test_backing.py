from typing import Any

import pytest

from slipway.review import backing

from .support import Rule, said

BUILD = {"context": "/nowhere"}
MOUNT = {"type": "volume", "source": "data", "target": "/var/lib/postgresql/data"}


@pytest.mark.parametrize(
    ("image", "folder"),
    [("postgres:16", "/var/lib/postgresql/data"), ("mysql:8", "/var/lib/mysql")],
)
def test_database_without_a_volume_is_refused(image: str, folder: str) -> None:
    assert said(backing.databases_without_volume, {"db": {"image": image}}) == [
        "refused services.db: a database without a volume loses its data with its container; add "
        f"volumes: [db-data:{folder}] and declare the volume, or write x-slipway: {{ephemeral: "
        "true} if that is meant"
    ]


def test_anonymous_volume_keeps_nothing() -> None:
    mount = {"type": "volume", "target": "/var/lib/postgresql/data"}
    services = {"db": {"image": "postgres", "volumes": [mount]}}
    assert len(said(backing.databases_without_volume, services)) == 1


@pytest.mark.parametrize(
    "service",
    [
        {"image": "postgres", "volumes": [MOUNT]},
        {
            "image": "postgres",
            "volumes": [{"type": "bind", "source": "/srv/db", "target": MOUNT["target"]}],
        },
        {"image": "postgres", "x-slipway": {"ephemeral": True}},
        {"image": "redis"},
        {"image": "nobody/knows"},
        {"build": BUILD, "image": "postgres"},
    ],
    ids=["volume", "folder", "ephemeral", "cache", "unknown", "built"],
)
def test_what_keeps_its_data_or_has_none_is_taken(service: dict[str, Any]) -> None:
    assert said(backing.databases_without_volume, {"db": service}) == []


@pytest.mark.parametrize(
    ("port", "shown", "loopback"),
    [
        ({"target": 5432, "published": "5432"}, "5432:5432", "127.0.0.1:5432:5432"),
        (
            {"target": 53, "published": "53", "protocol": "udp", "host_ip": "0.0.0.0"},
            "0.0.0.0:53:53/udp",
            "127.0.0.1:53:53/udp",
        ),
        ({"target": 6390}, "6390", "127.0.0.1::6390"),
    ],
)
def test_port_of_a_backing_service_on_all_addresses_is_warned_about(
    port: dict[str, Any], shown: str, loopback: str
) -> None:
    assert said(backing.published_ports, {"db": {"image": "postgres", "ports": [port]}}) == [
        f'warned services.db.ports.0: "{shown}" opens db to everyone who reaches the host; '
        "services of the stack reach it by its name without that; remove it, or write "
        f"{loopback}"
    ]


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.53", "::1"])
def test_port_on_the_loopback_address_is_no_one_else_s_business(address: str) -> None:
    port = {"target": 5432, "published": "5432", "host_ip": address}
    services = {"db": {"image": "postgres", "ports": [port]}}
    assert said(backing.published_ports, services) == []


def test_awaited_service_of_a_known_image_is_asked_in_that_image_s_way() -> None:
    services = {
        "cache": {"image": "redis:7"},
        "web": {"build": BUILD, "depends_on": {"cache": {}}},
    }
    (finding,) = said(backing.unknown_readiness, services)
    assert finding.startswith(
        "warned services.cache: has no healthcheck; it counts as ready when `"
    )
    assert finding.endswith("` passes in it")
    assert "redis-cli" in finding


def test_awaited_service_of_an_unknown_image_counts_as_ready_once_it_runs() -> None:
    services = {
        "thing": {"image": "nobody/knows"},
        "web": {"build": BUILD, "depends_on": {"thing": {}}},
    }
    assert said(backing.unknown_readiness, services) == [
        "warned services.thing: has no healthcheck, and nothing is known of its image: it counts "
        "as ready once it runs; add a healthcheck"
    ]


@pytest.mark.parametrize(
    "services",
    [
        {"thing": {"image": "nobody/knows"}},
        {
            "thing": {"image": "nobody/knows", "healthcheck": {"test": ["CMD", "true"]}},
            "web": {"build": BUILD, "depends_on": {"thing": {}}},
        },
        {"api": {"build": BUILD}, "web": {"build": BUILD, "depends_on": {"api": {}}}},
    ],
    ids=["nobody waits", "has a check", "built"],
)
def test_readiness_is_no_question_where_nobody_waits_or_a_check_tells(
    services: dict[str, Any],
) -> None:
    assert said(backing.unknown_readiness, services) == []


def test_service_of_nothing_is_refused() -> None:
    assert said(backing.nothing_to_run, {"web": {}, "db": {"image": "x"}}) == [
        "refused services.web: has neither build nor image; add one"
    ]


def test_pull_policy_is_said_to_have_no_effect() -> None:
    services = {
        "db": {"image": "x", "pull_policy": "always"},
        "cache": {"image": "x", "pull_policy": "missing"},
        "web": {"build": BUILD, "pull_policy": "build"},
    }
    assert said(backing.nothing_to_run, services) == [
        "warned services.db.pull_policy: has no effect: the image's digest says which one runs"
    ]


@pytest.mark.parametrize(
    "mount",
    [
        {"type": "bind", "source": "/srv/init.sql", "target": "/docker-entrypoint-initdb.d/i.sql"},
        {"type": "volume", "source": "backup", "target": "/backups"},
    ],
    ids=["init-script", "elsewhere"],
)
def test_mount_beside_the_data_keeps_none_of_it(mount: dict[str, Any]) -> None:
    service = {"image": "postgres", "volumes": [mount]}
    assert len(said(backing.databases_without_volume, {"db": service})) == 1
    moved = {**service, "environment": {"PGDATA": f"{mount['target']}/pg"}}
    assert said(backing.databases_without_volume, {"db": moved}) == []


def test_port_that_docker_chooses_is_open_to_everyone_too() -> None:
    service = {"image": "postgres", "ports": [{"target": 5432}]}
    assert len(said(backing.published_ports, {"db": service})) == 1


@pytest.mark.parametrize("rule", [backing.databases_without_volume, backing.unknown_readiness])
def test_nothing_is_said_where_the_part_of_a_service_is_not_known(rule: Rule) -> None:
    services = {
        "db": {"image": "postgres:16"},
        "web": {"build": BUILD, "depends_on": {"db": {}}},
    }
    assert len(said(rule, services)) == 1
    assert said(rule, services, whole=False) == []
