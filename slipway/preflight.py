"""What is refused before anything changes."""

import psutil

from slipway.errors import ConfigError, HostError
from slipway.host import Host
from slipway.reference import parse_reference


def require_pinned_ingress(image: str | None) -> str:
    """The ingress image, if it is pinned.

    Raises:
        ConfigError: there is none, or it is not pinned by digest.
    """
    if not image:
        raise ConfigError(
            [
                "no ingress image: run scripts/bootstrap and . scripts/activate, or set "
                "slipway:ingressImage to a Caddy (2.11 or newer) with its @sha256 digest"
            ]
        )
    if not parse_reference(image).pinned:
        raise ConfigError(
            [f"slipway:ingressImage: {image} is not pinned by digest; add its @sha256:… digest"]
        )
    return image


def require_free_port(port: int, ingress_name: str, host: Host) -> None:
    """Refuse a public port that someone else has.

    Raises:
        HostError: a container or a process has it; the message says which.
    """
    ingress = host.container(ingress_name)
    if ingress is not None and ingress.running:
        return
    publisher = host.publisher(port)
    if publisher is not None:
        raise HostError(
            f"port {port} is taken by container {publisher.name}; set slipway:port to another "
            f"one, or stop it (docker stop {publisher.name})"
        )
    if host.local:
        _refuse_listener(port)


def _refuse_listener(port: int) -> None:
    for connection in psutil.net_connections("tcp"):
        if connection.status != psutil.CONN_LISTEN:
            continue
        if not connection.laddr or connection.laddr.port != port:
            continue
        who = "a process of another user"
        if connection.pid is not None:
            who = f"process {connection.pid} ({psutil.Process(connection.pid).name()})"
        raise HostError(
            f"port {port} is taken by {who}; set slipway:port to another one, or stop it"
        )


def require_own_names(names: list[str], owner_label: str, owner: str, host: Host) -> None:
    """Refuse when containers of these names belong to someone else.

    Raises:
        HostError: another backend, or something that is not Slipway, has made one of them.
    """
    for name in names:
        found = host.container(name)
        if found is not None and found.labels.get(owner_label) != owner:
            raise HostError(
                f"container {name} is there already, and this stack's state has not made it; if "
                f"nothing needs it, remove it (docker rm -f {name}); if another clone of the "
                "project deploys to this host, use its backend, or another stack name"
            )
