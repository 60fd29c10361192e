"""What a program's preparation works with: a folder, a registry and a host that are played."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from slipway import deploy, hooked, preflight, reading
from slipway.compose import Reading
from slipway.host import LABEL_CONFIG, LABEL_OWNER, LABEL_ROLE, ContainerState, NetworkState
from slipway.key_lines import KeyLines
from slipway.prepared import Prepared, Settings, StackName
from slipway.proxy import settings_id
from slipway.reference import ImageReference
from slipway.services import Project
from slipway.state import CONTAINER, STASH, StackState

from .support_gate import FakeClock, FakeHost

CADDY = f"caddy@sha256:{'c' * 64}"
DIGEST = f"sha256:{'d' * 64}"
PASSWORD = "correct horse battery"
TEXT = """\
services:
  web:
    build: .
  worker:
    build: .
    command: [work]
"""
STACK = StackName("quotes", "test", "quotes", "stack key")
OWNER = STACK.owner
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Machine(FakeHost):
    """A local host on which the ingress answers with a route."""

    def __init__(self) -> None:
        self.journal: list[str] = []
        super().__init__(FakeClock(), self.journal)
        self.local = True
        self.route = ""
        self.found_networks: list[NetworkState] = []
        self.volumes: set[str] = set()
        self.version = (20, 10)

    def publisher(self, port: int) -> ContainerState | None:
        return self.container("shop-test-ingress")

    def execute(self, name: str, command: Any) -> tuple[int, str]:
        return 0, self.route

    def networks(self, name: str) -> list[NetworkState]:
        self.journal.append(f"host: networks {name}")
        return self.found_networks

    def has_volume(self, name: str) -> bool:
        return name in self.volumes

    def engine_version(self) -> tuple[int, int]:
        return self.version

    def remove_network(self, id_: str) -> None:
        self.journal.append(f"host: remove network {id_}")


@dataclass
class World:
    """What `prepare` finds around it."""

    folder: Path
    host: Machine
    tags: dict[str, str]
    services: dict[str, dict[str, Any]]
    read: list[tuple[Path, Mapping[str, str], Mapping[str, str]]]
    networks: dict[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        return Settings(
            compose=self.folder / "compose.yaml",
            port=8000,
            ingress_image=CADDY,
            secrets={"DB_PASSWORD": PASSWORD},
        )

    def project(self, password: str = PASSWORD) -> Project:
        """The project with a password wherever `PASSWORD` stands."""
        written = json.dumps(self.services).replace(PASSWORD, password)
        services: dict[str, dict[str, Any]] = json.loads(written)
        named = {name: {"name": name, **service} for name, service in services.items()}
        return Project.model_validate(
            {
                "name": "shop",
                "file": str(self.folder / "compose.yaml"),
                "services": named,
                "volumes": ["data"],
                "networks": self.networks,
            }
        )

    def prepare(
        self,
        state: StackState | None = None,
        *,
        preview: bool = False,
        settings: Settings | None = None,
        environ: Mapping[str, str] | None = None,
        said: list[str] | None = None,
    ) -> Prepared:
        return deploy.prepare(
            STACK,
            settings or self.settings,
            environ or {},
            state or StackState(),
            preview=preview,
            report=(said if said is not None else []).append,
            clock=lambda: NOW,
        )


def make_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world in which the compose reader, the registry and the engine are played."""
    (tmp_path / "compose.yaml").write_text(TEXT)
    (tmp_path / "Dockerfile").write_text(f"FROM python@sha256:{'a' * 64}\nCOPY . .\n")
    (tmp_path / ".dockerignore").write_text(".slipway\nbackups\n")
    build = {"context": str(tmp_path)}
    services = {
        "web": {
            "build": build,
            "environment": {"DATABASE_URL": f"postgres://quotes:{PASSWORD}@db/quotes"},
            "x-slipway": {"route": {"port": 8000}, "probes": [{"path": "/health"}]},
        },
        "worker": {"build": build, "command": ["work"], "x-slipway": {"stable_for": "3s"}},
    }
    found = World(tmp_path, Machine(), {}, services, [])

    class FakeRegistry:
        def __init__(self, credentials: Any) -> None:
            pass

        def __enter__(self) -> Self:
            return self

        def __exit__(
            self,
            kind: type[BaseException] | None,
            error: BaseException | None,
            trace: TracebackType | None,
        ) -> None:
            pass

        def digest(self, reference: ImageReference) -> str | None:
            return found.tags.get(str(reference.tag))

    def read(file: Path, environ: Mapping[str, str], variables: Mapping[str, str]) -> Reading:
        found.read.append((file, environ, variables))
        return Reading(found.project(variables.get("DB_PASSWORD", PASSWORD)), KeyLines(file))

    monkeypatch.chdir(tmp_path)  # Evidence is kept below the folder of the program.
    monkeypatch.setattr(reading.compose, "read_project", read)
    monkeypatch.setattr(deploy, "connect", lambda: found.host)
    monkeypatch.setattr(hooked, "connect", lambda: found.host)
    monkeypatch.setattr(reading, "Registry", FakeRegistry)
    monkeypatch.setattr(preflight.psutil, "net_connections", lambda kind: [])
    return found


def state_after(prepared: Prepared) -> StackState:
    """The state as the engine has it once `prepared` was released."""
    containers = {
        plan.service.name: {
            "name": plan.name,
            "id": f"id-of-{plan.name}",
            "upstream": plan.upstream,
            "role": plan.role.value,
        }
        for plan in prepared.containers
    }
    images = {plan.service.name: f"localhost:5000/shop@{DIGEST}" for plan in prepared.containers}
    live = {"attempt": "1", "ledger": prepared.fact(images), "containers": containers}
    settings = prepared.settings
    ingress = {
        "id": f"id-of-{prepared.ingress_name}",
        "name": prepared.ingress_name,
        "image": CADDY,
        "labels": [
            {
                "label": LABEL_CONFIG,
                "value": settings_id(
                    prepared.sites, CADDY, settings.port, settings.bind, ["default"]
                ),
            }
        ],
        "ports": [{"external": settings.port}],
    }
    outputs: dict[tuple[str, str], dict[str, Any]] = {
        (STASH, "quotes-live"): {"input": live},
        (STASH, "quotes-attempt"): {"input": dict(prepared.attempt)},
        (CONTAINER, "quotes-ingress"): ingress,
    }
    for plan in prepared.containers:
        outputs[CONTAINER, plan.resource] = {"id": f"id-of-{plan.name}", "name": plan.name}
    for name, value in prepared.kept.items():
        outputs[STASH, deploy.kept_resource("quotes", name)] = {"input": value}
    return StackState(outputs)


def bring_up(world: World, prepared: Prepared) -> StackState:
    """The host, and the state, as they are once `prepared` was released."""
    world.host.add(prepared.ingress_name, CADDY, running=True, labels={LABEL_OWNER: OWNER})
    own = {LABEL_OWNER: OWNER, LABEL_ROLE: "service"}
    for plan in prepared.containers:
        world.host.add(plan.name, f"localhost:5000/shop@{DIGEST}", running=True, labels=own)
    web = next(plan for plan in prepared.containers if plan.upstream)
    world.host.route = f"releases/1\nweb {web.upstream}\n"
    return state_after(prepared)
