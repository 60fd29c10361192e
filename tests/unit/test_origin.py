import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from slipway import origin
from slipway.origin import GitState, Origin, actor, git_state, read_origin

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class FakeGit:
    """Answers by a command's first word."""

    def __init__(self, **answers: str | None) -> None:
        self.answers = answers
        self.commands: list[Sequence[str]] = []

    def __call__(self, arguments: Sequence[str]) -> str | None:
        self.commands.append(arguments)
        return self.answers.get(arguments[0].replace("-", "_"))


# --- where there is no repository -----------------------------------------------------------


def test_folder_outside_a_repository_has_no_commit(tmp_path: Path) -> None:
    assert git_state(tmp_path) is None


def test_repository_without_a_commit_has_none(tmp_path: Path) -> None:
    run_git(tmp_path, "init", "-q")
    assert git_state(tmp_path) is None


@pytest.mark.parametrize(
    "error", [FileNotFoundError("git"), subprocess.TimeoutExpired(["git"], 10.0)]
)
def test_release_does_not_fail_for_want_of_git(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: Exception
) -> None:
    def fail(*args: object, **more: object) -> None:
        raise error

    monkeypatch.setattr(origin.subprocess, "run", fail)
    assert git_state(tmp_path) is None


def test_folder_of_which_git_tells_nothing_is_not_taken_for_clean() -> None:
    git = FakeGit(rev_parse=COMMIT, symbolic_ref="main\n", status=None)
    assert git_state(Path(), git) == GitState(COMMIT, "main", dirty=True)


# --- where there is one ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("branch", "status", "state"),
    [
        ("main\n", "", GitState(COMMIT, "main", dirty=False)),
        ("main\n", " M app.py\n", GitState(COMMIT, "main", dirty=True)),
        (None, "", GitState(COMMIT, None, dirty=False)),
    ],
)
def test_state_has_commit_branch_and_what_differs(
    branch: str | None, status: str, state: GitState
) -> None:
    git = FakeGit(rev_parse=f"{COMMIT}\n", symbolic_ref=branch, status=status)
    assert git_state(Path(), git) == state
    assert git.commands == [
        ["rev-parse", "--verify", "HEAD"],
        ["symbolic-ref", "--short", "-q", "HEAD"],
        ["status", "--porcelain", "--", "."],
        ["config", "--get", "remote.origin.url"],
        ["show", "-s", "--format=%ct", "HEAD"],
    ]


def run_git(folder: Path, *arguments: str) -> None:
    settings = ["-c", "user.name=me", "-c", "user.email=me@here", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *settings, *arguments], cwd=folder, check=True, timeout=30)


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("", None),
        ("/srv/git/shop.git", None),
        ("../shop.git", None),
        ("file:///srv/git/shop.git", None),
        ("https://kim:token@git.example.com/shop.git\n", "https://git.example.com/shop.git"),
        ("https://git.example.com/shop.git?token=x", "https://git.example.com/shop.git"),
        ("ssh://git@git.example.com:2222/shop.git", "ssh://git.example.com:2222/shop.git"),
        ("git@git.example.com:team/shop.git\n", "git@git.example.com:team/shop.git"),
    ],
)
def test_address_of_a_repository_has_no_account_and_is_no_folder(
    remote: str, address: str | None
) -> None:
    git = FakeGit(rev_parse=COMMIT, config=remote, status="")
    found = git_state(Path(), git)
    assert found == GitState(COMMIT, None, dirty=False, remote=address)


@pytest.mark.parametrize(
    ("said", "time"),
    [("fatal", None), ("1767225600\n", "2026-01-01T00:00:00+00:00")],
)
def test_time_is_that_of_the_commit(said: str, time: str | None) -> None:
    git = FakeGit(rev_parse=COMMIT, show=said, status="")
    assert git_state(Path(), git) == GitState(COMMIT, None, dirty=False, committed=time)


def test_only_what_is_in_the_folder_makes_it_differ_from_its_commit(tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.mkdir()
    (app / "compose.yaml").touch()
    run_git(tmp_path, "init", "-q", "-b", "main")
    run_git(tmp_path, "add", ".")
    run_git(tmp_path, "commit", "-q", "-m", "first")
    clean = git_state(app)
    assert clean is not None
    assert (len(clean.commit), clean.branch, clean.dirty) == (40, "main", False)
    (tmp_path / "elsewhere").touch()
    assert git_state(app) == clean
    (app / "new").touch()
    assert git_state(app) == replace(clean, dirty=True)
    run_git(tmp_path, "checkout", "-q", "--detach")
    assert git_state(app) == replace(clean, branch=None, dirty=True)


# --- who --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"SLIPWAY_ACTOR": "release bot", "GITHUB_ACTOR": "octocat"}, "release bot"),
        ({"SLIPWAY_ACTOR": "", "GITHUB_ACTOR": "octocat"}, "octocat"),
        ({"GITLAB_USER_LOGIN": "tanuki"}, "tanuki"),
    ],
)
def test_actor_is_whom_the_environment_names(environ: dict[str, str], name: str) -> None:
    assert actor(environ) == name


@pytest.mark.parametrize("error", [None, KeyError("uid not found: 4711"), OSError("no name")])
def test_actor_is_user_and_machine_else(
    monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    def getuser() -> str:
        if error is not None:
            raise error
        return "me"

    monkeypatch.setattr(origin.getpass, "getuser", getuser)
    monkeypatch.setattr(origin.socket, "gethostname", lambda: "here")
    assert actor({}) == ("me@here" if error is None else "unknown@here")


# --- what is recorded -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "recorded"),
    [
        (Origin(), {}),
        (Origin("me@here"), {"actor": "me@here"}),
        (
            Origin("me@here", GitState(COMMIT, "main", dirty=False), "payments are down"),
            {
                "actor": "me@here",
                "git": {"commit": COMMIT, "branch": "main", "dirty": False},
                "hotfix": "payments are down",
            },
        ),
        (
            Origin("me@here", GitState(COMMIT, None, dirty=True)),
            {"actor": "me@here", "git": {"commit": COMMIT, "dirty": True}},
        ),
    ],
)
def test_nothing_that_is_not_there_is_recorded(found: Origin, recorded: dict[str, object]) -> None:
    assert found.recorded() == recorded


@pytest.mark.parametrize(("why", "hotfix"), [("it burns", "it burns"), ("", None)])
def test_origin_is_read_from_folder_and_environment(
    tmp_path: Path, why: str, hotfix: str | None
) -> None:
    environ = {"SLIPWAY_ACTOR": "me", "SLIPWAY_HOTFIX": why}
    assert read_origin(tmp_path, environ) == Origin("me", None, hotfix)
    assert read_origin(tmp_path, {"SLIPWAY_ACTOR": "me"}) == Origin("me")
