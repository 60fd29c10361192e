"""The trial of one container: a state machine fed with what was seen.

starting ──successes in a row──▶ steady ──stable_for since the first of them──▶ proven
    │                               │
    └──── exit, restart, unhealthy, time-out, or a fault while steady ────▶ failed
"""

from collections.abc import Sequence
from dataclasses import dataclass

from slipway.host import ContainerState
from slipway.probes import Verdict


@dataclass(frozen=True)
class Terms:
    """What a container must do to be proven.

    Args:
        successes: rounds of probes that must pass in a row.
        timeout: seconds from the start within which they must.
        stable_for: seconds without a fault, counted from the first of these rounds.
        limit: seconds from the start within which all this must be done, because requests wait.
    """

    successes: int
    timeout: float
    stable_for: float
    limit: float | None = None


@dataclass(frozen=True)
class Fault:
    """Why a trial failed.

    Args:
        summary: one line.
        verdicts: the failed probes, if any.
    """

    summary: str
    verdicts: tuple[Verdict, ...] = ()


class Trial:
    """One container's way to being proven.

    Args:
        terms: what it must do.
        started: clock time at which the trial began.
        first: the container as it was then; its restarts so far are not held against it.
    """

    def __init__(self, terms: Terms, started: float, first: ContainerState) -> None:
        self._terms = terms
        self._started = started
        self._first = first
        self._passed_in_a_row = 0
        self._passing_since = started
        self._steady_since: float | None = None
        self._last: tuple[Verdict, ...] = ()
        self._health: str | None = None
        self._asked = False
        self.fault: Fault | None = None
        self.proven = False

    @property
    def over(self) -> bool:
        return self.proven or self.fault is not None

    @property
    def progress(self) -> str:
        """Where the trial stands, in a few words."""
        if self._steady_since is None:
            return f"{self._passed_in_a_row} of {self._terms.successes} rounds passed"
        return f"steady, to be watched for {self._terms.stable_for:g} s"

    @property
    def waiting_for(self) -> str:
        """What has not passed yet, in a line; empty if nothing is known to be wrong."""
        if self.over or self._steady_since is not None:
            return ""
        failed = [str(verdict).splitlines()[0] for verdict in self._last if not verdict.passed]
        if failed:
            return f"not well yet: {failed[0]}"
        waits = self._health == "starting" and not self._asked
        return "its Docker health check is still starting" if waits else ""

    @property
    def steady(self) -> bool:
        return self._steady_since is not None

    def see_container(self, now: float, seen: ContainerState | None) -> None:
        """Take note of the container's state; an exit or a restart ends the trial at once.

        A container that is proven already goes on being watched while others are on trial.
        """
        if self.fault is not None:
            return
        self.proven, proven = False, self.proven
        after = f"after {now - self._started:.1f} s"
        if seen is None:
            self.fault = Fault(f"the container was removed {after}")
        elif seen.status in ("exited", "dead", "restarting") and not seen.running:
            self.fault = Fault(f"the container exited with code {seen.exit_code} {after}")
        elif seen.restarts > self._first.restarts or seen.started_at != self._first.started_at:
            code = f" with code {seen.exit_code}" if seen.exit_code else ""
            self.fault = Fault(f"the container exited{code} and was started again {after}")
        elif not seen.running:
            self.fault = Fault(f"the container is {seen.status} instead of running, {after}")
        elif seen.health == "unhealthy":
            said = f": {seen.health_output}" if seen.health_output else ""
            self.fault = Fault(f"its Docker health check says unhealthy {after}{said}")
        else:
            self._health = seen.health
            self.proven = proven
            self._judge_limit(now)

    def see_round(self, now: float, verdicts: Sequence[Verdict], *, asked: bool = False) -> None:
        """Take note of one round of probes; an empty one passes if the container is well.

        Where Docker has not run the health check yet, a round in which it was run passes for it.
        """
        if self.fault is not None:
            return
        self._last = tuple(verdicts)
        failed = tuple(verdict for verdict in verdicts if not verdict.passed)
        self._asked = self._asked or asked
        if failed or (self._health == "starting" and not self._asked):
            self._passed_in_a_row = 0
            self._judge_failure(now, failed)
            return
        if not self._passed_in_a_row:
            self._passing_since = now
        self._passed_in_a_row += 1
        if self._steady_since is None and self._passed_in_a_row >= self._terms.successes:
            self._steady_since = self._passing_since
        if self._steady_since is not None and now - self._steady_since >= self._terms.stable_for:
            self.proven = True

    def _judge_limit(self, now: float) -> None:
        limit = self._terms.limit
        if limit is None or self.proven or now - self._started <= limit:
            return
        failed = tuple(verdict for verdict in self._last if not verdict.passed)
        self.fault = Fault(
            f"not proven within {limit:.1f} s: that was left of three quarters of x-slipway.hold "
            "once the old one had stopped, and the last quarter is for the old one to come back; "
            "if it is slow to start, raise x-slipway.hold",
            failed,
        )

    def _judge_failure(self, now: float, failed: tuple[Verdict, ...]) -> None:
        if self._steady_since is not None and failed:
            watched = now - self._steady_since
            self.fault = Fault(
                f"well at first, then failed after {watched:.1f} s of the "
                f"{self._terms.stable_for:g} s that it is watched for",
                failed,
            )
        elif now - self._started > self._terms.timeout:
            reason = "" if failed else "; its Docker health check is still starting"
            self.fault = Fault(f"not well within {self._terms.timeout:g} s{reason}", failed)
