from dataclasses import dataclass, field
from typing import Any

from slipway import look
from slipway.errors import HostError
from slipway.look import Findings
from slipway.state import CONTAINER, LiveFact, StackState

from .support_gate import INGRESS, LABELS, FakeClock, FakeHost, image

LIVE = LiveFact(
    [{"number": 1}],
    {
        "web": {"name": "web-1", "id": "id-of-web-1", "upstream": "web-1:8000"},
        "worker": {"name": "worker-1", "id": "id-of-worker-1", "upstream": None},
    },
)


@dataclass
class Machine(FakeHost):
    """A host whose ingress answers with a route."""

    answer: tuple[int, str] = (0, "releases/1\nweb web-1:8000\n")
    executed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(FakeClock(), [])
        self.add(INGRESS, image("e"), running=True, labels={})
        self.add("web-1", image("a"), running=True)
        self.add("worker-1", image("a"), running=True)

    def execute(self, name: str, command: Any) -> tuple[int, str]:
        self.executed.append(name)
        return self.answer


STATE = StackState(
    {
        (CONTAINER, "shop-ingress"): {"id": f"id-of-{INGRESS}", "name": INGRESS},
        (CONTAINER, "shop-web-1"): {"id": "id-of-web-1", "name": "web-1"},
        (CONTAINER, "shop-worker-1"): {"id": "id-of-worker-1", "name": "worker-1"},
    }
)


def compare(host: Machine, state: StackState = STATE, live: LiveFact = LIVE) -> Findings:
    return look.compare(state, live, host, INGRESS, LABELS)


def test_nothing_is_found_where_state_and_host_agree() -> None:
    assert compare(Machine()) == Findings()


def test_new_stack_is_not_asked_for_its_route() -> None:
    host = Machine()
    host.vanish("web-1")
    host.vanish("worker-1")
    assert compare(host, StackState(), LiveFact()) == Findings()
    assert host.executed == []


def test_container_that_is_gone_is_missing_and_a_reason() -> None:
    host = Machine()
    host.vanish("web-1")
    assert compare(host) == Findings(
        frozenset({"shop-web-1"}), ("the container of shop-web-1 is gone",)
    )


def test_live_container_that_stopped_is_a_reason() -> None:
    host = Machine()
    host.crash("worker-1")
    assert compare(host) == Findings(reasons=("worker: worker-1 is exited",))


def test_container_of_the_stack_that_no_state_knows_is_a_reason() -> None:
    host = Machine()
    host.add("web-0", image("d"))
    host.add("of-another-stack", image("d"), labels={})
    assert compare(host) == Findings(
        reasons=("web-0 is not in the state",), orphans=("id-of-web-0",)
    )


def test_route_to_another_container_is_a_reason() -> None:
    host = Machine(answer=(0, "releases/2\nweb web-2:8000\n"))
    assert compare(host) == Findings(
        reasons=("public traffic goes to ['web-2:8000'] instead of ['web-1:8000']",)
    )


def test_missing_route_is_a_reason() -> None:
    assert compare(Machine(answer=(0, ""))) == Findings(
        reasons=("public traffic goes to [] instead of ['web-1:8000']",)
    )


def test_ingress_that_stopped_is_a_reason_and_not_asked() -> None:
    host = Machine()
    host.crash(INGRESS)
    assert compare(host) == Findings(reasons=(f"the ingress {INGRESS} is not running",))
    assert host.executed == []


def test_ingress_that_is_gone_is_missing() -> None:
    host = Machine()
    host.vanish(INGRESS)
    assert compare(host) == Findings(
        frozenset({"shop-ingress"}),
        ("the container of shop-ingress is gone", f"the ingress {INGRESS} is not running"),
    )


def test_ingress_that_fails_is_a_reason_not_an_error() -> None:
    host = Machine(answer=(126, "no sh here"))
    assert compare(host) == Findings(reasons=(f"the ingress {INGRESS} failed (126): no sh here",))


def test_ingress_that_cannot_be_asked_is_a_reason_not_an_error() -> None:
    class Silent(Machine):
        def execute(self, name: str, command: Any) -> tuple[int, str]:
            raise HostError("no answer")

    assert compare(Silent()) == Findings(reasons=("no answer",))


def test_several_things_are_found_together() -> None:
    host = Machine(answer=(0, "releases/2\nweb web-2:8000\n"))
    host.vanish("worker-1")
    host.crash("web-1")
    host.add("web-0", image("d"))
    assert compare(host) == Findings(
        frozenset({"shop-worker-1"}),
        (
            "the container of shop-worker-1 is gone",
            "web: web-1 is exited",
            "web-0 is not in the state",
            "public traffic goes to ['web-2:8000'] instead of ['web-1:8000']",
        ),
        ("id-of-web-0",),
    )


def with_job() -> tuple[StackState, LiveFact]:
    job = {"name": "job-1", "id": "id-of-job-1", "upstream": None, "role": "job"}
    known = {"id": "id-of-job-1", "name": "job-1"}
    state = StackState({**STATE.outputs, (CONTAINER, "shop-job-1"): known})
    return state, LiveFact(LIVE.ledger, {**LIVE.containers, "job": job})


def test_job_that_has_run_is_no_container_that_stopped() -> None:
    host = Machine()
    host.add("job-1", image("a"))
    host.crash("job-1", 0)
    assert compare(host, *with_job()) == Findings()


def test_container_of_a_job_that_is_gone_is_made_anew() -> None:
    assert compare(Machine(), *with_job()) == Findings(
        frozenset({"shop-job-1"}), ("the container of shop-job-1 is gone",)
    )


def test_requests_that_a_killed_gate_left_held_are_a_reason() -> None:
    host = Machine(answer=(0, "releases/held\nweb 127.0.0.1:9\n"))
    assert compare(host) == Findings(
        reasons=("public traffic goes to ['127.0.0.1:9'] instead of ['web-1:8000']",)
    )
