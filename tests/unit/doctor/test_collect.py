import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from slipway.doctor.collect import collect_machine, collect_stack
from slipway.doctor.facts import (
    Disk,
    Evidence,
    LockFact,
    MachineFacts,
    Passphrase,
    StackFacts,
    StateFacts,
    Unread,
)
from slipway.doctor.stack_file import StackFile
from slipway.doctor.surroundings import attempt, collect_project
from slipway.errors import ConfigError, HostError

from ..support_gate import image
from .support import export, release
from .surrounding import Scene

INGRESS = "shop-test-ingress"


def machine(scene: Scene) -> MachineFacts:
    around = scene.around()
    return collect_machine(around, collect_project(around))


def stack(scene: Scene, name: str = "test") -> StackFacts:
    around = scene.around()
    return collect_stack(around, collect_project(around), name)


def serve(scene: Scene) -> None:
    """Let the host have what the state tells of."""
    scene.engine.add(INGRESS, image("e"), running=True)
    scene.engine.add("web-1", image("a"), running=True)
    scene.engine.answers[INGRESS] = (0, "releases/1\nweb web-1:8000\n")


# --- guards ---------------------------------------------------------------------------------


def test_reason_is_kept_in_the_place_of_a_fact() -> None:
    def fail(error: Exception) -> Unread:
        def action() -> str:
            raise error

        found = attempt(action)
        assert isinstance(found, Unread)
        return found

    assert fail(ConfigError(["a", "b"])) == Unread("a; b")
    assert fail(HostError("down\n  there")) == Unread("down there")
    assert fail(KeyError("x")) == Unread("KeyError: 'x' (a bug in Slipway)")
    assert fail(HostError("s3://me:hunter22@host")) == Unread("s3://me:[secret]@host")


def test_project_without_a_name_is_an_error(scene: Scene) -> None:
    scene.write("Pulumi.yaml", "runtime: python\n")
    with pytest.raises(ConfigError, match="has no name; write name: my-project"):
        collect_project(scene.around())


# --- the machine ----------------------------------------------------------------------------


def test_machine_that_is_well(scene: Scene) -> None:
    found = machine(scene)
    assert (found.cli, found.plugins, found.backend) == ("3.256.0", ("5.2.0",), ("test",))
    assert found.registries == {"localhost:5000": None}
    assert found.passphrase is None
    docker, state = found.disks
    assert docker == Unread("Docker's folder is on another machine")
    assert isinstance(state, Disk)
    assert (state.holds, state.path) == ("the state", scene.root.parent / "state")
    assert 0 < state.free < state.total


def test_engine_that_is_down_hides_nothing_else(scene: Scene) -> None:
    scene.no_engine = True
    found = machine(scene)
    assert found.engine == Unread("no Docker engine answers")
    assert found.disks[0] == Unread("Docker's folder: no Docker engine answers")
    assert (found.backend, found.registries) == (("test",), {"localhost:5000": None})
    told = stack(scene)
    assert told.state == StateFacts(1)
    assert told.port_taken == told.drift == told.orphans == Unread("no Docker engine answers")
    assert told.compose == ()


def test_registry_that_is_down_is_told(scene: Scene) -> None:
    scene.no_registry = True
    scene.add_stack("prod", None, registry="reg.example.com/team")
    reasons = machine(scene).registries
    assert list(reasons) == ["localhost:5000", "reg.example.com"]
    assert str(reasons["reg.example.com"]).startswith("the registry reg.example.com cannot be")


def test_backend_that_is_down_hides_nothing_else(scene: Scene) -> None:
    scene.backend.down = "no bucket"
    reason = "the backend does not say which stacks it has: no bucket"
    assert machine(scene).backend == Unread(reason)
    found = stack(scene)
    assert found.state == Unread("the backend does not answer")
    assert (found.drift, found.orphans, found.compose) == (None, found.state, ())
    assert found.file == StackFile(
        compose=Path("compose.yaml"), port=8000, registry="localhost:5000"
    )


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_mode_of_the_passphrase_is_read(scene: Scene, mode: int) -> None:
    del scene.environ["PULUMI_CONFIG_PASSPHRASE"]
    file = scene.write(".slipway/passphrase", "x")
    file.chmod(mode)
    assert machine(scene).passphrase == Passphrase(file, mode)


def test_passphrase_that_is_not_there_has_no_mode(scene: Scene) -> None:
    del scene.environ["PULUMI_CONFIG_PASSPHRASE"]
    scene.environ["PULUMI_CONFIG_PASSPHRASE_FILE"] = "/nowhere/passphrase"
    assert machine(scene).passphrase == Passphrase(Path("/nowhere/passphrase"), None)


# --- a stack --------------------------------------------------------------------------------


def test_stack_that_is_well(scene: Scene) -> None:
    serve(scene)
    found = stack(scene)
    assert found == StackFacts(
        name="test", file=found.file, state=StateFacts(1), compose=(), drift=(), orphans=()
    )


