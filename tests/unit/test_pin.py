from pathlib import Path

import pytest

from slipway.errors import ConfigError
from slipway.pin import Edit, Finding, carry_out, find_unpinned, plan_edits
from slipway.reference import ImageReference

from .support import DIGEST, write_files

COMPOSE = """\
# The shop.
services:
  web:
    build: .   # with its own Dockerfile
  worker:
    build: {context: ., dockerfile: worker/Dockerfile, args: {BASE: "debian:12"}}
  cache:
    image: "redis:7"  # not 8 yet
  db:
    image: postgres:16@DIGEST
  other:
    image: ${IMAGE:-busybox}
""".replace("DIGEST", DIGEST)
DOCKERFILE = """\
ARG PYTHON=python:3.11
FROM node:22 AS assets
FROM ${PYTHON}
COPY --from=assets /a /a
COPY --from=node:22-slim /b /b
"""
WORKER = "ARG BASE\nFROM $BASE\nFROM python:${VERSION:-3.12}\n"


@pytest.fixture
def compose_file(tmp_path: Path) -> Path:
    files = {"compose.yaml": COMPOSE, "Dockerfile": DOCKERFILE, "worker/Dockerfile": WORKER}
    write_files(tmp_path, files)
    return tmp_path / "compose.yaml"


def always(reference: ImageReference) -> str:
    return DIGEST


def test_finds_every_image_that_is_not_pinned(compose_file: Path) -> None:
    folder = compose_file.parent

    found = [(f.file, f.line, f.image, f.editable) for f in find_unpinned(compose_file)]
    assert found == [
        (folder / "Dockerfile", 2, "node:22", True),
        (folder / "Dockerfile", 1, "python:3.11", True),
        (folder / "Dockerfile", 5, "node:22-slim", True),
        (compose_file, 6, "debian:12", True),
        (folder / "worker/Dockerfile", 3, "python:3.12", False),
        (compose_file, 8, "redis:7", True),
        (compose_file, 12, "${IMAGE:-busybox}", False),
    ]


def test_pins_in_place_and_keeps_everything_else(compose_file: Path) -> None:
    folder = compose_file.parent
    compose_file.chmod(0o640)
    findings = [finding for finding in find_unpinned(compose_file) if finding.editable]

    carry_out(plan_edits(findings, always))

    assert compose_file.read_text() == COMPOSE.replace("redis:7", f"redis:7@{DIGEST}").replace(
        "debian:12", f"debian:12@{DIGEST}"
    )
    assert (folder / "Dockerfile").read_text() == (
        DOCKERFILE.replace("python:3.11", f"python:3.11@{DIGEST}")
        .replace("node:22 ", f"node:22@{DIGEST} ")
        .replace("node:22-slim", f"node:22-slim@{DIGEST}")
    )
    assert compose_file.stat().st_mode & 0o777 == 0o640
    assert [f.image for f in find_unpinned(compose_file) if f.editable] == []
    assert not list(folder.glob(".*"))


def test_nothing_is_planned_where_one_image_cannot_be_pinned(compose_file: Path) -> None:
    findings = [
        Finding(compose_file, 8, "redis:7"),
        Finding(compose_file, 12, "${IMAGE}", editable=False),
        Finding(compose_file, 13, "gone:1"),
    ]

    with pytest.raises(ConfigError) as refusal:
        plan_edits(findings, lambda ref: None if ref.repository == "library/gone" else DIGEST)

    assert refusal.value.problems == (
        f"{compose_file}:12 ${{IMAGE}}: is put together from variables; pin it where they are set",
        f"{compose_file}:13 gone:1: its registry has no such image; correct the name or the tag",
    )


def test_edit_reads_as_what_it_does() -> None:
    edit = Edit(Finding(Path("compose.yaml"), 8, "redis:7"), f"redis:7@{DIGEST}")

    assert str(edit) == f"compose.yaml:8 redis:7 -> redis:7@{DIGEST}"


@pytest.mark.parametrize("args", ["[BASE=debian:12]", '{OTHER: "1", BASE: debian:12}'])
def test_argument_is_pinned_in_either_notation(tmp_path: Path, args: str) -> None:
    compose = f"services:\n  web:\n    build:\n      context: .\n      args: {args}\n"
    write_files(tmp_path, {"compose.yaml": compose, "Dockerfile": "ARG BASE\nFROM $BASE\n"})
    file = tmp_path / "compose.yaml"

    carry_out(plan_edits(find_unpinned(file), always))

    assert file.read_text() == compose.replace("debian:12", f"debian:12@{DIGEST}")


@pytest.mark.parametrize(
    ("files", "unreadable"),
    [
        ({}, "compose.yaml"),
        ({"compose.yaml": "a: ["}, "compose.yaml"),
        ({"compose.yaml": "services: {web: {build: app}}"}, "app/Dockerfile"),
    ],
)
def test_file_that_cannot_be_read_is_named(
    tmp_path: Path, files: dict[str, str], unreadable: str
) -> None:
    write_files(tmp_path, files)

    with pytest.raises(ConfigError) as refusal:
        find_unpinned(tmp_path / "compose.yaml")

    (problem,) = refusal.value.problems
    assert problem.startswith(f"{tmp_path}/{unreadable}: cannot be read: ")


@pytest.mark.parametrize("text", ["", "services:\n", "services:\n  web:\n"])
def test_file_without_images_has_none_to_pin(tmp_path: Path, text: str) -> None:
    write_files(tmp_path, {"compose.yaml": text})

    assert find_unpinned(tmp_path / "compose.yaml") == []
