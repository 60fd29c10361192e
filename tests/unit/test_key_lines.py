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


# --- files of several documents, and several files ------------------------------------------


def test_later_document_goes_before_an_earlier_one(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text("a: {b: 1}\nc: 2\n---\na:\n  b: 3\n")
    lines = KeyLines(file)

    assert (lines.of(("a", "b")), lines.of(("c",))) == (5, 2)
    assert (lines.written("a", "b"), lines.written("c")) == (3, 2)


def test_key_of_an_included_or_extended_file_has_its_place_there(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(
        "include: [a.yaml, {path: [b.yaml, none.yaml]}]\nservices:\n"
        "  web:\n    extends: {file: base.yaml, service: app}\n    image: x\n"
        "  more:\n    extends: {service: web}\n"
    )
    (tmp_path / "a.yaml").write_text("include: [compose.yaml]\nservices:\n  db:\n    image: a\n")
    (tmp_path / "b.yaml").write_text("services:\n  cache: {image: b}\n")
    (tmp_path / "base.yaml").write_text("services:\n  app:\n    user: a\n    image: y\n")
    lines = KeyLines(file)

    def place(*path: object) -> str:
        return lines.where("services", *path).removeprefix(f"{tmp_path}/").split(" ")[0]

    assert place("db", "image") == "a.yaml:4"
    assert place("cache", "image") == "b.yaml:2"
    assert place("web", "image") == "compose.yaml:5"
    assert place("web", "user") == "base.yaml:3"
    assert place("more", "image") == "compose.yaml:5"
    assert place("web", "missing") == "compose.yaml:3"
    assert place("none") == "compose.yaml:2"
    assert lines.files == [
        tmp_path / name for name in ("compose.yaml", "a.yaml", "b.yaml", "base.yaml")
    ]


def test_folders_are_the_file_s_own_and_those_that_are_named_for_included_ones(
    tmp_path: Path,
) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text("include: [a.yaml, {path: b.yaml, project_directory: app}]\n")
    assert KeyLines(file).folders == [tmp_path, tmp_path / "app"]
    assert KeyLines(tmp_path / "missing.yaml").folders == [tmp_path]
