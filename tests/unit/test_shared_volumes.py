from typing import Any

import pytest

from slipway.errors import HostError
from slipway.host import LABEL_OWNER
from slipway.shared_volumes import refuse_shared_volumes

from .support_gate import FakeClock, FakeHost, image
from .test_backing_changes import READS, ROUTE, WRITES
from .test_plan import PULLED, containers, project

VOLUMES = {"records": "pgdata"}
OWNER = "me"


@pytest.fixture
def host() -> FakeHost:
    """A host on which a container of no stack writes to the volume."""
    found = FakeHost(FakeClock(), [])
    found.add("old-db-1", image("a"), running=True, labels={})
    found.written["pgdata"] = ["old-db-1"]
    return found


def refuse(host: FakeHost, **service: Any) -> None:
    plans = containers(project({"db": {"image": PULLED, "volumes": [WRITES], **service}}))
    refuse_shared_volumes(plans, VOLUMES, OWNER, host)


@pytest.mark.parametrize("extension", [{}, {**ROUTE, "overlap": False}])
def test_database_does_not_start_on_a_volume_that_another_container_writes_to(
    host: FakeHost, extension: dict[str, Any]
) -> None:
    with pytest.raises(HostError) as caught:
        refuse(host, **{"x-slipway": extension})
    assert str(caught.value) == (
        "services.db: container old-db-1, which is not of this stack, runs and may write to volume "
        "pgdata: two databases on one volume destroy it; stop it first (docker stop old-db-1), "
        "have it mount the volume read-only, or use another volume"
    )


def test_container_of_another_stack_is_someone_else_too(host: FakeHost) -> None:
    host.change("old-db-1", labels={LABEL_OWNER: "you"})
    with pytest.raises(HostError, match="container old-db-1"):
        refuse(host)


@pytest.mark.parametrize(
    "service",
    [{"volumes": []}, {"volumes": [READS]}, {"x-slipway": ROUTE}],
    ids=["no volume", "only read", "made for two at once"],
)
def test_what_does_not_write_alone_may_share(host: FakeHost, service: dict[str, Any]) -> None:
    refuse(host, **service)


def test_container_that_is_stopped_or_of_this_stack_is_in_nobody_s_way(host: FakeHost) -> None:
    host.change("old-db-1", labels={LABEL_OWNER: OWNER})
    refuse(host)
    host.change("old-db-1", labels={}, status="exited")
    refuse(host)


def test_container_that_serves_already_is_left_alone(host: FakeHost) -> None:
    plans = containers(project({"db": {"image": PULLED, "volumes": [WRITES]}}))
    host.add(plans[0].name, image("a"), running=True)
    refuse_shared_volumes(plans, VOLUMES, OWNER, host)
