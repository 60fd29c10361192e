"""Proving candidates: containers are started, looked at and asked until they pass or fail."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import NoReturn

from slipway import readiness
from slipway.errors import GateError, HostError
from slipway.extension import Probe
from slipway.gate_plan import Candidate, GatePlan
from slipway.host import ContainerState
from slipway.identity import image_fault, version_fault
from slipway.image_labels import SOURCE_HASH
from slipway.probes import Verdict, public_headers
from slipway.proxy import KEY_HEADER, KEY_PREFIX, LIVE_PREFIX, SERVICE_HEADER
from slipway.refusal import failure_report
from slipway.roles import Role
from slipway.trial import Fault, Terms, Trial
from slipway.world import World

POLL = 0.2
"""Seconds between two looks at the containers: a crash is seen within this time."""
_LOG_LINES = 60
_TELL_AFTER = 5.0
_VERSION_TRIES = 3


@dataclass
class Attempt:
    """A trial under way."""

    candidate: Candidate
    trial: Trial
    restarts: int = 0
    due: float = 0.0
    tell: float = 0.0
    round: "Future[list[Verdict]] | None" = None


class Prover:
    """Proves the candidates of a plan, group by group.

    Args:
        plan: what the gate is to do.
        world: what it works with.
        key: lets requests reach the candidates through the proxy.
    """

    def __init__(self, plan: GatePlan, world: World, key: str) -> None:
        self._plan = plan
        self._world = world
        self._key = key
        self._proven: list[Attempt] = []

    def prove(self, group: Sequence[Candidate], by: float | None = None) -> None:
        """Try a group; those that are proven already must go on being well meanwhile.

        Args:
            group: of candidates.
            by: clock time at which the group must be proven, where requests wait for that.

        Raises:
            GateError: one did not pass.
        """
        if not group:
            return
        world, proven = self._world, self._proven
        names = ", ".join(c.service for c in group)
        world.report(f"proving {names} before any traffic goes there")
        with (
            world.evidence.phase(f"prove {names}"),
            ThreadPoolExecutor(len(group) + len(proven), thread_name_prefix="probe") as pool,
        ):
            before = list(pool.map(lambda candidate: self._start(candidate, by), group))
            attempts = [self._begin(c, seen, by) for c, seen in zip(group, before, strict=True)]
            while not all(attempt.trial.over for attempt in attempts):
                for attempt in [*proven, *attempts]:
                    self._step(attempt, pool)
                world.sleep(POLL)
        for attempt in attempts:
            world.report(f"{attempt.candidate.service} is proven")
        self._proven += attempts

    def verify_public(self, candidates: Sequence[Candidate], look: Callable[[], None]) -> None:
        """See that the public address answers well, after the switch.

        Args:
            candidates: that the public's requests reach now.
            look: at all that is proven. The proxy holds requests for a container that has just
                ended, so the address alone tells of a crash too late.

        Raises:
            GateError: it does not, or a container is not well any more.
        """
        for candidate in candidates:
            for _ in range(candidate.extension.successes):
                look()
                verdicts = [
                    self._world.prober.probe(probe, self._public_headers(candidate, probe))
                    for probe in candidate.probes
                ]
                for verdict in verdicts:
                    self._world.evidence.probed(candidate.service, "public", verdict)
                failed = tuple(verdict for verdict in verdicts if not verdict.passed)
                if failed:
                    summary = "the public address did not answer well after the switch"
                    self.fail(candidate, Fault(summary, failed))
                for probe, verdict in zip(candidate.probes, verdicts, strict=True):
                    if fault := version_fault(verdict, self._own_versions(candidate, probe)):
                        self.fail(candidate, fault)
                self._world.sleep(POLL)

    @contextmanager
    def watching(self) -> Iterator[Callable[[], None]]:
        """Go on watching what is proven; gives what looks at all of it once more.

        Docker may fail to answer meanwhile: what was proven and serves is not undone for that.

        Raises:
            GateError: when looking, one is not well any more.
        """
        pool = ThreadPoolExecutor(max(len(self._proven), 1), thread_name_prefix="probe")

        def look() -> None:
            for attempt in self._proven:
                with suppress(HostError):
                    self._step(attempt, pool)

        try:
            yield look
        finally:
            # What users reach now is switched back at once, not after a last probe's answer.
            pool.shutdown(wait=False)

    def watch_on(self, look: Callable[[], None]) -> None:
        """Watch those that requests waited for as long as all others were watched before.

        Raises:
            GateError: one is not well any more.
        """
        world, new = self._world, [a.candidate for a in self._proven]
        cut = [c for c in new if c.watched_after and c.container not in self._plan.live]
        seconds = max((c.watched_after for c in cut), default=0.0)
        if seconds:
            names = ", ".join(c.service for c in cut)
            world.report(f"watching {names} for {seconds:g} s more: there is a way back till then")
        until = world.clock() + seconds
        while world.clock() < until:
            look()
            world.sleep(POLL)

    def see_all_well(self) -> None:
        """Look at all proven containers a last time.

        Raises:
            GateError: one is not well any more.
            HostError: Docker does not tell.
        """
        for attempt in self._proven:
            self._see_container(attempt)
            self._see_image(attempt.candidate)

    def fail(self, candidate: Candidate, fault: Fault) -> NoReturn:
        """Refuse the release.

        Raises:
            GateError: always, with all that can be told.
        """
        world = self._world
        # Said at once: the full report comes when the engine has taken the failure in.
        world.report(world.redact(f"refused: {candidate.service}: {fault.summary}"))
        state = world.host.container(candidate.container)
        log = world.host.log_tail(candidate.container, _LOG_LINES)
        world.evidence.failed(fault.summary, candidate.service)
        world.evidence.ended(candidate.service, state.exit_code if state else None, log)
        raise GateError(world.redact(failure_report(self._plan, candidate, fault, state, log)))

    def _start(self, candidate: Candidate, by: float | None) -> ContainerState | None:
        """Have a container run; gives what it was before."""
        before = self._world.host.container(candidate.container)
        self._refuse_shortage(candidate, by)
        if before is None or not before.running:
            self._world.host.start(candidate.container)
        return before

    def _begin(
        self, candidate: Candidate, before: ContainerState | None, by: float | None
    ) -> Attempt:
        host = self._world.host
        first = host.container(candidate.container)
        if first is None:
            self.fail(candidate, Fault("the container is gone"))
        self._world.evidence.service(
            candidate.service,
            role=candidate.role.value,
            container=candidate.container,
            image_expected=candidate.image,
            image_created=host.image_created(first.image),
            container_started=first.started_at,
        )
        self._see_image(candidate)
        now = self._world.clock()
        terms = self._terms(candidate, before, None if by is None else by - now)
        trial = Trial(terms, now, first)
        return Attempt(candidate, trial, first.restarts)

    def _see_image(self, candidate: Candidate) -> None:
        """See that the container runs what the release says, as Docker tells it."""
        host = self._world.host
        container = host.container(candidate.container)
        if container is None:
            self.fail(candidate, Fault("the container is gone"))
        digests = host.image_digests(container.image)
        self._world.evidence.service(
            candidate.service,
            image_running=digests,
            source_hash_running=container.labels.get(SOURCE_HASH),
        )
        if fault := image_fault(candidate, container, digests):
            self.fail(candidate, fault)

    def _own_versions(self, candidate: Candidate, probe: Probe) -> Iterator[str | None]:
        """What its own container calls its version now: one behind others tells theirs."""
        for _ in range(_VERSION_TRIES):
            yield self._world.prober.probe(probe, self._headers(candidate, KEY_PREFIX)).version

    def _refuse_shortage(self, candidate: Candidate, by: float | None) -> None:
        """Start nothing that cannot be proven any more while its requests are held."""
        left = None if by is None else by - self._world.clock()
        if left is not None and left < candidate.stable_for:
            what = f"{max(left, 0):.1f} s are left of hold: {candidate.extension.hold:g} s"
            self.fail(
                candidate,
                Fault(
                    f"no time to prove it: once the old one had stopped, {what}; raise "
                    "x-slipway.hold, or have the application stop faster"
                ),
            )

    def _terms(
        self, candidate: Candidate, before: ContainerState | None, limit: float | None
    ) -> Terms:
        # What serves already has been watched by its users: only what is new is watched longer.
        serves = before is not None and before.running and candidate.container in self._plan.live
        successes = candidate.extension.successes
        if serves and candidate.role is Role.BACKING:
            successes = 1
        stable_for = 0.0 if serves else candidate.stable_for
        return Terms(successes, candidate.timeout, stable_for, limit)

    def _step(self, attempt: Attempt, pool: ThreadPoolExecutor) -> None:
        """Look at the container; begin a round of probes when one is due, judge it when done."""
        now = self._world.clock()
        self._see_container(attempt)
        if attempt.round is None and now >= attempt.due:
            steady = attempt.trial.steady
            attempt.round = pool.submit(self._round, attempt.candidate, steady=steady)
        elif attempt.round is not None and attempt.round.done():
            steady, done, attempt.round = attempt.trial.steady, attempt.round, None
            attempt.due = self._world.clock() + attempt.candidate.extension.interval
            for verdict in done.result():
                self._world.evidence.probed(attempt.candidate.service, "candidate", verdict)
            asked = len(done.result()) > len(attempt.candidate.probes)
            attempt.trial.see_round(self._world.clock(), done.result(), asked=asked)
            self._tell(attempt, became_steady=attempt.trial.steady and not steady)
            self._refuse_fault(attempt)

    def _see_container(self, attempt: Attempt) -> None:
        seen = self._world.host.container(attempt.candidate.container)
        if seen is not None and seen.restarts > attempt.restarts:
            # Once it runs again, Docker tells how it ended only in its record of events.
            code = self._world.host.last_exit_code(attempt.candidate.container)
            seen = replace(seen, exit_code=code or seen.exit_code)
        attempt.trial.see_container(self._world.clock(), seen)
        self._refuse_fault(attempt)

    def _tell(self, attempt: Attempt, *, became_steady: bool) -> None:
        """Say where a trial stands: when it turns well, and every few seconds until then."""
        now, service = self._world.clock(), attempt.candidate.service
        if became_steady:
            self._world.report(f"{service}: {attempt.trial.progress}")
        elif attempt.trial.waiting_for and now >= attempt.tell:
            if attempt.tell:
                self._world.report(self._world.redact(f"{service}: {attempt.trial.waiting_for}"))
            attempt.tell = now + _TELL_AFTER

    def _refuse_fault(self, attempt: Attempt) -> None:
        if attempt.trial.fault:
            self.fail(attempt.candidate, attempt.trial.fault)

    def _round(self, candidate: Candidate, *, steady: bool) -> list[Verdict]:
        headers = self._headers(candidate, KEY_PREFIX)
        upstream = f"{candidate.service}:{(candidate.upstream or '').rpartition(':')[2]}"
        prober = self._world.prober
        verdicts = [prober.probe(probe, headers, upstream) for probe in candidate.probes]
        return [*verdicts, *readiness.ask(candidate, self._world.host, steady=steady)]

    def _headers(self, candidate: Candidate, prefix: str) -> dict[str, str]:
        return {KEY_HEADER: prefix + self._key, SERVICE_HEADER: candidate.service}

    def _public_headers(self, candidate: Candidate, probe: Probe) -> Mapping[str, str]:
        """The public's own way where it leads to the service, else the gate's."""
        route = candidate.extension.route
        if route is None:
            return {}
        headers = public_headers(probe, route)
        return self._headers(candidate, LIVE_PREFIX) if headers is None else headers
