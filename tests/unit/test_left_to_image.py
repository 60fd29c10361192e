from pathlib import Path
from typing import Any

import pytest

from slipway.key_lines import KeyLines
from slipway.left_to_image import complete
from slipway.services import Project, Service

COMPOSE = """\
services:
  web:
    build: .
    entrypoint: []
    healthcheck:
      interval: 5s
"""
EMPTIED: dict[str, Any] = {"entrypoint": []}
TIMED: dict[str, Any] = {"healthcheck": {"interval": "5s", "retries": 2}}


def completed(
    folder: Path, dockerfile: str, web: dict[str, Any], unread: frozenset[str] = frozenset()
) -> tuple[Service, list[str]]:
    """The service, and what is wrong with it, without the folder's path."""
    (folder / "Dockerfile").write_text(dockerfile)
    file = folder / "compose.yaml"
    file.write_text(COMPOSE)
    service = {"name": "web", "build": {"context": str(folder)}, **web}
    project = Project.model_validate(
        {"name": "shop", "file": str(file), "services": {"web": service}}
    )
    found, problems = complete(project, KeyLines(file), unread)
    return found.services["web"], [problem.replace(f"{folder}/", "") for problem in problems]


# --- the command ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dockerfile", "web", "why"),
    [
        ("FROM python\n", {}, "Dockerfile has no CMD"),
        ('FROM python\nENTRYPOINT ["/a"]\n', {}, "Dockerfile leaves no CMD"),
        (
            'FROM python\nCMD ["a"]\n',
            {"build": None, "image": "python"},
            "what its image says is not known before it is pulled",
        ),
    ],
)
def test_entrypoint_that_is_taken_away_with_nothing_to_run_is_refused(
    tmp_path: Path, dockerfile: str, web: dict[str, Any], why: str
) -> None:
    _, problems = completed(tmp_path, dockerfile, {**EMPTIED, **web})

    assert problems == [
        f"compose.yaml:4 services.web.entrypoint: takes the entrypoint away, and {why}; write "
        "beside it what is to run: command: [gunicorn, …]"
    ]


@pytest.mark.parametrize("entrypoint", [[], [""]])
def test_command_of_the_stage_runs_where_the_entrypoint_is_taken_away(
    tmp_path: Path, entrypoint: list[str]
) -> None:
    stages = (
        'FROM python AS base\nENTRYPOINT ["/a"]\nFROM base AS web\nCMD gunicorn shop\n'
        'FROM base\nCMD ["manage.py", "runserver"]\n'
    )
    build = {"context": str(tmp_path), "target": "web"}
    web, problems = completed(tmp_path, stages, {"build": build, "entrypoint": entrypoint})

    assert (web.command, problems) == (["/bin/sh", "-c", "gunicorn shop"], [])


@pytest.mark.parametrize(
    "web", [{"entrypoint": [], "command": ["b"]}, {"entrypoint": ["/b"]}, {"entrypoint": None}]
)
def test_command_of_the_dockerfile_is_left_where_docker_finds_it_itself(
    tmp_path: Path, web: dict[str, Any]
) -> None:
    found, problems = completed(tmp_path, 'FROM python\nCMD ["a"]\n', web)

    assert (found.command, problems) == (web.get("command"), [])


# --- the health check -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dockerfile", "web", "why"),
    [
        ("FROM python\n", {}, "Dockerfile has no HEALTHCHECK"),
        ("FROM python\nHEALTHCHECK NONE\n", {}, "Dockerfile switches it off"),
        (
            "FROM python\nHEALTHCHECK CMD true\n",
            {"build": None, "image": "python"},
            "what its image says is not known before it is pulled",
        ),
    ],
)
def test_times_of_a_health_check_without_a_test_are_refused(
    tmp_path: Path, dockerfile: str, web: dict[str, Any], why: str
) -> None:
    found, problems = completed(tmp_path, dockerfile, {**TIMED, **web})

    assert problems == [
        f"compose.yaml:5 services.web.healthcheck: has no test, and {why}; write one, "
        "test: [CMD, curl, --fail, …], or remove the health check"
    ]
    assert not found.has_health_check


def test_times_of_a_health_check_are_those_of_the_dockerfile_s_test(tmp_path: Path) -> None:
    stages = "FROM python AS base\nHEALTHCHECK --timeout=1s CMD curl -f localhost\nFROM base\n"
    web, problems = completed(tmp_path, stages, TIMED)

    assert problems == []
    assert web.healthcheck is not None
    assert web.healthcheck.model_dump(exclude_defaults=True) == {
        "test": ["CMD-SHELL", "curl -f localhost"],
        "interval": 5.0,
        "retries": 2,
    }


@pytest.mark.parametrize(
    "check",
    [
        {},
        {"disable": True, "interval": "5s"},
        {"test": ["CMD", "b"], "interval": "5s"},
        {"test": ["NONE"]},
    ],
)
def test_health_check_that_says_all_or_nothing_is_left_as_it_is(
    tmp_path: Path, check: dict[str, Any]
) -> None:
    dockerfile = "FROM python\nHEALTHCHECK CMD true\n"
    web, problems = completed(tmp_path, dockerfile, {"healthcheck": check})

    assert web == Service.model_validate(
        {"name": "web", "build": {"context": str(tmp_path)}, "healthcheck": check}
    )
    assert problems == []


def test_service_of_which_not_all_was_read_is_not_completed(tmp_path: Path) -> None:
    found, problems = completed(tmp_path, "FROM a\n", {**EMPTIED, **TIMED}, frozenset({"web"}))

    assert (found.command, problems) == (None, [])
