"""Deploys that are interrupted: phase, signal and what is done next, each with each.

By default every pair of two of them is met once; SLIPWAY_WHOLE_TABLE=1 runs all 80 cells.
"""

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import httpx
import pytest

from tests.e2e.conftest import SHOWN
from tests.e2e.harness import Outcome, Sandbox, Watcher
from tests.e2e.tiny import set_version, tiny_sandbox, version_of

PHASES = {
    "create": r"making containers",
    "probe": r"proving web",
    "switched": r"switched: new requests",
    "draining": r"letting requests in flight",
    "deleting": r"removing what served before",
}
SIGNALS = ["INT", "INT twice", "TERM", "KILL"]
ACTIONS = ["same source", "old source", "another source", "rollback"]
_BETWEEN = 0.3
"""Seconds between two signals."""


def cells() -> list[tuple[str, str, str]]:
    """The whole table, or a part of it in which each two values meet."""
    whole = bool(os.environ.get("SLIPWAY_WHOLE_TABLE"))
    return [
        (phase, sent, action)
        for row, phase in enumerate(PHASES)
        for column, sent in enumerate(SIGNALS)
        for number, action in enumerate(ACTIONS)
        if whole or number == (row + column) % len(ACTIONS)
    ]


@dataclass
class Table:
    """A sandbox, the newest of its versions, and how each cell went."""

    sandbox: Sandbox
    newest: int = 2
    lines: list[str] = field(default_factory=list)

    def next_version(self) -> str:
        self.newest += 1
        return str(self.newest)


@pytest.fixture(scope="module")
def table(new_sandbox: Callable[..., Sandbox]) -> Table:
    """A stack with two releases."""
    sandbox = tiny_sandbox(new_sandbox)
    sandbox.deploy()
    set_version(sandbox, "2")
    sandbox.deploy()
    return Table(sandbox)


class SlowRequest(threading.Thread):
    """Keeps the live container busy, so that there is something to drain."""

    def __init__(self, url: str, seconds: float) -> None:
        super().__init__()
        self._url = f"{url}/slow?seconds={seconds}"
        self.status: int | None = None

    def run(self) -> None:
        self.status = httpx.get(self._url, timeout=30).status_code


def send(sandbox: Sandbox, process: "subprocess.Popen[str]", sent: str) -> None:
    if sent == "KILL":
        sandbox.kill()
        return
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM if sent == "TERM" else signal.SIGINT)
    if sent == "INT twice":
        time.sleep(_BETWEEN)
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)


def interrupted_deploy(sandbox: Sandbox, phase: str, sent: str) -> Outcome:
    """Deploy, and send the driver a signal as soon as it is in a phase."""
    process = sandbox.start_script("deploy", "test", "--leave-pin")
    reached: list[str] = []
    senders: list[threading.Thread] = []

    def watch(line: str) -> None:
        if not reached and re.search(PHASES[phase], line):
            reached.append(line)
            senders.append(threading.Thread(target=send, args=(sandbox, process, sent)))
            senders[0].start()

    outcome = sandbox.follow(process, watch)
    assert reached, outcome.output
    senders[0].join()
    return outcome


def assert_told_the_truth(sandbox: Sandbox, outcome: Outcome, old: str, new: str) -> None:
    """The exit code says what serves: the new release, or the one before; never anything else."""
    assert outcome.code in (0, 1, 2), outcome.output
    assert sandbox.health()["version"] == (new if outcome.code == 0 else old), outcome.output
    if outcome.code:
        sandbox.assert_agreement()
    else:  # What served before may be there still: it goes with the next deploy.
        assert "is verified" in outcome.output


def do_next(table: Table, action: str, old: str, new: str) -> str:
    """What somebody does after an interrupted deploy; gives the version that must serve then."""
    sandbox = table.sandbox
    if action == "rollback":
        live, *older = map(version_of, sandbox.deployment().live.ledger)
        sandbox.roll_back()
        return next(version for version in older if version != live)
    wanted = {"same source": new, "old source": old}.get(action) or table.next_version()
    set_version(sandbox, wanted)
    sandbox.deploy("--leave-pin")
    return wanted


@pytest.mark.parametrize(("phase", "sent", "action"), cells())
def test_interrupted_deploy_leaves_something_verified_and_is_made_good(
    table: Table, phase: str, sent: str, action: str
) -> None:
    sandbox, began = table.sandbox, time.monotonic()
    old, new = str(sandbox.health()["version"]), table.next_version()
    set_version(sandbox, new)
    code: object = "failed"
    try:
        with Watcher(sandbox.url(), sandbox.health_path) as watcher:
            if phase == "draining":
                slow = SlowRequest(sandbox.url(), 12)
                slow.start()
            outcome = interrupted_deploy(sandbox, phase, sent)
            if sent != "KILL":
                assert_told_the_truth(sandbox, outcome, old, new)
            between = str(sandbox.health()["version"])
            wanted = do_next(table, action, old, new)
        assert sandbox.health()["version"] == wanted
        assert set(watcher.versions) <= {old, new, wanted}
        sandbox.assert_agreement()
        code = f"{outcome.code:3} {'new' if between == new else 'old'}"
    finally:
        seconds = time.monotonic() - began
        table.lines.append(f"{phase:9} {sent:9} {action:14} {code} {seconds:5.1f} s")


def test_table(table: Table, record_property: Callable[[str, object], None]) -> None:
    """Shows, for each cell, the interrupted deploy's exit code and what served then."""
    record_property(SHOWN, "\n".join(["", *table.lines]))
