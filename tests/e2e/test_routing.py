"""Several routed services, a proxy of the stack's own in front, and files that come with it."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from tests.e2e import faults
from tests.e2e.harness import Sandbox, Watcher

COMPOSE = """\
name: {name}
services:
  front:
    image: ${{SLIPWAY_CADDY_IMAGE}}
    entrypoint: [caddy]
    command: [run, --config, /etc/front.json]
    volumes: ["./front.json:/etc/front.json:ro"]
    secrets: [badge]
    x-slipway:
      route: {{port: 8080}}
      probes: [{{path: /api/health}}]
      interval: 200ms
  web:
    build: &build
      context: .
      args: {{BASE_IMAGE: "${{SLIPWAY_PYTHON_IMAGE}}"}}
    container_name: backend
    volumes: [data:/data]
    x-slipway:
      route: {{port: 8000, internal: true}}
      probes: [{{path: /api/health, json: {{status: ok}}}}]
      drain: 4s
      interval: 200ms
  admin:
    build: *build
    volumes: [data:/data]
    x-slipway:
      route: {{port: 8000, host: admin.example.com, path: /api}}
      probes: [{{path: /api/health}}, {{tcp: true}}]
      drain: 4s
      interval: 200ms
secrets: {{badge: {{environment: BADGE}}}}
volumes: {{data: {{}}}}
"""


def front(note: str) -> str:
    """A proxy whose upstream is a name that it looks up once, as nginx does."""
    proxy = {"handler": "reverse_proxy", "upstreams": [{"dial": "backend:8000"}]}
    mark = {"handler": "headers", "response": {"set": {"X-Front": [note]}}}
    server = {
        "listen": [":8080"],
        "routes": [{"handle": [mark, proxy]}],
        "automatic_https": {"disable": True},
    }
    return json.dumps({"admin": {"disabled": True}, "apps": {"http": {"servers": {"a": server}}}})


@pytest.fixture(scope="module")
def routed(new_sandbox: Callable[..., Sandbox]) -> Sandbox:
    sandbox = new_sandbox()
    sandbox.write("app/compose.yaml", COMPOSE.format(name=sandbox.name))
    sandbox.write("app/front.json", front("one"))
    # What only the front reads is no part of the application's image.
    sandbox.write("app/.dockerignore", sandbox.read("app/.dockerignore") + "\nfront.json\n")
    sandbox.pulumi(
        "config", "set", "--stack", "test", "--secret", "--path", "slipway:secrets.BADGE", "open"
    )
    sandbox.must_up()
    return sandbox


def ask(sandbox: Sandbox, path: str = "/api/health", **headers: str) -> httpx.Response:
    return httpx.get(f"{sandbox.url()}{path}", headers=headers, timeout=10)


def test_public_requests_reach_the_application_through_the_front(routed: Sandbox) -> None:
    answer = ask(routed)
    assert (answer.status_code, answer.headers["X-Front"]) == (200, "one")
    routed.assert_agreement()


def test_host_and_path_lead_to_a_service_past_the_front(routed: Sandbox) -> None:
    there = ask(routed, Host="admin.example.com")
    elsewhere = ask(routed, "/", Host="admin.example.com")
    assert (there.status_code, there.headers.get("X-Front")) == (200, None)
    assert elsewhere.headers.get("X-Front") == "one"


def test_release_behind_the_front_loses_no_request(routed: Sandbox) -> None:
    kept = routed.live("front")
    routed.set_version("1.1.0")
    with Watcher(routed.url()) as watcher:
        routed.must_up()
    assert watcher.versions == ["1.0.0", "1.1.0"]
    assert routed.live("front") == kept
    assert ask(routed).headers["X-Front"] == "one"


def test_changed_file_is_another_revision_of_its_service(routed: Sandbox) -> None:
    web, before = routed.live("web"), routed.live("front")
    routed.write("app/front.json", front("two"))
    with Watcher(routed.url()):
        routed.must_up()
    assert routed.live("web") == web
    assert routed.live("front") != before
    assert ask(routed).headers["X-Front"] == "two"


def test_secret_is_a_file_in_the_container_and_nowhere_else(routed: Sandbox) -> None:
    container: Any = routed.engine.containers.get(routed.live("front"))
    read = container.exec_run(["cat", "/run/secrets/badge"])
    assert read.output.decode() == "open"
    assert '"open"' not in routed.export()
    assert "b3Blbg==" not in routed.export()


def test_broken_front_is_refused(routed: Sandbox) -> None:
    with (
        routed.changed("app/front.json", lambda text: text.replace("backend:8000", "nowhere:8000")),
        Watcher(routed.url()) as watcher,
    ):
        outcome = routed.must_fail()
    assert "service front" in outcome.output
    assert watcher.versions == ["1.1.0"]
    routed.must_up()
    routed.assert_agreement()


# --- other routes ---------------------------------------------------------------------------


class Visitor(threading.Thread):
    """Asks the public address again and again, and remembers every answer that it gets."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(daemon=True)
        self._sandbox = sandbox
        self._stopped = threading.Event()
        self.answers: set[tuple[int, str | None]] = set()

    def run(self) -> None:
        while not self._stopped.wait(0.05):
            with suppress(httpx.TransportError):  # While the proxy is made anew.
                answer = ask(self._sandbox)
                self.answers.add((answer.status_code, answer.headers.get("X-Front")))

    def __enter__(self) -> "Visitor":
        self.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self._stopped.set()
        self.join()


