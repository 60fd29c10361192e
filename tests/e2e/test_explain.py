"""What a deploy would change, as a preview and scripts/explain tell it before."""

import json
import re
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.harness import Sandbox
from tests.e2e.tiny import COMPOSE, tiny_sandbox

MAIN = "app/main.py"
NOTHING = "nothing: the same digest will run"
BROKEN = 'raise SystemExit("as it should be")\n'


@pytest.fixture(scope="module")
def stack(new_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """A stack with release 1, from the first commit of a repository."""
    sandbox = tiny_sandbox(new_sandbox)
    git(sandbox, "init", "--quiet")
    commit(sandbox, "First")
    sandbox.must_up()
    return sandbox


def git(sandbox: Sandbox, *arguments: str) -> str:
    who = ["-c", "user.name=kim", "-c", "user.email=kim@shop.example"]
    command = ["git", "-C", str(sandbox.folder), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def commit(sandbox: Sandbox, subject: str) -> str:
    git(sandbox, "add", "app")
    git(sandbox, "commit", "--quiet", "--message", subject)
    return git(sandbox, "rev-parse", "HEAD")


def explain(sandbox: Sandbox) -> dict[str, Any]:
    outcome = sandbox.script("explain", "test", "--json")
    assert outcome.code == 0, outcome.output
    found: dict[str, Any] = json.loads(outcome.output)
    return found


def files(sandbox: Sandbox) -> dict[str, Any]:
    """What scripts/explain says of files, by service."""
    return {name: found["files"] for name, found in explain(sandbox)["services"].items()}


def previewed(sandbox: Sandbox) -> set[str]:
    """The files that a preview marks as different, with their services."""
    output = sandbox.preview("test", "--diff").output
    marked = re.findall(r"^\s+[-+] (web, worker: \S+) ", output, re.MULTILINE)
    return {line for line in marked if not line.endswith(("source", "source hash"))}


def only(path: str) -> dict[str, Any]:
    changed = {"changed": [path], "added": [], "removed": []}
    return {"web": changed, "worker": changed}


def append(text: str) -> Callable[[str], str]:
    return lambda before: before + text


def test_nothing_changed_says_so(stack: Sandbox) -> None:
    lines = stack.script("explain", "test").output.splitlines()
    assert lines[0].startswith("test: release 1 (")
    assert lines[1:] == [f"web: {NOTHING}", f"worker: {NOTHING}"]
    assert stack.preview("test", "--expect-no-changes").code == 0


def test_one_line_of_one_file_is_named_with_its_services(stack: Sandbox) -> None:
    with stack.changed(MAIN, append("# one line\n")):
        assert files(stack) == only("main.py")
        assert previewed(stack) == {"web, worker: main.py"}


def test_explaining_needs_no_docker_and_no_registry(
    stack: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(stack.environ, "DOCKER_HOST", "unix:///nowhere/docker.sock")
    monkeypatch.setitem(stack.environ, "SLIPWAY_REGISTRY", "localhost:1")
    with stack.changed(MAIN, append("# one line\n")):
        found = explain(stack)
        assert files(stack) == only("main.py")
    (note,) = found["notes"]
    assert note.startswith("whether images are built already is not known: ")


def test_base_image_that_moved_is_explained(stack: Sandbox) -> None:
    base = stack.environ["SLIPWAY_PYTHON_IMAGE"]
    name, _, digest = base.partition("@")
    moved = f"sha256:{'1' * 64}"
    with stack.changed(
        COMPOSE, lambda t: re.sub(r"BASE_IMAGE: .*", f"BASE_IMAGE: {name}@{moved}", t)
    ):
        web = explain(stack)["services"]["web"]
    assert {"key": f"from {name}:latest", "before": digest, "after": moved} in web["build"]


def test_changed_setting_is_named_with_both_values(stack: Sandbox) -> None:
    with stack.changed(COMPOSE, lambda text: text.replace("timeout: 5s", "timeout: 6s")):
        web = explain(stack)["services"]["web"]
    assert web["settings"] == [{"key": "x-slipway.timeout", "before": "5", "after": "6"}]


def test_files_are_named_after_a_failed_up_too(stack: Sandbox) -> None:
    with stack.changed(MAIN, lambda text: BROKEN + text):
        stack.must_fail()
        assert files(stack) == only("main.py")
        assert previewed(stack) == {"web, worker: main.py"}
    assert previewed(stack) == set()
    stack.must_up()


def test_commits_since_the_release_are_named(stack: Sandbox) -> None:
    with stack.changed(MAIN, append("# release 2\n")):
        id_ = commit(stack, "Second")
        web = explain(stack)["services"]["web"]
        assert web["commits"] == [{"id": id_, "author": "kim", "subject": "Second"}]
        stack.must_up()
        assert previewed(stack) == set()


def test_rollback_has_the_files_of_the_release_that_it_restores(stack: Sandbox) -> None:
    with stack.changed(MAIN, append("# release 2\n")):
        stack.roll_back("1")
        assert stack.preview("test", "--expect-no-changes").code == 0
        found = explain(stack)
    web = found["services"]["web"]
    assert web["files"]["changed"] == ["main.py"]
    assert [commit["subject"] for commit in web["commits"]] == ["Second"]
    assert found["notes"][0].startswith("the stack is pinned at release 1 (slipway:pin)")
