from pathlib import Path
from typing import Any

import pytest

from slipway.services import Service
from slipway.start_command import start_command, start_script

DOCKERFILE = 'FROM scratch\nENTRYPOINT ["/entry.sh"]\nCMD ["gunicorn", "shop"]\n'


def service(folder: Path, **keys: Any) -> Service:
    return Service.model_validate({"name": "web", "build": {"context": str(folder)}, **keys})


@pytest.fixture
def context(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    return tmp_path


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({}, ["/entry.sh", "gunicorn", "shop"]),
        ({"command": ["work"]}, ["/entry.sh", "work"]),
        ({"command": []}, ["/entry.sh"]),
        ({"entrypoint": ["/other"]}, ["/other"]),
        ({"entrypoint": ["/other"], "command": ["work"]}, ["/other", "work"]),
        ({"entrypoint": [], "command": ["work"]}, ["work"]),
    ],
)
def test_words_of_the_compose_file_go_before_the_dockerfile_s(
    context: Path, keys: dict[str, Any], words: list[str]
) -> None:
    assert start_command(service(context, **keys)) == words


def test_stage_that_the_file_names_is_the_one_that_starts(context: Path) -> None:
    (context / "Dockerfile").write_text(
        'FROM scratch AS base\nENTRYPOINT ["/entry.sh"]\n'
        'FROM base AS production\nCMD ["gunicorn", "shop"]\n'
        'FROM base AS development\nCMD ["manage.py", "runserver"]\n'
    )
    build = {"context": str(context), "target": "production"}
    assert start_command(service(context, build=build)) == ["/entry.sh", "gunicorn", "shop"]


def test_image_that_is_not_built_starts_with_what_the_file_says() -> None:
    pulled = Service.model_validate({"name": "web", "image": "x", "command": ["work"]})
    assert start_command(pulled) == ["work"]
    assert start_command(Service(name="web", image="x")) == []
    assert start_script(pulled) == ""


def test_dockerfile_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    assert start_command(service(tmp_path / "missing")) == []
    build = {"context": str(tmp_path), "dockerfile": "other/Dockerfile"}
    assert start_command(service(tmp_path, build=build, command=["x"])) == ["x"]


def test_scripts_are_found_by_their_names_wherever_the_context_has_them(context: Path) -> None:
    (context / "docker/b").mkdir(parents=True)
    (context / "docker/b/entry.sh").write_text("second")
    (context / "docker/a.sh").write_text("migrate")
    (context / "entry.sh").write_text("first\n")
    found = service(context, command=["sh", "/app/a.sh", "missing.sh"])
    assert start_script(found) == "migrate\nsecond"


def test_script_that_a_shell_s_line_starts_is_found(context: Path) -> None:
    (context / "Dockerfile").write_text("FROM scratch\nCMD exec ./start.sh --now; exit 1\n")
    (context / "start.sh").write_text("migrate")
    assert start_script(service(context)) == "migrate"


def test_start_script_that_is_no_text_or_very_long_is_read_as_far_as_it_goes(
    context: Path,
) -> None:
    (context / "entry.sh").write_bytes(b"\xff" + b"x" * 100_000)
    assert start_script(service(context)) == "\ufffd" + "x" * 65_535


@pytest.mark.parametrize("word", ["/docker-entrypoint", "./bin/start", "/app/entry.py"])
def test_script_without_an_ending_is_read_where_its_first_line_says_that_it_is_one(
    context: Path, word: str
) -> None:
    (context / Path(word).name).write_text("#!/bin/sh\npython manage.py migrate\n")

    assert "migrate" in start_script(service(context, entrypoint=[word]))


def test_program_that_is_no_script_is_not_read(context: Path) -> None:
    (context / "server").write_bytes(b"\x7fELF migrate")

    assert start_script(service(context, entrypoint=["/server"])) == ""


def test_words_with_signs_match_no_files(context: Path) -> None:
    (context / "other").write_text("#!/bin/sh\nmigrate\n")

    assert start_script(service(context, entrypoint=["sh", "-c", "cat /a/*"])) == ""
