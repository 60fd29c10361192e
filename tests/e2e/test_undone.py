"""Deploys that are undone, those that cannot be, and those that are refused."""

import os
import signal
from collections.abc import Callable

import psutil
import pytest

from tests.e2e.harness import Outcome, Sandbox, Watcher
from tests.e2e.tiny import (
    COMPOSE,
    at_line,
    numbers,
    refuse_versions,
    refused,
    set_version,
    tiny_sandbox,
    undone,
    with_fault,
)


@pytest.fixture(scope="module")
def stack(new_sandbox: Callable[..., Sandbox]) -> Sandbox:
    sandbox = tiny_sandbox(new_sandbox)
    set_version(sandbox, "3")
    sandbox.deploy()
    return sandbox


def test_engine_that_is_killed_is_made_good_by_the_driver(stack: Sandbox) -> None:
    set_version(stack, "4")

    def kill_engine() -> None:
        for process in psutil.process_iter():
            if stack._is_ours(process) and process.name() == "pulumi":
                os.kill(process.pid, signal.SIGKILL)

    undone(stack, lambda: at_line(stack, "proving web", kill_engine))
    set_version(stack, "3")


def test_terminal_that_is_closed_ends_no_deploy(stack: Sandbox) -> None:
    set_version(stack, "5")
    process = stack.start_script("deploy", "test")
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(120) == 0
    assert stack.health()["version"] == "5"
    stack.assert_agreement()


def test_deploy_whose_way_back_fails_ends_with_3_and_one_screen(stack: Sandbox) -> None:
    refuse_versions(stack, "5")
    worker = stack.engine.containers.get(stack.live("worker"))
    set_version(stack, "6")
    with stack.changed(COMPOSE, with_fault("status")):
        outcome = at_line(stack, "proving web", lambda: worker.remove(force=True))
    number = numbers(stack)[0][0]
    assert outcome.code == 3, outcome.output
    screen = outcome.output.partition("FAILED, and the release before could not be")[2]
    assert f"the state says that release {number} serves" in screen
    assert f"FAILED worker {worker.name}: gone" in screen
    assert "why: the release of" in screen
    assert "scripts/doctor test" in screen
    # What takes requests has served all the while.
    assert stack.health()["version"] == "5"
    refuse_versions(stack)
    stack.deploy()
    assert stack.health()["version"] == "6"
    stack.assert_agreement()


def test_first_release_that_fails_says_that_nothing_serves(stack: Sandbox) -> None:
    with stack.changed(COMPOSE, with_fault("exit")):
        outcome = stack.deploy(stack="prod", code=1)
    assert "failed: nothing serves, as there was no release before" in outcome.output
    assert "the container exited with code 1" in outcome.output
    assert "has no release" in stack.roll_back(stack="prod", code=2).output


def test_fault_in_the_compose_file_is_refused(stack: Sandbox) -> None:
    with stack.changed(COMPOSE, lambda text: text.replace("drain: 5s", "drian: 5s")):
        outcome = refused(stack, lambda: stack.deploy(code=2))
    assert "drian" in outcome.output
    assert "refused: nothing of test was changed" in outcome.output


@pytest.mark.parametrize("option", ["--continue-on-error", "--target=urn:of:something"])
def test_option_that_would_go_around_the_gate_is_refused(stack: Sandbox, option: str) -> None:
    set_version(stack, "7")
    outcome = refused(stack, lambda: stack.deploy("--", option, code=2))
    assert option.partition("=")[0] in outcome.output
    set_version(stack, "6")


def test_second_deploy_while_one_runs_is_refused(stack: Sandbox) -> None:
    before = str(stack.health()["version"])
    set_version(stack, "8")
    stack.replace(COMPOSE, "timeout: 5s", "timeout: 5s\n      stable_for: 12s")
    second: list[Outcome] = []
    with Watcher(stack.url(), stack.health_path) as watcher:
        first = at_line(stack, "proving web", lambda: second.append(stack.deploy(code=2)))
    assert "stack test is locked by" in second[0].output
    assert first.code == 0, first.output
    assert watcher.versions == [before, "8"]
    stack.replace(COMPOSE, "\n      stable_for: 12s", "")
    stack.deploy()
