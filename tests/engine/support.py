"""The program under Pulumi's mocks: what it declares, without an engine, a host or a network."""

import asyncio
import inspect
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import pulumi
from google.protobuf import empty_pb2, struct_pb2
from pulumi.output import Unknown
from pulumi.runtime import mocks, rpc, settings
from pulumi.runtime.proto import resource_pb2

from slipway.canonical import integers

SECRET = "[a Pulumi secret]"
"""Stands in recorded inputs for what is a secret, so that none can be compared by its value."""
UNKNOWN = "[not known yet]"
REGISTRY_IMAGE = "docker:index/registryImage:RegistryImage"
PUSHED = "sha256:" + "f" * 64
"""The digest that the registry gives to what is pushed."""


@dataclass(frozen=True)
class Declared:
    """A resource as the program declared it."""

    type: str
    name: str
    parent: str
    inputs: Mapping[str, Any]
    ignore_changes: tuple[str, ...]
    replace_on_changes: tuple[str, ...]
    retain_on_delete: bool
    hooks: Mapping[str, tuple[str, ...]]
    dependencies: frozenset[str]


@dataclass
class World:
    """What surrounds a program, and what it did there.

    Args:
        state: outputs of the stack's resources by URN, as the engine keeps them.
        preview: whether this is a preview.
        failing_reads: how many reads of the state fail before one succeeds.
    """

    state: Mapping[str, Any] = field(default_factory=dict)
    preview: bool = False
    failing_reads: int = 0
    declared: list[Declared] = field(default_factory=list)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    hooks: dict[str, Any] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    kept: dict[str, Any] = field(default_factory=dict)
    """What an engine would keep of this run: fit for `state` of the next."""

    def of(self, kind: str) -> dict[str, Declared]:
        """Declared resources of a type, by name."""
        return {found.name: found for found in self.declared if found.type == kind}

    def one(self, kind: str, name: str = "") -> Declared:
        """The resource of a type whose name begins so."""
        (found,) = [r for r in self.declared if r.type == kind and r.name.startswith(name)]
        return found

    @property
    def tree(self) -> list[str]:
        """Type, name and parent of each resource, sorted."""
        return sorted(f"{r.type} {r.name} < {r.parent}" for r in self.declared)

    @property
    def sorted(self) -> list[Declared]:
        return sorted(self.declared, key=lambda r: (r.type, r.name))

    def run_hook(self, name: str, **inputs: Any) -> None:
        """Call a hook as an engine does."""
        args = pulumi.ResourceHookArgs(
            urn="urn", id="", name=name, type="type", new_inputs=inputs or None
        )
        found = self.hooks[name](args)
        if inspect.isawaitable(found):
            asyncio.run(_awaited(found))

    def keep(self, resource: Declared, urn: str, outputs: Mapping[str, Any]) -> None:
        self.declared.append(resource)
        self.kept[urn] = {"outputs": outputs}


async def _awaited(found: Any) -> None:
    await found


class _NoProvider(mocks.Mocks):
    """The SDK wants one; `_Monitor` answers in its place."""

    def call(self, args: mocks.MockCallArgs) -> Any:
        raise AssertionError(args.token)

    def new_resource(self, args: mocks.MockResourceArgs) -> Any:
        raise AssertionError(args.name)


class _Refusal(grpc.RpcError):
    """An engine's answer to what it cannot do."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        return "no such file"


class _Monitor(mocks.MockMonitor):
    """Answers like an engine, and remembers options that the SDK's own mock does not hand on."""

    def __init__(self, world: World) -> None:
        super().__init__(_NoProvider())
        self._world = world

    def Invoke(self, request: Any) -> Any:  # noqa: N802  the names are gRPC's
        self._world.calls.append((request.tok, rpc.deserialize_properties(request.args)))
        if self._world.failing_reads:
            self._world.failing_reads -= 1
            raise _Refusal
        answer = struct_pb2.Struct()
        answer.update({"outputs": dict(self._world.state)})
        return resource_pb2.ResourceInvokeResponse(**{"return": answer})

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type == "pulumi:pulumi:Stack":
            return resource_pb2.RegisterResourceResponse(urn=urn)
        known = struct_pb2.Struct()
        known.CopyFrom(request.object)
        if request.type == REGISTRY_IMAGE and not self._world.preview:
            known["sha256Digest"] = PUSHED
        id_ = f"id-of-{request.name}"
        self._world.keep(_declared(request), urn, {"id": id_, **_values(known, show=True)})
        return resource_pb2.RegisterResourceResponse(urn=urn, id=id_, object=known)

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        self._world.outputs[_name(request.urn)] = _values(request.outputs)
        return empty_pb2.Empty()


