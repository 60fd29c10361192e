"""Engine events for tests: recorded ones, and builders for those that are hard to bring about.

The recordings in `events/` are event logs of `pulumi up` of a stack with two services: its first
release, another one, and one whose web server ends at once. Inputs and outputs of resources are
taken out of them, and most of what the engine says to itself.
"""

import json
from pathlib import Path
from typing import Any

from slipway.progress import Line, Progress, advance

Event = dict[str, Any]

URN = "urn:pulumi:test::shop::slipway:docker:DockerStack$"
WEB = f"{URN}docker:index/container:Container::shop-web-1"
CACHE = f"{URN}docker:index/container:Container::shop-cache-1"
IMAGE = f"{URN}docker:index/remoteImage:RemoteImage::shop-abc"
PUSHED = f"{URN}docker:index/registryImage:RegistryImage::shop-abc"
KEY = f"{URN}pulumi:index:Stash::shop-key"
LIVE = f"{URN}slipway:docker:Gate$pulumi:index:Stash::shop-live"
GATE = f"{URN}slipway:docker:Gate::shop"
PROVIDER = "urn:pulumi:test::shop::pulumi:providers:pulumi::default"


def recorded(name: str) -> list[Event]:
    file = Path(__file__).parent / "events" / f"{name}.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()]


def metadata(op: str, urn: str) -> Event:
    type_ = urn.split("::")[2].split("$")[-1]
    state = {"type": type_, "urn": urn}
    if not type_.startswith("slipway:"):
        state["custom"] = True  # type: ignore[assignment]  # as the engine writes it
    old = None if op == "create" else state
    return {"op": op, "urn": urn, "type": type_, "old": old, "new": None if old else state}


def begins(op: str, urn: str, **more: Any) -> Event:
    return {"sequence": 1, "timestamp": 1, "resourcePreEvent": step(op, urn, more)}


def ends(op: str, urn: str, **more: Any) -> Event:
    return {"sequence": 1, "timestamp": 1, "resOutputsEvent": step(op, urn, more)}


def fails(op: str, urn: str) -> Event:
    return {"resOpFailedEvent": {**step(op, urn, {}), "status": 0, "steps": 3}}


def step(op: str, urn: str, more: Event) -> Event:
    return {"metadata": metadata(op, urn), **more}


def says(message: str, severity: str = "info", **more: Any) -> Event:
    return {"diagnosticEvent": {"message": message, "color": "never", "severity": severity, **more}}


def after(*events: Event) -> Progress:
    return told(*events)[0]


def told(*events: Event) -> tuple[Progress, list[Line]]:
    """The progress after events, and all lines that were shown."""
    progress, shown = Progress(), []
    for event in events:
        progress, lines = advance(progress, event)
        shown += lines
    return progress, shown
