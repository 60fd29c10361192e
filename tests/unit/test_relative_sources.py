from pathlib import Path

import pytest

from slipway.key_lines import KeyLines
from slipway.relative_sources import real_path, relative_sources

from .support import write_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "docker").mkdir()
    return tmp_path / "docker"


def found(folder: Path, mounts: str, **variables: str) -> set[str]:
    """The sources, as paths from above the compose file."""
    file = folder / "compose.yaml"
    file.write_text(f"services:\n  web:\n    volumes: {mounts}\n")
    sources = relative_sources(KeyLines(file), folder, variables)
    return {str(path.relative_to(folder.parent)) for path in sources}


@pytest.mark.parametrize(
    "mounts",
    ["[data:/data]", "[/srv/data:/data]", "[{type: tmpfs, target: /t}]", "[{}]", "data", "[3]"],
)
def test_what_is_not_written_relative_is_not_the_project_s(folder: Path, mounts: str) -> None:
    assert found(folder, mounts) == set()


@pytest.mark.parametrize(
    ("mounts", "paths"),
    [
        ("[./conf:/etc/conf:ro, ../src:/src]", {"docker/conf", "src"}),
        ("[..:/app]", {"."}),
        ("[{type: bind, source: ../nginx/, target: /etc/nginx}]", {"nginx"}),
        ('["${SRC:-../src}:/src", "${CONF}:/etc/conf"]', {"src", "docker/conf"}),
    ],
)
def test_source_that_is_written_relative(folder: Path, mounts: str, paths: set[str]) -> None:
    assert found(folder, mounts, CONF="./conf") == paths


def test_variable_may_have_its_value_in_the_dot_env_file(folder: Path) -> None:
    (folder / ".env").write_text("SRC=../src\n")
    assert found(folder, '["${SRC}:/src"]') == {"src"}


def test_source_in_an_included_file_begins_there_or_at_the_first_one(folder: Path) -> None:
    included = "services: {db: {volumes: [../a:/a]}}\n"
    compose = "include: [more/other.yaml]\nservices: {}\n"
    write_files(folder, {"more/other.yaml": included, "compose.yaml": compose})
    sources = relative_sources(KeyLines(folder / "compose.yaml"), folder, {})
    assert sources == {folder / "a", folder.parent / "a"}


def test_links_in_the_way_are_followed_and_a_file_that_is_one_is_not(folder: Path) -> None:
    (folder.parent / "link").symlink_to(folder)
    (folder / "real").write_text("")
    (folder / "file").symlink_to(folder / "real")
    assert real_path(folder.parent / "link") == folder
    assert real_path(folder.parent / "link/file") == folder / "file"
