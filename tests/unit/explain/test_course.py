import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest

from slipway import deploy
from slipway.errors import ConfigError
from slipway.explain import views
from slipway.explain.course import explain_source
from slipway.explain.model import Change, Commit, Explanation, FileChanges, ServiceChange, Status
from slipway.explain.stash import PACKED, kept, stash_name
from slipway.origin import Git
from slipway.prepared import Prepared
from slipway.state import STASH, StackState

from ..support_deploy import DIGEST, PASSWORD, STACK, World, state_after
from ..support_release import through_state

IMAGE = f"localhost:5000/shop@{DIGEST}"
SECRET = "4dabf18193072939515e22adb298388d"


@pytest.fixture(autouse=True)
def _no_host(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is only explained must not need the host."""

    def connect() -> NoReturn:
        raise AssertionError("the host was asked")

    monkeypatch.setattr(deploy, "connect", connect)
    (world.folder / "main.py").write_text("one\n")


def exported(prepared: Prepared) -> StackState:
    """The state of what was released, as an export with secrets in plain text gives it."""

    def sealed(value: str) -> dict[str, str]:
        plaintext = json.dumps(value)
        return {SECRET: "1b47061264138c4ac30d75fd1eb44270", "plaintext": plaintext}

    outputs = {k: through_state(value) for k, value in state_after(prepared).outputs.items()}
    outputs[STASH, "quotes-key"] = {"input": sealed(STACK.key)}
    packed = sealed(kept(prepared, None).packed)
    outputs[STASH, stash_name("quotes")] = {"input": {PACKED: packed}}
    return StackState(outputs)


def no_git(folder: Path) -> Git:
    return lambda arguments: None


def explain(world: World, state: StackState, git: Any = no_git, **settings: Any) -> Explanation:
    changed = replace(world.settings, **settings)
    return explain_source(
        "quotes", "test", changed, {}, state, lambda r: world.tags.get(str(r.tag)), git
    )


def released(world: World) -> StackState:
    return exported(world.prepare(preview=True))


def services(found: Explanation) -> Mapping[str, ServiceChange]:
    return {one.service: one for one in found.services}


def test_source_that_cannot_be_released_is_refused_with_all_that_is_wrong(world: World) -> None:
    world.services["web"]["image"] = "nginx"
    del world.services["web"]["build"]
    (world.folder / "Dockerfile").unlink()
    with pytest.raises(ConfigError) as caught:
        explain(world, StackState())
    assert len(caught.value.problems) == 2


def test_stack_without_a_release_is_all_new(world: World) -> None:
    found = explain(world, StackState())
    assert replace(found, images=()) == Explanation(
        "test",
        (
            ServiceChange("web", Status.NEW, True),
            ServiceChange("worker", Status.NEW, True),
        ),
    )


def test_release_from_before_files_were_kept_says_so(world: World) -> None:
    state = StackState(
        {k: v for k, v in released(world).outputs.items() if k[1] != stash_name("quotes")}
    )
    (world.folder / "main.py").write_text("two\n")
    web = services(explain(world, state))["web"]
    assert (web.files, web.recipe) == (None, ())
    assert web.notes[0].startswith("which files differ is not known: release 1 is from before")


def test_nothing_changed_says_that_the_same_digest_runs(world: World) -> None:
    found = explain(world, released(world))
    same = ServiceChange("web", Status.UNCHANGED, image=(IMAGE, IMAGE))
    assert found.services == (same, replace(same, service="worker"))
    assert (found.release, found.commit, found.notes) == (1, None, ())


def test_changed_file_is_named_for_each_service_that_shares_the_image(world: World) -> None:
    state = released(world)
    (world.folder / "main.py").write_text("two\n")
    found = services(explain(world, state))
    assert {name: one.files for name, one in found.items()} == dict.fromkeys(
        ("web", "worker"), FileChanges(changed=("main.py",))
    )
    assert found["web"].image == (IMAGE, None)
    assert found["web"].new_container


def test_digest_of_an_image_that_is_built_already_is_named(world: World) -> None:
    state = released(world)
    (world.folder / "main.py").write_text("two\n")
    source = world.prepare(preview=True).containers[0].spec.identity
    world.tags[f"src-{source[:24]}"] = f"sha256:{'7' * 64}"
    web = services(explain(world, state))["web"]
    assert web.image == (IMAGE, f"localhost:5000/shop@sha256:{'7' * 64}")


def test_moved_base_image_is_named_by_both_digests(world: World) -> None:
    state = released(world)
    (world.folder / "Dockerfile").write_text(f"FROM python@sha256:{'b' * 64}\nCOPY . .\n")
    web = services(explain(world, state))["web"]
    assert web.recipe == (
        Change("dockerfile", "Dockerfile", "Dockerfile"),
        Change("from docker.io/library/python:latest", f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"),
    )


def test_setting_is_named_with_both_values_and_only_for_its_service(world: World) -> None:
    state = released(world)
    world.services["worker"]["environment"] = {"LEVEL": "debug"}
    world.services["worker"]["command"] = ["work", "--fast"]
    world.services["web"]["x-slipway"]["probes"] = [{"path": "/ready"}]
    found = services(explain(world, state))
    assert found["worker"].settings == (
        Change("command", '["work"]', '["work", "--fast"]'),
        Change("environment.LEVEL", None, "debug"),
    )
    assert found["worker"].new_container
    (probes,) = found["web"].settings
    assert (probes.key, found["web"].new_container) == ("x-slipway.probes", False)


def test_secret_with_another_value_is_named_and_not_shown(world: World) -> None:
    state = released(world)
    found = services(explain(world, state, secrets={"DB_PASSWORD": "another one"}))
    assert found["web"].notes == ("a secret that it refers to has another value (DB_PASSWORD)",)
    assert (found["web"].status, found["web"].new_container) == (Status.CHANGED, True)
    assert found["worker"].status is Status.UNCHANGED


def test_no_secret_is_in_any_view(world: World) -> None:
    literal, other = "literal of the file", "another literal"
    world.services["web"]["environment"]["API_TOKEN"] = literal
    state = released(world)
    world.services["web"]["environment"]["API_TOKEN"] = other
    world.services["worker"]["command"] = ["work", "--password", PASSWORD]
    found = explain(world, state)
    shown = [views.text(found), views.markdown(found), json.dumps(views.document(found))]
    assert not [text for text in shown for s in (PASSWORD, literal, other) if s in text]
    assert Change("environment.API_TOKEN", "(hidden)", "(hidden)") in (
        services(found)["web"].settings
    )


def test_services_that_come_and_go_are_told(world: World) -> None:
    state = released(world)
    world.services["mailer"] = world.services.pop("worker")
    found = services(explain(world, state))
    assert {name: one.status for name, one in found.items()} == {
        "mailer": Status.NEW,
        "web": Status.UNCHANGED,
        "worker": Status.REMOVED,
    }


def test_release_command_that_will_run_is_told(world: World) -> None:
    world.services["web"]["x-slipway"]["release"] = "migrate"
    state = released(world)
    assert services(explain(world, state))["web"].notes == ()
    (world.folder / "main.py").write_text("two\n")
    assert services(explain(world, state))["web"].notes == ("its release command will run",)


def test_network_that_comes_is_told_of_the_project(world: World) -> None:
    state = released(world)
    world.networks["back"] = {"internal": True}
    assert explain(world, state).project == (Change("networks.back.internal", None, "true"),)


def test_pinned_stack_says_that_nothing_of_it_is_released(world: World) -> None:
    (note,) = explain(world, released(world), pin=1).notes
    assert note == (
        "the stack is pinned at release 1 (slipway:pin), and pulumi up releases nothing of this; "
        "scripts/deploy test --leave-pin does"
    )


def test_commits_are_asked_for_once_and_only_where_the_image_differs(world: World) -> None:
    asked: list[Path] = []
    known = state_after(world.prepare(preview=True)).outputs[STASH, "quotes-live"]["input"]

    def git_in(folder: Path) -> Git:
        asked.append(folder)

        def git(arguments: Sequence[str]) -> str | None:
            return ">\x1f" + "c" * 40 + "\x1fkim\x1fMend it\n" if arguments[0] == "log" else ""

        return git

    known["ledger"]["1"]["git"] = {"commit": "a" * 40, "dirty": False}
    state = StackState({**released(world).outputs, (STASH, "quotes-live"): {"input": known}})
    assert services(explain(world, state, git_in))["web"].commits == ()
    assert asked == []
    (world.folder / "main.py").write_text("two\n")
    found = explain(world, state, git_in)
    assert found.commit == "a" * 40
    assert [one.commits for one in found.services] == [(Commit("c" * 40, "kim", "Mend it"),)] * 2
    assert asked == [world.folder]
