"""What happens to containers behind Slipway's back, and what the next up makes of it."""

import pytest

from slipway.host import LABEL_OWNER, LABEL_PROJECT, LABEL_ROLE, LABEL_STACK
from tests.e2e.harness import Sandbox, Watcher


@pytest.mark.parametrize("service", ["web", "worker"])
def test_a_live_container_removed_by_hand_is_made_anew(sandbox: Sandbox, service: str) -> None:
    name = sandbox.live(service)
    sandbox.engine.containers.get(name).remove(force=True)
    outcome = sandbox.must_up()
    assert "the gate looks again" in outcome.output
    assert sandbox.live(service) != name
    assert sandbox.health()["status"] == "ok"
    sandbox.assert_agreement()
    assert sandbox.preview("test", "--expect-no-changes").code == 0


@pytest.mark.parametrize("service", ["web", "worker"])
def test_a_live_container_stopped_by_hand_is_started_and_gated(
    sandbox: Sandbox, service: str
) -> None:
    name = sandbox.live(service)
    sandbox.engine.containers.get(name).stop(timeout=3)
    outcome = sandbox.must_up()
    assert f"{service}: {name} is exited" in outcome.output
    assert f"{service} is proven" in outcome.output
    assert sandbox.live(service) == name
    sandbox.assert_agreement()


def test_a_stopped_ingress_is_started_again(sandbox: Sandbox) -> None:
    sandbox.engine.containers.get(f"{sandbox.name}-test-ingress").stop(timeout=3)
    sandbox.must_up()
    sandbox.assert_agreement()


def test_a_removed_ingress_is_made_anew(sandbox: Sandbox) -> None:
    sandbox.engine.containers.get(f"{sandbox.name}-test-ingress").remove(force=True)
    sandbox.must_up()
    sandbox.assert_agreement()
    assert sandbox.preview("test", "--expect-no-changes").code == 0


def test_a_route_that_leads_elsewhere_is_put_right(sandbox: Sandbox) -> None:
    ingress = sandbox.engine.containers.get(f"{sandbox.name}-test-ingress")
    code, output = ingress.exec_run(["sh", "-c", "rm /slipway/live"])
    assert code == 0, output
    outcome = sandbox.must_up()
    assert "public traffic goes to" in outcome.output
    sandbox.assert_agreement()


def create_candidate(sandbox: Sandbox, owner: str) -> str:
    """Make a container under the name that the next release needs; returns its id."""
    preview = sandbox.preview("test", "--json").output
    start = preview.index(f'"{sandbox.name}-test-web-')
    name = preview[start + 1 : preview.index('"', start + 1)]
    labels = {
        LABEL_OWNER: owner,
        LABEL_PROJECT: sandbox.name,
        LABEL_STACK: "test",
        LABEL_ROLE: "service",
    }
    image = sandbox.environ["SLIPWAY_PYTHON_IMAGE"]
    made = sandbox.engine.containers.create(image, ["sleep", "300"], name=name, labels=labels)
    return str(made.id)


def test_a_foreign_container_of_the_same_name_is_refused_and_left_alone(sandbox: Sandbox) -> None:
    sandbox.set_version("2.0.0")
    foreign = create_candidate(sandbox, owner="somebody else")
    with Watcher(sandbox.url()):
        outcome = sandbox.must_fail()
    assert "is there already, and this stack's state has not made it" in outcome.output
    assert "docker rm -f" in outcome.output
    sandbox.engine.containers.get(foreign).remove(force=True)


def test_a_leftover_of_our_own_under_the_same_name_is_removed(sandbox: Sandbox) -> None:
    live = sandbox.engine.containers.get(sandbox.live("web"))
    sandbox.set_version("2.1.0")
    leftover = create_candidate(sandbox, owner=live.labels[LABEL_OWNER])
    with Watcher(sandbox.url()):
        sandbox.must_up()
    assert leftover not in sandbox.running().values()
    assert sandbox.health()["version"] == "2.1.0"
    sandbox.assert_agreement()