def past_the_front(text: str) -> str:
    """The compose file with the public's requests going straight to an application."""
    taken = text.replace("route: {port: 8080}", "route: {port: 8080, path: /front}")
    return taken.replace("host: admin.example.com, path: /api", "path: /api")


@pytest.fixture
def may_replace(routed: Sandbox) -> Iterator[None]:
    routed.environ["SLIPWAY_REPLACE_INGRESS"] = "1"
    yield
    routed.environ.pop("SLIPWAY_REPLACE_INGRESS", None)


def ingress_id(sandbox: Sandbox) -> str:
    return str(sandbox.engine.containers.get(f"{sandbox.name}-test-ingress").id)


def test_failed_release_with_other_routes_leaves_the_old_ones(
    routed: Sandbox, may_replace: None
) -> None:
    proxy, served = ingress_id(routed), ask(routed).headers["X-Front"]
    broken = faults.first("raise RuntimeError('web is broken')")
    with (
        routed.changed("app/compose.yaml", past_the_front),
        routed.changed("app/app/main.py", broken),
        Visitor(routed) as visitor,
    ):
        outcome = routed.must_fail()
    assert "web is broken" in outcome.output
    assert visitor.answers == {(200, served)}
    assert ask(routed, Host="admin.example.com").headers.get("X-Front") is None
    new_proxy = ingress_id(routed)
    assert new_proxy != proxy
    del routed.environ["SLIPWAY_REPLACE_INGRESS"]
    routed.must_up()
    routed.assert_agreement()
    assert (ingress_id(routed), ask(routed).headers["X-Front"]) == (new_proxy, served)


def test_release_with_other_routes_takes_effect_at_the_switch(
    routed: Sandbox, may_replace: None
) -> None:
    served, web = ask(routed).headers["X-Front"], routed.live("web")
    with routed.changed("app/compose.yaml", past_the_front):
        with Visitor(routed) as visitor:
            routed.must_up()
        assert visitor.answers <= {(200, served), (200, None)}
        assert ask(routed).headers.get("X-Front") is None
        assert routed.live("web") == web
        routed.assert_agreement()
        again = routed.preview("test", "--expect-no-changes")
        assert again.code == 0, again.output
    del routed.environ["SLIPWAY_REPLACE_INGRESS"]
    with Visitor(routed) as visitor:
        routed.must_up()
    assert visitor.answers <= {(200, served), (200, None)}
    assert ask(routed).headers.get("X-Front") == served
    routed.assert_agreement()
