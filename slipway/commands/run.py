"""What scripts/deploy and scripts/rollback share: one run of the driver, set up and reported."""

import json
import os
import re
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from slipway import host as docker_host
from slipway.backups import LogBackup
from slipway.commands.locks import ROOT, put_in_order
from slipway.commands.machine import machine_problems
from slipway.driver import Driver, Ended, Exit, Surroundings
from slipway.engine import Engine
from slipway.errors import ConfigError, HostError
from slipway.evidence.checked import Report
from slipway.evidence.model import RUN_FORMAT
from slipway.evidence.store import FOLDER, Store
from slipway.interruption import Interruption
from slipway.origin import actor, git_state
from slipway.probes import Prober
from slipway.progress import Follower, Kind, Line, Progress
from slipway.progress_display import Display, display
from slipway.redact import Redactor
from slipway.verify import Deployment, parse_export

PIN = "slipway:pin"
EVIDENCE = ROOT / FOLDER
_ERROR = re.compile(r"^error: ", re.MULTILINE)


class Run:
    """One deploy or rollback of a stack.

    Args:
        stack: its name.
        options: of `pulumi up`.

    Raises:
        ConfigError: there is no such stack.
    """

    def __init__(self, stack: str, options: Sequence[str] = ()) -> None:
        if not stack_file(stack).is_file():
            there = ", ".join(stacks()) or "none"
            raise ConfigError(
                [
                    f"there is no stacks/Pulumi.{stack}.yaml; there are: {there}; write one with "
                    "slipway:compose and slipway:port, or let scripts/init do it"
                ]
            )
        self.stack = stack
        self.name = datetime.now(UTC).strftime(RUN_FORMAT)
        self.environ: dict[str, str] = {}
        self.engine = Engine(ROOT, stack)
        self._options = tuple(options)
        self._configuration: Mapping[str, str] | None = None

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
        self._configuration = None

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
        try:
            return parse_export(self.stack, self.engine.export())
        except ConfigError:
            return None

    def require_ready(self) -> None:
        """Put in order what a killed run left, and look at the machine.

        Raises:
            GateError: another deploy is at work.
            HostError: the machine cannot deploy; with all that is wrong.
        """
        put_in_order(self.stack, say)
        problems = machine_problems(self.stack)
        if problems:
            raise HostError(
                "this machine cannot deploy; nothing was changed:\n" + "\n".join(problems)
            )

    def carry_out(self, number: int | None, title: str, before: Deployment | None) -> Exit:
        """Deploy the source, or restore a release.

        Args:
            number: of the release to restore; None for the source.
            title: what to call it.
            before: what the state calls live.
        """
        with (
            display(sys.stderr, os.environ, time.monotonic) as shown,
            Interruption(self.engine.interrupt, _Sayer(shown)) as interruption,
        ):
            updates = _Updates(self.engine, shown, self._options)
            around = Surroundings(
                stack=self.stack,
                run=self.name,
                updates=updates,
                connect=docker_host.connect,
                prober=Prober,
                backup=LogBackup(ROOT / "backups", self.stack, self.name, Redactor(self.secrets)),
                say=_Sayer(shown),
                sleep=time.sleep,
                environ=self.environ,
                interrupted=lambda: interruption.count > 0,
            )
            driver = Driver(around, before)
            code = driver.deploy(title) if number is None else driver.restore(number, title)
        self._keep_evidence(driver, code, number)
        return code

    def _keep_evidence(self, driver: Driver, code: Exit, number: int | None) -> None:
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
        redact = Redactor(self.secrets)
        deployment = self.deployment() if code is Exit.VERIFIED else None
        found = report.of(deployment, driver.checks, redact(driver.errors), datetime.now(UTC))
        try:
            Store(EVIDENCE, self.stack).finish(found)
        except OSError as error:
            say(f"warning: evidence is not kept: {error}")

    def evidence(self) -> list[Path]:
        """The reports of this run."""
        return sorted(EVIDENCE.glob(f"{self.stack}/{self.name}-*.md"))


def say(text: str) -> None:
    """Tell the user something; what is asked for goes to the standard output, this beside it."""
    print(text, file=sys.stderr, flush=True)


def stack_file(stack: str) -> Path:
    """The file with a stack's configuration."""
    return ROOT / "stacks" / f"Pulumi.{stack}.yaml"


def stacks() -> list[str]:
    """The stacks that have a file."""
    files = sorted(ROOT.glob("stacks/Pulumi.*.yaml"))
    return [file.name.removeprefix("Pulumi.").removesuffix(".yaml") for file in files]


class _Sayer:
    """Takes lines while a display is on."""

    def __init__(self, shown: Display) -> None:
        self._shown = shown

    def __call__(self, text: str) -> None:
        self._shown.update(Progress(), [Line(Kind.INFO, text)])


class _Updates:
    """The engine as the driver needs it, with its progress shown."""

    def __init__(self, engine: Engine, shown: Display, options: Sequence[str]) -> None:
        self._engine = engine
        self._shown = shown
        self._options = options

    def update(self, environ: Mapping[str, str], options: bool) -> Ended:
        told: list[str] = []

        def show(progress: Progress, lines: Sequence[Line]) -> None:
            told.extend(line.text for line in lines if line.kind is Kind.ERROR)
            self._shown.update(progress, lines)

        follower = Follower(show)
        ended = self._engine.update(follower, environ, self._options if options else ())
        return Ended(
            ok=ended.code == 0,
            changed=follower.progress.changed,
            recorded=follower.progress.recorded,
            # What the engine never began to do, such as a locked stack, is in no event.
            errors="\n".join(told) or _ERROR.sub("", ended.errors.strip()),
            shown=bool(told),
        )

    def export(self) -> dict[str, Any]:
        return self._engine.export()