def test_stack_file_that_is_broken_hides_nothing_else(scene: Scene) -> None:
    serve(scene)
    scene.write("stacks/Pulumi.test.yaml", "config: [1")
    found = stack(scene)
    assert isinstance(found.file, Unread)
    assert (found.state, found.drift, found.compose) == (StateFacts(1), (), ())


def test_stack_that_only_the_backend_knows_is_told(scene: Scene) -> None:
    scene.backend.states["old"] = export()
    found = stack(scene, "old")
    assert found.file == Unread("there is no stacks/Pulumi.old.yaml")
    assert found.state == StateFacts(None)


def test_state_that_cannot_be_read_is_told(scene: Scene) -> None:
    scene.backend.states["test"] = "error: passphrase"
    assert stack(scene).state == Unread("the state of test cannot be read: passphrase")
    scene.backend.states["test"] = {"deployment": {"resources": [{}]}}
    assert stack(scene).state == Unread("KeyError: 'urn' (a bug in Slipway)")


def test_stack_that_is_new_is_none(scene: Scene) -> None:
    scene.add_stack("prod", None)
    assert stack(scene, "prod").state is None


def test_cut_off_creations_are_read(scene: Scene) -> None:
    operation = {"type": "creating", "resource": {"urn": "urn:pulumi:test::shop::a:b:C::web"}}
    scene.backend.states["test"] = export(release(), pending_operations=[operation])
    assert stack(scene).state == StateFacts(1, ("a:b:C::web",))


def write_lock(scene: Scene, **fields: object) -> None:
    lock = {"pid": 17, "username": "kim", "hostname": "here",
            "timestamp": "2026-11-23T11:00:00Z", **fields}  # fmt: skip
    folder = "../state/.pulumi/locks/organization/shop/test"
    scene.write(f"{folder}/1.json", json.dumps(lock))


def test_locks_are_read_with_their_owner(scene: Scene) -> None:
    write_lock(scene)
    text = "kim, process 17 on here, since 2026-11-23 11:00:00 UTC"
    assert stack(scene).locks == (LockFact(text, over=True, here=True, pid=17),)
    write_lock(scene, hostname="there")
    (found,) = stack(scene).locks or ()  # type: ignore[misc]
    assert (found.over, found.here) == (False, False)


def test_lock_that_cannot_be_read_is_told(scene: Scene) -> None:
    write_lock(scene, pid="x")
    assert isinstance(stack(scene).locks, Unread)


def test_other_backends_have_locks_of_their_own(scene: Scene) -> None:
    scene.environ["PULUMI_BACKEND_URL"] = "s3://bucket"
    assert stack(scene).locks is None


def test_port_of_the_own_proxy_is_not_taken(scene: Scene) -> None:
    serve(scene)
    scene.engine.publishers = {8000: INGRESS}
    assert stack(scene).port_taken is None
    scene.engine.add("other", image("a"), running=True)
    scene.engine.publishers = {8000: "other"}
    assert str(stack(scene).port_taken).startswith("port 8000 is taken by container other; set")


def test_proxy_of_unknown_name_is_not_taken_for_somebody_elses(scene: Scene) -> None:
    serve(scene)
    scene.engine.publishers = {8000: INGRESS}
    scene.backend.down = "no bucket"
    assert stack(scene).port_taken is None
    (scene.root / "compose.yaml").unlink()
    assert stack(scene).port_taken == Unread(
        "neither state nor compose file tells the name of the stack's own proxy"
    )


def test_images_without_digest_are_told_with_their_line(scene: Scene) -> None:
    scene.write(
        "compose.yaml", "name: shop\nservices:\n  web:\n    image: redis:7\n  db: {build: .}\n"
    )
    scene.write("Dockerfile", "FROM python:3.11\n")
    assert stack(scene).compose == (
        f"{scene.root}/compose.yaml:4 redis:7 is not pinned",
        f"{scene.root}/Dockerfile:1 python:3.11 is not pinned",
    )


def test_compose_file_that_is_missing_is_told(scene: Scene) -> None:
    (scene.root / "compose.yaml").unlink()
    assert isinstance(stack(scene).compose, Unread)


def test_unfinished_evidence_is_told_with_its_time(scene: Scene) -> None:
    folder = ".slipway/evidence/test"
    for name in ("20261123T052011Z-unfinished", "x-unfinished", "20261123T052011Z-release-7"):
        scene.write(f"{folder}/{name}.json", "{}")
    assert stack(scene).evidence == (
        Evidence(
            Path(f"{folder}/20261123T052011Z-unfinished.json"),
            datetime(2026, 11, 23, 5, 20, 11, tzinfo=UTC),
        ),
        Evidence(Path(f"{folder}/x-unfinished.json"), None),
    )
