"""The gate: a release enters the state only after it was proven, switched to and seen to serve.

`Gate.run` is what the hook of the engine calls. It either returns, and then the release serves,
or raises, and then what served before still serves and no unproven container runs.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NoReturn

from slipway.errors import GateError, HostError
from slipway.host import ContainerState, Host, has_digest
from slipway.ingress import Ingress, Lease, LiveRoute
from slipway.probes import Prober, Verdict
from slipway.redact import Redactor
from slipway.services import Extension, Probe
from slipway.trial import Fault, Terms, Trial

_POLL = 0.2
"""Seconds between two looks at the containers: a crash is seen within this time."""
_LOG_LINES = 30
_UNREACHED = (502, 503, 504)
REACHED = Probe(
    name="reached",
    path="/",
    status=[code for code in range(100, 600) if code not in _UNREACHED],
)
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
        upstream: container:port, or None where the service takes no public traffic.
        grace: seconds that it gets to stop, if it is refused: a worker may have begun a job.
    """

    service: str
    container: str
    image: str
    extension: Extension
    stable_for: float
    upstream: str | None
    grace: float = 10.0

    @property
    def probes(self) -> list[Probe]:
        """Its probes; a routed service that has none must at least be reached by the proxy."""
        if self.upstream is None:
            return []
        return self.extension.probes or [REACHED]


@dataclass(frozen=True)
class GatePlan:
    """What the gate is to do.

    Args:
        stack: how messages call the stack.
        fingerprint: of the release.
        ingress: name of the proxy's container.
        candidates: the release's containers.
        live: names of the containers that the state holds for live.
        orphans: ids of containers of the stack that were there when the program began, and that
            no state knew: a killed run left them.
        served: upstreams that the state calls live, by service.
    """

    stack: str
    fingerprint: str
    ingress: str
    candidates: tuple[Candidate, ...]
    live: frozenset[str]
    orphans: tuple[str, ...] = ()
    served: Mapping[str, str] = field(default_factory=dict)


