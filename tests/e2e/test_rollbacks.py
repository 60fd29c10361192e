"""Rollbacks out of the ledger: what comes back, with which secrets, and what is refused."""

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from slipway.blueprint import same_release
from tests.e2e.harness import ROOT, Sandbox, Watcher
from tests.e2e.tiny import (
    COMPOSE,
    STACK_FILE,
    entry,
    numbers,
    pin,
    refuse_versions,
    refused,
    set_version,
    tiny_sandbox,
    undone,
    version_of,
)

MAIN = "app/main.py"
GOOD, BETTER, WRONG = "token-of-the-first-day", "token-of-the-second-day", "wrong-token-of-today"


@pytest.fixture(scope="module")
def stack(new_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """Releases 1 and 2 differ in a variable; 3 has another image as well, for both services."""
    sandbox = tiny_sandbox(new_sandbox)
    set_token(sandbox, GOOD)
    sandbox.replace(COMPOSE, '      VERSION: "1"\n', '      VERSION: "1"\n      TOKEN: ${TOKEN}\n')
    sandbox.deploy()
    set_version(sandbox, "2")
    sandbox.deploy()
    sandbox.write(MAIN, sandbox.read(MAIN) + "# another image\n")
    set_version(sandbox, "3")
    sandbox.deploy()
    return sandbox


def set_token(sandbox: Sandbox, value: str, stack: str = "test") -> None:
    done = sandbox.pulumi(
        "config", "set", "--stack", stack, "--secret", "--path", "slipway:secrets.TOKEN", value
    )
    assert done.code == 0, done.output


def token_of(sandbox: Sandbox) -> str:
    """The token that the live web server has."""
    found = sandbox.engine.containers.get(sandbox.live("web")).attrs["Config"]["Env"]
    return next(v.removeprefix("TOKEN=") for v in found if v.startswith("TOKEN="))


def test_two_services_that_changed_together_go_back_together(stack: Sandbox) -> None:
    with Watcher(stack.url(), stack.health_path) as watcher:
        outcome = stack.roll_back()
    assert watcher.versions == ["3", "2"]
    for service in ("web", "worker"):
        assert re.search(rf"{service}: image \S+ → \S+", outcome.output)
        assert f"{service}: environment VERSION as it was then" in outcome.output
    assert numbers(stack) == [(4, 2), (3, None), (2, None), (1, None)]
    assert entry(stack, 4)["services"] == entry(stack, 2)["services"]
    stack.assert_agreement()


def test_named_release_that_differs_in_a_variable_only(stack: Sandbox) -> None:
    outcome = stack.roll_back("1")
    assert "image" not in outcome.output.split("rolling")[0]
    assert stack.health()["version"] == "1"
    assert (numbers(stack)[0], pin(stack)) == ((5, 1), "1")
    stack.assert_agreement()


def test_preview_of_a_rollback_changes_nothing(stack: Sandbox) -> None:
    before = stack.running(), stack.deployment().live, stack.read(STACK_FILE)
    outcome = stack.roll_back("3", "--preview")
    assert "web: image" in outcome.output
    assert (stack.running(), stack.deployment().live, stack.read(STACK_FILE)) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("99",), "there is no release 99 in the ledger; these can be had: 4, 3, 2"),
        (("5",), "release 5 serves already"),
        (("1",), "release 1 is what serves already, as release 5"),
    ],
    ids=["unknown", "serves", "same"],
)
def test_rollback_that_makes_no_sense_is_refused(
    stack: Sandbox, arguments: tuple[str, ...], said: str
) -> None:
    assert said in refused(stack, lambda: stack.roll_back(*arguments, code=2)).output


def test_unknown_stack_is_refused(stack: Sandbox) -> None:
    for command in (stack.deploy, stack.roll_back):
        assert "there are: prod, test" in command(stack="tset", code=2).output


def test_rollback_that_fails_leaves_what_served_and_the_pin(stack: Sandbox) -> None:
    refuse_versions(stack, "3")
    try:
        outcome = undone(stack, lambda: stack.roll_back("3", code=1))
    finally:
        refuse_versions(stack)
    # Both start at once, and either may be the first to end.
    assert re.search("service (web|worker): the container exited with code 1", outcome.output)
    assert pin(stack) == "1"


