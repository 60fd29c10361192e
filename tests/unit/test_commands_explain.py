import json
from pathlib import Path
from typing import Any, Self

import pytest

from slipway.commands import explain as command
from slipway.commands import run
from slipway.commands.explain import Digests, explain
from slipway.errors import ConfigError, RegistryError
from slipway.explain.model import Explanation, SourceImage
from slipway.reference import ImageReference, parse_reference

from .support_run import FakeEngine, ends_with

HERE, THERE = (f"{host}:5000/shop:src-1" for host in ("localhost", "elsewhere"))


class Silent:
    """A registry that does not answer, but for the one on this machine."""

    def __init__(self, credentials: Any = None) -> None:
        self.asked: list[str] = []

    def digest(self, reference: ImageReference) -> str | None:
        self.asked.append(reference.registry)
        if reference.registry.startswith("localhost"):
            return "sha256:1"
        raise RegistryError(f"{reference.registry} does not answer")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing is open."""


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """The engine of a project with the stack `test`, whose explanation is played."""
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks/Pulumi.test.yaml").touch()
    (tmp_path / "Pulumi.yaml").write_text("name: shop\n")
    found = FakeEngine(tmp_path, "test")
    found.keys["slipway:port"] = "8000"

    def explained(project: str, stack: str, settings: Any, *more: Any) -> Explanation:
        *_, ask, _ = more
        ask(parse_reference(THERE))
        return Explanation(
            f"{project}-{stack}",
            (),
            notes=(str(Path.cwd() == tmp_path),),
            images=(SourceImage(THERE, ("web",)), SourceImage(HERE, ("worker",))),
        )

    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(run, "ROOT", tmp_path)
    monkeypatch.setattr(command, "Engine", lambda root, stack: found)
    monkeypatch.setattr(command, "Registry", Silent)
    monkeypatch.setattr(command, "explain_source", explained)
    return found


def refused(capsys: pytest.CaptureFixture[str], stack: str = "test", **options: Any) -> str:
    ends_with(2, lambda: explain(stack, **options))
    out, err = capsys.readouterr()
    assert out == ""
    return err


def test_stack_without_a_file_is_refused(
    engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "there is no stacks/Pulumi.prod.yaml; there are: test;" in refused(capsys, "prod")


def test_state_that_cannot_be_read_is_refused(
    engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.unreadable = True
    assert refused(capsys) == "slipway: the state of stack test cannot be read: gone\n"


def test_wrong_configuration_is_refused(
    engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    del engine.keys["slipway:port"]
    assert "stacks/Pulumi.test.yaml slipway:port: missing" in refused(capsys)


def test_source_that_cannot_be_released_is_refused(
    engine: FakeEngine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def explained(*given: Any) -> Explanation:
        raise ConfigError(["compose.yaml:3 services.web: wrong"])

    monkeypatch.setattr(command, "explain_source", explained)
    assert "compose.yaml:3 services.web: wrong" in refused(capsys)


def test_two_forms_at_once_are_refused(
    engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "only one of them can be had" in refused(capsys, as_json=True, markdown=True)


def test_explanation_is_given_in_the_folder_of_the_project(
    engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    before = Path.cwd()
    explain("test", as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert (found["stack"], found["notes"][0]) == ("shop-test", "True")
    assert Path.cwd() == before


@pytest.mark.parametrize(("markdown", "head"), [(False, "shop-test: "), (True, "## shop-test: ")])
def test_form_is_as_it_is_asked_for(
    engine: FakeEngine, capsys: pytest.CaptureFixture[str], markdown: bool, head: str
) -> None:
    explain("test", markdown=markdown)
    out = capsys.readouterr().out
    assert out.startswith(f"{head}no release serves")
    assert "whether images are built already is not known: elsewhere:5000 does not" in out


def test_registry_that_does_not_answer_is_asked_once_and_told_once() -> None:
    registry = Silent()
    ask = Digests(registry)  # type: ignore[arg-type]  # it is played
    found = [ask(parse_reference(image)) for image in (THERE, HERE, THERE)]
    assert found == [None, "sha256:1", None]
    assert registry.asked == ["elsewhere:5000", "localhost:5000"]
    assert ask.notes == (
        "whether images are built already is not known: elsewhere:5000 does not answer",
    )


def test_image_in_a_registry_that_does_not_answer_is_not_said_to_be_missing(
    engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    explain("test", as_json=True)
    images = json.loads(capsys.readouterr().out)["images"]
    assert [one["status"] for one in images] == ["not known", "to build"]
