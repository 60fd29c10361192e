"""What actionlint does not know of the workflows: what they may do, and what must not race."""

import os
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from slipway.commands.run import stacks
from slipway.preview.comment import MARKER

FOLDER = Path(__file__).parents[2] / ".github/workflows"
FILES = sorted(path.name for path in FOLDER.iterdir())
ACTIONS = {"checkout", "setup-python", "cache", "upload-artifact"}
SELF_HOSTED = ["self-hosted", "slipway"]
SCRIPTS = re.compile(r"scripts/(?:deploy|rollback)\b")


def text(name: str) -> str:
    return (FOLDER / name).read_text()


@cache
def workflow(name: str) -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(text(name))
    return found


def jobs(name: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = workflow(name)["jobs"]
    return found


def steps(job: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = job.get("steps", [])
    return found


def releasing() -> dict[str, dict[str, Any]]:
    """The jobs that change a stack, by workflow and name."""
    return {
        f"{name} {key}": job
        for name in FILES
        for key, job in jobs(name).items()
        if any(SCRIPTS.search(step.get("run", "")) for step in steps(job))
    }


class Shell:
    """Runs a step's commands as a runner does, with programs that only note how they are called.

    Args:
        folder: where it runs.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "calls"
        self.log.touch()

    def program(self, path: str, answer: str = "") -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f'#!/bin/bash\nprintf "%s\\n" "$*" >> {self.log}\n{answer}\n')
        file.chmod(0o755)

    def run(self, script: str, **environ: str) -> int:
        path = f"{self.folder / 'bin'}:{os.defpath}"
        ended = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.folder, env={"PATH": path, **environ}, check=False, capture_output=True,
        )  # fmt: skip
        return ended.returncode

    @property
    def calls(self) -> list[str]:
        return self.log.read_text().splitlines()


def script(name: str, key: str, word: str) -> str:
    """The commands of the one step of a job that have a word in them."""
    (found,) = (s["run"] for s in steps(jobs(name)[key]) if word in s.get("run", ""))
    return str(found)


ALL_JOBS = [(name, key) for name in FILES for key in jobs(name)]


def test_workflows_are_those_that_the_documentation_has() -> None:
    assert FILES == ["ci.yml", "deploy.yml", "preview.yml", "rollback.yml"]
    page = (FOLDER.parents[1] / "docs/ci.md").read_text()
    assert [name for name in FILES if name not in page] == []


@pytest.mark.parametrize("name", FILES)
def test_actions_are_few_and_pinned_by_commit_with_their_version(name: str) -> None:
    for line in re.findall(r"uses: (.*)", text(name)):
        if not line.startswith("./"):
            pinned = re.fullmatch(r"actions/([a-z-]+)@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)
            assert pinned, line
            assert pinned[1] in ACTIONS


def test_an_action_has_one_version_everywhere() -> None:
    found = {line for name in FILES for line in re.findall(r"uses: (actions/.*)", text(name))}
    assert len(found) == len({line.partition("@")[0] for line in found})


@pytest.mark.parametrize("name", FILES)
def test_workflow_may_read_the_source_and_nothing_else(name: str) -> None:
    assert workflow(name)["permissions"] == {"contents": "read"}


def test_only_the_job_that_comments_may_write_and_it_runs_no_code_of_the_branch() -> None:
    more = {
        f"{n} {k}": jobs(n)[k]["permissions"] for n, k in ALL_JOBS if "permissions" in jobs(n)[k]
    }
    assert {key: found for key, found in more.items() if found} == {
        "preview.yml comment": {"actions": "read", "pull-requests": "write"}
    }
    comment = jobs("preview.yml")["comment"]
    assert not [step for step in steps(comment) if "uses" in step]
    assert "scripts/" not in str(comment)
    assert "${{ secrets." not in str(comment)


@pytest.mark.parametrize(("name", "key"), ALL_JOBS)
def test_job_ends_in_time(name: str, key: str) -> None:
    job = jobs(name)[key]
    assert "uses" in job or 0 < job["timeout-minutes"] <= 90


@pytest.mark.parametrize(("name", "key"), ALL_JOBS)
def test_no_expression_gets_into_a_shell_but_through_the_environment(name: str, key: str) -> None:
    assert [step["run"] for step in steps(jobs(name)[key]) if "${{" in step.get("run", "")] == []


@pytest.mark.parametrize(("name", "key"), ALL_JOBS)
def test_token_is_not_left_in_the_checkout(name: str, key: str) -> None:
    for step in steps(jobs(name)[key]):
        if "actions/checkout@" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False


def test_releases_of_one_stack_share_a_group_and_are_never_cancelled() -> None:
    assert {key: job["concurrency"] for key, job in releasing().items()} == {
        "deploy.yml test": {"group": "slipway-test", "cancel-in-progress": False},
        "deploy.yml prod": {"group": "slipway-prod", "cancel-in-progress": False},
        "rollback.yml rollback": {
            "group": "slipway-${{ inputs.stack }}",
            "cancel-in-progress": False,
        },
    }


@pytest.mark.parametrize("name", ["deploy.yml", "rollback.yml"])
def test_nothing_else_cancels_a_workflow_that_releases(name: str) -> None:
    assert "concurrency" not in workflow(name)
    assert "cancel-in-progress: true" not in text(name)


def test_prod_is_released_after_test_and_an_approval() -> None:
    found = jobs("deploy.yml")
    needs = {key: job.get("needs") for key, job in found.items()}
    assert needs == {"tests": None, "test": "tests", "approve-prod": "test", "prod": "approve-prod"}
    assert found["approve-prod"]["environment"] == "prod"
    assert jobs("rollback.yml")["approve"]["environment"] == "${{ inputs.stack }}"
    assert jobs("rollback.yml")["rollback"]["needs"] == "approve"


def test_what_waits_for_an_approval_holds_up_no_group() -> None:
    for name, key in ALL_JOBS:
        job = jobs(name)[key]
        assert not ("environment" in job and "concurrency" in job)


@pytest.mark.parametrize("key", releasing())
def test_evidence_is_kept_for_90_days_whatever_happened(key: str) -> None:
    (upload,) = (s for s in steps(releasing()[key]) if "upload-artifact@" in s.get("uses", ""))
    assert upload["if"] == "always()"
    assert upload["with"]["retention-days"] == 90
    assert upload["with"]["include-hidden-files"] is True
    assert upload["with"]["path"].startswith(".slipway/evidence/")


@pytest.mark.parametrize("key", releasing())
def test_stacks_are_released_where_their_engine_is(key: str) -> None:
    assert releasing()[key]["runs-on"] == SELF_HOSTED


def test_code_of_a_fork_is_never_run_where_there_are_secrets() -> None:
    assert all("pull_request_target" not in text(name) for name in FILES)
    found = jobs("preview.yml")
    same = "github.event.pull_request.head.repo.full_name == github.repository"
    with_secrets = [key for key, job in found.items() if "${{ secrets." in str(job)]
    assert with_secrets == ["preview"]
    assert found["preview"]["if"].startswith(f"{same} &&")
    assert "${{ secrets." not in text("ci.yml")


def test_pull_request_without_a_preview_is_told_why() -> None:
    (step,) = steps(jobs("preview.yml")["not-here"])
    assert "GITHUB_STEP_SUMMARY" in step["run"]


def test_comment_of_the_run_before_is_found_by_the_marker_that_it_has() -> None:
    (step,) = steps(jobs("preview.yml")["comment"])
    assert f'startswith("{MARKER}")' in step["run"]


def test_every_stack_can_be_rolled_back() -> None:
    inputs = workflow("rollback.yml")["on"]["workflow_dispatch"]["inputs"]
    assert inputs["stack"]["type"] == "choice"
    assert sorted(inputs["stack"]["options"]) == ["prod", "test"]
    assert {"prod", "test"} <= set(stacks())
    assert (inputs["release"]["type"], inputs["release"]["required"]) == ("number", False)


@pytest.mark.parametrize(("mine", "call"), [
    ("", "--method POST repos/o/r/issues/5/comments"),
    ("echo 71; echo 72", "--method PATCH repos/o/r/issues/comments/71"),
])  # fmt: skip
def test_comment_is_written_once_and_then_anew(tmp_path: Path, mine: str, call: str) -> None:
    shell = Shell(tmp_path)
    shell.program("bin/gh", f"[ $2 != --paginate ] || {{ {mine or ':'}; }}")
    commands = script("preview.yml", "comment", "gh api")
    names = {"GITHUB_RUN_ID": "9", "GITHUB_REPOSITORY": "o/r", "ARTIFACT": "preview-1"}
    assert shell.run(commands, **names, PULL_REQUEST="5") == 0
    assert shell.calls[0] == "run download 9 --repo o/r --name preview-1"
    assert shell.calls[-1] == f"api --silent {call} --field body=@preview.md"


@pytest.mark.parametrize(
    ("name", "key", "word"),
    [
        ("preview.yml", "preview", "scripts/preview"),
        ("deploy.yml", "test", "scripts/deploy"),
        ("deploy.yml", "prod", "scripts/deploy"),
        ("rollback.yml", "rollback", "scripts/rollback"),
    ],
)
def test_nothing_runs_without_the_secrets(tmp_path: Path, name: str, key: str, word: str) -> None:
    """Without a backend that is named, a stack would be a new one in the checkout's own state."""
    shell = Shell(tmp_path)
    shell.program(word)
    commands, given = script(name, key, word), {"STACK": "test", "RELEASE": "", "RUNNER_TEMP": "/t"}
    secrets = {"PULUMI_BACKEND_URL": "file:///x", "PULUMI_CONFIG_PASSPHRASE": "x"}
    for missing in secrets:
        assert shell.run(commands, **{**given, **secrets, missing: ""}) != 0
    assert shell.calls == []
    assert shell.run(commands, **given, **secrets) == 0
    assert len(shell.calls) == 1


@pytest.mark.parametrize("release", ["", "12", "--preview"])
def test_release_is_handed_on_and_is_no_option(tmp_path: Path, release: str) -> None:
    shell = Shell(tmp_path)
    shell.program("scripts/rollback")
    commands = script("rollback.yml", "rollback", "scripts/rollback")
    secrets = {"PULUMI_BACKEND_URL": "file:///x", "PULUMI_CONFIG_PASSPHRASE": "x"}
    assert shell.run(commands, STACK="test", RELEASE=release, **secrets) == 0
    assert shell.calls == [f"-- test {release}".rstrip()]
