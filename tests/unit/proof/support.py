"""Sources and images for tests of the proof."""

import hashlib
from typing import Any

from slipway.build_context import Entry
from slipway.proof.copies import BuiltFrom, map_source
from slipway.proof.expected import Expected, Mapped
from slipway.proof.files import Found
from slipway.services import Build

BASE = f"python@sha256:{'a' * 64}"


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def entry(path: str, text: str | None = None) -> Entry:
    """A file; without a text, its path is its content."""
    return Entry(path, "100644", content=sha(path if text is None else text))


def link(path: str, target: str) -> Entry:
    return Entry(path, "120000", target=target)


def mapped(dockerfile: str, *paths: str | Entry, **build: Any) -> Mapped:
    """Where a Dockerfile puts files."""
    workdir = build.pop("workdir", "/")
    environment = build.pop("environment", {})
    entries = tuple(entry(path) if isinstance(path, str) else path for path in paths)
    return map_source(
        BuiltFrom(
            dockerfile,
            Build(context="/source", **build),
            "linux/amd64",
            entries,
            workdir,
            environment,
        )
    )


def places(dockerfile: str, *paths: str | Entry, **build: Any) -> dict[str, str]:
    """The source of each file, by its place in the image."""
    return {e.path: e.source for e in mapped(dockerfile, *paths, **build).expected}


def expected(path: str, text: str = "", **more: Any) -> Expected:
    """A file that must be there."""
    fields = {"source": path.lstrip("/"), "content": sha(text), "target": None, "line": 3, **more}
    return Expected(path, **fields)


def found(text: str = "", **more: Any) -> Found:
    """A file that is there."""
    return Found("file", content=sha(text), size=len(text), sample=text.encode(), **more)
