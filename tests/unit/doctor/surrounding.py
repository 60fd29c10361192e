"""A project on disk, with a backend, an engine and a registry that tests set."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from slipway.doctor.facts import Unread
from slipway.doctor.pulumi_cli import Pulumi
from slipway.doctor.retention import HostImage
from slipway.doctor.surroundings import Surroundings
from slipway.probes import Prober
from slipway.registry import Registry

from ..support import finished
from ..support_gate import FakeClock, FakeHost
from .support import NOW

COMPOSE = """
name: shop
services:
  web:
    image: python@sha256:{digest}
""".format(digest="a" * 64)


class FakeBackend:
    """Answers `pulumi` from values; a text in place of a state is its error."""

    def __init__(self) -> None:
        self.states: dict[str, dict[str, Any] | str] = {}
        self.down = ""

    def __call__(self, command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        _, *words = command
        if words[0] == "version":
            return finished(stdout="v3.256.0\n")
        if words[0] == "plugin":
            return finished(stdout='[{"name": "docker", "version": "5.2.0"}]')
        if self.down:
            return finished(255, stderr=f"error: {self.down}")
        if words[1] == "ls":
            return finished(stdout=json.dumps([{"name": name} for name in self.states]))
        state = self.states[words[3]]
        if isinstance(state, str):
            return finished(255, stderr=state)
        return finished(stdout=json.dumps(state))


class FakeImages:
    """Images by id; remembers what was removed."""

    def __init__(self) -> None:
        self.stored: list[HostImage] = []
        self.in_use: list[HostImage] = []
        self.removed: list[str] = []

    def version(self) -> str:
        return "28.0.4"

    def data_root(self) -> Path:
        return Path("/")

    def all(self) -> list[HostImage]:
        return self.stored

    def used(self) -> list[HostImage]:
        return self.in_use

    def created(self, container: str) -> datetime:
        return NOW

    def remove(self, name: str) -> None:
        self.removed.append(name)

    def close(self) -> None:
        pass


class Engine(FakeHost):
    """A host on this machine whose ports are free."""

    local = False

    def __init__(self) -> None:
        super().__init__(FakeClock(), [])
        self.publishers: dict[int, str] = {}

    def publisher(self, port: int) -> Any:
        name = self.publishers.get(port)
        return self.container(name) if name else None


@dataclass
class Scene:
    """A project with what surrounds it; `around()` is what the collectors get."""

    root: Path
    environ: dict[str, str]
    backend: FakeBackend = field(default_factory=FakeBackend)
    engine: Engine = field(default_factory=Engine)
    images: FakeImages = field(default_factory=FakeImages)
    tags: dict[str, Mapping[str, str]] = field(default_factory=dict)
    documents: dict[str, Any] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    no_engine: bool = False
    no_registry: bool = False
    no_deletion: bool = False

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def add_stack(self, name: str, state: dict[str, Any] | str | None, **config: str) -> None:
        keys = {"compose": "compose.yaml", "port": "8000", **config}
        lines = [f"  slipway:{key}: {value}" for key, value in keys.items()]
        self.write(f"stacks/Pulumi.{name}.yaml", "\n".join(["config:", *lines, ""]))
        if state is not None:
            self.backend.states[name] = state

    def around(self) -> Surroundings:
        down = Unread("no Docker engine answers")
        return Surroundings(
            root=self.root,
            environ=self.environ,
            pulumi=Pulumi(self.backend),
            host=down if self.no_engine else self.engine,  # type: ignore[arg-type]
            images=down if self.no_engine else self.images,  # type: ignore[arg-type]
            registry=Registry(transport=httpx.MockTransport(self._answer)),
            prober=lambda address: Prober(
                address, transport=httpx.MockTransport(lambda request: httpx.Response(200))
            ),
            hostname="here",
            started=lambda pid: None,
            now=NOW,
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.no_registry:
            raise httpx.ConnectError("refused")
        path = request.url.path.removeprefix("/v2/")
        repository, _, rest = path.partition("/")
        tags = self.tags.get(repository, {})
        if request.method == "DELETE":
            self.deleted.append(path)
            return httpx.Response(405 if self.no_deletion else 202)
        if not path:
            return httpx.Response(200)
        if rest == "tags/list":
            return httpx.Response(200, json={"tags": sorted(tags)})
        if request.method == "HEAD":
            digest = tags[rest.removeprefix("manifests/")]
            return httpx.Response(200, headers={"Docker-Content-Digest": digest})
        return httpx.Response(200, json=self.documents[rest])


def add_image(scene: Scene, tag: str, digest: str, created: datetime) -> None:
    """Put an image of the repository shop into the registry, and onto the host."""
    tags = {**scene.tags.get("shop", {}), tag: digest}
    scene.tags["shop"] = tags
    config = f"sha256:{tag[-1] * 64}"
    scene.documents[f"manifests/{digest}"] = {"config": {"digest": config, "size": 10}}
    scene.documents[f"blobs/{config}"] = {"created": created.isoformat()}
    names = (f"localhost:5000/shop:{tag}", f"localhost:5000/shop@{digest}")
    scene.images.stored.append(HostImage(f"id-of-{tag}", names, created, 100))
