import os
import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from slipway import preflight
from slipway.errors import ConfigError, HostError
from slipway.host import LABEL_CONFIG, LABEL_OWNER, ContainerState

from .support_gate import FakeClock, FakeHost, image

PINNED = f"caddy@sha256:{'c' * 64}"


class Machine(FakeHost):
    """A host with a container that may publish a port."""

    def __init__(self, *, published_by: str | None = None, local: bool = True) -> None:
        super().__init__(FakeClock(), [])
        self.local = local
        self._published_by = published_by
        if published_by:
            self.add(published_by, image("a"), running=True)

    def publisher(self, port: int) -> ContainerState | None:
        return self.container(self._published_by) if self._published_by else None


# --- the ingress image ----------------------------------------------------------------------


def test_pinned_ingress_image_passes() -> None:
    assert preflight.require_pinned_ingress(PINNED) == PINNED


@pytest.mark.parametrize("image_", [None, ""])
def test_missing_ingress_image_is_refused(image_: str | None) -> None:
    with pytest.raises(ConfigError) as caught:
        preflight.require_pinned_ingress(image_)
    assert caught.value.problems == (
        "no ingress image: run scripts/bootstrap and . scripts/activate, or set "
        "slipway:ingressImage to a Caddy (2.11 or newer) with its @sha256 digest",
    )


def test_ingress_image_by_tag_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        preflight.require_pinned_ingress("caddy:2.11")
    assert caught.value.problems == (
        "slipway:ingressImage: caddy:2.11 is not pinned by digest; add its @sha256:… digest",
    )


# --- what would interrupt the service -------------------------------------------------------

FOUND = {
    "name": "shop-test-ingress",
    "image": "caddy@sha256:1",
    "labels": [{"label": LABEL_OWNER, "value": "me"}, {"label": LABEL_CONFIG, "value": "one"}],
    "ports": [{"internal": 8080, "external": 8000}],
}


def test_renamed_project_is_refused_because_its_data_would_stay_behind() -> None:
    with pytest.raises(ConfigError) as caught:
        preflight.refuse_other_name(FOUND, "store-test-ingress")
    assert caught.value.problems == (
        "the compose project or the stack was renamed: this stack is shop-test on its host, and "
        "would become store-test, with other volumes and none of the data; name it back, or run "
        "pulumi destroy first and move the data",
    )


@pytest.mark.parametrize("found", [None, FOUND])
def test_new_stack_and_same_name_pass(found: dict[str, Any] | None) -> None:
    preflight.refuse_other_name(found, "shop-test-ingress")


def test_changed_ingress_is_refused_with_the_way_to_allow_it() -> None:
    with pytest.raises(ConfigError) as caught:
        preflight.refuse_ingress_change(FOUND, "two", "test", "ALLOW")
    assert caught.value.problems == (
        "stacks/Pulumi.test.yaml: port, bind, ingressImage or the routed service differ from "
        "those of the ingress that runs (port [8000], image caddy@sha256:1); it would have to be "
        "stopped and made anew, which interrupts the service for some seconds; to do it: ALLOW=1 "
        "pulumi up --stack test",
    )


@pytest.mark.parametrize("found", [None, FOUND, {**FOUND, "labels": None}])
def test_unchanged_ingress_passes(found: dict[str, Any] | None) -> None:
    preflight.refuse_ingress_change(found, "one", "test", "ALLOW")


# --- the port -------------------------------------------------------------------------------


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which this very process listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_port_on_which_a_process_listens_is_refused_with_its_number(taken: int) -> None:
    with pytest.raises(HostError) as caught:
        preflight.require_free_port(taken, "ingress", Machine())
    assert str(caught.value) == (
        f"port {taken} is taken by process {os.getpid()} ({psutil.Process().name()}); set "
        "slipway:port to another one, or stop it"
    )


def test_port_from_which_this_machine_is_connected_elsewhere_is_free(taken: int) -> None:
    with socket.create_connection(("127.0.0.1", taken)) as connection:
        own_port = connection.getsockname()[1]
        preflight.require_free_port(own_port, "ingress", Machine())


def test_port_of_another_user_s_process_is_refused_without_a_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listener = SimpleNamespace(
        status=psutil.CONN_LISTEN, laddr=SimpleNamespace(port=8000), pid=None
    )
    monkeypatch.setattr(psutil, "net_connections", lambda kind: [listener])
    with pytest.raises(HostError, match=r"^port 8000 is taken by a process of another user; "):
        preflight.require_free_port(8000, "ingress", Machine())


def test_listener_of_this_machine_says_nothing_about_a_remote_host(taken: int) -> None:
    preflight.require_free_port(taken, "ingress", Machine(local=False))


def test_port_that_another_container_publishes_is_refused_with_its_name() -> None:
    with pytest.raises(HostError) as caught:
        preflight.require_free_port(8000, "ingress", Machine(published_by="other", local=False))
    assert str(caught.value) == (
        "port 8000 is taken by container other; set slipway:port to another one, or stop it "
        "(docker stop other)"
    )


def test_port_that_the_stack_s_own_ingress_publishes_is_its_own(taken: int) -> None:
    preflight.require_free_port(taken, "ingress", Machine(published_by="ingress"))


# --- names ----------------------------------------------------------------------------------


def test_container_of_someone_else_under_our_name_is_refused() -> None:
    host = Machine()
    host.add("ours", image("a"), labels={LABEL_OWNER: "me"})
    host.add("theirs", image("a"), labels={LABEL_OWNER: "them"})
    preflight.require_own_names(["ours", "not there"], LABEL_OWNER, "me", host)
    with pytest.raises(HostError) as caught:
        preflight.require_own_names(["ours", "theirs"], LABEL_OWNER, "me", host)
    assert str(caught.value) == (
        "container theirs is there already, and this stack's state has not made it; if nothing "
        "needs it, remove it (docker rm -f theirs); if another clone of the project deploys to "
        "this host, use its backend, or another stack name"
    )


def test_container_without_our_labels_is_refused() -> None:
    host = Machine()
    host.add("by-hand", image("a"), labels={})
    with pytest.raises(HostError, match=r"^container by-hand is there already"):
        preflight.require_own_names(["by-hand"], LABEL_OWNER, "me", host)
