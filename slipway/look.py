"""Looking before believing: is what the state calls live really there?"""

from collections.abc import Mapping
from dataclasses import dataclass

from slipway.errors import HostError
from slipway.host import Host
from slipway.ingress import Ingress
from slipway.state import CONTAINER, LiveFact, StackState


@dataclass(frozen=True)
class Findings:
    """What differs between the state and the host.

    Args:
        missing: resources of containers that the host does not have.
        reasons: why the gate must look again, a line each; empty if all is as it should be.
        orphans: ids of the stack's containers that the state does not know.
    """

    missing: frozenset[str] = frozenset()
    reasons: tuple[str, ...] = ()
    orphans: tuple[str, ...] = ()


def compare(
    state: StackState, live: LiveFact, host: Host, ingress_name: str, labels: Mapping[str, str]
) -> Findings:
    """Compare a stack's state with its host.

    Args:
        state: of the stack.
        live: what the state calls live.
        host: the engine.
        ingress_name: the proxy's container.
        labels: labels of the stack's own service containers.
    """
    in_state = {name: str(found.get("id")) for name, found in state.named(CONTAINER).items()}
    present = {name: host.container(id_) for name, id_ in in_state.items()}
    missing = frozenset(name for name, found in present.items() if found is None)
    reasons = [f"the container of {name} is gone" for name in sorted(missing)]
    for service, container in sorted(live.serving.items()):
        found = host.container(container["id"])
        if found is not None and not found.running:
            reasons.append(f"{service}: {container['name']} is {found.status}")
    known = {str(found.get("name")) for found in state.named(CONTAINER).values()}
    orphans = [found for found in host.containers(labels) if found.name not in known]
    reasons += [f"{orphan.name} is not in the state" for orphan in orphans]
    if live.containers:
        reasons += _route_reasons(live, host, ingress_name)
    return Findings(missing, tuple(reasons), tuple(orphan.id for orphan in orphans))


def _route_reasons(live: LiveFact, host: Host, ingress_name: str) -> list[str]:
    ingress = host.container(ingress_name)
    if ingress is None or not ingress.running:
        return [f"the ingress {ingress_name} is not running"]
    expected = live.upstreams
    try:
        found = dict(Ingress(host, ingress_name).live().upstreams)
    except HostError as error:
        return [str(error)]
    if found == expected:
        return []
    return [
        f"public traffic goes to {sorted(found.values())} instead of {sorted(expected.values())}"
    ]
