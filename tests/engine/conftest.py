from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from components import DockerStack, DockerStackArgs
from slipway import deploy
from slipway.prepared import Settings

from .support import EmptyHost, RegistryServer, World, declare, install_compose_reader

CADDY = f"caddy:2.11@sha256:{'c' * 64}"
BUSYBOX = f"busybox:1@sha256:{'b' * 64}"
BASE = f"python:3.11@sha256:{'a' * 64}"


@dataclass
class Shop:
    """A project of two services: a public one that is built, and a worker that is pulled."""

    folder: Path
    registry: RegistryServer
    resolved: dict[str, Any]

    @property
    def web(self) -> dict[str, Any]:
        web: dict[str, Any] = self.resolved["services"]["web"]
        return web

    def settings(self) -> Settings:
        return Settings(
            compose=self.folder / "compose.yaml",
            port=8001,
            registry=self.registry.address,
            ingress_image=CADDY,
            stable_for=3.0,
            secrets={"PASSWORD": "hunter2"},
        )

    def declare(
        self,
        state: Mapping[str, Any] | None = None,
        *,
        preview: bool = False,
        environ: Mapping[str, str] | None = None,
    ) -> World:
        """Declare the stack; without a preview, on a host on which nothing is yet."""
        return self.declare_in(World(state or {}, preview), environ or {})

    def declare_in(self, world: World, environ: Mapping[str, str] | None = None) -> World:
        found = install_compose_reader(self.folder, self.resolved)
        args = DockerStackArgs(self.settings(), {**found, **(environ or {})})
        return declare(lambda: DockerStack("shop", args), world)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setattr(deploy, "connect", EmptyHost)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "compose.yaml").touch()
    app = tmp_path / "app"
    app.mkdir()
    (app / "Dockerfile").write_text(f"FROM {BASE}\nCOPY . /app\n")
    web = {
        "build": {"context": str(app), "dockerfile": "Dockerfile", "args": {"V": "1"}},
        "environment": {"DATABASE_URL": "postgresql://shop:hunter2@db/shop"},
        "healthcheck": {"test": ["CMD", "true"], "interval": "1m30s", "retries": 3},
        "labels": {"team": "shop"},
        "restart": "always",
        "stop_grace_period": "20s",
        "volumes": [{"type": "volume", "source": "data", "target": "/data", "volume": {}}],
        "x-slipway": {"route": {"port": 8000}, "probes": [{"path": "/health"}]},
    }
    worker = {"image": BUSYBOX, "command": ["work"], "init": True, "user": "1000"}
    with RegistryServer() as registry:
        resolved = {
            "name": "shop",
            "services": {"web": web, "worker": worker},
            "volumes": {"data": {"name": "shop_data"}},
        }
        yield Shop(tmp_path, registry, resolved)
