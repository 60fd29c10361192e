"""Engines are played by a real gRPC server."""

import contextvars
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import pulumi
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime import Settings, configure
from pulumi.runtime.proto import engine_pb2_grpc

from components.engine_version import require_engine


class OldEngine(engine_pb2_grpc.EngineServicer):
    """One that does not know the call: older than it."""


class RefusingEngine(engine_pb2_grpc.EngineServicer):
    def RequirePulumiVersion(self, request: Any, context: Any) -> Any:  # noqa: N802  gRPC's name
        context.abort(
            grpc.StatusCode.FAILED_PRECONDITION,
            f"Pulumi CLI version 3.200.0 does not satisfy {request.pulumi_version_range}",
        )


class NewEngine(engine_pb2_grpc.EngineServicer):
    def __init__(self) -> None:
        self.asked: list[str] = []

    def RequirePulumiVersion(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.asked.append(request.pulumi_version_range)
        return empty_pb2.Empty()


@contextmanager
def serving(engine: engine_pb2_grpc.EngineServicer) -> Iterator[str]:
    with ThreadPoolExecutor(1) as pool:
        server = grpc.server(pool)
        engine_pb2_grpc.add_EngineServicer_to_server(engine, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.stop(None).wait()


def require_under(engine: engine_pb2_grpc.EngineServicer) -> None:
    """Ask in a context of its own, so that other tests have their own engine."""

    def ask() -> None:
        configure(Settings(engine=address, project="quotes", stack="test"))
        require_engine()

    with serving(engine) as address:
        contextvars.copy_context().run(ask)


def message(reason: str) -> str:
    return (
        f"the Pulumi CLI is older than 3.238.0 ({reason}); under it a release that fails its "
        "checks would count as a success; run scripts/bootstrap and . scripts/activate, or "
        "install a newer CLI"
    )


def test_engine_that_does_not_know_the_question_is_refused() -> None:
    with pytest.raises(pulumi.RunError) as caught:
        require_under(OldEngine())
    assert str(caught.value) == message(
        "The installed version of the CLI does not support the `RequirePulumiVersion` RPC. "
        "Please upgrade the Pulumi CLI."
    )


def test_engine_that_says_no_is_refused() -> None:
    with pytest.raises(pulumi.RunError) as caught:
        require_under(RefusingEngine())
    assert str(caught.value) == message("Pulumi CLI version 3.200.0 does not satisfy >=3.238.0")


def test_newer_engine_passes() -> None:
    engine = NewEngine()
    require_under(engine)
    assert engine.asked == [">=3.238.0"]
