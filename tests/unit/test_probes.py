import ssl
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from slipway.probes import Prober, Reply, Request, Verdict, judge, request

from .support import probe

OK = Reply(12.0, 200, '{"status": "ok", "checks": {"db": true, "queue": [1, 2]}, "n": 1}')


def verdict(expected: str, found: str | None = None, **fields: Any) -> Verdict:
    values = {"probe": "GET /health", "body": OK.body, **fields}
    return Verdict(passed=found is None, expected=expected, found=found or expected, **values)


class FakeClock:
    """Gives the times that it was told, then the last one for ever."""

    def __init__(self, *times: float) -> None:
        self._times = list(times)

    def __call__(self) -> float:
        return self._times.pop(0) if len(self._times) > 1 else self._times[0]


def prober(
    answer: Callable[[httpx.Request], httpx.Response], clock: Callable[[], float] | None = None
) -> Prober:
    transport = httpx.MockTransport(answer)
    return Prober("http://127.0.0.1:8001/", clock or FakeClock(0), transport)


def test_request_carries_probe_and_the_way_to_the_candidate() -> None:
    chosen = probe(
        "/health?deep=1",
        method="POST",
        headers={"Host": "shop.example.com", "X-Key": "its own"},
        follow_redirects=True,
    )

    assert request(chosen, {"X-Key": "the way"}) == Request(
        "POST",
        "/health?deep=1",
        {"User-Agent": "slipway-probe", "Host": "shop.example.com", "X-Key": "the way"},
        True,
    )


@pytest.mark.parametrize(
    ("criteria", "reply", "expected"),
    [
        ({}, OK, verdict("status 200")),
        ({"name": "health"}, OK, verdict("status 200", probe="health")),
        ({"status": [200, 204]}, Reply(1, 204), verdict("status 200 or 204", body="")),
        (
            {},
            Reply(1, 500, "Internal Server Error"),
            verdict("status 200", "status 500", body="Internal Server Error"),
        ),
        (
            {},
            Reply(1, 302, "", "/login"),
            verdict(
                "status 200",
                "status 302 to /login; set follow_redirects: true to follow it",
                body="",
            ),
        ),
        (
            {},
            Reply(5000, error="timed out"),
            verdict("status 200", "timed out", body=""),
        ),
        ({"status": [200, 401]}, Reply(1), verdict("status 200 or 401", "no answer", body="")),
        ({"text": "ok"}, OK, verdict("status 200")),
        ({"text": "fine"}, OK, verdict("the text “fine”", "an answer without it")),
        ({"json": {"status": "ok", "n": 1}}, OK, verdict("status 200")),
        ({"json": {"status": "up"}}, OK, verdict('status = "up"', 'status = "ok"')),
        ({"json": {"version": 3}}, OK, verdict("version = 3", "no version")),
        ({"json": {"checks": {"db": True}}}, OK, verdict("status 200")),
        ({"json": {"checks": {"db": False}}}, OK, verdict("checks.db = false", "checks.db = true")),
        ({"json": {"checks": {"x": {"y": 1}}}}, OK, verdict('checks.x = {"y": 1}', "no checks.x")),
        ({"json": {"status": {"a": 1}}}, OK, verdict('status = {"a": 1}', 'status = "ok"')),
        ({"json": {"checks": {"db": 1}}}, OK, verdict("checks.db = 1", "checks.db = true")),
        ({"json": {"n": True}}, OK, verdict("n = true", "n = 1")),
        ({"json": {"n": 1.0}}, OK, verdict("status 200")),
        ({"json": {"checks": {"queue": [1, 2]}}}, OK, verdict("status 200")),
        (
            {"json": {"checks": {"queue": [True, 2]}}},
            OK,
            verdict("checks.queue = [true, 2]", "checks.queue = [1, 2]"),
        ),
        (
            {"json": {"status": "ok"}},
            Reply(1, 200, "<html>"),
            verdict("a JSON answer", "something else", body="<html>"),
        ),
        (
            {"json": {"status": "ok"}},
            Reply(1, 200, "[" * 100_000),
            verdict("a JSON answer", "something else", body="[" * 500),
        ),
        (
            {"json": {"status": "ok"}},
            Reply(1, 200, "[1]"),
            verdict('the answer = {"status": "ok"}', "the answer = [1]", body="[1]"),
        ),
        ({"max_ms": 12}, OK, verdict("status 200")),
        ({"max_ms": 11}, OK, verdict("an answer within 11 ms", "one after 12 ms")),
        (
            {"max_ms": 1, "text": "fine", "json": {"n": 2}, "status": 204},
            OK,
            verdict("status 204", "status 200"),
        ),
    ],
)
def test_judges_each_criterion(criteria: dict[str, Any], reply: Reply, expected: Verdict) -> None:
    assert judge(probe(**criteria), reply) == expected


