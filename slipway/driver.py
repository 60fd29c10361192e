"""The deploy driver: what stands around `pulumi up` so that its exit code tells the truth.

An update ends in one of four ways, and the driver finds out in which by looking, not by believing:
the release serves; the release before serves; nothing was changed; something else is the case.
"""

from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Protocol

from slipway import verdict
from slipway.backups import LogBackup
from slipway.blueprint import own_services
from slipway.deploy import RELEASE, RUN
from slipway.errors import ConfigError, HostError
from slipway.host import Host
from slipway.probes import Prober
from slipway.state import CONTAINER, StackState
from slipway.verify import Check, Deployment, parse_export, state_of, verify

_TRIES = 3
_PAUSE = 1.0


class Exit(IntEnum):
    """How a deploy ended.

    VERIFIED: the release serves, and was seen to.
    UNDONE: it failed, and the release before serves, and was seen to.
    REFUSED: nothing was changed.
    BROKEN: it failed, and what was before could not be brought back as it was, or be looked at.
    """

    VERIFIED = 0
    UNDONE = 1
    REFUSED = 2
    BROKEN = 3


@dataclass(frozen=True)
class Ended:
    """How an update ended, as the engine tells it.

    Args:
        ok: whether it succeeded.
        changed: whether anything but components was touched.
        recorded: whether the gate's fact was written.
        errors: what went wrong.
        shown: whether that has been shown already.
    """

    ok: bool
    changed: bool
    recorded: bool
    errors: str = ""
    shown: bool = False


class Updates(Protocol):
    """The engine, as the driver needs it."""

    def update(self, environ: Mapping[str, str], *, options: bool) -> Ended:
        """Update the stack, and show the progress.

        Args:
            environ: variables for the program.
            options: whether with the user's own options.
        """

    def export(self) -> dict[str, Any]:
        """The stack's state."""


@dataclass(frozen=True)
class Surroundings:
    """What the driver works with.

    Args:
        stack: name of the stack.
        run: name of this run: the UTC time of its beginning.
        updates: the engine.
        connect: opens a connection to Docker.
        prober: asks a public address.
        backup: keeps containers' logs.
        say: takes a line for the user.
        sleep: passes seconds.
        environ: what the program is given beside the process's environment.
        interrupted: whether somebody has asked for an end.
        undoing: called before what served before is brought back.
    """

    stack: str
    run: str
    updates: Updates
    connect: Callable[[], Host]
    prober: Callable[[str], Prober]
    backup: LogBackup
    say: Callable[[str], None]
    sleep: Callable[[float], None]
    environ: Mapping[str, str] = field(default_factory=dict)
    interrupted: Callable[[], bool] = lambda: False
    undoing: Callable[[], None] = lambda: None


