"""Probes: what is asked of a service, and what its answer must be.

A probe is a pair of pure functions: `request` says what to send, `judge` what to think of the
answer. `Prober` carries them out.
"""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import httpx

from slipway.extension import Probe, Route
from slipway.proxy import KEY_HEADER, SERVER
from slipway.reported_version import reported_version

REQUEST_TIMEOUT = 5.0
"""Seconds until an answer that does not come counts as a failure."""
_BODY_START = 500
"""Characters of an answer that a report shows."""
_BODY_LIMIT = 1 << 20
"""Bytes of an answer that are read; an endless answer must not hold up a release."""
_REDIRECTS = 10
_APPLICATION = "the application"
_UNREACHED = (502, 503, 504)
"""What the proxy answers when it cannot connect."""


@dataclass(frozen=True)
class Request:
    """What to send."""

    method: str
    path: str
    headers: Mapping[str, str]
    follow_redirects: bool


@dataclass(frozen=True)
class Reply:
    """What came back: an answer, or the error that came in its place.

    `key` is what the proxy adds to a candidate's answers; `by_proxy` tells that it was the proxy
    itself that answered.
    """

    elapsed_ms: float
    status: int | None = None
    body: str = ""
    location: str | None = None
    error: str | None = None
    key: str | None = None
    by_proxy: bool = False


@dataclass(frozen=True)
class Verdict:
    """A probe's outcome.

    Args:
        probe: the probe's title.
        passed: whether the answer was as it must be.
        expected: what the answer had to be.
        found: what it was; equal in kind to `expected`, so that the two read side by side.
        body: the start of the answer's body.
        milliseconds: that the answer took; says nothing about whether two outcomes are the same.
        version: that the answer names, if it is JSON and names one; as little part of the outcome.
    """

    probe: str
    passed: bool
    expected: str
    found: str
    body: str = ""
    milliseconds: float | None = field(default=None, compare=False)
    version: str | None = field(default=None, compare=False)

    def __str__(self) -> str:
        head = f"probe “{self.probe}”: expected {self.expected}, found {self.found}"
        return f"{head}\nbody: {self.body}" if self.body and not self.passed else head


def request(probe: Probe, extra_headers: Mapping[str, str]) -> Request:
    """What to send for a probe.

    Args:
        probe: the probe.
        extra_headers: headers that lead to the candidate; the probe's own come second, so that
            they cannot undo them.
    """
    headers = {"User-Agent": "slipway-probe", **probe.headers, **extra_headers}
    return Request(probe.method, probe.path or "/", headers, probe.follow_redirects)


def public_headers(probe: Probe, route: Route) -> dict[str, str] | None:
    """Headers with which the public's way leads to a service; None if it does not lead there."""
    path, asked = route.path.rstrip("/"), (probe.path or "/").partition("?")[0]
    if route.internal or not f"{asked}/".startswith(f"{path}/"):
        return None
    named = {name.lower() for name in probe.headers}
    return {} if "host" in named or not route.host else {"Host": route.host[0]}


def judge(probe: Probe, reply: Reply, upstream: str = _APPLICATION) -> Verdict:
    """Whether a reply is what the probe wants; the first thing that is not, is told.

    Args:
        probe: the probe.
        reply: what came back.
        upstream: what the proxy was to reach, as the user knows it: `service:port`.
    """
    expected, found = _first_difference(probe, reply, upstream)
    return Verdict(
        probe.title,
        found is None,
        expected,
        found or expected,
        reply.body[:_BODY_START],
        reply.elapsed_ms,
        reported_version(reply.body),
    )


def _first_difference(probe: Probe, reply: Reply, upstream: str) -> tuple[str, str | None]:
    if probe.tcp:
        return _connection(reply)
    wanted = " or ".join(str(code) for code in probe.status)
    if reply.status is None:
        return f"status {wanted}", reply.error or "no answer"
    if reply.status not in probe.status:
        to = f" to {reply.location}" if reply.location else ""
        hint = _redirect_hint(probe) if reply.location else ""
        if reply.by_proxy and reply.status == httpx.codes.BAD_GATEWAY:
            hint = (
                f"; the proxy could not connect to {upstream}: does the application listen on "
                "0.0.0.0 and on route.port?"
            )
        return f"status {wanted}", f"status {reply.status}{to}{hint}"
    if probe.text is not None and probe.text not in reply.body:
        return f"the text “{probe.text}”", "an answer without it"
    if probe.json_values:
        expected, found = _json_difference(probe.json_values, reply.body)
        if found is not None:
            return expected, found
    if probe.max_ms is not None and reply.elapsed_ms > probe.max_ms:
        return f"an answer within {probe.max_ms} ms", f"one after {reply.elapsed_ms:.0f} ms"
    return f"status {wanted}", None


def _redirect_hint(probe: Probe) -> str:
    if probe.follow_redirects:
        return ", which is not the stack's own address: probes are not sent there"
    return "; set follow_redirects: true to follow it"


