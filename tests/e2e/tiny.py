"""Sandboxes with the smallest of the projects, whose versions are a variable and need no build."""

import re
from collections.abc import Callable
from typing import Any

from slipway.rollback import Entry
from tests.e2e.harness import ROOT, Sandbox

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
