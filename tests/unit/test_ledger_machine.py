"""Whatever sequence of deploys, failures, kills and rollbacks: the newest entry is what serves.

The engine is played: it makes containers, asks the gate, and deletes what is no longer declared,
in the order in which the real one does; a kill stops everything at any instruction.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from slipway import deploy, proving
from slipway.blueprint import same_release
from slipway.deploy import RELEASE
from slipway.errors import GateError
from slipway.gate import Gate
from slipway.gate_plan import GatePlan
from slipway.hooked import pass_gate
from slipway.host import LABEL_OWNER, LABEL_ROLE, LABEL_SERVICE
from slipway.ingress import LiveRoute
from slipway.origin import Origin
from slipway.prepared import Prepared
from slipway.probes import Reply
from slipway.state import CONTAINER, STASH, StackState, live_fact

from .support_deploy import CADDY, DIGEST, OWNER, Machine, make_world, state_after
from .support_gate import FakeClock, FakeIngress, FakeProber, InlineExecutor

IMAGE = f"localhost:5000/shop@{DIGEST}"
OWN = {LABEL_OWNER: OWNER, LABEL_ROLE: "service"}
LIVE = (STASH, "quotes-live")
ATTEMPT = (STASH, "quotes-attempt")
VERSIONS = st.sampled_from(["1", "2", "3"])
FAULTS = st.sampled_from(["web crashes", "worker crashes", "web answers 500", "public is wrong"])


class Killed(BaseException):
    """The process is gone, between two of its instructions."""


class Journal(list[str]):
    """What was done, until the process that does it is killed."""

    left: int | None = None

    def append(self, line: str) -> None:
        if self.left is not None:
            if self.left <= 0:
                raise Killed
            self.left -= 1
        super().append(line)


class StackMachine(RuleBasedStateMachine):
    """One stack, with a service that takes requests and one that does not."""

    def __init__(self) -> None:
        super().__init__()
        self._patch = pytest.MonkeyPatch()
        self._folder = tempfile.TemporaryDirectory()
        self._patch.setattr(proving, "ThreadPoolExecutor", InlineExecutor)
        self.world = make_world(Path(self._folder.name), self._patch)
        self._patch.setattr(deploy, "read_origin", lambda folder, environ: Origin("kim"))
        self._patch.setattr("slipway.hooked.Store", lambda *args: None)
        self._patch.chdir(self._folder.name)
        self.world.tags = _EveryTag()
        self.journal = Journal()
        self.clock = FakeClock()
        self.host: Machine = self.world.host
        self.host._journal, self.host._clock = self.journal, self.clock
        self.ingress = FakeIngress(self.journal)
        self.prober = FakeProber(self.clock, self.host, self.ingress)
        self.state = StackState()
        self.attempt = self.attempt_of_fact = 0
        self.agreed = True
        self.host.add("shop-test-ingress", CADDY, running=True, labels={LABEL_OWNER: OWNER})

    def teardown(self) -> None:
        self._patch.undo()
        self._folder.cleanup()

    # What people do

    @rule(version=VERSIONS)
    def deploy(self, version: str) -> None:
        self._update(version)
        assert self._serving("web").startswith("shop-test-web-")

    @rule(version=VERSIONS, fault=FAULTS)
    def deploy_what_fails(self, version: str, fault: str) -> None:
        before = self._numbers()
        # Its own spec, so that what is refused is never what serves already. What a killed run has
        # switched to goes on serving: until the next release, the state says something else.
        try:
            self._update(f"{version}, and {fault}", fault=fault)
        except GateError:
            assert self._numbers() == before
        else:
            raise AssertionError("a release that fails was let through")

    @rule(version=VERSIONS, after=st.integers(0, 40))
    def deploy_and_be_killed(self, version: str, after: int) -> None:
        self.journal.left = after
        try:
            self._update(version)
        except Killed:
            self.agreed = False
        finally:
            self.journal.left = None

    @precondition(lambda self: len(self._numbers()) > 1)
    @rule(data=st.data())
    def roll_back(self, data: Any) -> None:
        number = data.draw(st.sampled_from(self._numbers()))
        self._update("", release=number)
        head, *before = self._ledger()
        assert same_release(head, next(e for e in [head, *before] if e["number"] == number))

    # What must be true

    @invariant()
    def numbers_of_releases_go_down_one_by_one(self) -> None:
        numbers = self._numbers()
        assert numbers == sorted(numbers, reverse=True)
        assert len(set(numbers)) == len(numbers)

    @invariant()
    def something_serves_once_there_was_a_release(self) -> None:
        if self._numbers():
            assert self._serving("web") in self.host.running

    @invariant()
    def newest_entry_is_what_serves(self) -> None:
        if not self.agreed or not self._numbers():
            return
        live = live_fact(self.state.stash("quotes-live"))
        assert dict(self.ingress.route.upstreams) == live.upstreams
        running = [name for name in self.host.running if not name.endswith("-ingress")]
        assert running == sorted(live.names)
        recorded = live.ledger[0]["services"]
        known = {n: found["revision"] for n, found in recorded.items()}
        assert {name.rsplit("-", 1)[1] for name in running} == set(known.values())

    # The engine

    def _update(self, version: str, *, release: int | None = None, fault: str = "") -> None:
        for service in self.world.services.values():
            service["environment"] = {**service.get("environment", {}), "V": version}
        self.host.route = _as_observed(self.ingress.route)
        environ = {} if release is None else {RELEASE: str(release)}
        prepared = self.world.prepare(self.state, environ=environ)
        if self.state.stash("quotes-attempt") != dict(prepared.attempt):
            # Replaced: its id, which the fact holds, is another one.
            self.attempt += 1
            self._keep({ATTEMPT: {"input": dict(prepared.attempt)}})
        self._create(prepared)
        if self.attempt != self.attempt_of_fact:
            self._pass_gate(prepared, fault)
            self._keep(state_after(prepared).outputs)
            self.attempt_of_fact = self.attempt
        self._delete(prepared)
        self.agreed = True

    def _create(self, prepared: Prepared) -> None:
        for plan in prepared.containers:
            if self.state.has(CONTAINER, plan.resource):
                continue
            self.journal.append(f"engine: create {plan.name}")
            labels = {**OWN, LABEL_SERVICE: plan.service.name}
            self.host.remove(plan.name)  # The leftover hook.
            self.host.add(plan.name, IMAGE, labels=labels)
            made = {"id": f"id-of-{plan.name}", "name": plan.name}
            self._keep({(CONTAINER, plan.resource): made})

    def _keep(self, outputs: Mapping[tuple[str, str], Mapping[str, Any]]) -> None:
        self.state = StackState({**self.state.outputs, **outputs})

    def _pass_gate(self, prepared: Prepared, fault: str) -> None:
        names = {plan.service.name: plan.name for plan in prepared.containers}
        plans: list[GatePlan] = []

        def note(plan: GatePlan, *rest: Any, **more: Any) -> Gate:
            plans.append(plan)
            return Gate(
                plan, self.host, self.ingress, self.prober, lambda: self.host,
                prepared.redactor, self.journal.append, self.clock, self.clock.sleep,
            )  # fmt: skip

        self._break(fault, names)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("slipway.hooked.Gate", note)
            images = dict.fromkeys(names, IMAGE)
            fact = {"ledger": prepared.fact(images), "containers": {}}
            try:
                pass_gate(prepared, fact, self.journal.append)
            finally:
                self._mend()

    def _break(self, fault: str, names: dict[str, str]) -> None:
        web, worker = names["web"], names["worker"]
        if fault == "web crashes":
            self.host.on_start[web] = lambda: self.host.crash(web)
        elif fault == "worker crashes":
            self.host.on_start[worker] = lambda: self.host.crash(worker)
        elif fault == "web answers 500":
            self.prober.replies[web] = Reply(1.0, 500, "oops")
        elif fault == "public is wrong":
            self.prober.public = Reply(1.0, 421, "wrong host")

    def _mend(self) -> None:
        self.host.on_start.clear()
        self.prober.replies.clear()
        self.prober.public = None

    def _delete(self, prepared: Prepared) -> None:
        """What is no longer declared goes, one after the other; then the state forgets it."""
        wanted = {plan.resource for plan in prepared.containers} | {prepared.ingress_resource}
        for resource, found in self.state.named(CONTAINER).items():
            if resource not in wanted:
                self.host.remove(str(found["name"]))
                kept = {k: v for k, v in self.state.outputs.items() if k != (CONTAINER, resource)}
                self.state = StackState(kept)

    def _numbers(self) -> list[int]:
        return [int(entry["number"]) for entry in self._ledger()]

    def _ledger(self) -> Sequence[Mapping[str, Any]]:
        return live_fact(self.state.stash("quotes-live")).ledger

    def _serving(self, service: str) -> str:
        return self.ingress.route.upstreams[service].rsplit(":", 1)[0]


class _EveryTag(dict[str, str]):
    """A registry that has every image."""

    def get(self, tag: str, default: Any = None) -> Any:
        return DIGEST


def _as_observed(route: LiveRoute) -> str:
    lines = [f"{service} {upstream}" for service, upstream in sorted(route.upstreams.items())]
    return "\n".join([route.route, *lines]) + "\n" if lines else ""


StackMachine.TestCase.settings = settings(
    max_examples=20, stateful_step_count=10, deadline=None, derandomize=True
)
TestStack = StackMachine.TestCase
