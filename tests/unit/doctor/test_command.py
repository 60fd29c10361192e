import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from slipway.commands import doctor as command
from slipway.doctor.surroundings import Surroundings
from slipway.errors import HostError

from ..support_gate import image
from .support import export
from .surrounding import Scene, add_image
from .test_prune import OLD, REFERENCE, SPARE, SPARE_TAG

Doctor = Callable[..., tuple[int, str, str]]


@pytest.fixture
def doctor(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Doctor:
    """Runs scripts/doctor: exit code, output, errors."""

    @contextmanager
    def around() -> Iterator[Surroundings]:
        yield scene.around()

    def run(
        stack: str | None = None, *, json_: bool = False, prune: bool = False, yes: bool = False
    ) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            command.doctor(stack, json_, prune, yes)
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(command, "surroundings", around)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    scene.engine.add("shop-test-ingress", image("e"), running=True)
    scene.engine.add("web-1", image("a"), running=True)
    scene.engine.answers["shop-test-ingress"] = (0, "releases/1\nweb web-1:8000\n")
    return run


def answer(monkeypatch: pytest.MonkeyPatch, text: str | Exception) -> None:
    def ask(question: str) -> str:
        if isinstance(text, Exception):
            raise text
        return text

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("builtins.input", ask)


def test_healthy_project_ends_with_0(doctor: Doctor) -> None:
    code, out, err = doctor()
    assert (code, err) == (0, "")
    assert out.endswith("all is well\n")


def test_problem_ends_with_1_and_stands_in_the_json(scene: Scene, doctor: Doctor) -> None:
    scene.engine.crash("web-1")
    code, out, _ = doctor(json_=True)
    found = json.loads(out)
    assert (code, found["problems"], found["warnings"]) == (1, 1, 0)
    assert [f["check"] for f in found["findings"] if f["level"] == "problem"] == ["serving"]


def test_warning_alone_ends_with_0(scene: Scene, doctor: Doctor) -> None:
    scene.add_stack("prod", None, port="9000")
    assert doctor()[0] == 0


def test_one_stack_is_looked_at_if_it_is_named(scene: Scene, doctor: Doctor) -> None:
    scene.add_stack("prod", export(), port="9000")
    found = json.loads(doctor("prod", json_=True)[1])["findings"]
    assert {finding["stack"] for finding in found} == {None, "prod"}


def test_unknown_stack_ends_with_2(doctor: Doctor) -> None:
    code, _, err = doctor("nosuch")
    assert code == 2
    assert err.endswith("there is no stack nosuch; there are: test\n")


def test_everything_that_is_down_is_told_at_once(scene: Scene, doctor: Doctor) -> None:
    scene.no_engine = scene.no_registry = True
    scene.backend.down = "no bucket"
    scene.write("stacks/Pulumi.prod.yaml", "config: [")
    found = json.loads(doctor(json_=True)[1])["findings"]
    problems = [(f["stack"], f["check"]) for f in found if f["level"] == "problem"]
    assert problems == [
        (None, "engine"), (None, "registry"), (None, "backend"), ("prod", "file")
    ]  # fmt: skip


# --- pruning --------------------------------------------------------------------------------


@pytest.fixture
def stocked(scene: Scene) -> Scene:
    add_image(scene, SPARE_TAG, SPARE, OLD)
    return scene


def test_spare_images_are_a_warning_first(stocked: Scene, doctor: Doctor) -> None:
    code, out, _ = doctor()
    assert code == 0
    assert "2 images of no release, older than slipway:imageRetention: up to 110 B" in out
    assert stocked.images.removed == []


def test_nothing_is_removed_without_a_terminal_or_yes(stocked: Scene, doctor: Doctor) -> None:
    code, out, _ = doctor(prune=True)
    assert code == 0
    assert out.endswith("nothing was removed; to remove it: scripts/doctor --prune --yes\n")
    assert (stocked.images.removed, stocked.deleted) == ([], [])


@pytest.mark.parametrize("said", ["", "n", "no", EOFError()])
def test_any_answer_but_yes_removes_nothing(
    stocked: Scene, doctor: Doctor, monkeypatch: pytest.MonkeyPatch, said: str | Exception
) -> None:
    answer(monkeypatch, said)
    code, out, _ = doctor(prune=True)
    assert (code, out.splitlines()[-1]) == (0, "nothing was removed")
    assert (stocked.images.removed, stocked.deleted) == ([], [])


def test_list_comes_before_the_question_and_the_removal_after_it(
    stocked: Scene, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, "y")
    code, out, _ = doctor(prune=True)
    assert code == 0
    assert out.splitlines()[-3:] == [
        f"removed {REFERENCE} (host)",
        f"removed {REFERENCE} (registry)",
        "the registry frees the space of what was removed in its garbage collection: see "
        "docs/reference.md, scripts/doctor",
    ]
    assert stocked.deleted == [f"shop/manifests/{SPARE}"]


def test_release_that_needs_an_image_by_the_time_of_the_answer_keeps_it(
    stocked: Scene, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deploy(question: str) -> str:
        stocked.images.in_use = list(stocked.images.stored)
        return "y"

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("builtins.input", deploy)
    assert doctor(prune=True)[0] == 0
    assert (stocked.images.removed, stocked.deleted) == ([], [])


def test_json_removes_only_with_yes(
    stocked: Scene, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, "y")
    listed = json.loads(doctor(prune=True, json_=True)[1])["prune"]
    assert (len(listed["images"]), listed["removed"]) == (2, [])
    gone = json.loads(doctor(prune=True, json_=True, yes=True)[1])["prune"]
    assert gone["removed"] == [f"{REFERENCE} (host)", f"{REFERENCE} (registry)"]


def test_removal_that_fails_ends_with_1(stocked: Scene, doctor: Doctor) -> None:
    stocked.no_deletion = True
    code, out, _ = doctor(prune=True, yes=True)
    assert code == 1
    assert "NOT removed: localhost:5000 has deletion switched off; " in out


def test_pruning_that_is_not_safe_ends_with_2(stocked: Scene, doctor: Doctor) -> None:
    stocked.backend.states["old"] = "error: no passphrase"
    code, out, err = doctor(prune=True, yes=True)
    assert (code, out) == (2, "")
    assert err == (
        "slipway: nothing was removed: the state of old cannot be read: no passphrase; what its "
        "releases need is not known\n"
    )


def test_surroundings_go_on_without_an_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    def down() -> None:
        raise HostError("no engine")

    monkeypatch.setattr(command.docker_host, "connect", down)
    with command.surroundings() as around:
        assert around.host == around.images
        assert getattr(around.host, "why", "") == "no engine"
