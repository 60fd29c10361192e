"""What scripts/deploy and scripts/rollback share: one run of the driver, set up and reported."""

import json
import os
import re
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from slipway import host as docker_host
from slipway.backups import LogBackup
from slipway.commands.edge import errors_shown
from slipway.commands.locks import ROOT, put_in_order
from slipway.commands.machine import machine_problems
from slipway.commands.shown_updates import EngineUpdates, Lasting, Sayer
from slipway.driver import Driver, Exit, Surroundings
from slipway.engine import Engine
from slipway.errors import ConfigError, HostError
from slipway.evidence.checked import Report
from slipway.evidence.model import RUN_FORMAT
from slipway.evidence.store import FOLDER, Store
from slipway.held_secrets import held_secrets
from slipway.interruption import Interruption
from slipway.origin import actor, git_state
from slipway.probes import Prober
from slipway.progress_display import display
from slipway.redact import Redactor
from slipway.verify import Deployment, parse_export

PIN = "slipway:pin"
EVIDENCE = ROOT / FOLDER
_PARTIAL = re.compile(r"-t|--(?:target|exclude)(?:-\w+)?|--preview-only|--destroy")
"""Options under which `pulumi up` succeeds without having released the source."""


class Run:
    """One deploy or rollback of a stack.

    Args:
        stack: its name.
        options: of `pulumi up`.

    Raises:
        ConfigError: there is no such stack, or an option would release a part of it.
    """

    def __init__(self, stack: str, options: Sequence[str] = ()) -> None:
        require_stack(stack)
        _refuse_partial(options)
        self.stack = stack
        self.name = datetime.now(UTC).strftime(RUN_FORMAT)
        self.environ: dict[str, str] = {}
        self.engine = Engine(ROOT, stack)
        self._options = tuple(options)
        self._configuration: Mapping[str, str] | None = None
        self._held: list[str] | None = None

    @property
    def configuration(self) -> Mapping[str, str]:
        """The stack's configuration, secrets in plain text."""
        if self._configuration is None:
            self._configuration = self.engine.configuration()
        return self._configuration

    @property
    def pin(self) -> str | None:
        """The release at which the stack is held."""
        return self.configuration.get(PIN)

    def set_pin(self, value: str | None) -> None:
        """Write the pin into the stack's file, or take it out."""
        self.engine.configure(PIN, value)
        others = {key: found for key, found in self.configuration.items() if key != PIN}
        self._configuration = others if value is None else {**others, PIN: value}

    @property
    def compose_folder(self) -> Path:
        """Where the stack's compose file is."""
        return (ROOT / self.configuration.get("slipway:compose", "compose.yaml")).parent

    @property
    def secrets(self) -> list[str]:
        """The stack's secrets, to hide them."""
        found = json.loads(self.configuration.get("slipway:secrets") or "{}")
        return [str(value) for value in found.values()] if isinstance(found, dict) else []

    def deployment(self) -> Deployment | None:
        """What the state calls live; None if there was no release yet."""
        return self._deployment(self.engine.export())

    def _deployment(self, state: dict[str, Any]) -> Deployment | None:
        try:
            return parse_export(self.stack, state)
        except ConfigError:
            return None

    def require_ready(self) -> Deployment | None:
        """Put in order what a killed run left, and look at the machine.

        Its questions are asked at once: each is a start of the CLI, and who rolls back waits.

        Returns:
            what the state calls live; None if there was no release yet.

        Raises:
            GateError: another deploy is at work.
            HostError: the machine cannot deploy; with all that is wrong.
        """
        with ThreadPoolExecutor() as pool:
            asked = pool.submit(machine_problems, self.stack)
            settings = pool.submit(lambda: self.configuration)
            state = put_in_order(self.stack, say)
            if problems := asked.result():
                raise HostError(
                    "this machine cannot deploy; nothing was changed:\n" + "\n".join(problems)
                )
            settings.result()
        if state is None:
            return self.deployment()
        self._held = held_secrets(state)
        return self._deployment(state)

    def carry_out(self, number: int | None, title: str, before: Deployment | None) -> Exit:
        """Deploy the source, or restore a release and pin the stack at it.

        The pin is as it was where what served before serves on.

        Args:
            number: of the release to restore; None for the source.
            title: what to call it.
            before: what the state calls live.
        """
        earlier, wanted = self.pin, None if number is None else str(number)
        code = Exit.REFUSED
        try:
            # First: if this is killed, the next pulumi up goes on to where the user wanted to go.
            if wanted != earlier:
                self.set_pin(wanted)
            code = self._drive(number, title, before)
        finally:
            if wanted != earlier and code in (Exit.REFUSED, Exit.UNDONE):
                self.set_pin(earlier)
        return code

    def _drive(self, number: int | None, title: str, before: Deployment | None) -> Exit:
        with (
            display(sys.stderr, os.environ, time.monotonic) as drawn,
            Interruption(self.engine.interrupt, Sayer(shown := Lasting(drawn))) as interruption,
        ):
            redact = self.redactor()
            updates = EngineUpdates(self.engine, shown, self._options)
            around = Surroundings(
                stack=self.stack,
                run=self.name,
                updates=updates,
                connect=docker_host.connect,
                prober=Prober,
                backup=LogBackup(ROOT / "backups", self.stack, self.name, redact),
                say=Sayer(shown),
                sleep=time.sleep,
                environ=self.environ,
                interrupted=lambda: interruption.count > 0,
                undoing=interruption.bring_back,
            )
            driver = Driver(around, before)
            code = driver.deploy(title) if number is None else driver.restore(number, title)
            try:
                self._keep_evidence(driver, code, number, redact)
            except (OSError, HostError) as error:
                around.say(f"warning: evidence is not kept: {error}")
        return code

    def redactor(self) -> Redactor:
        """Hides today's secrets, and those with which what serves was made."""
        held = self._held
        if held is None:
            try:
                held = held_secrets(self.engine.export(secrets=True))
            except HostError:  # Today's are hidden all the same.
                held = []
        return Redactor([*self.secrets, *held])

    def _keep_evidence(
        self, driver: Driver, code: Exit, number: int | None, redact: Redactor
    ) -> None:
        """Keep what the gate has not: a run that did not come to it, or that had nothing to do."""
        wanted = "release" if code is Exit.VERIFIED else "failed"
        if list(EVIDENCE.glob(f"{self.stack}/{self.name}-{wanted}*.json")):
            return
        report = Report(
            stack=self.stack,
            run=self.name,
            kind="deploy" if number is None else "rollback",
            actor=actor(os.environ),
            git=git_state(self.compose_folder) if number is None else None,
        )
        deployment = self.deployment() if code is Exit.VERIFIED else None
        found = report.of(deployment, driver.checks, redact(driver.errors), datetime.now(UTC))
        Store(EVIDENCE, self.stack).finish(found)

    def evidence(self) -> list[Path]:
        """The reports of this run."""
        return sorted(EVIDENCE.glob(f"{self.stack}/{self.name}-*.md"))


