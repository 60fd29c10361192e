"""What a gate is to do, as a value."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from slipway.extension import Extension, Probe
from slipway.proof.subject import Subject
from slipway.roles import Role

REACHED = Probe(name="reached", tcp=True)
"""What is asked of a routed service without probes: its Docker health check tells whether it is
well, but not whether the proxy reaches it."""


@dataclass(frozen=True)
class Candidate:
    """A container that is to serve, whether it is new or serves already.

    Args:
        service: its service.
        container: its name.
        image: `repository@sha256:…` that it must run.
        extension: probes and times.
        stable_for: seconds that it must stay well.
        upstream: container:port, or None where the service takes no requests.
        grace: seconds that it gets to stop, if it is refused: a worker may have begun a job.
        role: its service's part in the release.
        ready: a health check, as Docker takes it, that is run in it and must pass; for images
            that have none of their own.
        alone: whether it must be proven before others of its role start.
        timeout: seconds from start until it must be well, or must have completed.
        watched_after: seconds that it is watched for after the switch, where requests that wait
            leave no time for it before.
        source_hash: what its image is built from; None where it is not built here.
    """

    service: str
    container: str
    image: str
    extension: Extension
    stable_for: float
    upstream: str | None
    grace: float = 10.0
    role: Role = Role.ROUTED
    ready: tuple[str, ...] | None = None
    alone: bool = False
    timeout: float = 60.0
    watched_after: float = 0.0
    source_hash: str | None = None

    @property
    def probes(self) -> list[Probe]:
        """Its probes; a routed service that has none must at least be reached by the proxy."""
        if self.upstream is None:
            return []
        return self.extension.probes or [REACHED]

    @property
    def internal(self) -> bool:
        """Whether only other services call it."""
        route = self.extension.route
        return route is not None and route.internal

    @property
    def exclusive(self) -> bool:
        """Whether no other container of its service may run beside it."""
        return self.role in (Role.BACKING, Role.SINGLETON, Role.HELD)


@dataclass(frozen=True)
class GatePlan:
    """What the gate is to do.

    Args:
        stack: how messages call the stack.
        fingerprint: of the release.
        ingress: name of the proxy's container.
        candidates: the release's containers, each after what it depends on.
        live: names of the containers that the state holds for live, without the jobs.
        orphans: ids of containers of the stack that were there when the program began, and that
            no state knew: a killed run left them.
        served: upstreams that the state calls live, by service.
        table: name of the sites that take requests to the release (`slipway.proxy.table_id`).
        labels: labels of the stack's service containers.
        proven_before: whether this is a release that was verified before; then workers need not
            wait for the routed ones to be proven.
        logs: where the driver keeps whole logs, if it undoes what fails; else what was refused
            stays, to be looked at.
        proofs: what is to be proven of images before anything starts, by service.
    """

    stack: str
    fingerprint: str
    ingress: str
    candidates: tuple[Candidate, ...]
    live: frozenset[str]
    orphans: tuple[str, ...] = ()
    served: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    logs: str = ""
    proven_before: bool = False
    table: str = ""
    proofs: Mapping[str, Subject] = field(default_factory=dict)

    def of(self, role: Role) -> list[Candidate]:
        """The candidates that play a part."""
        return [candidate for candidate in self.candidates if candidate.role is role]

    @property
    def upstreams(self) -> dict[str, str]:
        """container:port by service, of those that take requests."""
        return {c.service: c.upstream for c in self.candidates if c.upstream}