def test_answer_of_the_proxy_itself_says_what_it_could_not_reach() -> None:
    reply = Reply(1, 502, "The application does not answer (502).\n", by_proxy=True)

    hint = "does the application listen on 0.0.0.0 and on route.port?"
    assert judge(probe(), reply, "web:8000").found == (
        f"status 502; the proxy could not connect to web:8000: {hint}"
    )
    assert judge(probe(), reply).found == (
        f"status 502; the proxy could not connect to the application: {hint}"
    )


@pytest.mark.parametrize("reply", [Reply(1, 502, "upstream"), Reply(1, 404, by_proxy=True)])
def test_other_failures_do_not_tell_of_connections(reply: Reply) -> None:
    assert judge(probe(), reply, "web:8000").found == f"status {reply.status}"


@pytest.mark.parametrize(("server", "by_proxy"), [("slipway", True), ("uvicorn", False)])
def test_reply_tells_whether_the_proxy_answered_itself(server: str, by_proxy: bool) -> None:
    answer = httpx.Response(502, headers={"Server": server})

    reply = prober(lambda sent: answer).send(Request("GET", "/", {}, False))

    assert reply == Reply(0, 502, by_proxy=by_proxy)


def test_report_shows_the_start_of_a_wrong_answer() -> None:
    failed = judge(probe(), Reply(1, 500, "x" * 501))
    passed = judge(probe(), Reply(1, 200, "fine"))

    assert str(failed) == (
        "probe “GET /health”: expected status 200, found status 500\nbody: " + "x" * 500
    )
    assert str(passed) == "probe “GET /health”: expected status 200, found status 200"


def test_sends_what_the_request_says() -> None:
    seen: list[tuple[str, str, str, str]] = []

    def answer(sent: httpx.Request) -> httpx.Response:
        seen.append((sent.method, str(sent.url), sent.headers["Host"], sent.headers["X-Key"]))
        return httpx.Response(200, text="fine")

    checked = probe("/health?a=b", method="PUT", headers={"Host": "shop.example.com"})
    found = prober(answer, FakeClock(1, 1.25)).probe(checked, {"X-Key": "1"})

    assert seen == [("PUT", "http://127.0.0.1:8001/health?a=b", "shop.example.com", "1")]
    assert found == Verdict("PUT /health?a=b", True, "status 200", "status 200", "fine")


def test_reply_tells_time_status_body_and_where_it_leads() -> None:
    moved = httpx.Response(302, headers={"Location": "/login"}, text="moved")

    assert prober(lambda sent: moved, FakeClock(1, 1.25)).send(Request("GET", "/", {}, False)) == (
        Reply(250.0, 302, "moved", "/login")
    )


def test_redirects_are_followed_only_where_the_probe_says_so() -> None:
    def answer(sent: httpx.Request) -> httpx.Response:
        if sent.url.path == "/login":
            return httpx.Response(200, text="please log in")
        return httpx.Response(307, headers={"Location": "/login"})

    one = prober(answer)

    assert one.send(Request("GET", "/", {}, False)).status == 307
    assert one.send(Request("GET", "/", {}, True)) == Reply(0, 200, "please log in")


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("/login?next=/", "/login?next=/"),
        ("login", "/login"),
        ("http://127.0.0.1:8001/login", "/login"),
        ("http://shop.example.com/login", "/login"),
    ],
)
def test_redirect_within_the_stack_is_followed_on_its_own_address(location: str, path: str) -> None:
    asked: list[tuple[str, str, str]] = []

    def answer(sent: httpx.Request) -> httpx.Response:
        asked.append((str(sent.url), sent.headers["Host"], sent.headers["X-Key"]))
        redirect = httpx.Response(303, headers={"Location": location})
        return redirect if sent.url.path == "/" else httpx.Response(200, text=sent.method)

    headers = {"Host": "shop.example.com", "X-Key": "secret"}
    assert prober(answer).send(Request("POST", "/", headers, True)).body == "GET"
    assert asked == [
        (f"http://127.0.0.1:8001{there}", "shop.example.com", "secret") for there in ("/", path)
    ]