def _declared(request: Any) -> Declared:
    hooks = {step.name: tuple(names) for step, names in request.hooks.ListFields()}
    return Declared(
        type=request.type,
        name=request.name,
        parent=_name(request.parent),
        inputs=_values(request.object),
        ignore_changes=tuple(request.ignoreChanges),
        replace_on_changes=tuple(request.replaceOnChanges),
        retain_on_delete=request.retainOnDelete,
        hooks=hooks,
        dependencies=frozenset(_name(urn) for urn in request.dependencies),
    )


class _Callbacks:
    """Stands for the server through which an engine calls hooks."""

    def __init__(self, world: World) -> None:
        self._world = world

    def register_resource_hook(self, hook: Any) -> None:
        self._world.hooks[hook.name] = hook

    register_error_hook = register_resource_hook


def _name(urn: str) -> str:
    return urn.rsplit("::", 1)[-1]


def _values(found: struct_pb2.Struct, *, show: bool = False) -> dict[str, Any]:
    """The values in a message; secrets are shown or replaced."""
    values: dict[str, Any] = _plain(rpc.deserialize_properties(found, keep_unknowns=True), show)
    return values


def _plain(value: Any, show: bool) -> Any:
    if rpc.is_rpc_secret(value):
        return _plain(rpc.unwrap_rpc_secret(value), show) if show else SECRET
    if isinstance(value, Mapping):
        return {key: _plain(item, show) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, show) for item in value]
    return UNKNOWN if isinstance(value, Unknown) else integers(value)


def declare(program: Callable[[], object], world: World) -> World:
    """Run a program to its end.

    Raises:
        Exception: whatever the program raises.
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        mocks.set_mocks(
            _NoProvider(),
            project="shop",
            stack="test",
            preview=world.preview,
            monitor=_Monitor(world),
            organization="organization",
        )
        settings.SETTINGS.callbacks = _Callbacks(world)
        pulumi.runtime.test(program)()
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        asyncio.set_event_loop(None)
    return world


class EmptyHost:
    """A Docker engine elsewhere, on which nothing is yet."""

    local = False

    def publisher(self, port: int) -> None:
        return None

    def container(self, name: str) -> None:
        return None

    def containers(self, labels: Mapping[str, str]) -> list[Any]:
        return []

    def engine_version(self) -> tuple[int, int]:
        return (20, 10)

    def close(self) -> None:
        return None


class RegistryServer:
    """A registry on this machine: answers with the digests that it is told."""

    def __init__(self) -> None:
        self.digests: dict[str, str] = {}
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                digest = registry.digests.get(self.path.removeprefix("/v2/"))
                self.send_response(404 if digest is None else 200)
                self.send_header("Docker-Content-Digest", digest or "")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "RegistryServer":
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def install_compose_reader(folder: Path, resolved: Mapping[str, Any]) -> Mapping[str, str]:
    """Put a reader in a folder that gives this answer; returns the environment that finds it."""
    (folder / "answer.json").write_text(json.dumps(resolved))
    reader = folder / "compose-config"
    # As with Compose's own, the answer has the variable's value where the file has its name.
    reader.write_text(
        f"#!/bin/sh\nexec /bin/sed \"s/hunter2/${{PASSWORD:-hunter2}}/g\" '{folder}/answer.json'\n"
    )
    reader.chmod(0o755)
    return {"PATH": str(folder)}