class Driver:
    """One deploy or rollback, from the update to the verdict.

    `checks` and `errors` tell, once it has ended, what was looked at last, and what went wrong
    first.

    Args:
        around: what it works with.
        before: what the state called live when it began; None if there was no release.
    """

    def __init__(self, around: Surroundings, before: Deployment | None) -> None:
        self._around = around
        self._before = before
        self.checks: list[Check] = []
        self.errors = ""

    def deploy(self, title: str) -> Exit:
        """Release the source, or what the stack is pinned at."""
        return self._run({}, title)

    def restore(self, number: int, title: str) -> Exit:
        """Release a release of the ledger again."""
        return self._run({RELEASE: str(number)}, title)

    def _run(self, environ: Mapping[str, str], title: str) -> Exit:
        self._around.say(title)
        self._keep_logs(None if self._before is None else self._before.state)
        if self._around.interrupted():
            return self._refused()
        ended = self._update(environ, options=True)
        self.errors = ended.errors
        # Who was refused did not make what another deploy may have released in the meantime.
        if not (ended.ok or ended.recorded or ended.changed):
            return self._refused()
        try:
            now = self._look()
            if ended.ok or ended.recorded or _number(now) != _number(self._before):
                return self._conclude(ended, now)
            return self._undo()
        except HostError as error:
            return self._unknown(error)

    def _refused(self) -> Exit:
        self._around.say(f"refused: nothing of {self._around.stack} was changed")
        return Exit.REFUSED

    def _conclude(self, ended: Ended, now: Deployment | None) -> Exit:
        """The gate recorded the release, or nothing had to be: is it there?"""
        if now is None:
            return self._broken(None, [])
        if not ended.ok:
            # Its clean-up did not end, or somebody stopped waiting for it. What the gate has seen
            # to serve is not taken back for that.
            self._around.say(
                f"release {_number(now)} went through the gate; what came after it did not end: "
                f"scripts/deploy {self._around.stack} tidies up"
            )
        failed = self._verify(now)
        if not failed:
            self._around.say(f"release {_number(now)} of {self._around.stack} is verified")
            return Exit.VERIFIED
        self._around.say(f"release {_number(now)} is recorded, but does not serve as it must")
        return self._undo()

    def _undo(self) -> Exit:
        """Bring the last verified release back, and see that it serves."""
        before = self._before
        if before is None and (now := self._look()) is not None:
            return self._broken(now, self._failed())
        if before is None:
            self._say_why()
            self._around.say(
                f"failed: nothing serves, as there was no release before; mend what stands above, "
                f"then run scripts/deploy {self._around.stack} again"
            )
            return Exit.UNDONE
        number = _number(before)
        self._around.undoing()
        self._around.say(f"rolling back to release {number}")
        self._keep_logs(None)
        self._update({RELEASE: str(number)}, options=False)
        now = self._look()
        failed = self._verify(now) if now is not None else []
        same = now is not None and _serves(now, before)
        if now is None or failed or not same:
            return self._broken(now, failed)
        self._say_why()
        self._around.say(
            f"failed, and undone: release {number} of {self._around.stack} serves, and is verified"
        )
        return Exit.UNDONE

    def _say_why(self) -> None:
        for line in verdict.why(self.errors):
            self._around.say(line)

    def _broken(self, now: Deployment | None, failed: list[Check]) -> Exit:
        stack = self._around.stack
        self._around.say(verdict.broken(stack, _number(now), failed, self.errors))
        return Exit.BROKEN

    def _unknown(self, error: HostError) -> Exit:
        self._around.say(verdict.unknown(self._around.stack, str(error), self.errors))
        return Exit.BROKEN

    def _update(self, environ: Mapping[str, str], *, options: bool) -> Ended:
        around = self._around
        given = {**around.environ, RUN: around.run, **environ}
        ended = around.updates.update(given, options=options)
        if ended.errors and not ended.shown:
            around.say(ended.errors)
        return ended

    def _look(self) -> Deployment | None:
        """What the state calls live.

        Raises:
            HostError: it cannot be read, though it was asked for more than once.
        """
        for _ in range(_TRIES - 1):
            with suppress(HostError):
                return self._look_once()
            self._around.sleep(_PAUSE)
        return self._look_once()

    def _look_once(self) -> Deployment | None:
        try:
            return parse_export(self._around.stack, self._around.updates.export())
        except ConfigError:
            return None

    def _failed(self) -> list[Check]:
        """What was not as it must be when it was looked at last."""
        return [check for check in self.checks if check.passed is False]

    def _verify(self, deployment: Deployment) -> list[Check]:
        """What is not as it must be, after a few tries."""
        for attempt in range(_TRIES):
            if attempt:
                self._around.sleep(_PAUSE)
            self.checks = self._checks(deployment)
            if not self._failed():
                break
        for check in self.checks:
            self._around.say(str(check))
        return self._failed()

    def _checks(self, deployment: Deployment) -> list[Check]:
        try:
            with closing(self._around.connect()) as host:
                return list(verify(deployment, host, self._around.prober(deployment.address)))
        except HostError as error:
            return [Check("host", False, str(error))]

    def _keep_logs(self, state: StackState | None) -> None:
        """Keep the logs of the stack's containers: an update may remove them.

        Args:
            state: what the stack has; None if that must be asked for.
        """
        try:
            containers = _containers(state or state_of(self._around.updates.export()))
            with closing(self._around.connect()) as host:
                problems = self._around.backup.save(host, containers)
        except HostError as error:
            problems = [str(error)]
        for problem in problems:
            self._around.say(f"warning: {problem}")
        self._around.backup.prune()


def _containers(state: StackState) -> list[str]:
    """Names of the containers that a state knows, but for the proxy."""
    found = state.named(CONTAINER)
    return [str(c["name"]) for name, c in found.items() if not name.endswith("-ingress")]


def _number(deployment: Deployment | None) -> int | None:
    if deployment is None or not deployment.live.ledger:
        return None
    return int(deployment.live.ledger[0]["number"])


def _serves(now: Deployment, before: Deployment) -> bool:
    """Whether what serves now is what served before."""
    one, other = now.live.ledger[0], before.live.ledger[0]
    return own_services(one).keys() == own_services(other).keys() and (
        one["number"] == other["number"] or one.get("rollback_of") == other["number"]
    )