@pytest.mark.parametrize(
    "location",
    [
        "http://other.example.com/login",
        "https://shop.example.com/login",
        "http://127.0.0.1:8000/login",
        "//other.example.com/",
    ],
)
def test_no_other_host_gets_the_headers_of_a_probe(location: str) -> None:
    asked: list[str] = []

    def answer(sent: httpx.Request) -> httpx.Response:
        asked.append(str(sent.url))
        return httpx.Response(302, headers={"Location": location})

    headers = {"Host": "shop.example.com", "X-Key": "secret"}
    reply = prober(answer).send(Request("GET", "/", headers, True))
    assert (reply.status, reply.location) == (302, location)
    assert asked == ["http://127.0.0.1:8001/"]
    told = judge(probe("/", follow_redirects=True), reply)
    assert told.found == (
        f"status 302 to {location}, which is not the stack's own address: probes are not sent there"
    )


def test_redirects_that_never_end_are_a_failure_to_answer() -> None:
    def answer(sent: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"Location": "/"})

    reply = prober(answer).send(Request("GET", "/", {}, True))
    assert reply == Reply(0, error="more than 10 redirects")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (httpx.ConnectError("refused"), "refused"),
        (httpx.ReadTimeout(""), "ReadTimeout"),
        (httpx.RemoteProtocolError("cut off"), "cut off"),
    ],
)
def test_failure_to_answer_is_a_reply(error: httpx.HTTPError, text: str) -> None:
    def fail(sent: httpx.Request) -> httpx.Response:
        raise error

    assert prober(fail, FakeClock(1, 1.5)).send(Request("GET", "/", {}, False)) == Reply(
        500, error=text
    )


def test_certificates_are_read_once_and_not_within_the_time_of_an_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[ssl.SSLContext] = []
    create = ssl.create_default_context

    def counted(*args: Any, **options: Any) -> ssl.SSLContext:
        made.append(create(*args, **options))
        return made[-1]

    monkeypatch.setattr(ssl, "create_default_context", counted)
    asked = Prober("http://127.0.0.1:9")
    for _ in range(2):
        assert asked.send(Request("GET", "/", {}, False)).error
    assert len(made) == 1


def test_endless_answer_is_read_to_a_limit() -> None:
    chunks = 0

    def endless() -> Iterator[bytes]:
        nonlocal chunks
        while True:
            chunks += 1
            yield b"x" * 65536

    reply = prober(lambda sent: httpx.Response(200, content=endless())).send(
        Request("GET", "/", {}, False)
    )

    assert (reply.status, len(reply.body), chunks) == (200, 17 * 65536, 17)


def test_answer_that_drips_is_given_up() -> None:
    clock = FakeClock(0, 2, 4, 5.5, 5.5)

    def drip() -> Iterator[bytes]:
        while True:
            yield b"x"

    reply = prober(lambda sent: httpx.Response(200, content=drip()), clock).send(
        Request("GET", "/", {}, False)
    )

    assert reply == Reply(5500, error="no complete answer within 5 s")


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("text/plain; charset=latin-1", b"caf\xe9", "café"),
        ("text/plain", "café".encode(), "café"),
        ("text/plain", b"\xff", "\ufffd"),
        ("text/plain; charset=nonsense", b"fine", "fine"),
    ],
)
def test_body_is_read_whatever_its_encoding(content_type: str, body: bytes, text: str) -> None:
    answer = httpx.Response(200, headers={"Content-Type": content_type}, content=body)

    assert prober(lambda sent: answer).send(Request("GET", "/", {}, False)).body == text


@pytest.mark.parametrize(
    ("path", "headers", "error"),
    [
        ("/\x00", {}, "Invalid non-printable ASCII character in URL, '\\x00' at position 19."),
        (
            "/",
            {"X-Name": "München"},
            "'ascii' codec can't encode character '\\xfc' in position 1: ordinal not in range(128)",
        ),
    ],
)
def test_request_that_cannot_be_sent_is_a_reply(
    path: str, headers: dict[str, str], error: str
) -> None:
    reply = Prober("http://127.0.0.1:9", FakeClock(0)).send(Request("GET", path, headers, False))

    assert (reply.status, reply.error) == (None, error)
