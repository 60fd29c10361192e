"""Users of a service: keep-alive clients, clients of one request, a WebSocket, a slow download.

None of them tries anything twice: what fails once has failed.
"""

import asyncio
import ssl
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, WebSocketException

KEEP_ALIVE_CLIENTS = 8
SINGLE_REQUEST_CLIENTS = 4
_PAUSE = 0.15
"""Seconds between two requests of a client: together some seventy requests a second at most, so
that two cores have time for the releases too."""
_ROWS = 15
"""Of a slow download: one and a half seconds."""
_SILENCE = 10.0
"""Seconds of silence after which a WebSocket counts as lost. The example sends a message a second;
this is generous, because all cores may be busy with a build."""


def percentile(seconds: list[float], share: float) -> float:
    """The milliseconds below which this share of some latencies stayed; 0 if there are none."""
    ordered = sorted(seconds)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000 if ordered else 0.0


@dataclass
class Report:
    """What the users saw.

    Args:
        requests: how many requests were made.
        failures: those that failed: when (seconds since the epoch), and why.
        answers: short requests that were answered: when they were asked, and the seconds it took.
        downloads: slow downloads that came to their last row.
        messages: messages that came over the WebSocket.
        closed: times at which the WebSocket was closed by the other side.
        versions: how often each version answered.
    """

    requests: int = 0
    failures: list[tuple[float, str]] = field(default_factory=list)
    answers: list[tuple[float, float]] = field(default_factory=list)
    downloads: int = 0
    messages: int = 0
    closed: list[float] = field(default_factory=list)
    versions: Counter[str] = field(default_factory=Counter)

    def percentile(self, share: float) -> float:
        """Latency in milliseconds below which this share of the requests stayed."""
        return percentile([taken for _, taken in self.answers], share)

    def __str__(self) -> str:
        shown = "".join(
            f"\n  {time.strftime('%X', time.localtime(at))} {why}" for at, why in self.failures[:20]
        )
        return (
            f"{self.requests} requests, {len(self.failures)} failed\n"
            f"latency p50 {self.percentile(0.5):.0f} ms, p99 {self.percentile(0.99):.0f} ms, "
            f"max {self.percentile(1):.0f} ms; {self.downloads} slow downloads complete, "
            f"{self.messages} WebSocket messages; "
            f"{len(self.versions)} versions answered{shown}"
        )


class Load:
    """The users, from `start` to `stop`.

    Args:
        url: the public address.
        held: whether a WebSocket and a slow download are among them. What is left of a release
            waits for these, for as long as `drain` gives them.
    """

    def __init__(self, url: str, *, held: bool = True) -> None:
        self._url = url
        self._held = held
        self._stopped = False
        # Made once: it takes 50 ms, which is more than all else that a request costs a client.
        self._tls = ssl.create_default_context()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self.report = Report()

    def start(self) -> None:
        """Let all users begin."""
        self._thread.start()

    def stop(self) -> None:
        """Let each user finish what it is at, so that what fails last is counted too."""
        self._stopped = True
        self._thread.join(60)
        if self._thread.is_alive():
            self._failed("a user never came to an end")

    async def _run(self) -> None:
        users = [self._keep_alive() for _ in range(KEEP_ALIVE_CLIENTS)]
        users += [self._single() for _ in range(SINGLE_REQUEST_CLIENTS)]
        if self._held:
            users += [self._listen(), self._download()]
        await asyncio.gather(*users)

    async def _keep_alive(self) -> None:
        async with self._client() as client:
            while not self._stopped:
                await self._ask(client)
                await asyncio.sleep(_PAUSE)

    async def _single(self) -> None:
        while not self._stopped:
            async with self._client() as client:
                await self._ask(client)
            await asyncio.sleep(_PAUSE)

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=15, trust_env=False, verify=self._tls)

    async def _ask(self, client: httpx.AsyncClient) -> None:
        began = time.time()
        self.report.requests += 1
        try:
            answer = await client.get(f"{self._url}/api/health")
        except httpx.HTTPError as error:
            self._failed(repr(error))
            return
        self.report.answers.append((began, time.time() - began))
        if answer.status_code != httpx.codes.OK:
            self._failed(f"{answer.status_code} {answer.text[:100]}")
        else:
            self.report.versions[answer.json()["version"]] += 1

    async def _download(self) -> None:
        url = f"{self._url}/api/export.csv?rows={_ROWS}&delay_ms=100"
        while not self._stopped:
            self.report.requests += 1
            began, text, cut = time.time(), "", None
            try:
                async with self._client() as client, client.stream("GET", url) as answer:
                    async for piece in answer.aiter_text():
                        text += piece
            except httpx.HTTPError as error:
                cut = error
            if cut is None and f"row {_ROWS} of {_ROWS}" in text:
                self.report.downloads += 1
            else:
                took = f"{time.time() - began:.1f} s"
                self._failed(f"download: {cut!r} after {took} and {text[-200:]!r}")

    async def _listen(self) -> None:
        """Keep a WebSocket open; a new one only after the old one was closed."""
        address = self._url.replace("http", "ws") + "/ws/status"
        while not self._stopped:
            try:
                async with connect(address, close_timeout=1) as socket:
                    while not self._stopped:
                        await asyncio.wait_for(socket.recv(), _SILENCE)
                        self.report.messages += 1
            except ConnectionClosed:
                self.report.closed.append(time.time())
            except (OSError, WebSocketException) as error:  # A silent one is a TimeoutError.
                self._failed(f"WebSocket: {error!r}")

    def _failed(self, reason: str) -> None:
        self.report.failures.append((time.time(), reason))
