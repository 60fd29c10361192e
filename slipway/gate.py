"""The gate: a release enters the state only after it was proven, switched to and seen to serve.

`Gate.run` is what the hook of the engine calls. It either returns, and then the release serves,
or raises, and then what served before still serves and no unproven container runs.
"""

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress

from slipway.draining import Drain
from slipway.errors import GateError, HostError
from slipway.evidence.recorder import Recorder, silent
from slipway.extension import Extension
from slipway.gate_plan import Candidate, GatePlan
from slipway.host import Host
from slipway.image_proofs import prove_images
from slipway.ingress import Ingress, Lease, LiveRoute
from slipway.jobs import Jobs
from slipway.probes import Prober
from slipway.proof.course import Images
from slipway.proving import Prover
from slipway.proxy import HELD
from slipway.redact import Redactor
from slipway.restoration import Restoration, served_before, unheld
from slipway.roles import Role
from slipway.succession import Succession
from slipway.world import World


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
        evidence: takes down what was seen.
        images: looks into images; needed where the plan has proofs.
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
        evidence: Recorder | None = None,
        images: Images | None = None,
    ) -> None:
        self._plan = plan
        self._ingress = ingress
        self._connect = connect
        taken = evidence or silent()
        self._world = World(host, prober, redact, report, clock, sleep, taken, images)
        self._drain = Drain(self._world, ingress)

    def run(self) -> None:
        """Prove the candidates, switch, look at the public address, let the old ones finish.

        Raises:
            GateError: the release did not pass; what served before still serves.
            HostError: Docker or the ingress did not do what they were asked.
        """
        self._world.host.start(self._plan.ingress)
        with self._ingress.lease(self._connect, self._world.sleep) as lease:
            _Passage(self._plan, self._world, self._ingress, lease, self._drain).run()


