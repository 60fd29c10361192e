"""Releases that must be refused: the old one serves on, and the message says what happened."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest

from slipway.proxy import KEY_HEADER, SERVICE_HEADER
from tests.e2e import faults
from tests.e2e.harness import Outcome, Sandbox, Watcher

MAIN = "app/app/main.py"
WORKER = "app/app/worker.py"


def refused(sandbox: Sandbox, path: str, fault: Callable[[str], str]) -> Outcome:
    """Try a release with a fault; the old one must serve all the while and be live afterwards."""
    live = sandbox.deployment().live
    running = sandbox.running()
    with sandbox.changed(path, fault), Watcher(sandbox.url()):
        outcome = sandbox.must_fail()
    assert sandbox.running() == running
    assert sandbox.deployment().live == live
    return outcome


def test_crash_at_boot_is_reported_within_6_s_of_its_end_with_its_log(sandbox: Sandbox) -> None:
    outcome = refused(sandbox, MAIN, faults.first("raise RuntimeError('no such setting')"))
    assert "service web: the container exited with code 1" in outcome.output
    assert "RuntimeError: no such setting" in outcome.output
    crashed = max(
        container.attrs["State"]["FinishedAt"][:19]
        for container in sandbox.engine.containers.list(all=True, filters={"exited": 1})
        if container.name.startswith(f"{sandbox.name}-test-web-")
    )
    ended = datetime.fromisoformat(f"{crashed}+00:00").timestamp()
    assert outcome.time_of("exited with code 1") - ended < 6 + 1  # Its time has whole seconds.


def test_a_failed_release_tried_again_fails_again(sandbox: Sandbox) -> None:
    with sandbox.changed(MAIN, faults.first("raise RuntimeError")), Watcher(sandbox.url()):
        for _ in range(2):
            outcome = sandbox.must_fail()
            assert "the container exited with code 1" in outcome.output


def test_exit_0_at_boot_is_a_failure_too(sandbox: Sandbox) -> None:
    outcome = refused(sandbox, MAIN, faults.first("raise SystemExit(0)"))
    assert "service web: the container exited" in outcome.output


def test_health_500_shows_expectation_answer_and_body(sandbox: Sandbox) -> None:
    with sandbox.changed("app/compose.yaml", lambda t: t.replace("drain: 8s", "timeout: 12s")):
        outcome = refused(sandbox, MAIN, faults.answering({"/api/health": (500, "")}))
    assert "service web: not well within 12 s" in outcome.output
    assert "probe “health”: expected status 200, found status 500" in outcome.output
    assert "body: broken on purpose" in outcome.output


def test_a_broken_page_beside_a_healthy_health_answer_is_seen(sandbox: Sandbox) -> None:
    with sandbox.changed("app/compose.yaml", lambda t: t.replace("drain: 8s", "timeout: 12s")):
        outcome = refused(sandbox, MAIN, faults.answering({"/": (500, "")}))
    assert "probe “landing page”: expected status 200, found status 500" in outcome.output


def test_a_redirecting_health_answer_is_not_followed(sandbox: Sandbox) -> None:
    with sandbox.changed("app/compose.yaml", lambda t: t.replace("drain: 8s", "timeout: 12s")):
        outcome = refused(sandbox, MAIN, faults.answering({"/api/health": (302, "/login")}))
    assert "found status 302 to /login; set follow_redirects: true" in outcome.output


def test_crash_during_the_stability_window_is_reported_at_once(sandbox: Sandbox) -> None:
    def slower(text: str) -> str:
        return text.replace("drain: 8s", "stable_for: 60s")

    with sandbox.changed("app/compose.yaml", slower):
        outcome = refused(sandbox, MAIN, faults.ending(8, 3))
    assert "the container exited with code 3" in outcome.output
    assert 5 < outcome.time_of("exited with code 3") - outcome.time_of("proving web") < 15


def test_a_worker_that_crashes_keeps_web_from_being_switched(sandbox: Sandbox) -> None:
    outcome = refused(sandbox, WORKER, faults.first("raise RuntimeError('no queue')"))
    assert "service worker: the container exited with code 1" in outcome.output
    assert "RuntimeError: no queue" in outcome.output


class HalfBroken(BaseHTTPRequestHandler):
    """An address that leads to the candidate, but not to the public route."""

    target = ""

    def do_GET(self) -> None:
        if KEY_HEADER not in self.headers:
            self.send_error(502)
            return
        headers = {name: self.headers[name] for name in (KEY_HEADER, SERVICE_HEADER)}
        answer = httpx.get(self.target + self.path, headers=headers)
        self.send_response(answer.status_code)
        self.send_header(KEY_HEADER, answer.headers.get(KEY_HEADER, ""))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def half_broken_address(sandbox: Sandbox) -> Iterator[str]:
    HalfBroken.target = sandbox.url()
    server = HTTPServer(("127.0.0.1", 0), HalfBroken)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_failure_after_the_switch_switches_back(sandbox: Sandbox, half_broken_address: str) -> None:
    running = sandbox.running()
    live = sandbox.deployment().live

    def elsewhere(text: str) -> str:
        return text.replace("config:\n", f"config:\n  slipway:address: {half_broken_address}\n")

    sandbox.set_version("1.1.9")
    with sandbox.changed("stacks/Pulumi.test.yaml", elsewhere):
        outcome = sandbox.must_fail()
    sandbox.set_version("1.0.0")
    assert "switched: new requests go to this release" in outcome.output
    assert "switching back to what served before" in outcome.output
    assert "the public address did not answer well after the switch" in outcome.output
    assert "expected status 200, found status 502" in outcome.output
    assert sandbox.running() == running
    assert sandbox.deployment().live == live
    assert sandbox.health()["version"] == "1.0.0"


def test_afterwards_a_good_release_passes_and_all_agrees(sandbox: Sandbox) -> None:
    sandbox.set_version("1.2.0")
    with Watcher(sandbox.url()) as watcher:
        sandbox.must_up()
    assert watcher.versions == ["1.0.0", "1.2.0"]
    sandbox.assert_agreement()
