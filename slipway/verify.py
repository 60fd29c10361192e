"""Does the release that the state calls live really serve? Asked of Docker and of the address."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from slipway import look
from slipway.blueprint import probes_of
from slipway.errors import ConfigError
from slipway.extension import Probe, Route
from slipway.host import LABEL_OWNER, LABEL_ROLE, Host, has_digest
from slipway.probes import Prober, public_headers
from slipway.state import STASH, LiveFact, StackState, live_fact, parse_state

_STACK = "pulumi:pulumi:Stack"
_LIVE = "-live"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; `passed` is None where it could not be asked."""

    what: str
    passed: bool | None
    seen: str

    def __str__(self) -> str:
        word = {True: "ok", False: "FAILED", None: "not asked"}[self.passed]
        return f"{word:6} {self.what}: {self.seen}"


@dataclass(frozen=True)
class Deployment:
    """A stack's state, as `pulumi stack export` gives it.

    Args:
        state: all resources.
        live: what it calls live.
        address: public URL.
    """

    state: StackState
    live: LiveFact
    address: str


def parse_export(stack: str, export: Mapping[str, Any]) -> Deployment:
    """The deployment in an export.

    Raises:
        ConfigError: the stack has no release.
    """
    state = state_of(export)
    facts = [name for name in state.named(STASH) if name.endswith(_LIVE)]
    if not facts:
        raise ConfigError([f"stack {stack} has no release; run scripts/deploy {stack}"])
    outputs = next(iter(state.named(_STACK).values()), {})
    return Deployment(state, live_fact(state.stash(facts[0])), str(outputs.get("address")))


def state_of(export: Mapping[str, Any]) -> StackState:
    """The resources in an export; none for a stack that never was updated."""
    resources = (export.get("deployment") or {}).get("resources") or []
    return parse_state({r["urn"]: {"outputs": r.get("outputs")} for r in resources})


def verify(deployment: Deployment, host: Host, prober: Prober) -> Iterator[Check]:
    """Look at containers, digests, route and public address of the release that is live."""
    yield from _containers(deployment.live, host)
    ingress = f"{_prefix(deployment)}-ingress"
    known = [ingress, *(container["id"] for container in deployment.live.containers.values())]
    present = [found for found in map(host.container, known) if found is not None]
    owners = [found.labels[LABEL_OWNER] for found in present if LABEL_OWNER in found.labels]
    # Without a label to go by, no container of the host is taken for one of the stack's.
    labels = {LABEL_OWNER: owners[0] if owners else "", LABEL_ROLE: "service"}
    findings = look.compare(deployment.state, deployment.live, host, ingress, labels)
    seen = "; ".join(findings.reasons) or "state, containers and proxy agree"
    yield Check("agreement", not findings.reasons, seen)
    for service, entry in sorted(deployment.live.ledger[0]["services"].items()):
        route, probes = probes_of(entry)
        for title, probe in probes:
            yield _ask(service, title, probe, route, deployment, prober)


def _ask(
    service: str,
    title: str,
    probe: Probe | None,
    route: Route | None,
    deployment: Deployment,
    prober: Prober,
) -> Check:
    if probe is None:
        return Check(f"{service} {title}", None, "its request holds a secret")
    headers = public_headers(probe, route) if route else None
    if headers is None:
        return Check(f"{service} {title}", None, "the public has no way there")
    verdict = prober.probe(probe, headers)
    return Check(f"{service} {deployment.address}{probe.path}", verdict.passed, verdict.found)


def _prefix(deployment: Deployment) -> str:
    routes = [
        str(volume["name"])
        for name, volume in deployment.state.named("docker:index/volume:Volume").items()
        if name.endswith("-ingress-routes")
    ]
    return routes[0].removesuffix("-ingress-routes")


def _containers(live: LiveFact, host: Host) -> Iterator[Check]:
    services = live.ledger[0]["services"]
    for service, container in sorted(live.serving.items()):
        image = services[service]["image"]
        found = host.container(container["id"])
        if found is None or not found.running:
            seen = "gone" if found is None else found.status
            yield Check(f"{service} {container['name']}", False, seen)
            continue
        digests = host.image_digests(found.image)
        right = has_digest(digests, image)
        seen = f"runs {image}" if right else f"runs {', '.join(digests)} instead of {image}"
        yield Check(f"{service} {container['name']}", right, seen)