class _Passage:
    """One release on its way through the gate."""

    def __init__(
        self, plan: GatePlan, world: World, ingress: Ingress, lease: Lease, drain: Drain
    ) -> None:
        self._plan = plan
        self._world = world
        self._ingress = ingress
        self._lease = lease
        self._drain = drain
        # A killed gate may have left requests held: the state knows for whom they wait.
        self._seen = unheld(ingress.live(), plan.served)
        self._before = served_before(plan, self._seen, world.host)
        self._succession = Succession(plan, world, ingress, lease, drain)
        self._restoration = Restoration(
            plan, world, ingress, self._succession, self._before, self._seen.containers
        )
        self._opened: dict[str, str] = {}
        self._switching = False

    def run(self) -> None:
        """Either the release serves in the end, or what served before."""
        try:
            prove_images(self._plan, self._world)
            prover = Prover(
                self._plan, self._world, self._lease.open_candidates(self._plan.upstreams)
            )
            self._prove(prover)
            self._switching = True
            self._switch()
            self._succession.end_holds()
            self._finish(prover)
            self._remove_leftovers()
        except GateError as error:
            raise GateError(f"{error}\n{self._undo()}") from error
        except BaseException:
            self._world.report(self._undo())
            raise

    def _finish(self, prover: Prover) -> None:
        """See what the public sees, and let the old ones finish. Until the engine deletes them,
        there is a way back to them."""
        phase = self._world.evidence.phase
        old = {*self._plan.served.items(), *self._seen.upstreams.items()}
        with prover.watching() as look:
            with phase("ask the public address"):
                prover.verify_public([c for c in self._plan.candidates if c.upstream], look)
            with phase("drain"):
                self._drain_all(old, set(self._plan.upstreams.values()), look)
            with phase("watch on"):
                prover.watch_on(look)
        prover.see_all_well()

    def _prove(self, prover: Prover) -> None:
        """Prove everything, what nobody notices first and what makes requests wait last."""
        plan, jobs = self._plan, Jobs(self._plan, self._world, self._lease, prover.fail)
        jobs.settle()
        for candidate in plan.of(Role.BACKING):
            self._succession.make_room(candidate)
            prover.prove([candidate])
        for job in plan.of(Role.JOB):
            with self._world.evidence.phase(f"run {job.service}"):
                jobs.complete(job)
        # A new one makes nobody wait.
        held = [c for c in plan.of(Role.HELD) if c.service in self._seen.upstreams]
        routed = [c for c in plan.candidates if c.upstream and c not in held]
        # What others call comes first; one that changes a database's schema by starting must not
        # do so twice at once.
        # Workers have no route: as soon as they start they work, so they start late.
        workers = plan.of(Role.WORKER)
        for internal in (True, False):
            there = [c for c in routed if c.internal is internal]
            if plan.proven_before and not internal:
                there, workers = [*there, *workers], []
            for group in [*([c] for c in there if c.alone), [c for c in there if not c.alone]]:
                for candidate in (c for c in group if c.exclusive):
                    self._succession.make_room(candidate)
                prover.prove(group)
                self._open_new(group)
        prover.prove(workers)
        for candidate in [*plan.of(Role.SINGLETON), *held]:
            by = self._succession.make_room(candidate)
            prover.prove([candidate], by)
            # The last one is switched to with all the others.
            if by is not None and candidate is not held[-1]:
                self._open([candidate])
                self._succession.end_holds()

    def _open_new(self, proven: Sequence[Candidate]) -> None:
        """Let other services call internal ones that had no route: nobody can be worse off, and
        what calls them could not be proven otherwise."""
        self._open([c for c in proven if c.internal and c.service not in self._seen.upstreams])

    def _open(self, proven: Sequence[Candidate]) -> None:
        """Lead the requests of some services to their candidates, before all others'."""
        if proven:
            self._opened |= {c.service: str(c.upstream) for c in proven}
            now = self._ingress.live()
            self._lease.switch(now, "opened", {**now.upstreams, **self._opened})

    def _switch(self) -> None:
        upstreams, now = self._plan.upstreams, self._ingress.live()
        if upstreams == dict(now.upstreams) and now.table == self._plan.table:
            self._lease.confirm(now)
            self._world.report(
                "the public address leads to this release already: nothing to switch"
            )
            return
        # What is held now, this gate holds, in the place of what it saw; the state may not know it.
        if unheld(now, self._seen.upstreams).upstreams != {**self._seen.upstreams, **self._opened}:
            self._lease.confirm(self._seen)  # Fails: someone else has moved the route.
        self._lease.switch(now, self._plan.fingerprint, upstreams, self._plan.table)
        self._world.report("switched: new requests go to this release")

    def _drain_all(
        self,
        upstreams: Collection[tuple[str, str]],
        serving: Collection[str],
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        drains = {c.service: c.extension.drain for c in self._plan.candidates}
        for service, upstream in sorted(upstreams):
            if upstream not in serving:
                self._drain.wait(upstream, drains.get(service, Extension().drain), meanwhile)

    def _undo(self) -> str:
        """Bring back what was, as far as possible; tells what serves now.

        A failure here does not hide the first one.
        """
        if not self._lease.held():
            return "another gate has taken over in the meantime: what serves is its to say"
        try:
            left: set[tuple[str, str]] = set()
            # Where requests can go back at once, they do not wait for what takes none.
            with suppress(HostError):
                if self._restoration.routes_run():
                    left = self._switch_back()
            self._restoration.bring_back()
            left |= self._switch_back()
            # The candidates have had public traffic, and may be answering it.
            self._drain_all(left, set(self._seen.upstreams.values()))
        except Exception as error:
            self._stop(c for c in self._plan.candidates if not c.upstream)
            return (
                f"could not be undone: {self._world.redact(str(error))}; public traffic may go to "
                "the refused release: run pulumi up again with the source of the release before"
            )
        self._stop(self._plan.candidates)
        return self._what_serves()

    def _switch_back(self) -> set[tuple[str, str]]:
        """Lead requests to what served before; gives the upstreams, by service, that they leave."""
        current = self._route_now()
        if (current.upstreams, current.table) == (self._seen.upstreams, self._seen.table):
            return set()
        self._world.report("switching back to what served before")
        self._lease.switch_back(current, self._seen)
        self._succession.end_holds()
        return {(service, up) for service, up in current.upstreams.items() if up != HELD}

    def _what_serves(self) -> str:
        """What an undone release leaves, as it is and not as it should be."""
        if not self._seen.upstreams:
            before = "the proxy led nowhere" if self._plan.served else "there was no release"
            return f"nothing serves: {before} before"
        try:
            down = self._restoration.down()
        except Exception as error:
            said = self._world.redact(str(error))
            return f"what served before was brought back, but cannot be looked at: {said}"
        if not down:
            return "what served before still serves"
        return (
            f"what served before was brought back, but {'; '.join(down)}: look at docker logs and "
            "run pulumi up again"
        )

    def _route_now(self) -> LiveRoute:
        """What the proxy says, not what this gate believes: the answer to its switch may have
        been lost, and a gate that took its lease over may have switched to the same containers."""
        try:
            return self._ingress.live()
        except HostError:
            if self._switching or self._opened or self._succession.has_held:
                raise
            return self._seen

    def _stop(self, candidates: Iterable[Candidate]) -> None:
        """Stop what was not proven; the containers stay, to be looked at and tried again."""
        for candidate in candidates:
            if candidate.container in self._plan.live | self._before:
                continue
            try:
                self._world.host.stop(candidate.container, candidate.grace)
            except Exception as error:  # One that cannot be stopped must not save the others.
                said = self._world.redact(str(error))
                self._world.report(f"{candidate.container} runs on: {said}")

    def _remove_leftovers(self) -> None:
        """Remove containers of this stack that no state knew: a killed run left them.

        Only those that were there when the program began: what has come since may be another
        run's, and what the proxy leads to is nobody's to remove.
        """
        if not self._plan.orphans:
            return
        host = self._world.host
        try:
            routed = self._ingress.live().containers
            for id_ in self._plan.orphans if self._lease.held() else ():
                found = host.container(id_)
                if found is not None and found.name not in routed:
                    self._world.report(f"removing {found.name}, left over by a run that was killed")
                    host.remove(found.id)
        except Exception as error:
            # The release serves: it must not be undone for the sake of a leftover.
            self._world.report(f"leftovers stay for now: {self._world.redact(str(error))}")
