"""Dockerfiles and files of variables as editors and other systems leave them, and what a compose
file leaves to a Dockerfile."""

import pytest

from .support import DOCKERFILE, PIN, WEB, Sample


def unpinned(line: int, image: str) -> str:
    return (
        f"Dockerfile:{line} {image}: not pinned by digest, so that the same source could give "
        "another image tomorrow; run scripts/pin compose.yaml"
    )


def written(text: str) -> bytes:
    return text.replace("@PIN", PIN).encode()


# --- bytes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "image"),
    [
        ("\ufeffFROM python:3\n", 1, "python:3"),
        (f"\ufeff# syntax=a/b:1\n{DOCKERFILE}", 1, "a/b:1"),
        (f"# check=skip=all\n# syntax=a/b:1\n{DOCKERFILE}", 2, "a/b:1"),
        (f"# escape=`\n# syntax=a/b:1\n{DOCKERFILE}", 2, "a/b:1"),
        (f"#!/usr/bin/env builder\n# syntax=a/b:1\n{DOCKERFILE}", 2, "a/b:1"),
        (f"{DOCKERFILE}RUN echo $((1<<SHIFT))\nFROM python:3\n", 5, "python:3"),
        (f"{DOCKERFILE}RUN echo 'x <<EOF'\nFROM python:3\n", 5, "python:3"),
        (f"{DOCKERFILE}RUN cat \\\n<<EOF\nFROM no\nEOF\nFROM python:3\n", 8, "python:3"),
    ],
    ids=["mark", "mark_syntax", "check", "escape", "shebang", "shift", "quoted", "here_document"],
)
def test_image_without_a_digest_is_seen(sample: Sample, text: str, line: int, image: str) -> None:
    (sample.folder / "Dockerfile").write_bytes(written(text))
    assert sample.web().problems == [unpinned(line, image)]


@pytest.mark.parametrize("text", ["FROM\n", f"{DOCKERFILE}FROM --platform=linux/amd64\n", ""])
def test_what_is_no_dockerfile_is_left_to_the_build_to_tell(sample: Sample, text: str) -> None:
    (sample.folder / "Dockerfile").write_bytes(written(text))
    assert sample.web().problems == []


@pytest.mark.parametrize("name", ["Dockerfile", ".dockerignore"])
def test_file_of_a_build_that_is_not_utf_8_is_refused(sample: Sample, name: str) -> None:
    (sample.folder / name).write_bytes(b"FROM python@sha256:1\n# caf\xe9\n")
    assert f"{name}:2 is not UTF-8 text; save it as UTF-8" in sample.web().problems


@pytest.mark.parametrize("more", ["", "    nonsense: 1\n", "    {nonsense: 1\n"])
def test_compose_file_that_is_not_utf_8_is_refused(sample: Sample, more: str) -> None:
    (sample.folder / "compose.yaml").write_bytes(f"{WEB}# caf\xe9\n{more}".encode("latin-1"))
    problems = sample.prepare(preview=True).problems
    assert problems == ["compose.yaml:5 is not UTF-8 text; save it as UTF-8"]


def test_included_file_that_is_not_utf_8_is_refused(sample: Sample) -> None:
    (sample.folder / "other.yaml").write_bytes(b"# caf\xe9\nservices: {x: {image: redis:7}}\n")
    (problem,) = sample.read(f"include: [other.yaml]\n{WEB}").problems
    assert problem.startswith("other.yaml:1 cannot be read: ")


@pytest.mark.parametrize("name", ["web.env", ".env"])
def test_variable_that_is_not_utf_8_is_refused(sample: Sample, name: str) -> None:
    (sample.folder / "web.env").write_text("")
    (sample.folder / name).write_bytes(b"# caf\xe9\nA=caf\xe9\n")
    problems = sample.web("env_file: web.env\n").problems
    assert problems == [f"{name}:2 is not UTF-8 text; save it as UTF-8"]


def test_comment_among_variables_may_be_anything(sample: Sample) -> None:
    (sample.folder / "web.env").write_bytes(b"# caf\xe9\nA=b\n")
    assert sample.web("env_file: web.env\n").environment("web") == {"A": "b"}


def test_file_of_variables_that_is_neither_utf_8_nor_well_is_refused(sample: Sample) -> None:
    (sample.folder / "web.env").write_bytes(b"A='caf\xe9\nB")
    assert sample.web("env_file: web.env\n").problems != []


# --- what is left to the Dockerfile ---------------------------------------------------------


@pytest.mark.parametrize("empty", ["[]", "''"])
def test_entrypoint_that_is_taken_away_leaves_the_dockerfile_s_command(
    sample: Sample, empty: str
) -> None:
    assert sample.web(f"entrypoint: {empty}\n").made_from("web") == {
        "command": ["gunicorn", "--bind", "0.0.0.0:8000", "shop.wsgi"],
        "entrypoint": [],
    }


def test_times_of_a_health_check_are_for_the_dockerfile_s_test(sample: Sample) -> None:
    sample.write("Dockerfile", f"{DOCKERFILE}HEALTHCHECK CMD true\n")
    assert sample.web("healthcheck: {interval: 7s}\n").made_from("web") == {
        "healthcheck": {"test": ["CMD-SHELL", "true"], "interval": 7.0}
    }


@pytest.mark.parametrize(
    ("base", "image"), [("python:${V-3.12}", "python:3.12"), ("$TARGETARCH/python", "amd64/python")]
)
def test_base_image_may_be_made_of_arguments(sample: Sample, base: str, image: str) -> None:
    sample.write("Dockerfile", f"FROM {base}@PIN\n")
    assert list(sample.web().image("web").source.head["bases"]) == [f"{image}{PIN}"]
