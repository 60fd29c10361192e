import subprocess
from pathlib import Path
from typing import Any

import pytest

from slipway.explain.commits import Between, between, recorded_git
from slipway.explain.model import Commit
from slipway.origin import git_in


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=kim", "-c", "user.email=kim@shop.example"]
    command = ["git", "-C", str(folder), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def commit(folder: Path, file: str, subject: str) -> str:
    (folder / file).write_text(subject)
    git(folder, "add", file)
    git(folder, "commit", "--quiet", "--message", subject)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A folder of a repository whose first commit is tagged `live`."""
    git(tmp_path, "init", "--quiet")
    (tmp_path / "app").mkdir()
    commit(tmp_path, "app/main.py", "First")
    git(tmp_path, "tag", "live")
    return tmp_path / "app"


def told(app: Path, recorded: dict[str, Any] | None = None) -> Between:
    live = {"commit": git(app, "rev-parse", "live"), "dirty": False}
    return between(live if recorded is None else recorded, [str(app)], git_in(app))


def test_folder_in_no_repository_tells_nothing(tmp_path: Path) -> None:
    assert between({"commit": "a" * 40}, [str(tmp_path)], git_in(tmp_path)) == Between()


def test_release_from_no_repository_has_no_commit_to_begin_at(app: Path) -> None:
    assert told(app, {}).notes == ("the commit of the release that serves is not known",)


def test_commit_that_is_not_in_this_clone_is_told(app: Path) -> None:
    (note,) = told(app, {"commit": "a" * 40}).notes
    assert note == (
        "commit aaaaaaaaaaaa of the release that serves is not in this clone; git fetch"
    )


def test_what_is_in_no_commit_is_told(app: Path) -> None:
    (app / "main.py").write_text("not committed")
    live = {"commit": git(app, "rev-parse", "HEAD"), "dirty": True}
    assert told(app, live).notes == (
        "there are changes that are in no commit",
        "what serves was released with changes that were in no commit",
    )


def test_commits_that_touch_the_folder_are_named_newest_first(app: Path) -> None:
    second = commit(app, "main.py", "Second")
    commit(app.parent, "README.md", "Beside it")
    third = commit(app, "main.py", "Third \x1b[31mred")
    assert told(app) == Between(
        (Commit(third, "kim", "Third [31mred"), Commit(second, "kim", "Second"))
    )


def test_commit_that_only_the_release_has_is_taken_back(app: Path) -> None:
    id_ = commit(app, "main.py", "Second")
    git(app, "tag", "--force", "live")
    git(app, "reset", "--quiet", "--hard", "HEAD~1")
    assert told(app).commits == (Commit(id_, "kim", "Second", taken_back=True),)


def test_rollback_comes_from_where_the_release_came_from_that_it_restores() -> None:
    first = {"number": 1, "git": {"commit": "one"}}
    second = {"number": 2, "git": {"commit": "two"}}
    back = {"number": 3, "rollback_of": 1, "git": {"commit": "checked out by the way"}}
    assert recorded_git([back, second, first]) == {"commit": "one"}
    assert recorded_git([second, first]) == {"commit": "two"}
    assert recorded_git([back, second]) is None
    assert recorded_git([]) is None
