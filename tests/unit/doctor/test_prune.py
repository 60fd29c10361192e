from collections.abc import Sequence
from datetime import timedelta

import pytest

from slipway.doctor.facts import Orphan
from slipway.doctor.prune import Plan, carry_out, make_plan
from slipway.doctor.retention import HostImage
from slipway.doctor.surroundings import collect_project
from slipway.errors import ConfigError, GateError, HostError, UserError
from slipway.host import LABEL_OWNER

from ..support_gate import image
from .support import NOW, OWNER, TAG, export, release
from .surrounding import COMPOSE, Scene, add_image
from .test_collect import write_lock

KEPT = "sha256:" + "a" * 64
SPARE = "sha256:" + "b" * 64
SPARE_TAG = "src-" + "b" * 24
REFERENCE = f"localhost:5000/shop:{SPARE_TAG}"
OLD = NOW - timedelta(days=31)
HOST, REGISTRY = ("host", REFERENCE), ("registry", REFERENCE)


@pytest.fixture
def stocked(scene: Scene) -> Scene:
    """A scene with an image that release 1 needs, and one that is spare."""
    add_image(scene, TAG, KEPT, OLD)
    add_image(scene, SPARE_TAG, SPARE, OLD)
    return scene


def plan(scene: Scene, chosen: Sequence[str] = ("test",)) -> Plan:
    around = scene.around()
    return make_plan(around, collect_project(around), chosen)


def images(scene: Scene, chosen: Sequence[str] = ("test",)) -> list[tuple[str, str]]:
    return [(found.where, found.reference) for found in plan(scene, chosen).images]


def refusal(scene: Scene) -> UserError:
    with pytest.raises(UserError) as caught:
        plan(scene)
    return caught.value


def text(found: object) -> str:
    return " ".join(str(found).split())


# --- what may go ----------------------------------------------------------------------------


def test_image_of_no_release_goes_from_host_and_registry(stocked: Scene) -> None:
    assert images(stocked) == [HOST, REGISTRY]


def test_image_that_another_stack_needs_stays(stocked: Scene) -> None:
    stocked.add_stack("prod", export(release(4, "b" * 64, "b" * 64)))
    assert images(stocked) == []


def test_image_that_a_stack_without_a_file_needs_stays(stocked: Scene) -> None:
    stocked.backend.states["old"] = export(release(4, "b" * 64, "b" * 64))
    assert images(stocked) == []


def test_image_that_any_container_uses_stays_in_the_registry_too(stocked: Scene) -> None:
    stocked.images.in_use = [stocked.images.stored[1]]
    assert images(stocked) == []


def test_longest_retention_of_a_shared_repository_counts(stocked: Scene) -> None:
    stocked.add_stack("prod", export(release()), imageRetention="960h")
    assert images(stocked) == []
    stocked.add_stack("prod", export(release()), imageRetention="24h")
    assert images(stocked) == [HOST, REGISTRY]


def test_repository_of_a_stack_that_was_not_chosen_is_left_alone(stocked: Scene) -> None:
    stocked.write("other.yaml", COMPOSE.replace("name: shop", "name: other"))
    stocked.add_stack("prod", export(), compose="other.yaml")
    assert images(stocked, ["prod"]) == []


def test_new_project_has_its_repository_by_its_name(stocked: Scene) -> None:
    stocked.backend.states["test"] = export()
    assert HOST in images(stocked)


def test_registry_that_is_down_is_told_and_the_host_looked_at(stocked: Scene) -> None:
    stocked.no_registry = True
    found = plan(stocked)
    assert [(i.where, i.reference) for i in found.images] == [HOST]
    (line,) = found.unread
    assert line.startswith("the registry localhost:5000 cannot be reached (refused)")


# --- when nothing may go --------------------------------------------------------------------


def test_nothing_goes_if_one_state_cannot_be_read(stocked: Scene) -> None:
    stocked.add_stack("prod", "error: no passphrase")
    assert str(refusal(stocked)) == (
        "the state of prod cannot be read: no passphrase; what its releases need is not known"
    )


def test_nothing_goes_if_one_ledger_cannot_be_read(stocked: Scene) -> None:
    broken = export(release())
    broken["deployment"]["resources"][-1]["outputs"]["input"]["ledger"] = {"ciphertext": "x"}
    stocked.backend.states["old"] = broken
    assert isinstance(refusal(stocked), UserError)


def test_nothing_goes_if_one_stack_file_cannot_be_read(stocked: Scene) -> None:
    stocked.write("stacks/Pulumi.prod.yaml", "config: {slipway:imageRetention: soon}")
    found = refusal(stocked)
    assert isinstance(found, HostError)
    assert "'soon' is no duration" in str(found)


