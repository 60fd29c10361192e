from pathlib import Path
from typing import Any, Self

import pytest

from slipway.commands import rollback as command
from slipway.commands.rollback import rollback
from slipway.commands.run import Run
from slipway.driver import Exit
from slipway.errors import RegistryError
from slipway.reference import ImageReference

from .support_driver import FakeConnection, export, release
from .support_gate import image
from .support_run import Project, ends_with, make_project

HEAD = "test: release 2 → release 1, of then\n  web: image shop@sha256:bbbbbbbbbbbb → shop@sha256:"
SHOWN = f"{HEAD}aaaaaaaaaaaa\n"


class Images(FakeConnection):
    """A host, and a registry, with images."""

    def __init__(self) -> None:
        self.on_host: set[str] = set()
        self.in_registry: set[str] = set()
        self.broken = False

    def image_digests(self, name: str) -> list[str]:
        return [name] if name in self.on_host else []

    def digest(self, reference: ImageReference) -> str | None:
        if self.broken:
            raise RegistryError("the registry does not answer")
        return reference.digest if str(reference) in self.in_registry else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing is open."""


def entry(number: int, letter: str) -> dict[str, Any]:
    web = {"image": image(letter), "record": {}}
    return release(number, project={}, time="then", services={"web": web})


@pytest.fixture
def images(monkeypatch: pytest.MonkeyPatch) -> Images:
    found = Images()
    found.on_host = {image("a"), image("b")}
    monkeypatch.setattr(command.docker_host, "connect", lambda: found)
    monkeypatch.setattr(command, "Registry", lambda credentials: found)
    return found


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, images: Images) -> Project:
    found = make_project(tmp_path, monkeypatch)
    monkeypatch.setattr(Run, "_drive", found.method)
    found.engine.state = export(entry(2, "b"), entry(1, "a"))
    return found


def test_rollback_shows_what_changes_restores_and_pins(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    ends_with(0, lambda: rollback("test"))
    assert project.drives == [(1, "rolling test back to release 1", {}, ("1",))]
    assert project.pin == "1"
    assert capsys.readouterr().err == (
        f"{SHOWN}test is pinned at release 1: pulumi up keeps it; scripts/deploy test --leave-pin "
        "releases the source again\n"
    )


def test_preview_changes_nothing(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    ends_with(0, lambda: rollback("test", preview=True))
    assert (project.drives, project.pin) == ([], None)
    assert capsys.readouterr().err == SHOWN


@pytest.mark.parametrize(("code", "pin"), [(Exit.UNDONE, "9"), (Exit.BROKEN, "1")])
def test_rollback_that_fails_ends_with_the_drivers_code(
    project: Project, code: Exit, pin: str
) -> None:
    project.code, project.pin = code, "9"
    ends_with(int(code), lambda: rollback("test", 1))
    assert project.pin == pin


def test_stack_without_release_is_refused(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.engine.state = export()
    ends_with(2, lambda: rollback("test"))
    assert "stack test has no release yet; run scripts/deploy test" in capsys.readouterr().err


def test_image_that_only_the_registry_has_will_do(project: Project, images: Images) -> None:
    images.on_host, images.in_registry = set(), {image("a")}
    ends_with(0, lambda: rollback("test"))


@pytest.mark.parametrize(
    ("broken", "warning"), [(False, ""), (True, "warning: the registry does not answer\n")]
)
def test_image_that_is_nowhere_is_refused_before_the_pin_is_written(
    project: Project,
    images: Images,
    capsys: pytest.CaptureFixture[str],
    broken: bool,
    warning: str,
) -> None:
    images.on_host, images.broken = set(), broken
    ends_with(2, lambda: rollback("test", 1))
    said = capsys.readouterr().err
    assert said.startswith(warning)
    assert (
        f"release 1 cannot be had: the image of web is gone ({image('a')}); no other release can "
        "be had"
    ) in said
    assert (project.drives, project.pin) == ([], None)


def test_value_that_the_state_has_lost_is_refused(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    old = entry(1, "a")
    old["services"]["web"]["record"] = {"environment": {"A": "${kept:12}"}}
    project.engine.state = export(entry(2, "b"), old)
    ends_with(2, lambda: rollback("test"))
    assert "1 of the values that its settings refer to are not in the state" in (
        capsys.readouterr().err
    )
    kept = {"urn": "urn:pulumi:test::shop::pulumi:index:Stash::shop-kept-12", "outputs": {}}
    project.engine.state["deployment"]["resources"].append(kept)
    ends_with(0, lambda: rollback("test"))
