"""Several routed services, a proxy of the stack's own in front, and files that come with it."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

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
