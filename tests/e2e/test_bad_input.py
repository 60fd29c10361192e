"""What a user can get wrong: the message says what to do, and nothing that lives is touched."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.harness import Outcome, Sandbox, Watcher, free_port

COMPOSE = "app/compose.yaml"
DOCKERFILE = "app/Dockerfile"
STACK = "stacks/Pulumi.test.yaml"


@contextmanager
def untouched(sandbox: Sandbox) -> Iterator[None]:
    """Whatever happens in the block, the containers that run go on, and answer."""
    running, live = sandbox.running(), sandbox.deployment().live
    with Watcher(sandbox.url()):
        yield
    assert (sandbox.running(), sandbox.deployment().live) == (running, live)


def refused(sandbox: Sandbox, path: str, old: str, new: str) -> Outcome:
    with untouched(sandbox), sandbox.changed(path, lambda text: text.replace(old, new, 1)):
        return sandbox.must_fail()


def test_docker_out_of_reach(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    with untouched(sandbox):
        monkeypatch.setitem(sandbox.environ, "DOCKER_HOST", "tcp://127.0.0.1:1")
        outcome = sandbox.must_fail()
        monkeypatch.undo()
    assert "no Docker engine answers; start it (scripts/bootstrap" in outcome.output


def test_registry_out_of_reach(sandbox: Sandbox) -> None:
    address = f"localhost:{free_port()}"
    outcome = refused(sandbox, STACK, "config:\n", f"config:\n  slipway:registry: {address}\n")
    assert f"the registry {address} cannot be reached" in outcome.output
    assert "run scripts/bootstrap" in outcome.output


def test_failing_build_step_shows_the_step_and_its_output(sandbox: Sandbox) -> None:
    step = "RUN echo compiling && python3 -c 'import no_such_module'\nUSER 10001:10001"
    outcome = refused(sandbox, DOCKERFILE, "USER 10001:10001", step)
    assert "RUN echo compiling && python3 -c 'import no_such_module'" in outcome.output
    assert "ModuleNotFoundError: No module named 'no_such_module'" in outcome.output


def test_full_disk_during_a_build_says_so(sandbox: Sandbox) -> None:
    step = "RUN head -c 4096 /dev/zero > /dev/full\nUSER 10001:10001"
    outcome = refused(sandbox, DOCKERFILE, "USER 10001:10001", step)
    assert "No space left on device" in outcome.output
    assert "the disk is full: make room (docker builder prune" in outcome.output


def no_probes(text: str) -> str:
    return (
        text[: text.index("      # A new version takes")] + text[text.index("      # After the") :]
    )


STRANGER = "  cache:\n    image: redis:7\n"
BASE = '"${SLIPWAY_PYTHON_IMAGE:?run scripts/bootstrap first}"'


@pytest.mark.parametrize(
    ("change", "messages"),
    [
        (no_probes, ["app/compose.yaml:", "services.web: takes public traffic, but nothing tells"]),
        (
            lambda text: text.replace(BASE, "python:3.11-slim"),
            ["app/Dockerfile:", "python:3.11-slim: not pinned by digest", "run scripts/pin"],
        ),
        (
            lambda text: text.replace(
                "volumes:\n  # Database", f"{STRANGER}volumes:\n  # Database"
            ),
            ["services.cache", "redis:7", "not pinned by digest", "run scripts/pin"],
        ),
        (
            lambda text: text.replace("  worker:\n", "  worker:\n    privileged: true\n"),
            ["services.worker.privileged: a release must not own its host"],
        ),
        (
            lambda text: text.replace("  worker:\n", "  worker:\n    ports: ['80:80']\n"),
            [
                "services.worker.ports.0",
                "old and new container cannot share",
                "x-slipway: {route: {port: 80}}",
            ],
        ),
        (
            lambda text: text.replace("drain: 8s", "drain: soon"),
            ['services.web.x-slipway.drain: "soon" is not a duration; write it like 15s'],
        ),
        (
            lambda text: text.replace("${QUOTES_USER:-}", "${QUOTES_USER}"),
            ["${QUOTES_USER}: has no value", "slipway:variables"],
        ),
        (lambda text: text.replace("services:", "services"), ["app/compose.yaml"]),
    ],
    ids=[
        "no-probe",
        "unpinned-base",
        "unpinned-image",
        "unknown-key",
        "ports",
        "duration",
        "variable",
        "yaml",
    ],
)
def test_a_faulty_compose_file(
    sandbox: Sandbox, change: Callable[[str], str], messages: list[str]
) -> None:
    with untouched(sandbox), sandbox.changed(COMPOSE, change):
        outcome = sandbox.must_fail()
    for message in messages:
        assert message in outcome.output
    assert "Traceback" not in outcome.output


def test_an_unknown_configuration_key(sandbox: Sandbox) -> None:
    outcome = refused(sandbox, STACK, "slipway:stableFor", "slipway:stableForever")
    assert "slipway:stableForever: no such key; there are compose, port" in outcome.output


def test_a_port_that_a_process_has(sandbox: Sandbox) -> None:
    """The test itself listens on the port that the stack `prod` wants."""
    with socket.create_server(("127.0.0.1", sandbox.ports["prod"])), untouched(sandbox):
        outcome = sandbox.must_fail("prod")
    port = sandbox.ports["prod"]
    assert f"port {port} is taken by process {os.getpid()} (" in outcome.output
    assert "set slipway:port to another one" in outcome.output


def test_a_port_that_a_container_has(sandbox: Sandbox) -> None:
    """The stack `prod` wants the port of the stack `test`."""
    port = str(sandbox.ports["test"])
    with (
        untouched(sandbox),
        sandbox.changed(
            "stacks/Pulumi.prod.yaml", lambda text: text.replace(str(sandbox.ports["prod"]), port)
        ),
    ):
        outcome = sandbox.must_fail("prod")
    name = f"{sandbox.name}-test-ingress"
    assert f"port {port} is taken by Slipway's stack test of project " in outcome.output
    assert f"(container {name}); set slipway:port to another one, such as" in outcome.output


def test_another_port_for_an_ingress_that_runs(sandbox: Sandbox) -> None:
    old = str(sandbox.ports["test"])
    outcome = refused(sandbox, STACK, old, str(free_port()))
    assert "which interrupts the service for some seconds" in outcome.output
    assert "SLIPWAY_REPLACE_INGRESS=1 pulumi up --stack test" in outcome.output
