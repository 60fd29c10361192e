"""Services of which never two containers may run: the old one stops before the new one starts."""

from slipway.draining import Drain
from slipway.gate_plan import Candidate, GatePlan
from slipway.hold import Hold
from slipway.host import LABEL_SERVICE
from slipway.ingress import Ingress, Lease
from slipway.proxy import HELD
from slipway.world import World

WORKS = ("running", "restarting")
"""States of a container that does, or will in an instant do, what it is for."""


class Succession:
    """Makes room for candidates, while their requests wait.

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
        self._holds: dict[str, Hold] = {}
        self.has_held = False

    def make_room(self, candidate: Candidate) -> float | None:
        """Stop every other container of a candidate's service; requests wait meanwhile.

        Returns:
            The clock time by which it must be proven; None where no request waits for that.
        """
        own = {**self._plan.labels, LABEL_SERVICE: candidate.service}
        others = [
            found
            for found in self._world.host.containers(own)
            if found.name != candidate.container and found.status in WORKS
        ]
        if self._must_wait(candidate, among_others=bool(others)):
            self.hold(candidate)
        for other in others:
            self._world.report(f"stopping {other.name}: {candidate.service} never runs twice")
            self.stop(other.name, candidate)
        hold = self._holds.get(candidate.service)
        return None if hold is None else hold.proven_by

    def hold(self, candidate: Candidate) -> None:
        """Let requests for a candidate's service wait, and those before them finish."""
        route = self._ingress.live() if candidate.upstream else None
        upstream = route.upstreams.get(candidate.service) if route else None
        if route is None or upstream is None or candidate.service in self._holds:
            return
        world, extension = self._world, candidate.extension
        hold = Hold(extension.hold, world.clock())
        if upstream != HELD:
            world.report(f"holding requests for {candidate.service}")
            self.has_held = True
            self._lease.switch(route, "held", {**route.upstreams, candidate.service: HELD})
        self._holds[candidate.service] = hold
        if upstream != HELD:
            self._drain.wait(str(upstream), hold.draining(extension.drain))

    def _must_wait(self, candidate: Candidate, *, among_others: bool) -> bool:
        """Whether requests must wait for a candidate, or do so since a gate was killed."""
        if not candidate.upstream:
            return False
        upstream = self._ingress.live().upstreams.get(candidate.service)
        # What gets its requests already does so while others of its service stop.
        return upstream == HELD or (among_others and upstream != candidate.upstream)

    def stop(self, container: str, candidate: Candidate) -> None:
        """Stop a container of a candidate's service, as fast as what waits for it asks."""
        hold, grace = self._holds.get(candidate.service), candidate.grace
        if hold is not None:
            grace = hold.grace(grace, self._world.clock())
        self._world.host.stop(container, grace)

    def end_holds(self) -> None:
        """Requests wait no more: say for how long they did."""
        now = self._world.clock()
        for service, hold in self._holds.items():
            self._world.report(f"{service}: requests were held for {now - hold.began:.1f} s")
        self._holds.clear()