def test_rollback_needs_neither_compose_file_nor_source(stack: Sandbox, tmp_path: Path) -> None:
    for name in ("components", "slipway", "__main__.py"):
        (tmp_path / name).symlink_to(ROOT / name)
    for name in ("Pulumi.yaml", STACK_FILE):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(stack.read(name))
    folder, environ = stack.folder, stack.environ
    stack.folder, stack.environ = tmp_path, environ | {"PYTHONPATH": str(tmp_path)}
    try:
        with Watcher(stack.url(), stack.health_path) as watcher:
            stack.roll_back("2")
        assert "2" in (tmp_path / STACK_FILE).read_text().split("slipway:pin:")[1].splitlines()[0]
    finally:
        stack.folder, stack.environ = folder, environ
    assert watcher.versions == ["1", "2"]
    stack.assert_agreement()
    stack.deploy("--leave-pin")
    assert stack.health()["version"] == "3"


def test_rotated_secret_is_no_other_release_and_rollbacks_have_todays_value(
    stack: Sandbox,
) -> None:
    set_token(stack, BETTER)
    stack.deploy()
    newest, before = stack.deployment().live.ledger[:2]
    assert same_release(newest, before)
    assert (version_of(newest), token_of(stack)) == ("3", BETTER)
    stack.roll_back()
    assert stack.health()["version"] == "2"
    assert token_of(stack) == BETTER
    stack.assert_agreement()


def test_release_that_fails_by_a_wrong_new_secret_is_undone_with_the_old_one(
    stack: Sandbox,
) -> None:
    pinned = pin(stack)
    set_token(stack, WRONG)
    outcome = undone(stack, lambda: stack.deploy("--leave-pin", code=1))
    assert "refused to start, with [secret]" in outcome.output
    assert token_of(stack) == BETTER
    # What is pinned still serves, so that a plain update must not try the source again.
    assert pinned is not None
    assert pin(stack) == pinned
    set_token(stack, BETTER)
    stack.deploy("--leave-pin")


def test_no_secret_is_in_what_is_kept_and_shown(stack: Sandbox) -> None:
    shown = {
        "history": stack.script("history", "test", "--json").output,
        "table": stack.script("history", "test").output,
        "state": stack.export(),
        "outputs": stack.pulumi("stack", "output", "--json", "--stack", "test").output,
        "rollback": stack.roll_back("1", "--preview").output,
    }
    logs = list((stack.folder / "backups/test").rglob("*.gz"))
    shown |= {file.name: gzip.decompress(file.read_bytes()).decode() for file in logs}
    shown |= {
        str(file): file.read_text()
        for file in (stack.folder / ".slipway").rglob("*")
        if file.suffix in (".json", ".md")
    }
    assert any("with [secret]" in text for text in shown.values())
    for name, text in shown.items():
        for secret in (GOOD, BETTER, WRONG):
            assert secret not in text, name


def test_images_that_are_gone_are_named_with_what_can_be_had(stack: Sandbox) -> None:
    stack.roll_back("2")
    image = entry(stack, 3)["services"]["web"]["image"]
    repository, digest = image.split("/", 1)[1].split("@")
    for container in stack.engine.containers.list(all=True, filters={"ancestor": image}):
        container.remove(force=True)
    for name in stack.engine.images.get(image).tags:
        stack.engine.images.remove(name)
    answer = httpx.delete(f"http://localhost:5000/v2/{repository}/manifests/{digest}")
    assert answer.status_code == httpx.codes.ACCEPTED, answer.text
    outcome = refused(stack, lambda: stack.roll_back("3", code=2))
    assert f"release 3 cannot be had: the image of web is gone ({image})" in outcome.output
    there = {found["number"] for found in stack.deployment().live.ledger}
    lost = {n for n in there if entry(stack, n)["services"]["web"]["image"] == image}
    same = {n for n in there if same_release(entry(stack, n), entry(stack, max(there)))}
    listed = re.search(r"these can be had: ([\d, ]+)", outcome.output)
    assert listed is not None
    assert {int(number) for number in listed[1].split(", ")} == there - lost - same
