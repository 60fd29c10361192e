"""Sandboxes with the smallest of the projects, whose versions are a variable and need no build."""

import re
from collections.abc import Callable
from typing import Any

from slipway.rollback import Entry
from tests.e2e.harness import ROOT, Outcome, Sandbox, Watcher

SOURCE = ROOT / "tests/e2e/projects/tiny"
COMPOSE = "app/compose.yaml"
STACK_FILE = "stacks/Pulumi.test.yaml"


def tiny_sandbox(new_sandbox: Callable[..., Sandbox], **options: Any) -> Sandbox:
    """A sandbox whose stack `test` has no release yet."""
    return new_sandbox(stable_for="200ms", source=SOURCE, **options)


def set_version(sandbox: Sandbox, version: str) -> None:
    """Another version of both services."""
    text = sandbox.read(COMPOSE)
    sandbox.write(COMPOSE, re.sub(r'VERSION: ".*"', f'VERSION: "{version}"', text))


def with_fault(fault: str) -> Callable[[str], str]:
    """The compose file with a release that goes wrong."""
    return lambda text: re.sub(r'( +)(VERSION: ".*")', rf'\1\2\n\1FAULT: "{fault}"', text)


def version_of(entry: Entry) -> str:
    """The version of a release of the ledger."""
    return str(entry["services"]["web"]["record"]["environment"]["VERSION"])


def numbers(sandbox: Sandbox, stack: str = "test") -> list[tuple[int, int | None]]:
    """The ledger: number of each release, and of which one it is a rollback."""
    ledger = sandbox.deployment(stack).live.ledger
    return [(entry["number"], entry.get("rollback_of")) for entry in ledger]


def pin(sandbox: Sandbox) -> str | None:
    """The release at which stack `test` is pinned."""
    found = re.search(r'slipway:pin: "(\d+)"', sandbox.read(STACK_FILE))
    return found[1] if found else None


def entry(sandbox: Sandbox, number: int) -> dict[str, Any]:
    ledger = sandbox.deployment().live.ledger
    return next(found for found in ledger if found["number"] == number)


def refuse_versions(sandbox: Sandbox, *versions: str) -> None:
    """Containers of these versions do not start from now on."""
    container = sandbox.engine.containers.get(sandbox.live("web"))
    text = " ".join(versions)
    assert container.exec_run(["sh", "-c", f"echo '{text}' > /data/refused"]).exit_code == 0


def refused(sandbox: Sandbox, run: Callable[[], Outcome]) -> Outcome:
    """Something that is refused with exit code 2; nothing changes by it."""
    before = sandbox.running(), sandbox.deployment().live, sandbox.read(STACK_FILE)
    with Watcher(sandbox.url(), sandbox.health_path):
        outcome = run()
    assert (sandbox.running(), sandbox.deployment().live, sandbox.read(STACK_FILE)) == before
    return outcome


def undone(sandbox: Sandbox, run: Callable[[], Outcome]) -> Outcome:
    """Something that fails with exit code 1; what served goes on serving, and is looked at."""
    before, ledger = sandbox.running(), numbers(sandbox)
    with Watcher(sandbox.url(), sandbox.health_path) as watcher:
        outcome = run()
    assert len(watcher.versions) == 1
    assert (sandbox.running(), numbers(sandbox)) == (before, ledger)
    assert "failed, and undone: release" in outcome.output
    sandbox.assert_agreement()
    return outcome


def at_line(sandbox: Sandbox, text: str, act: Callable[[], None]) -> Outcome:
    """A deploy; something happens as soon as it says a text."""
    reached: list[str] = []

    def watch(line: str) -> None:
        if not reached and text in line:
            reached.append(line)
            act()

    outcome = sandbox.follow(sandbox.start_script("deploy", "test", "--leave-pin"), watch)
    assert reached, outcome.output
    return outcome
