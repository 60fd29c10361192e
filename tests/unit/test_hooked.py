from dataclasses import replace
from typing import Any

import pytest

from slipway import gate, hooked
from slipway.errors import GateError, HostError
from slipway.evidence.model import Evidence
from slipway.gate_plan import Candidate, GatePlan
from slipway.host import LABEL_CONFIG, LABEL_CONFIG_BEFORE, LABEL_OWNER, LABEL_ROLE, NetworkState
from slipway.plan import identity_of
from slipway.prepared import Prepared
from slipway.proxy import table_id
from slipway.roles import Role
from slipway.state import StackState

from .support_deploy import DIGEST, OWNER, PASSWORD, World, bring_up
from .support_gate import image


def test_gate_is_given_the_digests_that_were_released(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans: list[GatePlan] = []

    class Recorder:
        def __init__(self, plan: GatePlan, *rest: Any, **more: Any) -> None:
            plans.append(plan)

        def run(self) -> None:
            pass

    monkeypatch.setattr(hooked, "Gate", Recorder)
    first = world.prepare()
    prepared = world.prepare(bring_up(world, first))
    web, worker = prepared.containers
    ledger = prepared.fact({"web": image("a"), "worker": image("b")})
    ledger["1"]["services"]["web"]["image"] = image("a")
    fact = {"ledger": ledger, "containers": {}}
    hooked.pass_gate(prepared, fact, lambda line: None)
    assert {name: proof.nothing for name, proof in plans[0].proofs.items()} == {
        "web": True,
        "worker": True,
    }
    hashes = [identity_of(plan.image)[1] for plan in prepared.containers]
    assert plans == [
        GatePlan(
            stack="shop-test",
            fingerprint=prepared.fingerprint,
            ingress="shop-test-ingress",
            candidates=(
                Candidate(
                    "web",
                    web.name,
                    image("a"),
                    web.service.extension,
                    15.0,
                    web.upstream,
                    source_hash=hashes[0],
                ),
                Candidate(
                    "worker",
                    worker.name,
                    f"localhost:5000/shop@{DIGEST}",
                    worker.service.extension,
                    3.0,
                    None,
                    role=Role.WORKER,
                    source_hash=hashes[1],
                ),
            ),
            live=frozenset({web.name, worker.name}),
            served={"web": str(first.containers[0].upstream)},
            table=table_id(prepared.sites),
            labels={LABEL_OWNER: OWNER, LABEL_ROLE: "service"},
            proofs=plans[0].proofs,
        )
    ]
    assert world.host.journal[-1:] == ["host: close"]


def test_jobs_of_the_live_release_are_not_among_what_must_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans: list[GatePlan] = []

    class Recorder:
        def __init__(self, plan: GatePlan, *rest: Any, **more: Any) -> None:
            plans.append(plan)

        def run(self) -> None:
            pass

    monkeypatch.setattr(hooked, "Gate", Recorder)
    done = {"migrate": {"condition": "service_completed_successfully"}}
    world.services["migrate"] = {**world.services["worker"], "command": ["migrate"]}
    world.services["web"]["depends_on"] = done
    prepared = world.prepare(bring_up(world, world.prepare()))
    names = {plan.service.name: plan.name for plan in prepared.containers}
    images = dict.fromkeys(names, image("a"))
    fact = {"ledger": prepared.fact(images), "containers": {}}
    hooked.pass_gate(prepared, fact, lambda line: None)
    assert plans[0].live == {names["web"], names["worker"]}
    assert [c.service for c in plans[0].of(Role.JOB)] == ["migrate"]


def test_release_commands_are_not_run_again_for_a_release_of_the_ledger(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They stay among what is declared: the release is complete, and so is its fact."""
    plans: list[GatePlan] = []

    class Recorder:
        def __init__(self, plan: GatePlan, *rest: Any, **more: Any) -> None:
            plans.append(plan)

        def run(self) -> None:
            pass

    monkeypatch.setattr(hooked, "Gate", Recorder)
    world.services["web"]["x-slipway"]["release"] = ["migrate"]
    first = world.prepare()
    prepared = world.prepare(bring_up(world, first), environ={"SLIPWAY_RELEASE": "1"})
    images = {p.service.name: f"localhost:5000/shop@{DIGEST}" for p in prepared.containers}
    said: list[str] = []
    for found in (first, prepared):
        fact = {"ledger": found.fact(images), "containers": {}}
        hooked.pass_gate(found, fact, said.append)
    deployed, restored = plans
    assert [c.service for c in deployed.candidates] == ["web-release", "web", "worker"]
    assert [c.service for c in restored.candidates] == ["web", "worker"]
    assert restored.candidates == deployed.candidates[1:]
    assert (deployed.proven_before, restored.proven_before) == (False, True)
    assert [line for line in said if "not run again" in line] == [
        "web-release: not run again, a rollback leaves the database as it is"
    ]
    (entry,) = prepared.ledger(images)
    assert sorted(entry["services"]) == ["web", "web-release", "worker"]


@pytest.mark.parametrize(
    ("asked", "kind"), [({}, "deploy"), ({"SLIPWAY_RELEASE": "1"}, "rollback")]
)
def test_evidence_tells_what_kind_of_run_it_is_of(
    world: World, monkeypatch: pytest.MonkeyPatch, asked: dict[str, str], kind: str
) -> None:
    state = bring_up(world, world.prepare())
    world.services["worker"]["command"] = ["work", "harder"]
    state = bring_up(world, world.prepare(state))
    assert evidence_of(world, monkeypatch, state, asked).kind == kind


def test_evidence_of_the_release_that_serves_is_of_an_automatic_rollback(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = bring_up(world, world.prepare())
    found = evidence_of(world, monkeypatch, state, {"SLIPWAY_RELEASE": "1"})
    assert (found.kind, found.rollback_of, found.git) == ("automatic rollback", 1, None)


def evidence_of(
    world: World, monkeypatch: pytest.MonkeyPatch, state: StackState, environ: dict[str, str]
) -> Evidence:
    """What a run's evidence begins with."""
    begun: list[Evidence] = []

    class StoppedError(Exception):
        pass

    def recorder(evidence: Evidence, *rest: object) -> None:
        begun.append(evidence)
        raise StoppedError

    monkeypatch.setattr(hooked, "Recorder", recorder)
    prepared = world.prepare(state, environ=environ)
    images = {plan.service.name: image("a") for plan in prepared.containers}
    with pytest.raises(StoppedError):
        hooked.pass_gate(
            prepared, {"ledger": prepared.fact(images), "containers": {}}, lambda line: None
        )
    return begun[0]


def test_connection_is_closed_after_a_gate_that_failed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: gate.Gate) -> None:
        raise GateError("no")

    monkeypatch.setattr(gate.Gate, "run", refuse)
    prepared = world.prepare()
    fact = {
        "ledger": prepared.fact({"web": image("a"), "worker": image("b")}),
        "containers": {},
    }
    with pytest.raises(GateError, match=r"^no$"):
        hooked.pass_gate(prepared, fact, lambda line: None)
    assert world.host.journal[-1:] == ["host: close"]


def failure(world: World, monkeypatch: pytest.MonkeyPatch, prepared: Prepared, text: str) -> str:
    """What is told of a gate that fails with a text."""

    def refuse(self: gate.Gate) -> None:
        raise HostError(text)

    monkeypatch.setattr(gate.Gate, "run", refuse)
    ledger = prepared.fact({"web": image("a"), "worker": image("b")})
    with pytest.raises(HostError) as caught:
        hooked.pass_gate(prepared, {"ledger": ledger, "containers": {}}, lambda line: None)
    return str(caught.value)


def test_failure_shows_no_secret_whoever_tells_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = failure(world, monkeypatch, world.prepare(), f"Docker could not start {PASSWORD}")
    assert told == "Docker could not start [secret]"


def test_failure_names_what_the_way_back_to_the_proxy_before_needs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = bring_up(world, world.prepare())
    settings = replace(world.settings, port=9000)
    prepared = world.prepare(state, settings=settings, environ={"SLIPWAY_REPLACE_INGRESS": "1"})
    assert failure(world, monkeypatch, prepared, "no") == (
        "no\nthe proxy stays as this run has made it; with what it was made from before (port, "
        "bind, ingressImage or networks) it has to be made anew once more: "
        "SLIPWAY_REPLACE_INGRESS=1 pulumi up --stack test"
    )


# --- leftovers ------------------------------------------------------------------------------


def test_container_that_a_killed_run_left_is_removed(world: World) -> None:
    prepared = world.prepare()
    world.host.journal.clear()
    world.host.add("left", image("a"), labels={LABEL_OWNER: OWNER})
    hooked.remove_leftover("left", prepared)
    assert world.host.names == []
    assert world.host.journal == ["host: remove left", "host: close"]


def test_nothing_is_there_to_remove_as_a_rule(world: World) -> None:
    prepared = world.prepare()
    world.host.journal.clear()
    hooked.remove_leftover("not there", prepared)
    assert world.host.journal == ["host: remove not there", "host: close"]


def test_container_of_someone_else_is_not_removed(world: World) -> None:
    prepared = world.prepare()
    world.host.journal.clear()
    world.host.add("theirs", image("a"), labels={})
    with pytest.raises(HostError, match=r"^container theirs is there already"):
        hooked.remove_leftover("theirs", prepared)
    assert world.host.names == ["theirs"]
    assert world.host.journal == ["host: close"]


def ingress_that_runs(world: World, **labels: str) -> Prepared:
    """A stack whose state knows no ingress, though one runs and leads somewhere."""
    prepared = world.prepare()
    bring_up(world, prepared)
    world.host.change(prepared.ingress_name, labels={LABEL_OWNER: OWNER, **labels})
    world.host.journal.clear()
    return prepared


@pytest.mark.parametrize("label", [LABEL_CONFIG, LABEL_CONFIG_BEFORE])
def test_ingress_that_a_killed_run_has_made_as_it_is_wanted_is_removed(
    world: World, label: str
) -> None:
    wanted = world.prepare().ingress_settings
    prepared = ingress_that_runs(world, **{LABEL_CONFIG: "another", label: wanted})
    hooked.remove_leftover(prepared.ingress_name, prepared)
    assert world.host.journal == ["host: remove shop-test-ingress", "host: close"]


@pytest.mark.parametrize("labels", [{}, {LABEL_CONFIG: "another"}])
def test_ingress_that_serves_and_is_another_than_wanted_is_left_alone(
    world: World, labels: dict[str, str]
) -> None:
    prepared = ingress_that_runs(world, **labels)
    with pytest.raises(HostError, match="was an older state restored"):
        hooked.remove_leftover(prepared.ingress_name, prepared)
    assert world.host.journal == ["host: close"]


def test_network_that_a_killed_run_left_is_removed(world: World) -> None:
    prepared = world.prepare()
    world.host.journal.clear()
    world.host.found_networks = [NetworkState("n1", {LABEL_OWNER: OWNER}, False)]
    hooked.remove_leftover_network(prepared, "shop-test")
    assert world.host.journal == [
        "host: networks shop-test",
        "host: remove network n1",
        "host: close",
    ]


@pytest.mark.parametrize(
    "network",
    [NetworkState("n1", {LABEL_OWNER: OWNER}, True), NetworkState("n1", {}, False)],
    ids=["in use", "not ours"],
)
def test_network_that_is_used_or_not_ours_is_refused(world: World, network: NetworkState) -> None:
    prepared = world.prepare()
    world.host.journal.clear()
    world.host.found_networks = [network]
    with pytest.raises(HostError) as caught:
        hooked.remove_leftover_network(prepared, "shop-test")
    assert str(caught.value) == (
        "network shop-test is there already, and this stack's state has not made it; remove it "
        "(docker network rm shop-test), or use another stack name"
    )
    assert world.host.journal == ["host: networks shop-test", "host: close"]
