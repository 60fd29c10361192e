"""Bringing back what served before a release that did not pass."""

from collections.abc import Mapping
from dataclasses import replace

from slipway.gate_plan import Candidate, GatePlan
from slipway.host import LABEL_SERVICE, ContainerState, Host
from slipway.ingress import Ingress, LiveRoute
from slipway.proving import POLL
from slipway.proxy import HELD
from slipway.refusal import described
from slipway.roles import Role
from slipway.succession import WORKS, Succession
from slipway.world import World

_WATCHED_FOR = 2.0
"""Seconds after which one that was started again, and is not well, has ended as a rule."""
_GRACE = 10.0


def served_before(plan: GatePlan, seen: LiveRoute, host: Host) -> frozenset[str]:
    """Names of the containers that served when the gate began.

    Of what takes requests, the proxy knows what serves; of all else the state. But where the proxy
    leads elsewhere than the state has it, a gate was killed after its switch, and what ran beside
    that is what served.

    Args:
        plan: what the gate is to do.
        seen: where the proxy led, or would lead if a killed gate had not left requests held.
        host: the engine.
    """
    routed = LiveRoute(upstreams=plan.served).containers
    known = plan.live - routed
    as_known = plan.served.items() <= seen.upstreams.items()
    if as_known and (plan.served or not seen.upstreams):
        return seen.containers | known
    found = host.containers(plan.labels)
    unrouted = {c.service for c in plan.candidates if not c.upstream and c.role is not Role.JOB}
    unrouted |= {_service(c) for c in found if c.name in known}
    ran = {
        c.name: _service(c)
        for c in found
        if c.status in WORKS and _service(c) in unrouted and c.name not in seen.containers
    }
    replaced = {c.name for c in found if _service(c) in ran.values()}
    return seen.containers | ran.keys() | (known - replaced)


class Restoration:
    """Starts again what served before.

    Args:
        plan: what the gate is to do.
        world: what it works with.
        ingress: the stack's proxy.
        succession: what has made room, and can hold requests again.
        before: names of the containers that served when the gate began.
        routed: those of them that the proxy led to.
    """

    def __init__(
        self,
        plan: GatePlan,
        world: World,
        ingress: Ingress,
        succession: Succession,
        before: frozenset[str],
        routed: frozenset[str],
    ) -> None:
        self._plan = plan
        self._world = world
        self._ingress = ingress
        self._succession = succession
        self._before = before
        self._routed = routed
        self._candidates = {c.service: c for c in plan.candidates}
        self._started: dict[str, str] = {}

    def routes_run(self) -> bool:
        """Whether all that the proxy led to runs, so that it can be led to again."""
        found = map(self._world.host.container, self._routed)
        return all(state is not None and state.running for state in found)

    def bring_back(self) -> None:
        """Start what served before and does not run, whoever has stopped it; what has taken the
        place of one stops first.

        Raises:
            HostError: one that requests are to go to could not be brought back.
        """
        found = self._world.host.containers(self._plan.labels)
        order = {c.service: n for n, c in enumerate(self._plan.candidates)}
        down = [c for c in found if c.name in self._before and not c.running]
        failures = []
        for one in sorted(down, key=lambda c: order.get(_service(c), len(order))):
            try:
                self._bring_back(one, [c for c in found if _service(c) == _service(one)])
            except Exception as error:  # One that does not come back must not keep the others.
                said = self._world.redact(str(error))
                self._world.report(f"{one.name} was not brought back: {said}")
                failures += [error] if one.name in self._routed else []
        if failures:
            raise failures[0]

    def _bring_back(self, one: ContainerState, siblings: list[ContainerState]) -> None:
        world, candidate = self._world, self._candidates.get(_service(one))
        if candidate is not None and candidate.exclusive and self._serves(candidate):
            self._succession.hold(candidate)
        for other in siblings:
            if _service(other) and other.name not in self._before and other.status in WORKS:
                self._make_way(other, candidate)
        world.report(f"starting {one.name} again")
        world.host.start(one.name)
        state = world.host.container(one.name)
        self._started[one.name] = state.started_at if state is not None else ""

    def _serves(self, candidate: Candidate) -> bool:
        """Whether it gets requests, as it did not when the gate began."""
        if not candidate.upstream or candidate.container in self._before:
            return False
        return candidate.container in self._ingress.live().containers

    def _make_way(self, other: ContainerState, candidate: Candidate | None) -> None:
        if candidate is None:
            self._world.host.stop(other.name, _GRACE)
            return
        # One that may run beside the old one may be answering requests, until they are led back.
        if candidate.role is Role.ROUTED and other.name == candidate.container:
            return
        self._succession.stop(other.name, candidate)

    def down(self) -> list[str]:
        """What served before and does not run now, as people read it.

        What was started again is given a moment in which to fail.
        """
        world, looks = self._world, round(_WATCHED_FOR / POLL) if self._started else 0
        for _ in range(looks):
            world.sleep(POLL)
        found = {name: world.host.container(name) for name in sorted(self._before)}
        return [
            f"{name} is {described(state) if state is not None else 'gone'}"
            for name, state in found.items()
            if state is None
            or not state.running
            or state.started_at != self._started.get(name, state.started_at)
        ]


def _service(container: ContainerState) -> str:
    return str(container.labels.get(LABEL_SERVICE, ""))


def unheld(found: LiveRoute, behind: Mapping[str, str]) -> LiveRoute:
    """A route with what serves in the place of what is held; left out where nothing does."""
    upstreams = {
        service: behind.get(service, "") if upstream == HELD else upstream
        for service, upstream in found.upstreams.items()
    }
    return replace(found, upstreams={s: up for s, up in upstreams.items() if up})
