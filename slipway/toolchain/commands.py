"""Running programs: to their end with a time limit, or for minutes with signs of life."""

import contextlib
import ctypes
import os
import queue
import shutil
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

NOT_FOUND = 127
TIMED_OUT = 124
SIGN_OF_LIFE = 20.0
"""Seconds between two lines that say that a long command is still at work."""


@dataclass(frozen=True)
class Outcome:
    """What a command gave. `code` is 127 for a missing program, 124 for one that took too long."""

    code: int
    stdout: str = ""
    stderr: str = ""

    @property
    def ok(self) -> bool:
        """Whether it succeeded."""
        return self.code == 0

    @property
    def reason(self) -> str:
        """The last line that says something; never empty."""
        lines = [line.strip() for line in (self.stderr or self.stdout).splitlines() if line.strip()]
        return lines[-1] if lines else f"exit code {self.code} and no message"


class Commands(Protocol):
    """What set-up steps need to run programs. Tests pass a fake."""

    def which(self, program: str) -> str | None:
        """Path of a program, or None."""

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float = 60,
    ) -> Outcome:
        """Run to the end, quietly."""

    def watch(
        self,
        argv: Sequence[str],
        label: str,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float = 3600,
        first_output: float | None = None,
        shielded: bool = False,
    ) -> Outcome:
        """Run a long command; tell every 20 s that it still works.

        Args:
            argv: the program and its arguments.
            label: what it does, for the progress lines.
            env: environment; default: that of the set-up.
            cwd: working folder.
            timeout: seconds after which it is stopped.
            first_output: seconds within which it must have printed something, or is stopped:
                how a command that waits for an unreachable network is told from a slow one.
            shielded: it must not be interrupted half-way (package managers): neither
                Ctrl-C nor the end of this process reaches it.
        """

    def start(self, argv: Sequence[str], log: Path) -> Callable[[], int | None]:
        """Start a daemon that outlives this process; gives its exit code, or None while it runs."""


class Shell:
    """Runs programs on this machine.

    Args:
        environ: environment of the commands.
        say: takes one line about progress.
    """

    def __init__(self, environ: Mapping[str, str], say: Callable[[str], None]) -> None:
        # Administrators' programs (dockerd, iptables) are not on every root shell's PATH.
        path = environ.get("PATH", os.defpath).split(os.pathsep)
        extra = [
            folder for folder in ("/usr/local/sbin", "/usr/sbin", "/sbin") if folder not in path
        ]
        self._environ = {**environ, "PATH": os.pathsep.join([*path, *extra])}
        self._say = say

    def which(self, program: str) -> str | None:
        """Path of a program, or None."""
        return shutil.which(program, path=self._environ["PATH"])

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float = 60,
    ) -> Outcome:
        """Run to the end, quietly."""
        try:
            done = subprocess.run(
                list(argv),
                env=dict(env or self._environ),
                cwd=cwd,
                timeout=timeout,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
            )
        except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
            return Outcome(NOT_FOUND, "", f"{argv[0]}: {error.strerror}")
        except subprocess.TimeoutExpired:
            return Outcome(TIMED_OUT, "", f"{argv[0]} did not finish within {timeout:.0f} s")
        return Outcome(done.returncode, done.stdout, done.stderr)

    def watch(
        self,
        argv: Sequence[str],
        label: str,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float = 3600,
        first_output: float | None = None,
        shielded: bool = False,
    ) -> Outcome:
        """Run a long command; see `Commands.watch`."""
        try:
            process = subprocess.Popen(
                list(argv),
                env=dict(env or self._environ),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
                preexec_fn=None if shielded else _end_with(os.getpid()),
            )
        except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
            return Outcome(NOT_FOUND, "", f"{argv[0]}: {error.strerror}")
        try:
            return self._follow(process, label, timeout, first_output)
        except BaseException:
            if not shielded:
                _stop(process)
            raise

    def _follow(
        self,
        process: subprocess.Popen[str],
        label: str,
        timeout: float,
        first_output: float | None,
    ) -> Outcome:
        lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=_pump, args=(process.stdout, lines), daemon=True).start()
        kept: deque[str] = deque(maxlen=400)
        count = 0
        began = time.monotonic()
        next_sign = SIGN_OF_LIFE
        while True:
            elapsed = time.monotonic() - began
            limit = first_output if first_output is not None and count == 0 else timeout
            if elapsed >= limit:
                _stop(process)
                what = "gave no sign" if limit == first_output else "did not finish"
                kept.append(f"{argv_name(process)} {what} within {limit:.0f} s")
                return Outcome(TIMED_OUT, "\n".join(kept))
            if elapsed >= next_sign:
                next_sign += SIGN_OF_LIFE
                seen = f", {count} lines of output" if count else ""
                self._say(f"    … {label}: {elapsed:.0f} s{seen}")
            try:
                line = lines.get(timeout=min(limit - elapsed, next_sign - elapsed, 1.0) + 0.01)
            except queue.Empty:
                continue
            if line is None:
                return Outcome(process.wait(), "\n".join(kept))
            count += 1
            kept.append(line.rstrip("\n"))

    def start(self, argv: Sequence[str], log: Path) -> Callable[[], int | None]:
        """Start a daemon that outlives this process."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            process = subprocess.Popen(
                list(argv),
                env=self._environ,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return process.poll


def argv_name(process: subprocess.Popen[str]) -> str:
    """The program's name, for messages."""
    argv = process.args
    first = argv[0] if isinstance(argv, list) else argv
    return Path(str(first)).name


def _pump(output: IO[str] | None, lines: "queue.SimpleQueue[str | None]") -> None:
    if output is not None:
        with output:
            for line in output:
                lines.put(line)
    lines.put(None)


def _stop(process: subprocess.Popen[str]) -> None:
    for number, patience in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=patience)
            return


def _end_with(parent: int) -> Callable[[], None]:
    """A hook that ties a child's life to ours: a killed bootstrap leaves no build behind."""
    try:
        prctl = ctypes.CDLL(None, use_errno=True).prctl
    except (OSError, AttributeError):  # not Linux: the child ends by itself
        return lambda: None

    def tie() -> None:
        prctl(1, int(signal.SIGTERM))  # PR_SET_PDEATHSIG
        if os.getppid() != parent:  # we were killed between fork and here
            os._exit(1)

    return tie
