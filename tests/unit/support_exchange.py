"""A scene in which services are exchanged that must not run twice, and gates that were killed."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from slipway.errors import GateError
from slipway.extension import Extension
from slipway.gate_plan import Candidate, GatePlan
from slipway.host import LABEL_SERVICE
from slipway.ingress import LiveRoute
from slipway.proxy import HELD
from slipway.roles import Role

from .support_gate import LABELS, Scene, image, web


@dataclass
class Exchange(Scene):
    """A scene whose containers carry their service's label, as those of a real host do."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for service, name in self.live.items():
            self.label(name.rsplit(":", 1)[0], service)
        for candidate in self.candidates:
            self.label(candidate.container, candidate.service)

    def label(self, container: str, service: str) -> None:
        self.host.change(container, labels={**LABELS, LABEL_SERVICE: service})

    @property
    def plan(self) -> GatePlan:
        return replace(super().plan, labels=LABELS)


def held(name: str = "web-2", letter: str = "b", **more: Any) -> Candidate:
    """A routed service that must not run twice."""
    found = web(name, letter, stable_for=0.0, overlap=False, **more)
    return replace(found, role=Role.HELD)


def alone(service: str, name: str, role: Role, letter: str = "b", **more: Any) -> Candidate:
    """A service without a route that must not run twice."""
    found = Extension.model_validate({"successes": 1, **more})
    return Candidate(service, name, image(letter), found, 0.0, None, role=role)


def beat(name: str = "beat-2", letter: str = "b") -> Candidate:
    return alone("beat", name, Role.SINGLETON, letter)


def db(name: str = "db-2", letter: str = "b") -> Candidate:
    return alone("db", name, Role.BACKING, letter)


BEFORE = {"web": "web-1:8000"}


def refused(scene: Scene) -> str:
    with pytest.raises(GateError) as caught:
        scene.run()
    return str(caught.value)


def crash(scene: Scene, name: str, code: int = 3) -> None:
    """Have a container end as soon as it starts."""
    scene.host.on_start[name] = lambda: scene.host.crash(name, code)


def left_held(scene: Exchange) -> Exchange:
    """A gate was killed when it had stopped the old container and held its requests."""
    scene.ingress.route = LiveRoute("releases/left", {**scene.ingress.route.upstreams, "web": HELD})
    scene.host.crash("web-1", 143)
    return scene


def killed_after_its_switch(*candidates: Candidate) -> Exchange:
    """Another container serves than the state has."""
    scene = Exchange(list(candidates), live=BEFORE)
    if scene.host.container("web-2") is None:
        scene.host.add("web-2", image("b"))
        scene.label("web-2", "web")
    scene.host.change("web-2", status="running")
    scene.host.crash("web-1", 143)
    scene.ingress.route = LiveRoute("releases/killed", {"web": "web-2:8000"})
    return scene
