"""Letting requests in flight finish."""

from collections.abc import Callable

from slipway.errors import HostError
from slipway.ingress import Ingress
from slipway.proving import POLL
from slipway.world import World


class Drain:
    """Waits for containers to have answered all that they were asked.

    Args:
        world: what the gate works with.
        ingress: the stack's proxy, which counts.
    """

    def __init__(self, world: World, ingress: Ingress) -> None:
        self._world = world
        self._ingress = ingress

    def wait(
        self, upstream: str, seconds: float, meanwhile: Callable[[], None] = lambda: None
    ) -> None:
        """Wait until an upstream has no request in flight, or its time is over.

        Args:
            upstream: container:port.
            seconds: its time.
            meanwhile: called between two looks; what it raises ends the waiting.
        """
        world = self._world
        deadline = world.clock() + seconds
        world.report(f"letting requests in flight on {upstream} finish")
        quiet = 0
        # A request that looked the old upstream up just before the switch is counted only an
        # instant later: one look that finds none is not enough.
        while quiet < 2 and world.clock() < deadline:
            quiet = quiet + 1 if self._in_flight(upstream) == "0" else 0
            meanwhile()
            world.sleep(POLL)
        if quiet < 2:
            left = self._in_flight(upstream)
            world.report(f"{left} still in flight on {upstream}; its time to finish is over")

    def _in_flight(self, upstream: str) -> str:
        """The release serves by now: an ingress that does not tell is no reason to undo it."""
        try:
            return str(self._ingress.in_flight(upstream))
        except HostError:
            return "an unknown number"
