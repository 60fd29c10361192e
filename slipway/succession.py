"""Services of which never two containers may run: stopping the old one, and bringing it back."""

from slipway.draining import Drain
from slipway.gate_plan import Candidate, GatePlan
from slipway.host import LABEL_SERVICE, ContainerState
from slipway.ingress import Ingress, Lease, LiveRoute
from slipway.proving import World
from slipway.proxy import HELD

_SHARE_FOR_DRAINING = 3
"""Of the time that requests may be held, this part is for those before them to finish."""
_WORKS = ("running", "restarting")


class Succession:
    """Makes room for candidates, and undoes it.

    Args:
        plan: what the gate is to do.
        world: what it works with.
        ingress: the stack's proxy.
        lease: that the gate holds.
        drain: lets requests in flight finish.
        serving: names of the containers that the proxy led to, or that it would lead to if a
            killed gate had not left requests held.
    """

    def __init__(
        self,
        plan: GatePlan,
        world: World,
        ingress: Ingress,
        lease: Lease,
        drain: Drain,
        serving: frozenset[str],
    ) -> None:
        self._plan = plan
        self._world = world
        self._ingress = ingress
        self._lease = lease
        self._drain = drain
        # A gate that was killed may have switched to another container than the state has: of what
        # takes requests, the proxy knows what serves, of all else the state.
        routed = LiveRoute(upstreams=plan.served).containers
        self._before = serving | (plan.live - routed)
        self._held_since: float | None = None

    def make_room(self, candidate: Candidate) -> None:
        """Stop every other container of a candidate's service; requests wait meanwhile."""
        others = [
            found
            for found in self._of_service(candidate)
            if found.name != candidate.container and found.status in _WORKS
        ]
        if others and candidate.upstream:
            self._hold(candidate)
        for other in others:
            self._world.report(f"stopping {other.name}: {candidate.service} never runs twice")
            self._world.host.stop(other.name, candidate.grace)

    def bring_back(self) -> None:
        """Stop the candidates that took a place, and start what had it before."""
        for candidate in self._plan.candidates:
            if candidate.exclusive:
                self._bring_back(candidate)

    def _bring_back(self, candidate: Candidate) -> None:
        host = self._world.host
        before, found = self._before, self._of_service(candidate)
        # A gate that was killed may have stopped one, and not this gate.
        stopped = [c for c in found if c.name in before and not c.running]
        if not stopped:
            return
        if candidate.upstream and candidate.container in self._ingress.live().containers - before:
            self._hold(candidate)
        for other in found:
            if other.name not in before and other.status in _WORKS:
                host.stop(other.name, candidate.grace)
        for one in stopped:
            self._world.report(f"starting {one.name} again")
            host.start(one.name)

    def tell_pause(self) -> None:
        """Say for how long requests were held, if they were."""
        if self._held_since is not None:
            seconds = self._world.clock() - self._held_since
            self._world.report(f"requests were held for {seconds:.1f} s")
            self._held_since = None

    def _of_service(self, candidate: Candidate) -> list[ContainerState]:
        own = {**self._plan.labels, LABEL_SERVICE: candidate.service}
        return self._world.host.containers(own)

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
