"""The public port on the host: whether it is free, who has it, and which one could be had."""

import errno
import socket
from collections.abc import Container
from typing import Protocol

import psutil

from slipway.errors import HostError
from slipway.host import LABEL_PROJECT, LABEL_STACK, ContainerState

_TRIED = 100


class Publishers(Protocol):
    """What is asked of the engine: `slipway.host.Host`."""

    @property
    def local(self) -> bool:
        """Whether the engine runs on this machine."""

    def publisher(self, port: int) -> ContainerState | None:
        """The running container that publishes a host port, if one does."""


def require_free_port(port: int, ingress_name: str, host: Publishers) -> None:
    """Refuse a public port that someone else has.

    Args:
        port: the port.
        ingress_name: of the container that may have it.
        host: the engine.

    Raises:
        HostError: a container or a process has it; the message says which.
    """
    publisher = host.publisher(port)
    if publisher is not None and publisher.name == ingress_name:
        return
    who, stop = _container(publisher) if publisher is not None else _process(port, host)
    if not who:
        return
    free = next_free(port + 1, host)
    like = f", such as {free}" if free else ""
    raise HostError(f"port {port} is taken by {who}; set slipway:port to another one{like}{stop}")


def next_free(first: int, host: Publishers | None, taken: Container[int] = ()) -> int | None:
    """The first free port from `first` on; None if there is none nearby.

    Args:
        first: where to begin.
        host: the engine; None where it does not answer: then only this machine is asked.
        taken: ports that are spoken for, whether someone has them now or not.
    """
    for port in range(first, min(first + _TRIED, 1 << 16)):
        if port not in taken and _is_free(port, host):
            return port
    return None


def _is_free(port: int, host: Publishers | None) -> bool:
    if host is not None and host.publisher(port) is not None:
        return False
    return not (host is None or host.local) or _can_listen(port)


def _can_listen(port: int) -> bool:
    with socket.socket() as listener:
        # As Docker does: connections that have just ended are nobody's.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("", port))
        except OSError as error:
            return error.errno != errno.EADDRINUSE
    return True


def _container(publisher: ContainerState) -> tuple[str, str]:
    """Who has the port, and how else it could be had."""
    stack, project = publisher.labels.get(LABEL_STACK), publisher.labels.get(LABEL_PROJECT)
    if stack:
        # Stopping what another stack's users come through is no way to have its port.
        return f"Slipway's stack {stack} of project {project} (container {publisher.name})", ""
    return f"container {publisher.name}", f", or stop it (docker stop {publisher.name})"


def _process(port: int, host: Publishers) -> tuple[str, str]:
    for connection in psutil.net_connections("tcp") if host.local else []:
        if connection.status != psutil.CONN_LISTEN:
            continue
        if connection.laddr and connection.laddr.port == port:
            return _named(connection.pid), ", or stop it"
    return "", ""


def _named(pid: int | None) -> str:
    if pid is None:
        return "a process of another user"
    try:
        return f"process {pid} ({psutil.Process(pid).name()})"
    except psutil.NoSuchProcess:
        return f"process {pid}, which has just ended"
