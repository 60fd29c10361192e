from typing import Any

import httpx
import pytest

from slipway.errors import ConfigError
from slipway.host import LABEL_OWNER, LABEL_ROLE
from slipway.probes import Prober
from slipway.state import CONTAINER, STASH, LiveFact, StackState
from slipway.verify import Check, Deployment, parse_export, verify

from .support_gate import INGRESS, FakeClock, FakeHost, image

URN = "urn:pulumi:test::shop::"
LABELS = {LABEL_OWNER: "me", LABEL_ROLE: "service"}
ADDRESS = "http://127.0.0.1:8000"
AGREE = Check("agreement", True, "state, containers and proxy agree")


def fact(checks: dict[str, Any] | None = None) -> dict[str, Any]:
    web = {"image": image("a"), "record": {"service": {"x-slipway": checks or {}}}}
    return {
        "ledger": {"1": {"number": 1, "services": {"web": web, "worker": {"image": image("b")}}}},
        "containers": {
            "web": {"name": "web-1", "id": "id-of-web-1", "upstream": "web-1:8000"},
            "worker": {"name": "worker-1", "id": "id-of-worker-1", "upstream": None},
        },
    }


def export(live: dict[str, Any]) -> dict[str, Any]:
    outputs = {
        "pulumi:pulumi:Stack::shop-test": {"address": ADDRESS, "releases": []},
        f"{CONTAINER}::shop-ingress": {"id": f"id-of-{INGRESS}", "name": INGRESS},
        f"{CONTAINER}::shop-web-1": {"id": "id-of-web-1", "name": "web-1"},
        f"{CONTAINER}::shop-worker-1": {"id": "id-of-worker-1", "name": "worker-1"},
        "docker:index/volume:Volume::shop-data": {"name": "shop-test-data"},
        "docker:index/volume:Volume::shop-ingress-routes": {"name": f"{INGRESS}-routes"},
        f"{STASH}::shop-attempt": {"input": {}},
        f"{STASH}::shop-live": {"input": live},
    }
    resources = [{"urn": URN + name, "outputs": found} for name, found in outputs.items()]
    return {"version": 3, "deployment": {"resources": [*resources, {"urn": f"{URN}x:y:Z::bare"}]}}


class Machine(FakeHost):
    """A host with the release that `fact` tells of."""

    def __init__(self) -> None:
        super().__init__(FakeClock(), [])
        self.route = "releases/1\nweb web-1:8000\n"
        self.add(INGRESS, image("e"), running=True, labels={})
        self.add("web-1", image("a"), running=True, labels=LABELS)
        self.add("worker-1", image("b"), running=True, labels=LABELS)

    def execute(self, name: str, command: Any) -> tuple[int, str]:
        return 0, self.route


def checks(
    host: FakeHost, probes: list[dict[str, Any]] | None = None, status: int = 200
) -> list[Check]:
    settings = {"route": {"port": 8000}, "probes": probes} if probes else {}
    deployment = parse_export("test", export(fact(settings)))
    transport = httpx.MockTransport(lambda request: httpx.Response(status))
    return list(verify(deployment, host, Prober(ADDRESS, transport=transport)))


def running(name: str, letter: str) -> Check:
    service = name.split("-")[0]
    return Check(f"{service} {name}", True, f"runs {image(letter)}")


# --- reading an export ----------------------------------------------------------------------


def test_export_gives_state_fact_and_address() -> None:
    found = parse_export("test", export(fact()))
    assert found.live == LiveFact([fact()["ledger"]["1"]], fact()["containers"])
    assert found.address == ADDRESS
    assert sorted(found.state.named(CONTAINER)) == ["shop-ingress", "shop-web-1", "shop-worker-1"]


@pytest.mark.parametrize("empty", [{}, {"deployment": None}, {"deployment": {"resources": None}}])
def test_stack_without_release_is_refused(empty: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_export("test", empty)
    assert caught.value.problems == ("stack test has no release; run scripts/deploy test",)


# --- looking --------------------------------------------------------------------------------


def test_release_that_serves_passes_every_check() -> None:
    assert checks(Machine(), [{"path": "/health"}]) == [
        running("web-1", "a"),
        running("worker-1", "b"),
        AGREE,
        Check(f"web {ADDRESS}/health", True, "status 200"),
    ]


def test_container_with_another_digest_fails() -> None:
    host = Machine()
    host.digests["image-of-web-1"] = [image("c"), image("d")]
    assert checks(host)[0] == Check(
        "web web-1", False, f"runs {image('c')}, {image('d')} instead of {image('a')}"
    )


def test_container_that_stopped_fails_by_itself_and_in_the_comparison() -> None:
    host = Machine()
    host.crash("worker-1")
    assert checks(host) == [
        running("web-1", "a"),
        Check("worker worker-1", False, "exited"),
        Check("agreement", False, "worker: worker-1 is exited"),
    ]


def test_container_that_is_gone_fails() -> None:
    host = Machine()
    host.vanish("web-1")
    assert checks(host) == [
        Check("web web-1", False, "gone"),
        running("worker-1", "b"),
        Check("agreement", False, "the container of shop-web-1 is gone"),
    ]


def test_container_that_nobody_knows_of_fails_the_comparison() -> None:
    host = Machine()
    host.add("web-0", image("d"), running=True, labels=LABELS)
    host.add("of-another", image("d"), running=True, labels={**LABELS, LABEL_OWNER: "them"})
    assert checks(host)[2] == Check("agreement", False, "web-0 is not in the state")


def test_route_to_another_container_fails_the_comparison() -> None:
    host = Machine()
    host.route = "releases/2\nweb web-2:8000\n"
    assert checks(host)[2] == Check(
        "agreement", False, "public traffic goes to ['web-2:8000'] instead of ['web-1:8000']"
    )


def test_address_that_does_not_answer_well_fails() -> None:
    assert checks(Machine(), [{"path": "/health"}], 503)[3:] == [
        Check(f"web {ADDRESS}/health", False, "status 503")
    ]


def test_probe_of_which_the_ledger_has_only_a_reference_is_not_asked() -> None:
    probe = {"path": "/admin", "headers": {"Authorization": "${TOKEN}"}, "name": "admin"}
    assert checks(Machine(), [probe], 401)[3:] == [
        Check("web admin", None, "its request holds a secret")
    ]


def test_checks_are_shown_a_line_each() -> None:
    assert [str(Check("web web-1", True, "runs")), str(Check("agreement", False, "gone"))] == [
        "ok     web web-1: runs",
        "FAILED agreement: gone",
    ]


def test_prefix_of_the_stack_comes_from_its_routes() -> None:
    """The ingress is found even if its resource was made anew under another name."""
    found = parse_export("test", export(fact()))
    renamed = {
        (kind, "shop-ingress-2" if name == "shop-ingress" else name): outputs
        for (kind, name), outputs in found.state.outputs.items()
    }
    deployment = Deployment(StackState(renamed), found.live, found.address)
    prober = Prober(ADDRESS, transport=httpx.MockTransport(lambda request: httpx.Response(200)))
    assert list(verify(deployment, Machine(), prober))[2] == AGREE
