from datetime import datetime

import httpx
import pytest

from slipway.doctor.facts import Orphan
from slipway.doctor.serving import Serving
from slipway.errors import HostError
from slipway.host import LABEL_OWNER
from slipway.probes import Prober

from ..support_gate import FakeClock, FakeHost, image
from .support import NOW, OWNER, export, release

INGRESS = "shop-test-ingress"
ROUTE = (0, "releases/1\nweb web-1:8000\n")
LABELS = {LABEL_OWNER: OWNER}


def machine() -> FakeHost:
    """A host with the release that `export(release())` tells of."""
    host = FakeHost(FakeClock(), [])
    host.add(INGRESS, image("e"), running=True, labels={})
    host.add("web-1", image("a"), running=True, labels=LABELS)
    host.answers[INGRESS] = ROUTE
    return host


def drift(host: FakeHost) -> tuple[str, ...]:
    transport = httpx.MockTransport(lambda request: httpx.Response(200))
    serving = Serving("test", export(release()))
    return serving.drift(host, lambda address: Prober(address, transport=transport))  # type: ignore[arg-type]


def orphans(host: FakeHost) -> dict[str, bool]:
    """The orphans' names, and whether the proxy leads to them."""

    def created(id_: str) -> datetime:
        return NOW

    found = Serving("test", export(release())).orphans(host, created)  # type: ignore[arg-type]
    assert all(isinstance(orphan, Orphan) and orphan.created == NOW for orphan in found)
    return {orphan.name: orphan.routed for orphan in found}


def test_names_come_from_the_state() -> None:
    serving = Serving("test", export(release(7)))
    assert (serving.release, serving.owner, serving.ingress) == (7, OWNER, INGRESS)


def test_state_without_a_release_has_none() -> None:
    serving = Serving("test", {"deployment": {}})
    assert (serving.release, serving.owner, serving.ingress) == (None, None, "")
    assert serving.orphans(machine(), lambda id_: NOW) == ()  # type: ignore[arg-type]


def test_release_that_serves_does_not_differ() -> None:
    assert drift(machine()) == ()


def test_container_that_stopped_is_told_once() -> None:
    host = machine()
    host.crash("web-1")
    assert drift(host) == ("web: web-1 is exited",)


def test_container_with_another_image_is_told() -> None:
    host = machine()
    host.digests["image-of-web-1"] = [image("c")]
    assert drift(host) == (f"web web-1: runs {image('c')} instead of {image('a')}",)


def test_route_that_leads_elsewhere_is_told() -> None:
    host = machine()
    host.answers[INGRESS] = (0, "releases/2\nweb web-2:8000\n")
    assert drift(host) == ("public traffic goes to ['web-2:8000'] instead of ['web-1:8000']",)


def test_orphan_is_no_drift() -> None:
    host = machine()
    host.add("web-0", image("a"), labels={**LABELS, "slipway.role": "service"})
    assert drift(host) == ()
    assert orphans(host) == {"web-0": False}


def test_containers_of_other_owners_and_of_the_state_are_no_orphans() -> None:
    host = machine()
    host.add("of-another", image("a"), labels={LABEL_OWNER: "them"})
    assert orphans(host) == {}


def test_orphan_that_the_proxy_leads_to_is_marked() -> None:
    host = machine()
    host.add("web-2", image("a"), running=True, labels=LABELS)
    host.answers[INGRESS] = (0, "releases/2\nweb web-2:8000\n")
    assert orphans(host) == {"web-2": True}


def test_running_orphan_counts_as_led_to_while_the_proxy_cannot_be_asked() -> None:
    host = machine()
    host.add("web-2", image("a"), running=True, labels=LABELS)
    host.add("web-3", image("a"), labels=LABELS)
    host.failing["execute"] = HostError("the proxy is gone")
    assert orphans(host) == {"web-2": True, "web-3": False}


def test_engine_that_does_not_answer_is_no_finding() -> None:
    host = machine()
    host.failing["containers"] = HostError("no engine")
    with pytest.raises(HostError):
        drift(host)
