import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.toolchain import commands
from slipway.toolchain.commands import NOT_FOUND, TIMED_OUT, Outcome, Shell


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def shell(said: list[str]) -> Shell:
    return Shell(os.environ, said.append)


def test_run_gives_both_outputs_and_the_code(shell: Shell) -> None:
    outcome = shell.run(["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert outcome == Outcome(3, "out\n", "err\n")
    assert outcome.reason == "err"


def test_a_missing_program_is_an_outcome_not_an_exception(shell: Shell) -> None:
    assert shell.run(["no-such-program"]).code == NOT_FOUND
    assert shell.watch(["no-such-program"], "x").code == NOT_FOUND


def test_a_reason_is_never_empty() -> None:
    assert Outcome(7).reason == "exit code 7 and no message"


def test_run_stops_what_takes_too_long(shell: Shell) -> None:
    outcome = shell.run(["sleep", "10"], timeout=0.2)
    assert outcome.code == TIMED_OUT
    assert "sleep did not finish within" in outcome.reason


def test_watch_gives_the_end_of_the_output_of_both_streams(shell: Shell) -> None:
    outcome = shell.watch(["sh", "-c", "echo a; echo b >&2; exit 2"], "x")
    assert outcome == Outcome(2, "a\nb")


def test_watch_stops_a_command_that_gives_no_sign(shell: Shell) -> None:
    began = time.monotonic()
    outcome = shell.watch(["sleep", "10"], "x", first_output=0.3)
    assert outcome.code == TIMED_OUT
    assert "gave no sign" in outcome.reason
    assert time.monotonic() - began < 3


def test_watch_lets_a_slow_command_that_gave_a_sign_finish(shell: Shell) -> None:
    outcome = shell.watch(["sh", "-c", "echo a; sleep 0.6; echo b"], "x", first_output=0.3)
    assert outcome == Outcome(0, "a\nb")


def test_watch_tells_that_a_long_command_is_at_work(
    shell: Shell, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "SIGN_OF_LIFE", 0.2)
    shell.watch(["sh", "-c", "echo a; sleep 0.5"], "building it")
    assert said[0] == "    … building it: 0 s, 1 lines of output"


def test_a_killed_parent_takes_its_command_along(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    script = (
        "import os; from slipway.toolchain.commands import Shell; "
        f"Shell(os.environ, print).watch(['sh', '-c', 'echo $$ > {pid}; exec sleep 60'], 'x')"
    )
    parent = subprocess.Popen([sys.executable, "-c", script])
    _until(lambda: pid.is_file() and pid.read_text().strip() != "")
    child = int(pid.read_text())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    _until(lambda: not _alive(child))


def test_a_daemon_outlives_its_start_and_writes_a_log(shell: Shell, tmp_path: Path) -> None:
    ended = shell.start(["sh", "-c", "echo ready"], tmp_path / "cache" / "log")
    _until(lambda: ended() is not None)
    assert ended() == 0
    assert (tmp_path / "cache" / "log").read_text() == "ready\n"


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _until(condition: Callable[[], bool], seconds: float = 5) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "did not happen in time"
        time.sleep(0.02)
