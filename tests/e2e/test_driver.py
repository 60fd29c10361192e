"""scripts/deploy, scripts/rollback and scripts/history: three commands for the life of a stack."""

import gzip
import json
import re
from collections.abc import Iterator

import pytest

from tests.e2e import faults
from tests.e2e.harness import Sandbox, Watcher

WEB = "app/app/main.py"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A stack with releases 1 (version 1.0.0) and 2 (version 2)."""
    sandbox = Sandbox(tmp_path_factory.mktemp("driver"))
    try:
        sandbox.deploy()
        sandbox.set_version("2")
        sandbox.deploy()
        yield sandbox
    finally:
        sandbox.tear_down()


def numbers(sandbox: Sandbox) -> list[tuple[int, int | None]]:
    ledger = sandbox.deployment().live.ledger
    return [(entry["number"], entry.get("rollback_of")) for entry in ledger]


def pin(sandbox: Sandbox) -> str | None:
    found = re.search(r'slipway:pin: "(\d+)"', sandbox.read("stacks/Pulumi.test.yaml"))
    return found[1] if found else None


def test_deploys_leave_releases_evidence_and_the_logs_of_what_was(stack: Sandbox) -> None:
    assert numbers(stack) == [(2, None), (1, None)]
    newest, _ = stack.evidence()
    assert (newest.outcome, newest.kind, newest.release) == ("verified", "deploy", 2)
    web = next(service for service in newest.services if service.name == "web")
    assert web.started_after_image
    assert web.image_pushed is not None
    assert [(p.title, p.asked, p.passed) for p in web.probes] == [
        ("health", "candidate", True),
        ("landing page", "candidate", True),
        ("health", "public", True),
        ("landing page", "public", True),
    ]
    assert {"prove web", "prove worker", "drain"} <= {phase.name for phase in newest.phases}
    (backup,) = (stack.folder / "backups/test").iterdir()
    logs = {
        file.name.split("-")[2]: gzip.decompress(file.read_bytes()).decode()
        for file in backup.iterdir()
    }
    assert logs.keys() == {"web", "worker"}
    assert "GET /api/health" in logs["web"]


def test_rollback_goes_back_under_load_without_a_build_and_pins(stack: Sandbox) -> None:
    with Watcher(stack.url()) as watcher:
        outcome = stack.roll_back()
    assert watcher.versions == ["2", "1.0.0"]
    assert numbers(stack)[0] == (3, 1)
    assert pin(stack) == "1"
    assert "building" not in outcome.output
    stack.assert_agreement()


def test_plain_up_under_a_pin_keeps_the_release_and_says_so(stack: Sandbox) -> None:
    before = stack.running()
    outcome = stack.must_up()
    assert "pinned at release 1" in outcome.output
    assert (stack.running(), numbers(stack)[0]) == (before, (3, 1))


def test_deploy_under_a_pin_is_refused_until_the_pin_is_left(stack: Sandbox) -> None:
    outcome = stack.deploy(code=2)
    assert "--leave-pin" in outcome.output
    assert stack.health()["version"] == "1.0.0"
    stack.deploy("--leave-pin")
    assert (pin(stack), stack.health()["version"]) == (None, "2")


def test_history_lists_releases_and_the_rollback(stack: Sandbox) -> None:
    found = json.loads(stack.script("history", "test", "--json").output)
    releases = [entry for entry in found["entries"] if entry["kind"] == "release"]
    assert [(r["number"], r.get("rollback_of")) for r in releases] == [
        (4, None),
        (3, 1),
        (2, None),
        (1, None),
    ]


def test_release_that_answers_500_is_undone_and_its_evidence_shows_the_body(
    stack: Sandbox,
) -> None:
    before = stack.running()
    broken = faults.answering({"/api/health": (500, "all is lost")})
    with Watcher(stack.url()) as watcher, stack.changed(WEB, broken):
        stack.deploy(code=1)
    assert watcher.versions == ["2"]
    assert stack.running() == before
    assert numbers(stack)[0] == (4, None)
    undone, failed = stack.evidence()[:2]
    assert (undone.outcome, undone.kind, undone.release) == ("verified", "automatic rollback", 4)
    assert (failed.outcome, failed.kind) == ("failed", "deploy")
    assert failed.failure is not None
    assert failed.failure.service == "web"
    assert "found status 500" in failed.failure.report
    assert "all is lost" in failed.failure.report
    stack.assert_agreement()
