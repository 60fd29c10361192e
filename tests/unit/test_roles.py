from pathlib import Path
from typing import Any

import pytest

from slipway.roles import (
    Role,
    in_order,
    job_timeout,
    migrates_at_start,
    release_job,
    release_name,
    role_of,
    with_release_commands,
)
from slipway.services import Project, Service

BUILD = {"context": "/nowhere"}
ROUTE = {"route": {"port": 8000}, "probes": [{"path": "/"}]}
DONE = {"condition": "service_completed_successfully"}


def project(**services: dict[str, Any]) -> Project:
    named = {name: {"name": name, **service} for name, service in services.items()}
    return Project.model_validate({"name": "shop", "file": "compose.yaml", "services": named})


def one(**keys: Any) -> Service:
    return Service.model_validate({"name": "web", **keys})


# --- parts ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "role"),
    [
        pytest.param({"image": "postgres"}, Role.BACKING, id="pulled"),
        pytest.param({"image": "nginx", "x-slipway": ROUTE}, Role.ROUTED, id="pulled-with-route"),
        pytest.param({"build": BUILD, "x-slipway": ROUTE}, Role.ROUTED, id="built-with-route"),
        pytest.param(
            {"build": BUILD, "x-slipway": {**ROUTE, "overlap": False}}, Role.HELD, id="held"
        ),
        pytest.param({"image": "x", "x-slipway": {**ROUTE, "overlap": False}}, Role.HELD),
        pytest.param({"build": BUILD}, Role.WORKER, id="built"),
        pytest.param(
            {"build": BUILD, "x-slipway": {"singleton": True}}, Role.SINGLETON, id="singleton"
        ),
        pytest.param(
            {"build": BUILD, "x-slipway": {"overlap": False}}, Role.SINGLETON, id="no-overlap"
        ),
        pytest.param({"image": "x", "x-slipway": {"singleton": True}}, Role.BACKING),
    ],
)
def test_part_follows_from_build_and_route(keys: dict[str, Any], role: Role) -> None:
    found = project(web=keys)
    assert role_of(found.services["web"], found) is role


@pytest.mark.parametrize(
    "keys", [{"build": BUILD}, {"image": "x"}, {"build": BUILD, "x-slipway": ROUTE}]
)
def test_service_that_another_waits_for_to_complete_is_a_job(keys: dict[str, Any]) -> None:
    found = project(migrate=keys, web={"build": BUILD, "depends_on": {"migrate": DONE}})
    assert role_of(found.services["migrate"], found) is Role.JOB


@pytest.mark.parametrize("condition", ["service_started", "service_healthy"])
def test_service_that_others_wait_for_otherwise_is_no_job(condition: str) -> None:
    waits = {"worker": {"condition": condition}}
    found = project(worker={"build": BUILD}, web={"build": BUILD, "depends_on": waits})
    assert role_of(found.services["worker"], found) is Role.WORKER


def test_parts_stand_in_the_order_in_which_they_are_tried() -> None:
    assert [role.value for role in Role] == [
        "backing",
        "job",
        "routed",
        "worker",
        "singleton",
        "held",
    ]


# --- release commands -----------------------------------------------------------------------


def with_command(command: str | list[str]) -> dict[str, Any]:
    """A service with all that a container of one command must not have."""
    return {
        "build": BUILD,
        "command": ["serve"],
        "entrypoint": ["/entry"],
        "environment": {"A": "b"},
        "volumes": [{"type": "volume", "source": "data", "target": "/data"}],
        "user": "1000",
        "healthcheck": {"test": ["CMD", "true"]},
        "restart": "always",
        "ports": [{"target": 8000, "published": "8000"}],
        "expose": ["8000"],
        "container_name": "shop",
        "networks": {"back": {"aliases": ["shop"]}},
        "depends_on": {"db": {"condition": "service_healthy"}},
        "x-slipway": {**ROUTE, "release": command, "release_timeout": "20m"},
    }


