"""Thirty releases in a row under load, ten of them failing: no request is lost."""

import time
from collections.abc import Callable, Iterator

import pytest

from tests.e2e import faults
from tests.e2e.conftest import SHOWN
from tests.e2e.harness import Sandbox
from tests.e2e.load import Load

RELEASES = 30
MAIN = "app/app/main.py"
COMPOSE = "app/compose.yaml"
PATIENCE = "10s"
"""How long a release may take to become well; busy machines need it."""
ENDING_TOO_SOON = 0.7
"""Seconds that a release lives which must not be proven: fewer than the sandbox's `stable_for`."""
FAULTS: list[Callable[[str], str]] = [
    faults.first("raise RuntimeError('at boot')"),
    faults.answering({"/api/health": (500, "")}),
    faults.first("raise SystemExit(0)"),
    faults.answering({"/": (503, "")}),
    faults.first("this is no Python"),
    faults.answering({"/api/health": (302, "/login")}),
    faults.ending(ENDING_TOO_SOON, 9),
    faults.first("import os; os._exit(137)"),
    faults.last("del app"),
    faults.answering({"/api/health": (200, "")}),
]


@pytest.fixture(scope="module")
def web_only(new_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """The example without its worker, and with less patience: releases in quick succession.

    The WebSocket stays until the drain is over, so each release waits for all of it: it is little
    more than the slow download takes.
    """
    sandbox = new_sandbox()
    text = sandbox.read(COMPOSE)
    start, end = text.index("  worker:\n"), text.index("volumes:\n  # Database")
    text = text[:start] + text[end:]
    sandbox.write(COMPOSE, text.replace("drain: 8s", f"drain: 2s\n      timeout: {PATIENCE}"))
    sandbox.must_up()
    return sandbox


@pytest.fixture
def load(web_only: Sandbox) -> Iterator[Load]:
    made = Load(web_only.url())
    made.start()
    yield made
    made.stop()


def impatient(text: str) -> str:
    """For a release that will not become well, however long it is waited for."""
    return text.replace(f"timeout: {PATIENCE}", "timeout: 5s")


def test_thirty_releases_lose_no_request(
    web_only: Sandbox, load: Load, record_property: Callable[[str, object], None]
) -> None:
    good, failed_spans = 0, []
    for number in range(RELEASES):
        if number % 3 == 1:
            began = time.time()
            fault = FAULTS[number // 3]
            with web_only.changed(MAIN, fault), web_only.changed(COMPOSE, impatient):
                outcome = web_only.must_fail()
            assert "refused: web" in outcome.output, outcome.output
            failed_spans.append((began, time.time()))
        else:
            good += 1
            web_only.set_version(f"2.{number}.0")
            web_only.must_up()
            assert web_only.health()["version"] == f"2.{number}.0"
    load.stop()
    report = load.report
    record_property(SHOWN, f"{good} releases, {len(failed_spans)} refused; {report}")
    assert report.failures == []
    assert report.messages > 0
    assert report.downloads > 0
    assert (good, len(failed_spans)) == (20, 10)
    # Each version that was released was seen by users, and no other.
    assert len(report.versions) == good + 1
    closed_in_failed = [
        at for at in report.closed for began, ended in failed_spans if began < at < ended
    ]
    assert closed_in_failed == []
    web_only.assert_agreement()
