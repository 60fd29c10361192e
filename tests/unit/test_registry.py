from collections.abc import Callable

import httpx
import pytest

from slipway.errors import RegistryError
from slipway.reference import parse_reference
from slipway.registry import Credentials, Registry, is_local

from .support import DIGEST

LOCAL = parse_reference("localhost:5000/shop:src-1")
REMOTE = parse_reference("reg.example.com/team/shop:1")
ACCOUNT = Credentials("me", "pass")
BASIC = "Basic bWU6cGFzcw=="
FOUND = httpx.Response(200, headers={"Docker-Content-Digest": DIGEST})
MANIFESTS = (
    "application/vnd.oci.image.index.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.v2+json"
)
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="https://auth.example.com/token",service="reg"'}


class FakeRegistry:
    """Answers with what it is given, and remembers what it was asked."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        self.requests: list[httpx.Request] = []
        self._answer = answer

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self._answer(request)

    @property
    def asked(self) -> list[tuple[str, str, str | None]]:
        """Method, URL and authorization of each request."""
        return [(r.method, str(r.url), r.headers.get("Authorization")) for r in self.requests]


def digest(server: FakeRegistry, image: str, account: Credentials | None = None) -> str | None:
    transport = httpx.MockTransport(server)
    with Registry(lambda host: account, transport) as registry:
        return registry.digest(parse_reference(image))


def always(status: int, **fields: object) -> FakeRegistry:
    return FakeRegistry(lambda request: httpx.Response(status, **fields))  # type: ignore[arg-type]


def refusal(server: FakeRegistry, image: str, account: Credentials | None = None) -> str:
    with pytest.raises(RegistryError) as error:
        digest(server, image, account)
    return str(error.value)


@pytest.mark.parametrize(
    ("image", "url"),
    [
        ("localhost:5000/shop:src-1", "http://localhost:5000/v2/shop/manifests/src-1"),
        ("127.0.0.1:5000/shop", "http://127.0.0.1:5000/v2/shop/manifests/latest"),
        ("reg.example.com/a/b:1", "https://reg.example.com/v2/a/b/manifests/1"),
        ("python:3.11", "https://registry-1.docker.io/v2/library/python/manifests/3.11"),
        (f"localhost/a:1@{DIGEST}", f"http://localhost/v2/a/manifests/{DIGEST}"),
    ],
)
def test_asks_for_the_manifest_without_reading_it(image: str, url: str) -> None:
    server = FakeRegistry(lambda request: FOUND)

    assert digest(server, image) == DIGEST
    assert server.asked == [("HEAD", url, None)]
    assert server.requests[0].headers["Accept"] == MANIFESTS


def test_image_that_is_not_there_has_no_digest() -> None:
    assert digest(always(404), "localhost:5000/shop:1") is None


def test_account_is_not_sent_unless_asked_for() -> None:
    server = FakeRegistry(lambda request: FOUND)
    digest(server, "reg.example.com/shop:1", ACCOUNT)

    assert server.requests[0].headers.get("Authorization") is None


@pytest.mark.parametrize("field", ["token", "access_token"])
def test_bearer_token_is_fetched_where_the_registry_wants_one(field: str) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "auth.example.com":
            return httpx.Response(200, json={field: "granted"})
        if "Authorization" in request.headers:
            return FOUND
        return httpx.Response(401, headers=CHALLENGE)

    server = FakeRegistry(answer)

    assert digest(server, "reg.example.com/team/shop:1", ACCOUNT) == DIGEST
    manifest = "https://reg.example.com/v2/team/shop/manifests/1"
    token = "https://auth.example.com/token?service=reg&scope=repository%3Ateam%2Fshop%3Apull"
    assert server.asked == [
        ("HEAD", manifest, None),
        ("GET", token, BASIC),
        ("HEAD", manifest, "Bearer granted"),
    ]


def test_anonymous_token_and_the_registrys_own_scope_do() -> None:
    scoped = {"WWW-Authenticate": CHALLENGE["WWW-Authenticate"] + ',scope="repository:a:pull"'}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "auth.example.com":
            return httpx.Response(200, json={"token": "granted"})
        return FOUND if "Authorization" in request.headers else httpx.Response(401, headers=scoped)

    server = FakeRegistry(answer)

    assert digest(server, "reg.example.com/a") == DIGEST
    token = "https://auth.example.com/token?service=reg&scope=repository%3Aa%3Apull"
    assert server.asked[1] == ("GET", token, None)


def test_basic_login_is_given_where_the_registry_wants_one() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        wants = httpx.Response(401, headers={"WWW-Authenticate": 'Basic realm="here"'})
        return FOUND if request.headers.get("Authorization") == BASIC else wants

    assert digest(FakeRegistry(answer), "reg.example.com/shop:1", ACCOUNT) == DIGEST


def test_missing_login_says_how_to_log_in() -> None:
    server = always(401, headers={"WWW-Authenticate": "Basic"})

    assert refusal(server, "reg.example.com/shop:1") == (
        "reg.example.com wants a login; run docker login reg.example.com"
    )


def test_wrong_login_says_how_to_log_in() -> None:
    server = always(401, headers={"WWW-Authenticate": "Basic"})

    assert refusal(server, "reg.example.com/shop:1", ACCOUNT) == (
        "reg.example.com answered 401 when asked for reg.example.com/shop:1; check the name, and "
        "that `docker login reg.example.com` was done"
    )


def test_refused_token_says_how_to_log_in() -> None:
    server = always(401, headers=CHALLENGE)

    assert refusal(server, "reg.example.com/shop:1") == (
        "reg.example.com refused a token for shop (401); run docker login reg.example.com"
    )


@pytest.mark.parametrize("body", [b"<html>", b'{"token": ""}', b"[]"])
def test_token_that_is_none_is_told(body: bytes) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "auth.example.com":
            return httpx.Response(200, content=body)
        return httpx.Response(401, headers=CHALLENGE)

    assert refusal(FakeRegistry(answer), "reg.example.com/shop:1") == (
        "https://auth.example.com/token, to which reg.example.com sends for a token, gave none"
    )


def test_any_other_answer_is_told() -> None:
    assert refusal(always(503), "localhost:5000/shop:1") == (
        "localhost:5000 answered 503 when asked for localhost:5000/shop:1; check the name, and "
        "that `docker login localhost:5000` was done"
    )


def test_answer_without_a_digest_is_told() -> None:
    assert refusal(always(200), "localhost:5000/shop:1") == (
        "localhost:5000 gave no digest for localhost:5000/shop:1"
    )


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (
            "localhost:5000/shop:1",
            "the registry localhost:5000 cannot be reached (refused); run scripts/bootstrap, which "
            "starts the local registry",
        ),
        (
            "reg.example.com/shop:1",
            "the registry reg.example.com cannot be reached (refused); check the network, or set "
            "slipway:registry to one that can be reached",
        ),
    ],
)
def test_registry_that_is_down_says_what_to_do(image: str, message: str) -> None:
    def down(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    assert refusal(FakeRegistry(down), image) == message


@pytest.mark.parametrize(
    ("registry", "verdict"),
    [
        ("localhost", True),
        ("localhost:5000", True),
        ("127.0.0.1:5000", True),
        ("127.1.2.3", True),
        ("[::1]:5000", True),
        ("localhost.example.com", False),
        ("reg.example.com", False),
        ("127.0.0.1.example.com", False),
        ("docker.io", False),
    ],
)
def test_only_registries_on_this_machine_are_local(registry: str, verdict: bool) -> None:
    assert is_local(registry) is verdict


# --- other questions ------------------------------------------------------------------------


def test_any_request_about_a_repository_may_need_a_login() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "auth.example.com":
            return httpx.Response(200, json={"token": "granted"})
        if "Authorization" in request.headers:
            return httpx.Response(202)
        return httpx.Response(401, headers=CHALLENGE)

    server = FakeRegistry(answer)
    with Registry(lambda host: ACCOUNT, httpx.MockTransport(server)) as registry:
        assert registry.ask("DELETE", REMOTE, f"manifests/{DIGEST}").status_code == 202
    url = f"https://reg.example.com/v2/team/shop/manifests/{DIGEST}"
    assert server.asked[0] == ("DELETE", url, None)
    assert server.asked[2] == ("DELETE", url, "Bearer granted")


@pytest.mark.parametrize("status", [200, 401])
def test_registry_that_wants_a_login_answers_too(status: int) -> None:
    server = always(status)
    with Registry(transport=httpx.MockTransport(server)) as registry:
        registry.require_answer("localhost:5000")
    assert server.asked == [("GET", "http://localhost:5000/v2/", None)]


def test_server_that_is_no_registry_is_told() -> None:
    transport = httpx.MockTransport(always(404))
    with Registry(transport=transport) as registry, pytest.raises(RegistryError) as error:
        registry.require_answer("localhost:5000")
    assert str(error.value) == "localhost:5000 answered 404 when asked for /v2/"


def test_registry_that_does_not_answer_is_told() -> None:
    def down(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    transport = httpx.MockTransport(down)
    with Registry(transport=transport) as registry, pytest.raises(RegistryError) as error:
        registry.require_answer("localhost:5000")
    assert str(error.value).startswith("the registry localhost:5000 cannot be reached (refused)")
