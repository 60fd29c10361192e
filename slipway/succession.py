"""Services of which never two containers may run: stopping the old one, and bringing it back."""

from slipway.draining import Drain
from slipway.gate_plan import Candidate, GatePlan
from slipway.host import LABEL_SERVICE
from slipway.ingress import Ingress, Lease
from slipway.proving import World
from slipway.proxy import HELD

_SHARE_FOR_DRAINING = 3
"""Of the time that requests may be held, this part is for those before them to finish."""


class Succession:
    """Makes room for candidates, and undoes it.

    Args:
        plan: what the gate is to do.
        world: what it works with.
        ingress: the stack's proxy.
        lease: that the gate holds.
        drain: lets requests in flight finish.
    """

    def __init__(
        self, plan: GatePlan, world: World, ingress: Ingress, lease: Lease, drain: Drain
    ) -> None:
        self._plan = plan
        self._world = world
        self._ingress = ingress
        self._lease = lease
        self._drain = drain
        self._held_since: float | None = None

    def make_room(self, candidate: Candidate) -> None:
        """Stop every other container of a candidate's service; requests wait meanwhile."""
        own = {**self._plan.labels, LABEL_SERVICE: candidate.service}
        others = [
            found
            for found in self._world.host.containers(own)
            if found.name != candidate.container and found.status in ("running", "restarting")
        ]
        if others and candidate.upstream:
            self._hold(candidate)
        for other in others:
            self._world.report(f"stopping {other.name}: {candidate.service} never runs twice")
            self._world.host.stop(other.name, candidate.grace)

    def bring_back(self) -> None:
        """Stop the candidates that took a place, and start what had it before."""
        host = self._world.host
        for candidate in self._plan.candidates:
            if not candidate.exclusive or candidate.container in self._plan.live:
                continue
            own = {**self._plan.labels, LABEL_SERVICE: candidate.service}
            before = [c for c in host.containers(own) if c.name in self._plan.live]
            # A gate that was killed may have stopped it, and not this one.
            stopped = [found for found in before if not found.running]
            if not stopped:
                continue
            if candidate.upstream in self._ingress.live().upstreams.values():
                self._hold(candidate)
            host.stop(candidate.container, candidate.grace)
            for found in stopped:
                self._world.report(f"starting {found.name} again")
                host.start(found.name)

    def tell_pause(self) -> None:
        """Say for how long requests were held, if they were."""
        if self._held_since is not None:
            seconds = self._world.clock() - self._held_since
            self._world.report(f"requests were held for {seconds:.1f} s")
            self._held_since = None

    def _hold(self, candidate: Candidate) -> None:
        route = self._ingress.live()
        upstream = route.upstreams.get(candidate.service)
        if upstream in (None, HELD):
            return
        self._world.report(f"holding requests for {candidate.service}")
        self._held_since = self._held_since or self._world.clock()
        self._lease.switch(route, "held", {**route.upstreams, candidate.service: HELD})
        seconds = min(candidate.extension.drain, candidate.extension.hold / _SHARE_FOR_DRAINING)
        self._drain.wait(str(upstream), seconds)
