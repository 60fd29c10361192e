"""The Docker daemon goes down and comes back with everything running.

All containers of the machine go down with it: this runs by itself, and only where that is allowed.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.e2e import faults
from tests.e2e.harness import ROOT, Sandbox

ALLOWED = "SLIPWAY_RESTART_DOCKER"
_PID = Path("/var/run/docker.pid")
_PATIENCE = 60.0

pytestmark = pytest.mark.skipif(
    not os.environ.get(ALLOWED) or os.geteuid() != 0,
    reason=f"restarts the machine's Docker daemon; set {ALLOWED}=1, as root, to allow it",
)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Sandbox]:
    """A stack with a release that serves, and the stopped container of one that was refused."""
    sandbox = Sandbox(tmp_path)
    try:
        sandbox.must_up()
        with sandbox.changed("app/app/main.py", faults.first("raise RuntimeError('broken')")):
            sandbox.must_fail()
        yield sandbox
    finally:
        sandbox.tear_down()


def restart_docker() -> None:
    daemon = psutil.Process(int(_PID.read_text()))
    daemon.send_signal(signal.SIGTERM)
    daemon.wait(_PATIENCE)
    subprocess.run([ROOT / "scripts/bootstrap"], check=True, capture_output=True)


def wait_until_it_serves(stack: Sandbox) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            stack.health()
            return
        except (httpx.HTTPError, AssertionError):
            assert time.monotonic() < deadline, "nothing serves after the restart"
            time.sleep(0.5)


def test_what_served_before_a_restart_of_the_daemon_serves_after_it(stack: Sandbox) -> None:
    before = stack.running()
    restart_docker()
    wait_until_it_serves(stack)
    assert stack.running() == before, "what was refused has come back, or what served has not"
    stack.deploy()  # Its source is the one that serves: it only tidies up.
    assert stack.running() == before
    preview = stack.preview("test", "--expect-no-changes")
    assert preview.code == 0, preview.output
    stack.assert_agreement()
