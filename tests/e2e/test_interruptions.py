"""Runs that are killed, and runs that meet: something verified serves all the while."""

import re
import subprocess
import threading

import httpx
import pytest

from tests.e2e.harness import Sandbox, Watcher

PHASES = {
    "create": r"Container \S+-web-\w+ creating",
    "probe": r"proving web",
    "switched": r"switched: new requests",
    "draining": r"letting requests in flight",
    "deleting": r"Container \S+-web-\w+ deleting",
}


def kill_in(sandbox: Sandbox, phase: str) -> None:
    """Start an up, and kill every process of it as soon as it is in a phase."""
    reached: list[str] = []

    def watch(line: str) -> None:
        if not reached and re.search(PHASES[phase], line):
            reached.append(line)
            sandbox.kill()

    process = sandbox.start("up", "--yes", "--skip-preview", "--stack", "test")
    outcome = sandbox.follow(process, watch)
    assert reached, outcome.output
    assert outcome.code != 0
    sandbox.unlock()


def start_until_proving(sandbox: Sandbox) -> "subprocess.Popen[str]":
    """Start an up, and come back when its gate is at work."""
    process = sandbox.start("up", "--yes", "--skip-preview", "--stack", "test")
    assert process.stdout is not None
    while "proving" not in (line := process.stdout.readline()):
        assert line, "the first up ended early"
    return process


class SlowDownload(threading.Thread):
    """Keeps the live container busy for some seconds, so that there is something to drain."""

    def __init__(self, url: str, seconds: int) -> None:
        super().__init__()
        self._url = f"{url}/api/export.csv?rows={seconds * 4}&delay_ms=250"
        self.started = threading.Event()
        self.text = ""

    def run(self) -> None:
        with httpx.stream("GET", self._url, timeout=30) as answer:
            for chunk in answer.iter_text():
                self.text += chunk
                self.started.set()


@pytest.fixture(scope="module")
def versions() -> dict[str, int]:
    return {"next": 0}


@pytest.mark.parametrize("source", ["same", "old"])
@pytest.mark.parametrize("phase", list(PHASES))
def test_a_killed_run_is_made_good_by_the_next(
    sandbox: Sandbox, versions: dict[str, int], phase: str, source: str
) -> None:
    old = sandbox.health()["version"]
    versions["next"] += 1
    new = f"3.{versions['next']}.0"
    sandbox.set_version(new)
    with Watcher(sandbox.url()) as watcher:
        if phase == "draining":
            download = SlowDownload(sandbox.url(), seconds=6)
            download.start()
            download.started.wait(10)
        kill_in(sandbox, phase)
        wanted = new if source == "same" else old
        sandbox.set_version(wanted)
        sandbox.must_up()
        if phase == "draining":
            download.join()
            assert "row 24 of 24" in download.text
    assert sandbox.health()["version"] == wanted
    assert set(watcher.versions) <= {old, new}
    sandbox.assert_agreement()
    assert sandbox.preview("test", "--expect-no-changes").code == 0


def test_two_ups_at_once_one_is_refused_and_nothing_breaks(sandbox: Sandbox) -> None:
    sandbox.set_version("4.0.0")
    with Watcher(sandbox.url()):
        first = start_until_proving(sandbox)
        second = sandbox.must_fail()
        assert "locked" in second.output
        assert sandbox.follow(first).code == 0
    assert sandbox.health()["version"] == "4.0.0"
    sandbox.assert_agreement()


def test_after_pulumi_cancel_two_gates_do_not_both_switch(sandbox: Sandbox) -> None:
    """`pulumi cancel` takes the lock away but stops nothing: the first gate is still at work."""
    sandbox.replace("app/compose.yaml", "drain: 8s", "drain: 8s\n      stable_for: 12s")
    sandbox.set_version("5.0.0")
    with Watcher(sandbox.url()):
        first = start_until_proving(sandbox)
        sandbox.unlock()
        second = sandbox.up()
        one = sandbox.follow(first)
    # Whoever came second either waited for the lease or was told; both cannot have failed.
    assert 0 in (one.code, second.code), one.output + second.output
    sandbox.must_up()
    assert sandbox.health()["version"] == "5.0.0"
    sandbox.assert_agreement()
