from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from slipway.key_lines import KeyLines
from slipway.review import commands

from .support import built, said, subject

ROUTE = {"route": {"port": 8000}, "probes": [{"path": "/"}]}
BEAT = ["celery", "-A", "shop", "beat"]
SCHEDULES = (
    "refused services.beat.command: starts jobs by the clock: while old and new container run side "
    "by side, each job would be started twice; write x-slipway: {singleton: true} (or false, if "
    "that does no harm)"
)


# --- schedulers -----------------------------------------------------------------------------


def test_scheduler_of_which_two_would_run_is_refused(tmp_path: Path) -> None:
    assert said(commands.schedulers, {"beat": built(tmp_path, command=BEAT)}) == [SCHEDULES]


def test_scheduler_that_the_dockerfile_starts_is_refused(tmp_path: Path) -> None:
    beat = built(tmp_path, 'FROM scratch\nCMD ["celery", "-A", "shop", "beat"]\n')
    assert said(commands.schedulers, {"beat": beat}) == [SCHEDULES]


@pytest.mark.parametrize("decided", [True, False])
def test_scheduler_that_was_decided_about_is_taken(tmp_path: Path, decided: bool) -> None:
    beat = built(tmp_path, command=BEAT, **{"x-slipway": {"singleton": decided}})
    assert said(commands.schedulers, {"beat": beat}) == []


def test_scheduler_that_is_not_built_or_a_job_runs_once_anyway(tmp_path: Path) -> None:
    waits = {"beat": {"condition": "service_completed_successfully"}}
    services = {
        "cron": {"image": "x", "command": ["crond"]},
        "beat": built(tmp_path, command=BEAT),
        "web": built(tmp_path, depends_on=waits),
    }
    assert said(commands.schedulers, services) == []


# --- restart policies -----------------------------------------------------------------------


def test_restart_policy_of_a_job_has_no_effect() -> None:
    waits = {"migrate": {"condition": "service_completed_successfully"}}
    services = {
        "migrate": {"image": "x", "restart": "always"},
        "seed": {"image": "x"},
        "web": {
            "image": "x",
            "restart": "always",
            "depends_on": {**waits, "seed": waits["migrate"]},
        },
    }
    assert said(commands.restart_policies, services) == [
        "warned services.migrate.restart: has no effect: others wait for the service to complete, "
        "and what would start it again would run it again and again"
    ]


def test_on_failure_is_taken_for_another_policy(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text("services:\n  a:\n    restart: on-failure\n  b:\n    restart: always\n")
    found = subject({name: {"image": "x", "restart": "on-failure"} for name in "ab"})
    (finding,) = commands.restart_policies(replace(found, lines=KeyLines(file)))
    assert (finding.line, finding.refused) == (3, False)
    assert "services.a.restart: taken for unless-stopped: on-failure would" in finding.text


# --- servers for development ----------------------------------------------------------------

DEVELOPS = (
    "services.web.command: starts a server for development, which is slow, may show secrets in its "
    "error pages, and restarts itself; start gunicorn or uvicorn without --reload instead"
)


@pytest.mark.parametrize(
    ("stack", "verdict"),
    [
        ("prod", "refused"),
        ("latest", "refused"),
        ("test", "warned"),
        ("shop-staging", "warned"),
        ("pr_preview_7", "warned"),
        ("ci", "warned"),
    ],
)
def test_server_for_development_is_refused_where_users_are(
    tmp_path: Path, stack: str, verdict: str
) -> None:
    web = built(tmp_path, command=["python", "manage.py", "runserver"])
    found = said(commands.development_servers, {"web": web}, stack=stack)
    assert found == [f"{verdict} {DEVELOPS}"]


def test_server_of_an_image_that_is_not_built_is_its_maker_s_business() -> None:
    web = {"image": "x", "command": ["flask", "run"]}
    assert said(commands.development_servers, {"web": web}) == []


# --- migrations -----------------------------------------------------------------------------

MIGRATES = (
    "warned services.web.command: changes the database's schema when it starts: one new container "
    "is started alone first, and going back to an older release does not undo the change; write it "
    "as x-slipway: {release: …} to have it run once and shown"
)


def test_migration_at_the_start_is_said(tmp_path: Path) -> None:
    web = built(tmp_path, command=["sh", "-c", "python manage.py migrate && gunicorn shop"])
    assert said(commands.migrations_at_start, {"web": web}) == [MIGRATES]


def test_migration_in_the_start_script_is_said(tmp_path: Path) -> None:
    (tmp_path / "start.sh").write_text("#!/bin/sh\nalembic upgrade head\nexec uvicorn shop:app\n")
    web = built(tmp_path, 'FROM scratch\nENTRYPOINT ["/app/start.sh"]\n')
    assert said(commands.migrations_at_start, {"web": web}) == [MIGRATES]


def test_service_that_only_serves_migrates_nothing(tmp_path: Path) -> None:
    web = built(tmp_path, command=["gunicorn", "shop"])
    other = {"image": "x", "command": ["alembic", "upgrade", "head"]}
    assert said(commands.migrations_at_start, {"web": web, "other": other}) == []


# --- health checks --------------------------------------------------------------------------


def test_health_check_that_passes_with_an_error_is_warned_about() -> None:
    check = {"test": ["CMD", "curl", "http://localhost:8000/"]}
    assert said(commands.soft_health_checks, {"web": {"image": "x", "healthcheck": check}}) == [
        "warned services.web.healthcheck.test: passes even when the answer is an error such as "
        "500; add --fail to curl, or check the status"
    ]


@pytest.mark.parametrize(
    "check",
    [
        None,
        {"test": ["CMD", "curl", "--fail", "http://localhost:8000/"]},
        {"test": ["CMD", "curl", "http://localhost:8000/"], "disable": True},
        {"test": ["NONE"]},
    ],
)
def test_health_check_that_fails_with_an_error_or_is_off_is_taken(
    check: dict[str, Any] | None,
) -> None:
    assert said(commands.soft_health_checks, {"web": {"image": "x", "healthcheck": check}}) == []


# --- release commands -----------------------------------------------------------------------


def test_release_command_of_an_image_that_is_not_built_is_refused() -> None:
    db = {"image": "x", "x-slipway": {"release": "migrate"}}
    assert said(commands.misplaced_release_commands, {"db": db}) == [
        "refused services.db.x-slipway.release: belongs to a service that is built here; move it "
        "to the application's"
    ]


def test_release_command_whose_job_has_another_service_s_name_is_refused(tmp_path: Path) -> None:
    web = built(tmp_path, **{"x-slipway": {**ROUTE, "release": "migrate"}})
    services = {"web": web, "web-release": {"image": "x"}}
    assert said(commands.misplaced_release_commands, services) == [
        "refused services.web.x-slipway.release: would run as web-release, which is a service "
        "already; rename it"
    ]


def test_release_command_of_a_built_service_is_taken(tmp_path: Path) -> None:
    web = built(tmp_path, **{"x-slipway": {**ROUTE, "release": ["migrate"]}})
    assert said(commands.misplaced_release_commands, {"web": web}) == []


def test_empty_word_of_a_command_is_refused() -> None:
    services = {"cache": {"image": "redis", "command": ["redis-server", "--save", ""]}}
    assert said(commands.empty_words, services) == [
        "refused services.cache.command: holds an empty word, which cannot be handed over; have a "
        "shell write it: [sh, -c, 'exec … \"\" …']"
    ]
