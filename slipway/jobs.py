"""Jobs: containers that run to their end before candidates start.

A job counts as done when the gate has seen it succeed. That is marked on the proxy's volume, with
the container that it was and the backing containers that it worked on: an exit code of 0 alone may
come from a job that was stopped half-way, and a database that is new has seen none of it. Without
a mark, a job runs again.
"""

from collections.abc import Callable
from typing import NoReturn, Protocol

from slipway.gate_plan import Candidate, GatePlan
from slipway.host import LABEL_SERVICE, ContainerState
from slipway.ingress import Lease
from slipway.proving import POLL
from slipway.roles import Role
from slipway.trial import Fault
from slipway.world import World

_ENDED = ("exited", "dead")
_ALL_LINES = 10_000


class Fail(Protocol):
    """Refuses a release; see `Prover.fail`."""

    def __call__(self, candidate: Candidate, fault: Fault) -> NoReturn: ...


class Jobs:
    """Runs the jobs of a plan.

    Args:
        plan: what the gate is to do.
        world: what it works with.
        lease: that the gate holds; keeps the marks.
        fail: refuses the release.
    """

    def __init__(self, plan: GatePlan, world: World, lease: Lease, fail: Fail) -> None:
        self._plan = plan
        self._world = world
        self._lease = lease
        self._fail = fail

    def settle(self) -> None:
        """Before a backing service is exchanged, wait for jobs that a killed run left at work.

        Raises:
            GateError: one is still at work when its time is over.
        """
        host = self._world.host
        backing = [host.container(c.container) for c in self._plan.of(Role.BACKING)]
        if all(found is not None and found.running for found in backing):
            return
        for job in self._plan.of(Role.JOB):
            self._await(job, lambda found: True)

    def complete(self, job: Candidate) -> None:
        """Run a job to its end, and show what it prints; one that is done stays done.

        Raises:
            GateError: it failed, or took too long.
        """
        world, host, mark = self._world, self._world.host, self._mark()
        before = host.container(job.container)
        if before is not None and _succeeded(before) and self._lease.job_mark(before.id) == mark:
            world.report(f"{job.service} has run already for this release, and succeeded")
            return
        self._await(job, lambda found: found.name != job.container)
        world.report(f"running {job.service}")
        ended = self._run(job)
        if ended.exit_code != 0:
            self._fail(job, Fault(f"it ended with exit code {ended.exit_code}"))
        known = [found.id for found in host.containers(self._plan.labels)]
        self._lease.mark_job(ended.id, mark, known)
        world.report(f"{job.service} has succeeded")

    def _run(self, job: Candidate) -> ContainerState:
        world, host = self._world, self._world.host
        shown = len(host.log_tail(job.container, _ALL_LINES).splitlines())
        host.start(job.container)
        deadline = world.clock() + job.timeout
        while True:
            state = host.container(job.container)
            lines = host.log_tail(job.container, _ALL_LINES).splitlines()
            for line in lines[shown:]:
                world.report(world.redact(f"{job.service} | {line}"))
            shown = len(lines)
            if state is None:
                self._fail(job, Fault("the container is gone"))
            if state.status in _ENDED:
                return state
            if world.clock() > deadline:
                host.stop(job.container, job.grace)
                self._fail(job, Fault(f"not complete within {job.timeout:g} s"))
            world.sleep(POLL)

    def _await(self, job: Candidate, of_interest: Callable[[ContainerState], bool]) -> None:
        """Let containers of a job's service end that a killed run has left at work: two of them at
        once would change one database."""
        world, own = self._world, {**self._plan.labels, LABEL_SERVICE: job.service}
        deadline, told = world.clock() + job.timeout, False
        while True:
            running = [c for c in world.host.containers(own) if of_interest(c) and not _ended(c)]
            if not running:
                return
            names = " ".join(found.name for found in running)
            if not told:
                world.report(f"waiting for {names}, which a run that was killed has left at work")
                told = True
            if world.clock() > deadline:
                self._fail(
                    job,
                    Fault(
                        f"{names}, left at work by a run that was killed, has not ended within "
                        f"{job.timeout:g} s; wait for it, or stop it with docker stop {names}"
                    ),
                )
            world.sleep(POLL)

    def _mark(self) -> str:
        """What a job's mark must be to count: it names the backing containers that are there."""
        backing = [self._world.host.container(c.container) for c in self._plan.of(Role.BACKING)]
        return " ".join(["done", *sorted(found.id for found in backing if found is not None)])


def _succeeded(container: ContainerState) -> bool:
    return container.status == "exited" and container.exit_code == 0


def _ended(container: ContainerState) -> bool:
    return container.status in ("created", *_ENDED)
