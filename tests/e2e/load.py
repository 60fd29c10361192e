"""Users of a service: keep-alive clients, clients of one request, a WebSocket, a slow download.

None of them tries anything twice: what fails once has failed.
"""

import asyncio
import contextlib
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

KEEP_ALIVE_CLIENTS = 8
SINGLE_REQUEST_CLIENTS = 4
_PAUSE = 0.04
"""Seconds between two requests of a client: together some hundred requests a second at most."""
_ROWS = 25


@dataclass
class Report:
    """What the users saw.

    Args:
        requests: how many requests were made.
        failures: those that failed, with time and reason.
        latencies: of all requests, in seconds.
        downloads: slow downloads that came to their last row.
        closed: times at which the WebSocket was closed by the other side.
        versions: how often each version answered.
    """

    requests: int = 0
    failures: list[str] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    downloads: int = 0
    closed: list[float] = field(default_factory=list)
    versions: Counter[str] = field(default_factory=Counter)

    def percentile(self, share: float) -> float:
        """Latency in milliseconds below which this share of the requests stayed."""
        ordered = sorted(self.latencies)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000

    def __str__(self) -> str:
        shown = "".join(f"\n  {failure}" for failure in self.failures[:20])
        return (
            f"{self.requests} requests, {len(self.failures)} failed\n"
            f"latency p50 {self.percentile(0.5):.0f} ms, p99 {self.percentile(0.99):.0f} ms, "
            f"max {self.percentile(1):.0f} ms; {self.downloads} slow downloads complete; "
            f"{len(self.versions)} versions answered{shown}"
        )


class Load:
    """The users, until `stop` is called.

    Args:
        url: the public address.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._stopped = False
        self.report = Report()

    def stop(self) -> None:
        self._stopped = True

    def run(self) -> None:
        """Be all users at once; returns after `stop`, when the last one has finished."""
        asyncio.run(self._run())

    async def _run(self) -> None:
        users = [self._keep_alive() for _ in range(KEEP_ALIVE_CLIENTS)]
        users += [self._single() for _ in range(SINGLE_REQUEST_CLIENTS)]
        await asyncio.gather(*users, self._listen(), self._download())

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
        return httpx.AsyncClient(timeout=15, trust_env=False)

    async def _ask(self, client: httpx.AsyncClient) -> None:
        began = time.time()
        self.report.requests += 1
        try:
            answer = await client.get(f"{self._url}/api/health")
        except httpx.HTTPError as error:
            self._failed(repr(error))
            return
        self.report.latencies.append(time.time() - began)
        if answer.status_code != httpx.codes.OK:
            self._failed(f"{answer.status_code} {answer.text[:100]}")
        else:
            self.report.versions[answer.json()["version"]] += 1

    async def _download(self) -> None:
        url = f"{self._url}/api/export.csv?rows={_ROWS}&delay_ms=100"
        while not self._stopped:
            self.report.requests += 1
            try:
                async with self._client() as client:
                    text = (await client.get(url)).text
            except httpx.HTTPError as error:
                self._failed(f"download: {error!r}")
                continue
            if f"row {_ROWS} of {_ROWS}" in text:
                self.report.downloads += 1
            else:
                self._failed(f"download: ended after {len(text)} characters")

    async def _listen(self) -> None:
        """Keep a WebSocket open; a new one only after the old one was closed."""
        address = self._url.replace("http", "ws") + "/ws/status"
        while not self._stopped:
            try:
                async with connect(address, close_timeout=1) as socket:
                    while not self._stopped:
                        with contextlib.suppress(TimeoutError):
                            await asyncio.wait_for(socket.recv(), 1.5)
            except ConnectionClosed:
                self.report.closed.append(time.time())
            except OSError as error:
                self._failed(f"WebSocket: {error!r}")

    def _failed(self, reason: str) -> None:
        self.report.failures.append(f"{time.strftime('%X')} {reason}")
