import subprocess
from pathlib import Path
from typing import Any

import pytest

from slipway.commands import deploy as command
from slipway.commands.deploy import deploy
from slipway.commands.run import Run
from slipway.driver import Exit

from .support_driver import export, release
from .support_run import Project, ends_with, make_project

PINNED = (
    "slipway: 1 problem; nothing was changed:\n"
    "stack test is pinned at release 2: its source is not released; to leave the pin: "
    "scripts/deploy test --leave-pin; to see that all is as it was pinned: pulumi up\n"
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    found = make_project(tmp_path, monkeypatch)
    monkeypatch.setattr(Run, "_drive", found.method)
    found.engine.state = export(release(7))
    return found


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Kim", "-c", "user.email=kim@example.com")
    command = ["git", *who, "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(project: Project) -> Path:
    """The project's folder as a repository with one commit."""
    git(project.root, "init", "-b", "main")
    (project.root / "app/compose.yaml").write_text("services: {}\n")
    git(project.root, "add", ".")
    git(project.root, "commit", "-m", "begin")
    return project.root


@pytest.mark.parametrize("code", list(Exit))
def test_exit_code_is_the_drivers(project: Project, code: Exit) -> None:
    project.code = code
    ends_with(int(code), lambda: deploy("test"))
    title = "deploying test from its folder, which is in no git repository"
    assert project.drives == [(None, title, {}, ())]


def test_commit_is_named_with_branch_and_changes(project: Project, repository: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD")[:12]
    ends_with(0, lambda: deploy("test"))
    (repository / "app/compose.yaml").write_text("services: {web: {}}\n")
    ends_with(0, lambda: deploy("test"))
    assert [title for _, title, _, _ in project.drives] == [
        f"deploying test from commit {commit} on main",
        f"deploying test from commit {commit} on main with changes",
    ]


def test_hotfix_and_its_reason_are_given_to_the_program(project: Project) -> None:
    ends_with(0, lambda: deploy("test", hotfix="prices were wrong"))
    assert project.drives[0][2] == {"SLIPWAY_HOTFIX": "prices were wrong"}


def test_pinned_stack_is_refused_before_anything_is_done(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.pin = "2"
    ends_with(2, lambda: deploy("test"))
    assert capsys.readouterr().err == PINNED
    assert (project.pin, project.drives, project.in_order) == ("2", [], [])


def test_pin_is_left_for_a_release_that_is_verified(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.pin = "2"
    ends_with(0, lambda: deploy("test", leave=True))
    assert project.pin is None
    assert project.drives[0][3] == ()
    assert capsys.readouterr().err == "test is no longer pinned at release 2\n"


def test_pin_stays_when_the_machine_cannot_deploy(project: Project) -> None:
    project.pin, project.problems = "2", ["engine: no Docker; start it"]
    ends_with(2, lambda: deploy("test", leave=True))
    assert (project.pin, project.drives) == ("2", [])


@pytest.mark.parametrize(("answer", "code"), [(True, 0), (False, 2)])
def test_pin_is_asked_about_at_a_terminal(
    project: Project, monkeypatch: pytest.MonkeyPatch, answer: bool, code: int
) -> None:
    asked: list[str] = []

    def confirm(question: str) -> bool:
        asked.append(question)
        return answer

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(command.typer, "confirm", confirm)
    project.pin = "2"
    ends_with(code, lambda: deploy("test"))
    question = "stack test is pinned at release 2; leave the pin and release the source?"
    assert (asked, project.pin) == ([question], None if answer else "2")


# --- tags ------------------------------------------------------------------------------------


def said(capsys: pytest.CaptureFixture[str], **options: Any) -> str:
    with pytest.raises(SystemExit):
        deploy("test", tag=True, **options)
    return capsys.readouterr().err


def test_commit_is_tagged_with_stack_and_release(
    project: Project, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(capsys) == "tagged release/test/7; git push origin release/test/7\n"
    assert git(repository, "tag", "--points-at", "HEAD") == "release/test/7"


def test_tag_that_is_there_already_is_told(
    project: Project, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    git(repository, "tag", "release/test/7")
    assert said(capsys) == "no tag was made: fatal: tag 'release/test/7' already exists\n"


def test_source_that_is_in_no_commit_is_not_tagged(
    project: Project, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "app/compose.yaml").write_text("services: {web: {}}\n")
    assert said(capsys) == "no tag was made: the source had changes that are in no commit\n"
    assert git(repository, "tag") == ""


def test_folder_in_no_repository_is_not_tagged(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(capsys) == "no tag was made: the compose file is in no git repository\n"


def test_release_that_is_not_verified_is_not_tagged(
    project: Project, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project.code = Exit.UNDONE
    assert said(capsys) == ""
    assert git(repository, "tag") == ""
