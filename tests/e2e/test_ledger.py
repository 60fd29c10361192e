"""What cannot spoil the ledger: promotion, refreshes, updates of a part, tags, destroyed stacks."""

import json
import time
from collections.abc import Callable

import pytest

from tests.e2e.harness import Sandbox, Watcher
from tests.e2e.tiny import (
    numbers,
    set_version,
    tiny_sandbox,
)

MAIN = "app/main.py"


@pytest.fixture(scope="module")
def stack(new_sandbox: Callable[..., Sandbox]) -> Sandbox:
    return tiny_sandbox(new_sandbox)


def test_promotion_holds_until_a_reason_is_given_and_recorded(stack: Sandbox) -> None:
    stack.deploy()
    file = "stacks/Pulumi.prod.yaml"
    stack.replace(
        file, "config:\n", "config:\n  slipway:promoteFrom: test\n  slipway:minSoak: 1h\n"
    )
    assert "slipway:minSoak asks for 1h" in stack.deploy(stack="prod", code=2).output
    stack.replace(file, "  slipway:minSoak: 1h\n", "")
    stack.deploy(stack="prod")
    assert stack.health("prod")["version"] == stack.health()["version"]
    stack.write(MAIN, stack.read(MAIN) + "# not seen in test\n")
    outcome = stack.deploy(stack="prod", code=2)
    assert "this source has never been built" in outcome.output
    assert "--hotfix 'why'" in outcome.output
    assert numbers(stack, "prod") == [(1, None)]
    stack.deploy("--hotfix", "prices were wrong", stack="prod")
    newest = stack.deployment("prod").live.ledger[0]
    assert (newest["number"], newest["hotfix"]) == (2, "prices were wrong")
    found = json.loads(stack.script("history", "prod", "--json").output)["entries"][0]
    assert found["hotfix"] == "prices were wrong"
    stack.assert_agreement("prod")


def test_refresh_by_the_way_changes_nothing(stack: Sandbox) -> None:
    stack.deploy()
    before = stack.running(), numbers(stack)
    stack.deploy("--", "--refresh")
    assert (stack.running(), numbers(stack)) == before
    stack.assert_agreement()


def test_plain_update_of_a_part_spoils_no_ledger(stack: Sandbox) -> None:
    before = numbers(stack)
    set_version(stack, "9")
    state = json.loads(stack.export())["deployment"]["resources"]
    urn = next(r["urn"] for r in state if r["urn"].endswith("-attempt"))
    with Watcher(stack.url(), stack.health_path):
        stack.up("test", "--target", urn)
        assert numbers(stack) == before
        stack.deploy()
    assert stack.health()["version"] == "9"
    assert [number for number, _ in numbers(stack)][1:] == [number for number, _ in before]
    stack.assert_agreement()


def test_tag_names_the_release(stack: Sandbox) -> None:
    def git(*arguments: str) -> None:
        found = stack._start(["git", "-C", "app", *arguments])
        assert stack.follow(found).code == 0

    git("init", "-q", "-b", "main")
    set_version(stack, "10")
    git("add", ".")
    git("-c", "user.name=Kim", "-c", "user.email=k@example.com", "commit", "-qm", "tenth")
    outcome = stack.deploy("--tag")
    newest = stack.deployment().live.ledger[0]
    name = f"release/test/{newest['number']}"
    assert f"tagged {name}; git push origin {name}" in outcome.output
    assert (newest["git"]["branch"], newest["git"]["dirty"]) == ("main", False)
    assert (
        newest["git"]["commit"]
        in stack.follow(stack._start(["git", "-C", "app", "rev-parse", name])).output
    )


def test_what_was_destroyed_begins_anew(stack: Sandbox) -> None:
    destroyed = stack.pulumi("destroy", "--yes", "--skip-preview", "--stack", "test")
    assert destroyed.code == 0, destroyed.output
    assert "has no release" in stack.roll_back(code=2).output
    began = time.time()
    stack.deploy()
    assert numbers(stack) == [(1, None)]
    assert stack.health()["version"] == "10"
    assert stack.evidence()[0].release == 1
    assert time.time() - began < 120
    stack.assert_agreement()