def _connection(reply: Reply) -> tuple[str, str | None]:
    expected = "a connection"
    if reply.status is None:
        return expected, reply.error or "no answer"
    refused = reply.status in _UNREACHED
    return expected, f"status {reply.status} of the proxy" if refused else None


def _json_difference(wanted: Mapping[str, Any], body: str) -> tuple[str, str | None]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return "a JSON answer", "something else"
    return _compare("", wanted, answer)


def _compare(path: str, wanted: Any, found: Any) -> tuple[str, str | None]:
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for key, value in wanted.items():
            below = f"{path}.{key}" if path else str(key)
            if key not in found:
                return f"{below} = {json.dumps(value)}", f"no {below}"
            expected, difference = _compare(below, value, found[key])
            if difference is not None:
                return expected, difference
        return path, None
    what = path or "the answer"
    same = _same(wanted, found)
    return f"{what} = {json.dumps(wanted)}", None if same else f"{what} = {json.dumps(found)}"


def _same(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, list) and isinstance(found, list):
        return len(wanted) == len(found) and all(map(_same, wanted, found))
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        return wanted.keys() == found.keys() and all(_same(wanted[k], found[k]) for k in wanted)
    # JSON tells true from 1; Python does not.
    return bool(wanted == found) and isinstance(wanted, bool) == isinstance(found, bool)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)


class Prober:
    """Sends requests to one address.

    Each request uses a connection of its own: a kept one would go on talking to the old container
    and would not see that the address is no longer accepted.

    Args:
        address: base URL, such as http://127.0.0.1:8001.
        clock: gives seconds; for tests.
        transport: for tests; default is the network.
    """

    def __init__(
        self,
        address: str,
        clock: Callable[[], float] = time.monotonic,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._address = address.rstrip("/")
        self._clock = clock
        self._transport = transport
        # Made once: it takes 50 ms, which would be in the time of every answer.
        self._tls = httpx.create_ssl_context(trust_env=False)

    def send(self, message: Request) -> Reply:
        """Send a request; a failure to connect or to answer is a reply too, never an exception."""
        started = self._clock()
        try:
            with httpx.Client(
                timeout=REQUEST_TIMEOUT,
                transport=self._transport,
                trust_env=False,
                verify=self._tls,
            ) as client:
                answer, body = self._exchange(client, message, started + REQUEST_TIMEOUT)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            reason = str(error) or type(error).__name__
            return Reply((self._clock() - started) * 1000, error=reason)
        return Reply(
            elapsed_ms=(self._clock() - started) * 1000,
            status=answer.status_code,
            body=body.decode(answer.encoding or "utf-8", "replace"),
            location=answer.headers.get("Location"),
            key=answer.headers.get(KEY_HEADER),
            by_proxy=answer.headers.get("Server") == SERVER,
        )

    def _exchange(
        self, client: httpx.Client, message: Request, deadline: float
    ) -> tuple[httpx.Response, bytes]:
        """The answer to a request, or to the last one of those that redirects ask for."""
        headers = dict(message.headers)
        sent = client.build_request(message.method, self._address + message.path, headers=headers)
        for _ in range(_REDIRECTS + 1):
            answer = client.send(sent, stream=True)
            with closing(answer):
                path = self._redirect(answer, message) if message.follow_redirects else None
                if path is None or answer.next_request is None:
                    return answer, self._read(answer, deadline)
            sent = client.build_request(answer.next_request.method, path, headers=headers)
        raise httpx.TooManyRedirects(f"more than {_REDIRECTS} redirects", request=sent)

    def _redirect(self, answer: httpx.Response, message: Request) -> httpx.URL | None:
        """Where a redirect leads, if that is the stack itself.

        The headers let requests reach candidates, and may hold secrets: no other host gets them.
        """
        own, follows = httpx.URL(self._address), answer.next_request
        names = [value for name, value in message.headers.items() if name.lower() == "host"]
        origins = [own, *(httpx.URL(f"{own.scheme}://{name}") for name in names)]
        if follows is None or _origin(follows.url) not in map(_origin, origins):
            return None
        return own.copy_with(raw_path=follows.url.raw_path)

    def _read(self, answer: httpx.Response, deadline: float) -> bytes:
        body = b""
        for chunk in answer.iter_bytes():
            body += chunk
            if len(body) > _BODY_LIMIT:
                break
            if self._clock() > deadline:
                raise httpx.ReadTimeout(f"no complete answer within {REQUEST_TIMEOUT:.0f} s")
        return body

    def probe(
        self, probe: Probe, extra_headers: Mapping[str, str], upstream: str = _APPLICATION
    ) -> Verdict:
        """Carry out one probe; see `request` and `judge`."""
        reply = self.send(request(probe, extra_headers))
        verdict = judge(probe, reply, upstream)
        wanted = extra_headers.get(KEY_HEADER)
        if not verdict.passed or wanted is None or reply.key == wanted:
            return verdict
        return Verdict(
            probe.title,
            False,
            "an answer of the candidate",
            f"one that did not come from it: {self._address} does not lead to this stack's proxy, "
            "or something on the way answers in its place; set slipway:address",
            verdict.body,
        )
