"""Releases that succeed, on the real engine and the real Docker."""

from slipway.services import Build
from slipway.source_hash import read_source
from slipway.state import REMOTE_IMAGE
from tests.e2e.harness import Sandbox, Watcher


def base_image(sandbox: Sandbox) -> dict[str, str | None]:
    return {"BASE_IMAGE": sandbox.environ["SLIPWAY_PYTHON_IMAGE"]}


def test_first_release_serves_the_source_that_was_hashed(sandbox: Sandbox) -> None:
    build = Build(context=str(sandbox.folder / "app"), args=base_image(sandbox))
    expected = read_source(build, "linux/amd64").hash
    assert sandbox.health() == {"status": "ok", "version": "1.0.0", "source_hash": expected}
    sandbox.assert_agreement()


def test_second_preview_is_empty(sandbox: Sandbox) -> None:
    outcome = sandbox.preview("test", "--expect-no-changes")
    assert outcome.code == 0, outcome.output


def test_up_without_a_change_touches_nothing(sandbox: Sandbox) -> None:
    before = sandbox.running()
    ledger = sandbox.deployment().live.ledger
    outcome = sandbox.up("test", "--expect-no-changes")
    assert outcome.code == 0, outcome.output
    assert (sandbox.running(), sandbox.deployment().live.ledger) == (before, ledger)


def test_refresh_of_a_healthy_stack_changes_nothing(sandbox: Sandbox) -> None:
    before = sandbox.running()
    outcome = sandbox.up("test", "--refresh", "--expect-no-changes")
    assert outcome.code == 0, outcome.output
    assert sandbox.running() == before
    sandbox.assert_agreement()


def test_probe_change_restarts_nothing_and_passes_the_gate(sandbox: Sandbox) -> None:
    before = sandbox.running()
    number = sandbox.deployment().live.ledger[0]["number"]
    sandbox.replace("app/compose.yaml", "max_ms: 2000", "max_ms: 3000")
    with Watcher(sandbox.url()):
        outcome = sandbox.must_up()
    assert "nothing to switch" in outcome.output
    assert sandbox.running() == before
    assert sandbox.deployment().live.ledger[0]["number"] == number + 1


def test_environment_change_makes_only_that_service_anew(sandbox: Sandbox) -> None:
    web, worker = sandbox.live("web"), sandbox.live("worker")
    sandbox.replace(
        "app/compose.yaml", "    environment: *environment\n", "    environment: {SPEED: '2'}\n"
    )
    with Watcher(sandbox.url()):
        sandbox.must_up()
    assert sandbox.live("web") == web
    assert sandbox.live("worker") != worker
    sandbox.assert_agreement()


def test_source_change_serves_the_new_version_without_a_gap(sandbox: Sandbox) -> None:
    sandbox.set_version("1.1.0")
    with Watcher(sandbox.url()) as watcher:
        sandbox.must_up()
    assert watcher.versions == ["1.0.0", "1.1.0"]
    sandbox.assert_agreement()


def test_two_stacks_share_images_and_the_second_builds_nothing(sandbox: Sandbox) -> None:
    with Watcher(sandbox.url("test")):
        sandbox.must_up("prod")
    test, prod = sandbox.deployment("test"), sandbox.deployment("prod")
    images = [d.live.ledger[0]["services"]["web"]["image"] for d in (test, prod)]
    assert images[0] == images[1]
    assert prod.state.named(REMOTE_IMAGE) == {}
    assert sandbox.health("prod") == sandbox.health("test")
    for stack in ("test", "prod"):
        outcome = sandbox.preview(stack, "--expect-no-changes")
        assert outcome.code == 0, outcome.output
        sandbox.assert_agreement(stack)


def test_destroy_leaves_only_named_volumes_and_images(sandbox: Sandbox) -> None:
    if not sandbox.containers("prod"):
        sandbox.must_up("prod")
    with Watcher(sandbox.url("test")):
        outcome = sandbox.pulumi("destroy", "--yes", "--stack", "prod")
    assert outcome.code == 0, outcome.output
    prefix = f"{sandbox.name}-prod"
    label: dict[str, str | list[str] | bool] = {
        "label": [f"slipway.project={sandbox.name}", "slipway.stack=prod"]
    }
    assert sandbox.engine.containers.list(all=True, filters=label) == []
    assert sandbox.engine.networks.list(filters=label) == []
    volumes = [volume.name for volume in sandbox.engine.volumes.list(filters=label)]
    assert volumes == [f"{prefix}-data"]
