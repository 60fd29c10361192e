"""What several tests need: small builders with defaults, so that a test names only what matters."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from slipway.extension import Extension, Probe
from slipway.host import ContainerState
from slipway.image_plan import ImagePlan
from slipway.reference import parse_reference
from slipway.services import Build, Project, Service
from slipway.source_hash import Source

DIGEST = "sha256:" + "a" * 64
OTHER_DIGEST = "sha256:" + "b" * 64
BASE = f"python:3.11@{DIGEST}"
KEY = "0123456789abcdef"


def probe(path: str = "/health", **fields: Any) -> Probe:
    return Probe.model_validate({"path": path, **fields})


def extension(port: int | None = 8000, **fields: Any) -> Extension:
    """An extension with a route, unless `port` is None."""
    route = {} if port is None else {"route": {"port": port}}
    return Extension.model_validate({**route, **fields})


def service(name: str = "web", **fields: Any) -> Service:
    """A routed service with one probe, that runs a pinned image."""
    checks = {"route": {"port": 8000}, "probes": [{"path": "/health"}]}
    return Service.model_validate({"name": name, "image": BASE, "x-slipway": checks, **fields})


def worker(name: str = "worker", **fields: Any) -> Service:
    return Service.model_validate({"name": name, "image": BASE, **fields})


def project(*services: Service, **fields: Any) -> Project:
    chosen = services or (service(),)
    return Project(name="shop", file="compose.yaml", services={s.name: s for s in chosen}, **fields)


def image_plan(
    source_hash: str = "c" * 64, digest: str | None = DIGEST, **fields: Any
) -> ImagePlan:
    values: dict[str, Any] = {
        "name": f"shop-{source_hash[:12]}",
        "build": Build(context="/src/app"),
        "platform": "linux/amd64",
        "source": Source(source_hash, ()),
        "reference": parse_reference(f"localhost:5000/shop:src-{source_hash[:24]}"),
        "digest": digest,
        "declared": digest is None,
    }
    return ImagePlan(**{**values, **fields})


def container(name: str = "shop-test-web-1", **fields: Any) -> ContainerState:
    """A container that runs."""
    values: dict[str, Any] = {
        "id": f"id-of-{name}",
        "name": name,
        "status": "running",
        "exit_code": 0,
        "restarts": 0,
        "started_at": "2026-01-01T00:00:00Z",
        "health": None,
        "health_output": "",
        "image": "sha256:image",
        "labels": {},
    }
    return ContainerState(**{**values, **fields})


class FakeRun:
    """Answers commands from a table, by their first two words, and remembers them."""

    def __init__(
        self, answers: Mapping[tuple[str, ...], "subprocess.CompletedProcess[str]"]
    ) -> None:
        self.commands: list[list[str]] = []
        self.environ: Mapping[str, str] = {}
        self._answers = answers

    def __call__(
        self, command: Sequence[str], environ: Mapping[str, str]
    ) -> "subprocess.CompletedProcess[str]":
        self.commands.append(list(command))
        self.environ = environ
        matching = [key for key in self._answers if tuple(command[: len(key)]) == key]
        return self._answers[max(matching, key=len)]


def finished(
    code: int = 0, stdout: str = "", stderr: str = ""
) -> "subprocess.CompletedProcess[str]":
    return subprocess.CompletedProcess([], code, stdout, stderr)


def write_files(root: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
