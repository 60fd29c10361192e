"""A project whose deploys are played, for what the commands make of how they end."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from slipway.commands import deploy, rollback, run, shown_updates
from slipway.driver import Exit
from slipway.engine import Ended, OnEvent
from slipway.errors import HostError

from .support_driver import export

Drive = tuple[int | None, str, Mapping[str, str], tuple[str, ...]]
"""Number of the release, title, environment, and the pin while it runs."""


class FakeEngine:
    """An engine with a configuration and a state."""

    def __init__(self, root: Path, stack: str) -> None:
        self.stack = stack
        self.keys: dict[str, str] = {"slipway:compose": "app/compose.yaml"}
        self.state: dict[str, Any] = export()
        self.ends = Ended(0, "", "")
        self.events: list[Mapping[str, Any]] = []
        self.asked: list[tuple[dict[str, str], list[str]]] = []
        self.unreadable = False

    def configuration(self) -> dict[str, str]:
        return dict(self.keys)

    def configure(self, key: str, value: str | None) -> None:
        if value is None:
            del self.keys[key]
        else:
            self.keys[key] = value

    def export(self, *, secrets: bool = False) -> dict[str, Any]:
        if self.unreadable:
            raise HostError("the state of stack test cannot be read: gone")
        return self.state

    def update(
        self, on_event: OnEvent, environ: Mapping[str, str], options: Sequence[str]
    ) -> Ended:
        self.asked.append((dict(environ), list(options)))
        for event in self.events:
            on_event(event)
        return self.ends

    def interrupt(self) -> None:
        """Nothing runs."""


class Project:
    """A project with stacks `prod` and `test`.

    Args:
        root: its folder.
        engine: of its stack `test`.
    """

    def __init__(self, root: Path, engine: FakeEngine) -> None:
        self.root = root
        self.engine = engine
        self.drives: list[Drive] = []
        self.code: Exit | BaseException = Exit.VERIFIED
        self.in_order: list[str] = []
        self.problems: list[str] = []

    def drive(self, found: run.Run, number: int | None, title: str, before: Any) -> Exit:
        """In the place of what `Run` does to the engine."""
        pinned = (found.pin,) if found.pin else ()
        self.drives.append((number, title, dict(found.environ), pinned))
        if isinstance(self.code, BaseException):
            raise self.code
        return self.code

    @property
    def method(self) -> Callable[..., Exit]:
        """`drive` as a method of `Run`."""
        return lambda *given: self.drive(*given)

    @property
    def pin(self) -> str | None:
        return self.engine.keys.get(run.PIN)

    @pin.setter
    def pin(self, value: str) -> None:
        self.engine.keys[run.PIN] = value


def make_project(root: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project in which nothing but the commands themselves is real."""
    for stack in ("prod", "test"):
        file = root / f"stacks/Pulumi.{stack}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.touch()
    (root / "app").mkdir()
    engine = FakeEngine(root, "test")
    found = Project(root, engine)
    for module in (run, deploy, rollback):
        monkeypatch.setattr(module, "ROOT", root)
    monkeypatch.setattr(run, "EVIDENCE", root / ".slipway/evidence")
    monkeypatch.setattr(run, "Engine", lambda where, stack: engine)
    monkeypatch.setattr(run, "machine_problems", lambda stack: found.problems)
    for module in (run, shown_updates):
        monkeypatch.setattr(module, "put_in_order", lambda stack, say: found.in_order.append(stack))
    return found


def ends_with(code: int, command: Callable[[], None]) -> None:
    """See with which code a command ends."""
    with pytest.raises(SystemExit) as end:
        command()
    assert json.loads(json.dumps(end.value.code)) == code
