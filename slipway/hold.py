"""For how long requests wait while a held service is exchanged, and on what that time goes.

began ── drain ── stop the old one ── prove the new one ──│── the old one comes back ── over
         a third at most            three quarters at most
"""

from dataclasses import dataclass

from slipway.extension import Extension

HELD_STABLE_FOR = 3.0
"""Seconds that a candidate is watched for while requests wait, unless the file says otherwise."""
_SHARE_FOR_DRAINING = 1 / 3
_SHARE_FOR_EXCHANGE = 3 / 4
_LEAST_GRACE = 1.0


@dataclass(frozen=True)
class Hold:
    """A budget of time: requests of one service wait while it lasts.

    Args:
        seconds: how long a request waits at most.
        began: clock time from which on requests wait.
    """

    seconds: float
    began: float

    @property
    def proven_by(self) -> float:
        """Clock time by which the new container must be proven; what is left after it is for what
        served before to come back."""
        return self.began + self.seconds * _SHARE_FOR_EXCHANGE

    def draining(self, wanted: float) -> float:
        """Seconds that requests in flight get."""
        return min(wanted, self.seconds * _SHARE_FOR_DRAINING)

    def grace(self, wanted: float, now: float) -> float:
        """Seconds that a container gets to stop."""
        return min(wanted, max(self.began + self.seconds - now, _LEAST_GRACE))


def held_stable_for(extension: Extension, stack: float) -> float:
    """Seconds that a held service's candidate is watched for.

    Args:
        extension: of its service.
        stack: seconds for which the stack's candidates are watched.
    """
    chosen = extension.stable_for
    return min(stack, HELD_STABLE_FOR) if chosen is None else chosen