@contextmanager
def verdict_told() -> Iterator[None]:
    """As `errors_shown`, for scripts whose exit code tells how a stack is.

    Python ends with 1 when a bug is met, and that would say that the release before was seen to
    serve.
    """
    try:
        with errors_shown():
            yield
    except KeyboardInterrupt:  # While an update runs, `Interruption` has the signal.
        say("interrupted; nothing was changed")
        raise SystemExit(Exit.REFUSED) from None
    except Exception:
        traceback.print_exc()
        say("this is a bug in Slipway, please report it; what serves is not known: scripts/doctor")
        raise SystemExit(Exit.BROKEN) from None


def say(text: str) -> None:
    """Tell the user something; what is asked for goes to the standard output, this beside it."""
    with suppress(OSError):  # Nobody may be listening any more.
        print(text, file=sys.stderr, flush=True)


def stack_file(stack: str) -> Path:
    """The file with a stack's configuration."""
    return ROOT / "stacks" / f"Pulumi.{stack}.yaml"


def stacks() -> list[str]:
    """The stacks that have a file."""
    files = sorted(ROOT.glob("stacks/Pulumi.*.yaml"))
    return [file.name.removeprefix("Pulumi.").removesuffix(".yaml") for file in files]


def require_stack(stack: str) -> None:
    """See that a stack has a file.

    Raises:
        ConfigError: it has none.
    """
    if not stack_file(stack).is_file():
        there = ", ".join(stacks()) or "none"
        raise ConfigError(
            [
                f"there is no stacks/Pulumi.{stack}.yaml; there are: {there}; write one with "
                "slipway:compose and slipway:port, or let scripts/init do it"
            ]
        )


def _refuse_partial(options: Sequence[str]) -> None:
    found = [one for one in options if _PARTIAL.fullmatch(one.partition("=")[0])]
    if found:
        raise ConfigError(
            [
                f"{', '.join(found)}: a release is all of its services, and is seen to serve; "
                "leave this out, or call pulumi up yourself"
            ]
        )