def test_job_is_not_started_again_when_it_has_ended() -> None:
    waits = {"depends_on": {"migrate": {"condition": "service_completed_successfully"}}}
    always = {"image": "x", "restart": "always"}
    found = with_release_commands(project(migrate=always, web={**always, **waits}))
    restarts = {name: service.restart for name, service in found.services.items()}
    assert restarts == {"migrate": "no", "web": "unless-stopped"}


def test_release_command_becomes_a_job_that_its_service_waits_for() -> None:
    found = with_release_commands(project(web=with_command("migrate"), db={"image": "x"}))
    assert list(found.services) == ["db", "web", "web-release"]
    web, job = found.services["web"], found.services["web-release"]
    assert web.depends_on["db"].condition == "service_healthy"
    assert web.depends_on["web-release"].condition == "service_completed_successfully"
    assert role_of(job, found) is Role.JOB
    assert role_of(web, found) is Role.ROUTED


def test_release_command_runs_in_a_container_like_its_service_s_own() -> None:
    service = Service.model_validate({"name": "web", **with_command("a && b")})
    job = release_job(service)
    assert job.model_dump(exclude_defaults=True) == {
        "name": "web-release",
        "build": {"context": "/nowhere"},
        "command": ["sh", "-ec", "a && b"],
        "entrypoint": ["/entry"],
        "environment": {"A": service.environment["A"]},
        "volumes": [{"type": "volume", "source": "data", "target": "/data"}],
        "user": "1000",
        "healthcheck": {"disable": True},
        "networks": {"back": {}},
        "depends_on": {"db": {"condition": "service_healthy"}},
        "extension": {"timeout": 1200.0},
    }
    assert (job.routed, job.names) == (False, ("web-release",))


def test_release_command_that_is_a_list_is_run_as_it_is() -> None:
    service = Service.model_validate({"name": "web", **with_command(["migrate", "--noinput"])})
    assert release_job(service).command == ["migrate", "--noinput"]


def test_project_without_release_commands_stays_as_it_is() -> None:
    found = project(web={"build": BUILD}, db={"image": "x"})
    assert with_release_commands(found).services == dict(sorted(found.services.items()))


def test_job_of_a_release_command_has_its_service_s_name() -> None:
    assert release_name("web") == "web-release"


@pytest.mark.parametrize(
    ("extension", "seconds"),
    [({}, 600.0), ({"timeout": "60s"}, 60.0), ({"timeout": "2h"}, 7200.0)],
)
def test_job_gets_ten_minutes_unless_the_file_says_otherwise(
    extension: dict[str, Any], seconds: float
) -> None:
    assert job_timeout(one(**{"x-slipway": extension})) == seconds


# --- migrations -----------------------------------------------------------------------------


def test_migration_is_seen_in_command_and_start_script(tmp_path: Path) -> None:
    (tmp_path / "start.sh").write_text("python manage.py migrate --noinput\nexec gunicorn shop\n")
    build = {"context": str(tmp_path)}
    assert migrates_at_start(one(build=build, command=["/start.sh"]))
    assert migrates_at_start(one(build=build, command=["sh", "-c", "alembic upgrade head && x"]))
    assert not migrates_at_start(one(build=build, command=["gunicorn", "shop"]))
    assert not migrates_at_start(one(image="x"))


# --- order ----------------------------------------------------------------------------------


def after(*names: str) -> dict[str, Any]:
    return {"image": "x", "depends_on": {name: {} for name in names}}


@pytest.mark.parametrize(
    ("services", "order"),
    [
        ({"c": after(), "a": after(), "b": after()}, "abc"),
        ({"a": after("b"), "b": after("c"), "c": after()}, "cba"),
        ({"a": after("d", "c"), "b": after(), "c": after(), "d": after("b")}, "cbda"),
        ({"a": after("gone"), "b": after()}, "ab"),
    ],
)
def test_services_come_after_what_they_depend_on_and_by_name_else(
    services: dict[str, dict[str, Any]], order: str
) -> None:
    found = project(**services)
    assert "".join(in_order(found.services, found)) == order


def test_order_of_some_follows_what_lies_between_them() -> None:
    found = project(a=after("b"), b=after("c"), c=after(), d=after())
    assert in_order(["a", "c"], found) == ["c", "a"]
    assert in_order({"d", "a"}, found) == ["a", "d"]
