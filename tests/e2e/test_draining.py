"""What is under way when a release switches: it finishes, and then the old container may."""

import threading
import time

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.e2e.harness import Sandbox, Watcher
from tests.e2e.test_interruptions import SlowDownload


class Listener(threading.Thread):
    """A WebSocket: counts messages until it is closed."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url = url.replace("http", "ws") + "/ws/status"
        self.opened = threading.Event()
        self.closed_at: float | None = None
        self.messages = 0

    def run(self) -> None:
        with connect(self._url) as socket:
            try:
                while True:
                    socket.recv(timeout=10)
                    self.messages += 1
                    self.opened.set()
            except (ConnectionClosed, TimeoutError):
                self.closed_at = time.time()


def deaths(sandbox: Sandbox, since: float, container: str) -> list[str]:
    """Exit codes with which a container ended."""
    found = sandbox.engine.events(
        since=int(since),
        until=int(time.time()) + 1,
        filters={"event": "die", "container": container},
        decode=True,
    )
    return [event["Actor"]["Attributes"]["exitCode"] for event in found]


def test_a_slow_download_and_a_websocket_outlive_the_switch(sandbox: Sandbox) -> None:
    began = time.time()
    old = sandbox.running()[sandbox.live("web")]
    sandbox.set_version("1.1.0")
    download = SlowDownload(sandbox.url(), seconds=14)
    listener = Listener(sandbox.url())
    with Watcher(sandbox.url()):
        listener.start()
        assert listener.opened.wait(10)
        download.start()
        outcome = sandbox.must_up()
    download.join()
    listener.join(30)
    # Complete to the last row, though the switch came in the middle of it.
    assert "row 56 of 56" in download.text
    assert "letting requests in flight" in outcome.output
    assert listener.closed_at is not None
    # The sandbox's drain is 8 s; a WebSocket never ends by itself.
    assert listener.closed_at - outcome.time_of("switched:") > 7
    # SIGTERM and an orderly end: 0 or 143, where 137 would be SIGKILL.
    assert deaths(sandbox, began, old) in (["0"], ["143"])


def test_a_websocket_lives_through_a_failed_release(sandbox: Sandbox) -> None:
    listener = Listener(sandbox.url())
    listener.start()
    assert listener.opened.wait(10)
    with sandbox.changed("app/app/main.py", lambda text: f"raise RuntimeError\n{text}"):
        sandbox.must_fail()
    before = listener.messages
    assert listener.closed_at is None
    listener.join(3)
    assert listener.closed_at is None
    assert listener.messages > before


def test_candidate_that_crashes_while_the_old_one_drains_is_undone(sandbox: Sandbox) -> None:
    version = sandbox.health()["version"]
    old = set(sandbox.running())
    listener = Listener(sandbox.url())
    listener.start()
    assert listener.opened.wait(10)
    sandbox.set_version("9.9.9")
    killed: list[float] = []

    def watch(line: str) -> None:
        if not killed and "letting requests in flight" in line:
            (candidate,) = (n for n in sandbox.running() if n not in old and "-web-" in n)
            sandbox.engine.containers.get(candidate).kill()
            killed.append(time.time())

    process = sandbox.start("up", "--yes", "--skip-preview", "--stack", "test")
    outcome = sandbox.follow(process, watch)
    sandbox.set_version(version)
    assert killed, outcome.output
    assert outcome.code != 0
    assert "service web: the container exited with code 137" in outcome.output
    assert "what served before still serves" in outcome.output
    # At once, and not when the old one's 8 s are over.
    assert outcome.time_of("switching back to what served before") - killed[0] < 4
    assert listener.closed_at is None
    assert sandbox.health()["version"] == version
    assert set(sandbox.running()) == old
    sandbox.must_up()
    sandbox.assert_agreement()
