from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from slipway.doctor.facts import (
    Evidence,
    Facts,
    ImageFacts,
    LockFact,
    Orphan,
    StackFacts,
    StateFacts,
    Unread,
)
from slipway.doctor.findings import Finding, Level
from slipway.doctor.stack_checks import check_images, check_stacks
from slipway.doctor.stack_file import StackFile

from .support import NOW, facts, machine, stack

DEAD = LockFact("kim, process 17 on here", over=True, here=True, pid=17)
ALIVE = replace(DEAD, over=False)
ELSEWHERE = LockFact("kim, process 17 on there", over=False, here=False, pid=17)


def told(found: StackFacts, *others: StackFacts, **fields: Any) -> list[Finding]:
    """What is not well of the first of some stacks."""
    all_ = check_stacks(facts(found, *others, **fields))
    return [f for f in all_ if f.level is not Level.OK and f.stack == found.name]


def only(found: StackFacts, *others: StackFacts, **fields: Any) -> tuple[str, Level, str, str]:
    (finding,) = told(found, *others, **fields)
    assert finding.why
    return finding.check, finding.level, finding.what, finding.command


def test_healthy_stack_has_no_finding_but_ok() -> None:
    found = check_stacks(facts(stack()))
    assert [(f.stack, f.check, f.level) for f in found] == [
        ("test", "state", Level.OK),
        ("test", "port", Level.OK),
        ("test", "pinned", Level.OK),
        ("test", "serving", Level.OK),
        (None, "images", Level.OK),
    ]


def test_file_that_is_broken_hides_nothing_else() -> None:
    found = told(stack(file=Unread("stacks/Pulumi.test.yaml:3: is no YAML"), drift=("x",)))
    assert [(f.check, f.command) for f in found] == [
        ("file", "edit stacks/Pulumi.test.yaml"),
        ("serving", "scripts/deploy test"),
    ]


def test_missing_port_is_a_problem_with_a_free_one_in_the_command() -> None:
    other = stack(name="prod", file=StackFile(port=8000))
    assert only(stack(file=StackFile()), other) == (
        "file",
        Level.PROBLEM,
        "stacks/Pulumi.test.yaml has no slipway:port",
        "pulumi config set --stack test slipway:port 8001",
    )


def test_state_that_cannot_be_read_is_a_problem() -> None:
    found = only(stack(state=Unread("no passphrase"), drift=None))
    assert found == (
        "state", Level.PROBLEM, "no passphrase", "pulumi stack export --stack test"
    )  # fmt: skip


def test_backend_that_is_down_is_not_told_again_for_each_stack() -> None:
    down = machine(backend=Unread("down"))
    assert told(stack(state=Unread("down"), drift=None), machine=down) == []


def test_stack_that_the_backend_does_not_know_is_a_warning() -> None:
    assert only(stack(state=None, drift=None)) == (
        "state", Level.WARNING, "the backend has no such stack", "scripts/bootstrap"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("lock", "level", "what", "command"),
    [
        (DEAD, Level.WARNING, "a deploy that has ended left its lock: kim, process 17 on here",
         "scripts/deploy test"),
        (ALIVE, Level.WARNING, "a deploy is running: kim, process 17 on here",
         "wait for it, or stop it: kill -INT 17"),
        (ELSEWHERE, Level.PROBLEM, "locked from another machine: kim, process 17 on there",
         "if it has ended: pulumi cancel --yes --stack test"),
    ],
)  # fmt: skip
def test_lock_tells_whose_it_is(lock: LockFact, level: Level, what: str, command: str) -> None:
    assert only(stack(locks=(lock,))) == ("lock", level, what, command)


def test_lock_that_cannot_be_read_is_a_problem() -> None:
    assert only(stack(locks=Unread("x.json: cannot be read")))[:2] == ("lock", Level.PROBLEM)


def test_cut_off_creations_are_told_by_name() -> None:
    pending = ("docker:index/container:Container::web-1", "docker:x:Network::net")
    assert only(stack(state=StateFacts(7, pending)))[2] == (
        "a run was cut off while it created web-1; net"
    )


def test_what_a_running_deploy_does_is_not_taken_for_its_end() -> None:
    orphan = Orphan("web-2", "id", "running")
    busy = stack(
        locks=(ALIVE,),
        state=StateFacts(7, ("a::b::c",)),
        drift=("web-2 is not live",),
        orphans=(orphan,),
        evidence=(Evidence(Path("20261123T110000Z-unfinished.json"), NOW),),
    )
    assert [(f.check, f.level) for f in told(busy)] == [
        ("lock", Level.WARNING),
        ("serving", Level.WARNING),
    ]