def test_nothing_goes_without_backend_or_engine(stocked: Scene) -> None:
    stocked.no_engine = True
    assert text(refusal(stocked)) == (
        "no Docker engine answers: which images containers use is not known"
    )
    stocked.backend.down = "no bucket"
    assert text(refusal(stocked)).endswith("no bucket; what its stacks need is not known")


def test_nothing_goes_while_a_deploy_may_be_running(stocked: Scene) -> None:
    write_lock(stocked, hostname="there")
    found = refusal(stocked)
    assert isinstance(found, GateError)
    assert str(found).startswith("stack test is locked by kim, process 17 on there")
    write_lock(stocked, pid="x")
    assert isinstance(refusal(stocked), GateError)


def test_lock_of_a_dead_process_holds_nothing_up(stocked: Scene) -> None:
    write_lock(stocked)
    assert images(stocked) == [HOST, REGISTRY]


# --- containers -----------------------------------------------------------------------------


def add_orphan(scene: Scene, name: str, running: bool = False) -> None:
    scene.engine.add(name, image("a"), running=running, labels={LABEL_OWNER: OWNER})


def containers(scene: Scene) -> list[str]:
    return [found.name for found in plan(scene).containers]


def test_orphan_may_go_unless_the_proxy_leads_to_it(scene: Scene) -> None:
    scene.engine.answers["shop-test-ingress"] = (0, "releases/2\nweb web-2:8000\n")
    add_orphan(scene, "web-2", running=True)
    add_orphan(scene, "worker-2", running=True)
    add_orphan(scene, "worker-3")
    assert containers(scene) == ["worker-2", "worker-3"]


def test_young_orphan_stays_where_no_lock_tells_of_a_deploy(scene: Scene) -> None:
    add_orphan(scene, "worker-3")
    scene.environ["PULUMI_BACKEND_URL"] = "s3://bucket"
    assert containers(scene) == []
    scene.images.created = lambda container: OLD  # type: ignore[method-assign]
    assert containers(scene) == ["worker-3"]


# --- removal --------------------------------------------------------------------------------


def test_everything_of_a_plan_is_removed_containers_first(stocked: Scene) -> None:
    add_orphan(stocked, "worker-3")
    outcome = carry_out(plan(stocked), stocked.around())
    assert outcome.failed == []
    assert outcome.removed == [
        "container worker-3", f"{REFERENCE} (host)", f"{REFERENCE} (registry)"
    ]  # fmt: skip
    assert stocked.images.removed == [REFERENCE, f"localhost:5000/shop@{SPARE}"]
    assert stocked.deleted == [f"shop/manifests/{SPARE}"]
    assert stocked.engine.names == []


def test_registry_without_deletion_is_asked_once_and_the_host_goes_on(stocked: Scene) -> None:
    add_image(stocked, "src-" + "d" * 24, "sha256:" + "d" * 64, OLD)
    stocked.no_deletion = True
    outcome = carry_out(plan(stocked), stocked.around())
    assert len(outcome.removed) == 2
    assert len(stocked.deleted) == 1
    (reason,) = outcome.failed
    assert reason.startswith("localhost:5000 has deletion switched off")


def test_what_cannot_be_removed_is_told_and_the_rest_goes(stocked: Scene) -> None:
    add_orphan(stocked, "worker-3")
    stocked.engine.failing["remove"] = HostError("Docker could not remove container worker-3: busy")
    outcome = carry_out(plan(stocked), stocked.around())
    assert outcome.failed == ["Docker could not remove container worker-3: busy"]
    assert len(outcome.removed) == 2


def test_what_was_not_agreed_to_stays(stocked: Scene) -> None:
    agreed = plan(stocked)
    add_image(stocked, "src-" + "d" * 24, "sha256:" + "d" * 64, OLD)
    assert plan(stocked).within(agreed).images == agreed.images
    stocked.images.stored = [HostImage("x", (f"localhost:5000/shop:{TAG}",), OLD, 1)]
    stocked.tags = {}
    assert plan(stocked).within(agreed).empty
    orphan = Orphan("worker-3", "id", "exited")
    assert Plan(containers=(orphan,)).within(Plan(containers=(orphan,))).containers == (orphan,)
    assert Plan(containers=(orphan,)).within(Plan()).empty


def test_removal_without_an_engine_is_refused(stocked: Scene) -> None:
    found = plan(stocked)
    stocked.no_engine = True
    with pytest.raises(HostError):
        carry_out(found, stocked.around())


def test_unread_compose_file_only_hides_the_repository_of_a_new_project(stocked: Scene) -> None:
    (stocked.root / "compose.yaml").unlink()
    assert images(stocked) == [HOST, REGISTRY]
    stocked.backend.states["test"] = export()
    assert images(stocked) == []


def test_error_of_a_ledger_names_the_stack(stocked: Scene) -> None:
    stocked.backend.states["old"] = export({"number": 1})
    found = refusal(stocked)
    assert isinstance(found, ConfigError)
    assert found.problems == ("the ledger of stack old cannot be read ('services')",)
