"""Pulumi's engine through its Automation API; nothing else in `slipway` knows of Pulumi's SDK."""

import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psutil
from pulumi.automation import CommandResult, PulumiCommand

from slipway.errors import HostError

_POLL = 0.05
_ROUNDS = 20
"""Looks for what is left of a session: what is killed may have begun something in that moment."""
_AUTOMATION = {
    "PULUMI_AUTOMATION_API": "true",
    "PULUMI_DEBUG_COMMANDS": "true",  # Without it there is no --event-log.
}

OnEvent = Callable[[Mapping[str, Any]], None]
"""Takes an event of the engine as the CLI's event log has it."""


@dataclass(frozen=True)
class Ended:
    """How a command of the CLI ended.

    Args:
        code: its exit code; negative if a signal ended it.
        output: what it printed to the standard output.
        errors: what it printed beside that.
    """

    code: int
    output: str
    errors: str


class _InOwnSession(PulumiCommand):
    """Runs the CLI where the terminal's Ctrl-C does not reach it.

    Whether it is to be asked to stop is the driver's to say, who may have to count: a second
    request ends the CLI at any instruction. Its `run` is the one of the Automation API but for
    that, and for what is left of a CLI that has ended: the program with the gate in it would work
    on for minutes.
    """

    def __init__(self) -> None:
        # Not the base class's: it asks for the CLI's version, which the machine's checks have done.
        self.command = "pulumi"
        self.version = None
        self.process: subprocess.Popen[str] | None = None

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], Any] | None = None,
        on_error: Callable[[str], Any] | None = None,
    ) -> CommandResult:
        output: list[str] = []
        errors: list[str] = []
        with subprocess.Popen(
            [self.command, "--non-interactive", *args],
            cwd=cwd,
            env={**os.environ, **additional_env, **_AUTOMATION},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        ) as process:
            self.process = process
            pipes = ((process.stdout, output, on_output), (process.stderr, errors, on_error))
            readers = [threading.Thread(target=_drain, args=pipe, daemon=True) for pipe in pipes]
            for reader in readers:
                reader.start()
            # Not reaped yet: until then nobody else can have its number.
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            _end_session(process.pid)
            code = process.wait()
            for reader in readers:
                reader.join()
            self.process = None
        return CommandResult("\n".join(output), "\n".join(errors), code)


def _end_session(leader: int) -> None:
    """Kill what is left of a session; the CLI's plugins have process groups of their own."""
    for _ in range(_ROUNDS):
        left = [process for process in psutil.process_iter() if _is_left(process, leader)]
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        if not left:
            return
        psutil.wait_procs(left, timeout=_POLL)


def _is_left(process: psutil.Process, leader: int) -> bool:
    try:
        return (
            process.pid != leader
            and os.getsid(process.pid) == leader
            and process.status() != psutil.STATUS_ZOMBIE
        )
    except (psutil.Error, OSError):
        return False


def _drain(pipe: IO[str], lines: list[str], on_line: Callable[[str], Any] | None) -> None:
    for line in pipe:
        lines.append(line.rstrip())
        if on_line is not None:
            on_line(lines[-1])


class Engine:
    """The engine for one stack.

    The Automation API's `Stack` class would select the stack for everybody who works in the
    folder, and ask for outputs and history after each update; so this drives its commands.

    Args:
        root: the project's folder.
        stack: the stack's name.
    """

    def __init__(self, root: Path, stack: str) -> None:
        self._root = root
        self.stack = stack
        self._command = _InOwnSession()
        self._updating = False

    def update(
        self, on_event: OnEvent, environ: Mapping[str, str], options: Sequence[str] = ()
    ) -> Ended:
        """`pulumi up` without a preview.

        Args:
            on_event: takes each event, on a thread of its own.
            environ: variables that the program sees beside this process's.
            options: of `pulumi up`.
        """
        return self._with_events(["up", "--yes", "--skip-preview", *options], on_event, environ)

    def preview(
        self, on_event: OnEvent, environ: Mapping[str, str], options: Sequence[str] = ()
    ) -> Ended:
        """`pulumi preview`; arguments as those of `update`."""
        return self._with_events(["preview", *options], on_event, environ)

    def export(self, *, secrets: bool = False) -> dict[str, Any]:
        """The stack's state.

        Args:
            secrets: whether with its secrets in plain text; default: encrypted.

        Raises:
            HostError: the backend does not give it.
        """
        ended = self.run("stack", "export", *(["--show-secrets"] if secrets else []))
        if ended.code != 0:
            raise HostError(
                f"the state of stack {self.stack} cannot be read: {ended.errors.strip()}"
            )
        found: dict[str, Any] = json.loads(ended.output)
        return found

    def configuration(self) -> dict[str, str]:
        """The stack's configuration, with secrets in plain text.

        Raises:
            HostError: it cannot be read.
        """
        ended = self.run("config", "--show-secrets", "--json")
        if ended.code != 0:
            raise HostError(
                f"the configuration of stack {self.stack} cannot be read: {ended.errors.strip()}"
            )
        found = json.loads(ended.output or "{}")
        return {key: str(item.get("value", "")) for key, item in found.items()}

    def configure(self, key: str, value: str | None) -> None:
        """Set a key in the stack's file, or remove it where the value is None.

        Raises:
            HostError: the file cannot be written.
        """
        words = ["rm", key] if value is None else ["set", key, value]
        ended = self.run("config", *words)
        if ended.code != 0:
            raise HostError(f"{key} could not be written: {ended.errors.strip()}")

    def run(self, *arguments: str, environ: Mapping[str, str] | None = None) -> Ended:
        """A command of the CLI that concerns the stack."""
        words = [*arguments, "--stack", self.stack]
        found = self._command.run(words, str(self._root), dict(environ or {}))
        return Ended(int(found.code), found.stdout, found.stderr)

    def interrupt(self) -> None:
        """Ask the update that runs now to stop, as Ctrl-C would; a second time it ends at once.

        What only reads is left alone: it is short, and whoever asked needs its answer.
        """
        process = self._command.process
        if process is not None and self._updating:
            process.send_signal(signal.SIGINT)

    def _with_events(
        self, arguments: Sequence[str], on_event: OnEvent, environ: Mapping[str, str]
    ) -> Ended:
        with tempfile.TemporaryDirectory(prefix="slipway-") as folder:
            log = Path(folder) / "events"
            log.touch()
            reader = _Reader(log, on_event)
            reader.start()
            self._updating = True
            try:
                return self.run(*arguments, "--event-log", str(log), environ=environ)
            finally:
                self._updating = False
                reader.finish()


class _Reader(threading.Thread):
    """Follows an event log while the CLI writes it."""

    def __init__(self, log: Path, on_event: OnEvent) -> None:
        super().__init__(name="engine-events", daemon=True)
        self._log = log
        self._on_event = on_event
        self._ended = threading.Event()
        self._error: Exception | None = None

    def run(self) -> None:
        try:
            self._follow()
        except Exception as error:  # Told by `finish`, on the thread of the one who asked.
            self._error = error

    def _follow(self) -> None:
        rest = ""
        with self._log.open(encoding="utf-8") as lines:
            while True:
                over = self._ended.is_set()
                rest += lines.read()
                *whole, rest = rest.split("\n")
                for line in whole:
                    self._on_event(json.loads(line))
                if over:
                    return
                time.sleep(_POLL)

    def finish(self) -> None:
        """Read what is left, and raise what was raised meanwhile."""
        self._ended.set()
        self.join()
        if self._error is not None:
            raise self._error
