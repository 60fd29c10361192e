import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from slipway.doctor.pulumi_cli import Pulumi, runner
from slipway.errors import HostError

from ..support import finished


def pulumi(code: int = 0, stdout: str = "", stderr: str = "") -> Pulumi:
    return Pulumi(lambda command: finished(code, stdout, stderr))


def refusal(cli: Pulumi) -> str:
    with pytest.raises(HostError) as caught:
        cli.stacks()
    return str(caught.value)


def test_stacks_are_told_by_their_own_names() -> None:
    listed = [{"name": "team/shop/test"}, {"name": "prod"}]
    assert pulumi(stdout=json.dumps(listed)).stacks() == ("prod", "test")


def test_versions_are_told() -> None:
    assert pulumi(stdout="v3.256.0\n").version() == "3.256.0"
    plugins = [{"name": "docker", "version": "5.2.0"}, {"name": "aws", "version": "7.0.0"}]
    assert pulumi(stdout=json.dumps(plugins)).plugins("docker") == ("5.2.0",)


def test_state_is_asked_for_without_a_question() -> None:
    asked: list[Sequence[str]] = []

    def run(command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        asked.append(command)
        return finished(stdout="{}")

    assert Pulumi(run).export("test") == {}
    assert asked == [["pulumi", "stack", "export", "--stack", "test", "--non-interactive"]]


def test_reason_of_the_cli_is_passed_on_in_one_line() -> None:
    assert refusal(pulumi(255, stderr="error: no bucket\n  at all\n")) == (
        "the backend does not say which stacks it has: no bucket at all"
    )
    assert refusal(pulumi(255)).endswith(": no reason was given")
    assert refusal(pulumi(stdout="hello")).startswith(
        "the backend does not say which stacks it has: pulumi answered no JSON"
    )


def test_missing_cli_is_told() -> None:
    def run(command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        raise FileNotFoundError

    assert refusal(Pulumi(run)).endswith("there is no pulumi on PATH")


def test_backend_that_never_answers_is_given_up() -> None:
    def run(command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        raise subprocess.TimeoutExpired(command, 45)

    assert refusal(Pulumi(run)).endswith("no answer within 45 s")


def test_commands_run_in_the_projects_folder(tmp_path: Path) -> None:
    assert runner(tmp_path)(["pwd"]).stdout.strip() == str(tmp_path)