class Gate:
    """Carries a plan out.

    Args:
        plan: what to do.
        host: the engine.
        ingress: the stack's proxy.
        prober: asks the stack's public address.
        connect: opens a further connection to the engine.
        redact: hides secrets in what is reported.
        report: takes a line of progress.
        clock: gives seconds; for tests.
        sleep: for tests.
    """

    def __init__(
        self,
        plan: GatePlan,
        host: Host,
        ingress: Ingress,
        prober: Prober,
        connect: Callable[[], Host],
        redact: Redactor,
        report: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._plan = plan
        self._host = host
        self._ingress = ingress
        self._prober = prober
        self._connect = connect
        self._redact = redact
        self._report = report
        self._clock = clock
        self._sleep = sleep

    def run(self) -> None:
        """Prove the candidates, switch, look at the public address, let the old ones finish.

        Raises:
            GateError: the release did not pass; what served before still serves.
            HostError: Docker or the ingress did not do what they were asked.
        """
        self._host.start(self._plan.ingress)
        with self._ingress.lease(self._connect, self._sleep) as lease:
            seen = self._ingress.live()
            switching = False
            try:
                routed = self._prove([c for c in self._plan.candidates if c.upstream], lease, [])
                # Workers have no route: as soon as they start they work, so they start last.
                self._prove([c for c in self._plan.candidates if not c.upstream], lease, routed)
                lease.close_candidate()
                switching = True
                self._switch(lease, seen)
                self._verify_public()
            except GateError as error:
                outcome = self._undo(lease, seen, switching=switching)
                raise GateError(f"{error}\n{outcome}") from error
            except BaseException:
                self._report(self._undo(lease, seen, switching=switching))
                raise
            old = {*self._plan.served.items(), *seen.upstreams.items()}
            self._drain(old, self._serving())
            self._remove_leftovers(lease)

    def _prove(
        self, group: Sequence[Candidate], lease: Lease, proven: Sequence["_Attempt"]
    ) -> list["_Attempt"]:
        """Try a group; those that are proven already must go on being well meanwhile."""
        if not group:
            return []
        names = ", ".join(c.service for c in group)
        self._report(f"proving {names} before any traffic goes there")
        with ThreadPoolExecutor(len(group) + len(proven), thread_name_prefix="probe") as pool:
            attempts = [_Attempt(c, self._begin(c), self._headers(c, lease)) for c in group]
            while not all(attempt.trial.over for attempt in attempts):
                for attempt in [*proven, *attempts]:
                    self._step(attempt, pool)
                self._sleep(_POLL)
        for attempt in attempts:
            self._report(f"{attempt.candidate.service} is proven")
        return attempts

    def _begin(self, candidate: Candidate) -> Trial:
        before = self._host.container(candidate.container)
        if before is None or not before.running:
            self._host.start(candidate.container)
        first = self._host.container(candidate.container)
        if first is None:
            self._fail(candidate, Fault("the container is gone"))
        digests = self._host.image_digests(first.image)
        if not has_digest(digests, candidate.image):
            found = ", ".join(digests) or first.image
            self._fail(candidate, Fault(f"it runs {found} instead of {candidate.image}"))
        extension = candidate.extension
        # What serves already has been watched by its users: only what is new is watched longer.
        serves = before is not None and before.running and candidate.container in self._plan.live
        stable_for = 0.0 if serves else candidate.stable_for
        terms = Terms(extension.successes, extension.timeout, stable_for)
        return Trial(terms, self._clock(), first)

    def _headers(self, candidate: Candidate, lease: Lease) -> Mapping[str, str]:
        if candidate.upstream is None:
            return {}
        return lease.open_candidate(candidate.service, candidate.upstream)

    def _step(self, attempt: "_Attempt", pool: ThreadPoolExecutor) -> None:
        """Look at the container; begin a round of probes when one is due, judge it when done."""
        self._look(attempt)
        if attempt.round is None and self._clock() >= attempt.due:
            attempt.round = pool.submit(self._round, attempt.candidate, attempt.headers)
        elif attempt.round is not None and attempt.round.done():
            steady = attempt.trial.steady
            attempt.trial.see_round(self._clock(), attempt.round.result())
            attempt.round = None
            attempt.due = self._clock() + attempt.candidate.extension.interval
            if attempt.trial.steady and not steady:
                self._report(f"{attempt.candidate.service}: {attempt.trial.progress}")
            self._refuse_fault(attempt)

    def _look(self, attempt: "_Attempt") -> None:
        seen = self._host.container(attempt.candidate.container)
        attempt.trial.see_container(self._clock(), seen)
        self._refuse_fault(attempt)

    def _refuse_fault(self, attempt: "_Attempt") -> None:
        if attempt.trial.fault:
            self._fail(attempt.candidate, attempt.trial.fault)

    def _round(self, candidate: Candidate, headers: Mapping[str, str]) -> list[Verdict]:
        return [self._prober.probe(probe, headers) for probe in candidate.probes]

    def _switch(self, lease: Lease, seen: LiveRoute) -> None:
        upstreams = {c.service: c.upstream for c in self._plan.candidates if c.upstream}
        if upstreams == dict(seen.upstreams):
            lease.confirm(seen)
            self._report("the public address leads to this release already: nothing to switch")
            return
        lease.switch(seen, self._plan.fingerprint, upstreams)
        self._report("switched: new requests go to this release")

    def _verify_public(self) -> None:
        for candidate in self._plan.candidates:
            if candidate.upstream is None:
                continue
            for _ in range(candidate.extension.successes):
                failed = [v for v in self._round(candidate, {}) if not v.passed]
                if failed:
                    summary = "the public address did not answer well after the switch"
                    self._fail(candidate, Fault(summary, tuple(failed)))
                self._sleep(_POLL)

    def _serving(self) -> set[str | None]:
        return {candidate.upstream for candidate in self._plan.candidates}

    def _drain(
        self, upstreams: Collection[tuple[str, str]], serving: Collection[str | None]
    ) -> None:
        """Wait until what does not serve any more has no request in flight, or its time is over."""
        drains = {c.service: c.extension.drain for c in self._plan.candidates}
        for service, upstream in sorted(upstreams):
            if upstream in serving:
                continue
            deadline = self._clock() + drains.get(service, Extension().drain)
            self._report(f"letting requests in flight on {upstream} finish")
            quiet = 0
            # A request that looked the old upstream up just before the switch is counted only
            # an instant later: one look that finds none is not enough.
            while quiet < 2 and self._clock() < deadline:
                quiet = quiet + 1 if self._in_flight(upstream) == "0" else 0
                self._sleep(_POLL)
            if quiet < 2:
                left = self._in_flight(upstream)
                self._report(f"{left} still in flight on {upstream}; its time to finish is over")

    def _in_flight(self, upstream: str) -> str:
        """The release serves by now: an ingress that does not tell must not fail it any more."""
        try:
            return str(self._ingress.in_flight(upstream))
        except HostError:
            return "an unknown number"

    def _undo(self, lease: Lease, seen: LiveRoute, *, switching: bool) -> str:
        """Bring back what was, as far as possible; tells what serves now.

        A failure here does not hide the first one.
        """
        if not lease.held():
            return "another gate has taken over in the meantime: what serves is its to say"
        try:
            current = self._route_now(seen, switching=switching)
            if current != seen:
                self._report("switching back to what served before")
                lease.switch_back(current, seen)
                # The candidate has had public traffic, and may be answering it.
                self._drain(current.upstreams.items(), seen.upstreams.values())
        except Exception as error:
            workers = [c for c in self._plan.candidates if not c.upstream]
            self._stop(workers, seen)
            return (
                f"could not be undone: {self._redact(str(error))}; public traffic may go to the "
                "refused release: run pulumi up again with the source of the release before"
            )
        self._stop(self._plan.candidates, seen)
        if seen.upstreams:
            return "what served before still serves"
        return "nothing serves: there was no release before"

    def _route_now(self, seen: LiveRoute, *, switching: bool) -> LiveRoute:
        """What the proxy says, not what this gate believes: the answer to its switch may have
        been lost, and a gate that took its lease over may have switched to the same containers."""
        try:
            return self._ingress.live()
        except HostError:
            if switching:
                raise
            return seen

    def _stop(self, candidates: Iterable[Candidate], seen: LiveRoute) -> None:
        """Stop what was not proven; the containers stay, to be looked at and tried again."""
        for candidate in candidates:
            if candidate.container in self._plan.live | seen.containers:
                continue
            try:
                self._host.stop(candidate.container, candidate.grace)
            except Exception as error:  # One that cannot be stopped must not save the others.
                self._report(f"{candidate.container} runs on: {self._redact(str(error))}")

    def _remove_leftovers(self, lease: Lease) -> None:
        """Remove containers of this stack that no state knew: a killed run left them.

        Only those that were there when the program began: what has come since may be another
        run's, and what the proxy leads to is nobody's to remove.
        """
        if not self._plan.orphans:
            return
        try:
            routed = self._ingress.live().containers
            for id_ in self._plan.orphans if lease.held() else ():
                found = self._host.container(id_)
                if found is not None and found.name not in routed:
                    self._report(f"removing {found.name}, left over by a run that was killed")
                    self._host.remove(found.id)
        except HostError as error:
            # The release serves: to fail now would have the state say that it does not.
            self._report(f"leftovers stay for now: {self._redact(str(error))}")

    def _fail(self, candidate: Candidate, fault: Fault) -> NoReturn:
        # Said at once: the full report comes when the engine has taken the failure in.
        self._report(self._redact(f"refused: {candidate.service}: {fault.summary}"))
        state = self._host.container(candidate.container)
        log = self._host.log_tail(candidate.container, _LOG_LINES)
        raise GateError(self._redact(failure_report(self._plan, candidate, fault, state, log)))


@dataclass
class _Attempt:
    """A trial under way."""

    candidate: Candidate
    trial: Trial
    headers: Mapping[str, str]
    due: float = 0.0
    round: "Future[list[Verdict]] | None" = None


def failure_report(
    plan: GatePlan, candidate: Candidate, fault: Fault, state: ContainerState | None, log: str
) -> str:
    """What a failed release says: what happened, where, what was seen, what to do next."""
    lines = [
        f"the release of {plan.stack} was refused: service {candidate.service}: {fault.summary}",
        f"container: {candidate.container}" + (f", {_described(state)}" if state else ""),
        f"image: {candidate.image}",
    ]
    lines += [part for verdict in fault.verdicts for part in str(verdict).splitlines()]
    if log:
        lines += ["end of its log:", *(f"  | {line}" for line in log.splitlines())]
    else:
        lines.append("its log is empty")
    lines.append(
        f"next: the container is kept (docker logs {candidate.container}); mend the source and "
        "run pulumi up again"
    )
    return "\n".join(lines)


def _described(state: ContainerState) -> str:
    if state.running:
        return "running"
    return f"{state.status} with exit code {state.exit_code}"
