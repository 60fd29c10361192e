from pathlib import Path

import pytest

from slipway.key_lines import KeyLines

LINES = """\
x-base: &base
  image: a
  labels: &labels
    one: a
x-more: &more
  ports: ["80:80"]
services:
  web:
    <<: [*base, *more]
    environment:
      - A=1
    volumes:
      - data:/data
      - type: bind
        source: x
  worker:
    <<: *base
    labels: *labels
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("services",), 7),
        (("services", "web"), 8),
        (("services", "web", "environment", "A"), 10),
        (("services", "web", "volumes", 0, "type"), 13),
        (("services", "web", "volumes", 1), 14),
        (("services", "web", "volumes", 1, "source"), 15),
        (("services", "web", "volumes", 7), 12),
        (("services", "web", "missing", "deep"), 8),
        (("missing",), 1),
        (("services", "web", "image"), 2),
        (("services", "web", "ports", 0, "target"), 6),
        (("services", "web", "labels", "one"), 4),
        (("services", "worker", "image"), 2),
        (("services", "worker", "labels"), 18),
        (("services", "worker", "labels", "one"), 4),
    ],
)
def test_finds_the_line_of_a_key_where_it_is_written(
    tmp_path: Path, path: tuple[object, ...], line: int
) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(LINES)

    assert KeyLines(file).of(path) == line


@pytest.mark.parametrize("text", ["", "a: [", "a: 1\na: 2\n"])
def test_line_of_a_key_is_the_first_where_the_file_has_no_keys(tmp_path: Path, text: str) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(text)

    assert KeyLines(file).of(("services", "web")) == 1


def test_place_of_a_key_is_file_line_and_path(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(LINES)

    lines = KeyLines(file)
    assert lines.where("services", "web", "volumes", 1) == f"{file}:14 services.web.volumes.1"
    assert lines.where("services", "nobody") == f"{file}:7 services.nobody"


@pytest.mark.parametrize(
    ("path", "written"),
    [
        (("services", "worker", "image"), "a"),
        (("services", "web", "environment"), ["A=1"]),
        (("services", "web", "volumes", 1, "source"), "x"),
        (("services", "web", "volumes", 7), None),
        (("services", "nobody", "image"), None),
        (("services", "web", "image", "deep"), None),
    ],
)
def test_gives_what_is_written_under_a_key(
    tmp_path: Path, path: tuple[object, ...], written: object
) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(LINES)

    assert KeyLines(file).written(*path) == written


def test_nothing_is_written_in_a_file_that_is_no_yaml(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text("a: [")

    assert KeyLines(file).written("a") is None