def test_taken_port_is_a_problem_only_for_what_should_serve() -> None:
    taken = "port 8000 is taken by container x; stop it (docker stop x)"
    what = "port 8000 is taken by container x"
    command = "stop it (docker stop x)"
    assert only(stack(port_taken=taken)) == ("port", Level.PROBLEM, what, command)
    new = stack(port_taken=taken, state=StateFacts(None), drift=None)
    assert only(new) == ("port", Level.WARNING, what, command)


def test_port_of_another_stack_is_a_warning() -> None:
    other = stack(name="prod", file=StackFile(port=8000))
    assert only(stack(), other) == (
        "port",
        Level.WARNING,
        "stack prod has slipway:port 8000 too",
        "pulumi config set --stack test slipway:port 8001",
    )


def test_stack_that_is_held_at_a_release_says_how_to_leave() -> None:
    assert only(stack(file=StackFile(port=8000, pin=5))) == (
        "pin", Level.WARNING, "the stack is held at release 5", "scripts/deploy test --leave-pin"
    )  # fmt: skip


def test_images_without_digest_are_a_problem() -> None:
    lines = tuple(f"compose.yaml:{n} redis is not pinned" for n in range(7))
    check, level, what, command = only(stack(compose=lines))
    assert (check, level, command) == ("pinned", Level.PROBLEM, "scripts/pin compose.yaml")
    assert what.endswith("compose.yaml:4 redis is not pinned; and 2 more")


def test_compose_file_that_cannot_be_read_is_a_problem() -> None:
    found = only(stack(compose=Unread("no file")))
    assert found == ("pinned", Level.PROBLEM, "no file", "pulumi preview --stack test")


def test_drift_is_a_problem() -> None:
    assert only(stack(drift=("web: web-1 is exited", "web /health: status 502"))) == (
        "serving",
        Level.PROBLEM,
        "web: web-1 is exited; web /health: status 502",
        "scripts/deploy test",
    )


def test_drift_that_cannot_be_seen_is_a_warning() -> None:
    assert only(stack(drift=Unread("no engine")))[1:3] == (
        Level.WARNING, "not looked at: no engine"
    )  # fmt: skip


def test_orphaned_containers_are_told_with_their_status() -> None:
    orphans = (Orphan("web-1", "1", "running"), Orphan("web-2", "2", "created"))
    assert only(stack(orphans=orphans)) == (
        "orphans",
        Level.WARNING,
        "2 containers that the state does not know: web-1 (running); web-2 (created)",
        "scripts/doctor --prune",
    )


def evidence(*runs: str) -> tuple[Evidence, ...]:
    return tuple(Evidence(Path(f"{run}-unfinished.json"), NOW) for run in runs)


def test_run_without_an_end_is_told_once_no_lock_is_held() -> None:
    found = only(stack(evidence=evidence("20261123T100000Z", "20261123T110000Z")))
    assert found[:3] == (
        "evidence",
        Level.WARNING,
        "2 runs did not end: 20261123T100000Z-unfinished.json; 20261123T110000Z-unfinished.json",
    )


def test_newest_run_may_be_the_one_that_holds_the_lock() -> None:
    busy = stack(evidence=evidence("20261123T100000Z", "20261123T110000Z"), locks=(ALIVE,))
    found = [f.what for f in told(busy) if f.check == "evidence"]
    assert found == ["1 run did not end: 20261123T100000Z-unfinished.json"]


def test_without_locks_a_run_counts_as_over_after_an_hour() -> None:
    file = Path("20261123T110000Z-unfinished.json")
    young = stack(locks=None, evidence=(Evidence(file, NOW - timedelta(minutes=59)),))
    old = stack(locks=None, evidence=(Evidence(file, NOW - timedelta(minutes=61)),))
    assert (told(young), only(old)[0]) == ([], "evidence")


def images(found: ImageFacts | Unread, **fields: Any) -> Finding:
    everything: Facts = facts(images=found, **fields)
    return check_images(everything)


def test_images_that_may_go_are_a_warning() -> None:
    found = images(ImageFacts(2, 1_500_000_000))
    assert (found.level, found.command) == (Level.WARNING, "scripts/doctor --prune")
    assert found.what == ("2 images of no release, older than slipway:imageRetention: up to 1.5 GB")


def test_registry_that_was_not_looked_at_is_not_called_empty() -> None:
    assert images(ImageFacts(0, 0, ("reg is down",))).what == (
        "none on the host; not looked at: reg is down"
    )


def test_reason_that_is_told_of_the_machine_is_not_repeated() -> None:
    assert images(Unread("long"), machine=machine(backend=Unread("long"))).what == (
        "not looked at: see above"
    )
    assert images(Unread("long")).what == "not looked at: long"
