import os
import socket
from collections.abc import Iterator
from types import SimpleNamespace

import psutil
import pytest

from slipway import public_port
from slipway.errors import HostError
from slipway.host import LABEL_PROJECT, LABEL_STACK, ContainerState
from slipway.public_port import next_free, require_free_port

from .support_gate import FakeClock, FakeHost, image

STACK = {LABEL_PROJECT: "quotes", LABEL_STACK: "prod"}


class Machine(FakeHost):
    """A host with a container that publishes ports."""

    def __init__(
        self,
        published_by: str = "",
        *ports: int,
        local: bool = False,
        labels: dict[str, str] | None = None,
    ) -> None:
        super().__init__(FakeClock(), [])
        self.local = local
        self._published_by, self._ports = published_by, ports
        if published_by:
            self.add(published_by, image("a"), running=True, labels=labels or {})

    def publisher(self, port: int) -> ContainerState | None:
        return self.container(self._published_by) if port in self._ports else None


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which this very process listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def refusal(port: int, host: Machine) -> str:
    with pytest.raises(HostError) as caught:
        require_free_port(port, "ingress", host)
    return str(caught.value)


def test_port_on_which_a_process_listens_is_refused_with_its_number_and_a_free_one(
    taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public_port, "_can_listen", lambda port: port == taken + 2)
    assert refusal(taken, Machine(local=True)) == (
        f"port {taken} is taken by process {os.getpid()} ({psutil.Process().name()}); set "
        f"slipway:port to another one, such as {taken + 2}, or stop it"
    )


def test_port_from_which_this_machine_is_connected_elsewhere_is_free(taken: int) -> None:
    with socket.create_connection(("127.0.0.1", taken)) as connection:
        own_port = connection.getsockname()[1]
        require_free_port(own_port, "ingress", Machine(local=True))


def test_port_of_another_user_s_process_is_refused_without_a_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listener = SimpleNamespace(
        status=psutil.CONN_LISTEN, laddr=SimpleNamespace(port=8000), pid=None
    )
    monkeypatch.setattr(psutil, "net_connections", lambda kind: [listener])
    told = refusal(8000, Machine(local=True))
    assert told.startswith("port 8000 is taken by a process of another user; ")


def test_listener_of_this_machine_says_nothing_about_a_remote_host(taken: int) -> None:
    require_free_port(taken, "ingress", Machine())


def test_port_that_another_container_publishes_is_refused_with_its_name() -> None:
    assert refusal(8000, Machine("other", 8000, 8001)) == (
        "port 8000 is taken by container other; set slipway:port to another one, such as 8002, or "
        "stop it (docker stop other)"
    )


def test_proxy_of_another_stack_is_named_and_never_to_be_stopped() -> None:
    assert refusal(8000, Machine("shop-prod-ingress", 8000, labels=STACK)) == (
        "port 8000 is taken by Slipway's stack prod of project quotes (container "
        "shop-prod-ingress); set slipway:port to another one, such as 8001"
    )


def test_no_free_port_nearby_is_no_reason_to_name_one() -> None:
    assert refusal(65535, Machine("other", 65535)) == (
        "port 65535 is taken by container other; set slipway:port to another one, or stop it "
        "(docker stop other)"
    )


def test_port_that_the_stack_s_own_ingress_publishes_is_its_own(taken: int) -> None:
    require_free_port(taken, "ingress", Machine("ingress", taken, local=True))


def test_next_free_port_is_neither_published_nor_listened_on_nor_spoken_for(taken: int) -> None:
    found = next_free(taken, Machine("other", taken + 1, local=True), {taken + 2})
    assert found is not None
    assert found > taken + 2


def test_without_an_engine_this_machine_alone_is_asked(taken: int) -> None:
    assert next_free(taken, None) != taken


def test_what_listens_here_says_nothing_about_the_ports_of_a_remote_host(taken: int) -> None:
    assert next_free(taken, Machine()) == taken
