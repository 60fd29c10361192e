"""A stack for tests of the driver: an engine that ends as it is told, and a look at it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from slipway import driver as module
from slipway.driver import Driver, Ended, Exit, Surroundings
from slipway.errors import HostError
from slipway.state import CONTAINER, STASH
from slipway.verify import Check, Deployment, parse_export

from .support_gate import image

URN = "urn:pulumi:test::shop::"
WELL = Check("web", True, "status 200")
ILL = Check("web", False, "status 500")


def release(number: int, **more: Any) -> dict[str, Any]:
    """A release of the ledger."""
    return {"number": number, "services": {"web": {"image": image("a"), "record": {}}}, **more}


def export(*ledger: dict[str, Any]) -> dict[str, Any]:
    """A state with these releases, the newest first; without any, that of a new stack."""
    live = {"ledger": {str(entry["number"]): entry for entry in ledger}, "containers": {}}
    outputs: dict[str, Any] = {
        f"{CONTAINER}::shop-ingress": {"name": "shop-test-ingress"},
        f"{CONTAINER}::shop-web-1": {"name": "shop-test-web-1"},
    }
    if ledger:
        outputs[f"{STASH}::shop-live"] = {"input": live}
    resources = [{"urn": URN + name, "outputs": found} for name, found in outputs.items()]
    return {"deployment": {"resources": resources}}


@dataclass(frozen=True)
class Update:
    """An update to come: how it ends, and the state after it; None leaves it as it was."""

    ended: Ended
    state: dict[str, Any] | None = None


class FakeUpdates:
    """An engine that ends as it is told."""

    def __init__(self, state: dict[str, Any], updates: Iterable[Update]) -> None:
        self.state = state
        self.asked: list[tuple[dict[str, str], bool]] = []
        self.unreadable: list[bool] = []
        self._updates = list(updates)

    def update(self, environ: Mapping[str, str], *, options: bool) -> Ended:
        self.asked.append((dict(environ), options))
        update = self._updates.pop(0)
        if update.state is not None:
            self.state = update.state
        return update.ended

    def export(self) -> dict[str, Any]:
        if self.asked and self.unreadable and self.unreadable.pop(0):
            raise HostError("the state of stack test cannot be read: gone")
        return self.state


class FakeBackup:
    """Takes down of which containers logs are kept."""

    def __init__(self) -> None:
        self.saved: list[list[str]] = []
        self.problems: list[str] = []
        self.pruned = 0

    def save(self, host: Any, containers: list[str]) -> list[str]:
        self.saved.append(containers)
        return self.problems

    def prune(self) -> None:
        self.pruned += 1


class FakeConnection:
    def close(self) -> None:
        """Nothing is open."""


@dataclass
class Stack:
    """A driver's surroundings, and what came of a run in them.

    Args:
        updates: the engine.
        looks: what is seen at each look at what serves; the last one stays.
    """

    updates: FakeUpdates
    looks: list[list[Check]] = field(default_factory=lambda: [[WELL]])
    said: list[str] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    backup: FakeBackup = field(default_factory=FakeBackup)
    connect: Callable[[], Any] = FakeConnection
    interrupted: bool = False
    undone: int = 0

    def look(self, deployment: Deployment, host: Any, prober: Any) -> list[Check]:
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    def driver(self) -> Driver:
        before = self.updates.state["deployment"]["resources"]
        known = any(resource["urn"].endswith("-live") for resource in before)

        def undoing() -> None:
            self.undone += 1

        around = Surroundings(
            stack="test",
            run="20260105T120000Z",
            updates=self.updates,
            connect=lambda: self.connect(),
            prober=lambda address: None,  # type: ignore[arg-type, return-value]
            backup=self.backup,  # type: ignore[arg-type]
            say=self.said.append,
            sleep=self.slept.append,
            environ={"SLIPWAY_HOTFIX": "why"},
            interrupted=lambda: self.interrupted,
            undoing=undoing,
        )
        return Driver(around, parse_export("test", self.updates.state) if known else None)

    def deploy(self) -> Exit:
        return self.driver().deploy("deploying test")


def make_stack(
    monkeypatch: pytest.MonkeyPatch, state: dict[str, Any], *updates: Update, **more: Any
) -> Stack:
    """A stack whose next updates are told beforehand."""
    stack = Stack(FakeUpdates(state, updates), **more)
    monkeypatch.setattr(module, "verify", stack.look)
    return stack
