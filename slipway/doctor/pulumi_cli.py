"""The Pulumi CLI, as a program: the stacks of the backend, their states, versions."""

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from slipway.errors import HostError

TIME_LIMIT = 45.0
"""Seconds for one answer: a backend that is out of reach keeps the CLI trying for minutes."""

Run = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]
"""Runs a command in the project's folder."""


def runner(root: Path) -> Run:
    """Runs commands in a folder, each within the time limit."""

    def run(command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            list(command),
            cwd=root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIME_LIMIT,
            check=False,
        )

    return run


class Pulumi:
    """Asks the CLI.

    Args:
        run: runs it.
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    def version(self) -> str:
        """The CLI's version, without the v."""
        return self._ask("the Pulumi CLI does not tell its version", "version").strip().lstrip("v")

    def plugins(self, name: str) -> tuple[str, ...]:
        """The installed versions of a provider plugin."""
        found = self._json("the plugins cannot be listed", "plugin", "ls", "--json")
        return tuple(sorted(str(p["version"]) for p in found if p["name"] == name))

    def stacks(self) -> tuple[str, ...]:
        """Names of the project's stacks in the backend."""
        found = self._json("the backend does not say which stacks it has", "stack", "ls", "--json")
        # Other backends put organisation and project before the name.
        return tuple(sorted(str(entry["name"]).rpartition("/")[2] for entry in found))

    def export(self, stack: str) -> dict[str, Any]:
        """A stack's state."""
        what = f"the state of {stack} cannot be read"
        found: dict[str, Any] = self._json(what, "stack", "export", "--stack", stack)
        return found

    def _json(self, what: str, *arguments: str) -> Any:
        text = self._ask(what, *arguments)
        try:
            return json.loads(text)
        except ValueError as error:
            raise HostError(f"{what}: pulumi answered no JSON ({error})") from error

    def _ask(self, what: str, *arguments: str) -> str:
        try:
            answer = self._run(["pulumi", *arguments, "--non-interactive"])
        except FileNotFoundError:
            raise HostError(f"{what}: there is no pulumi on PATH") from None
        except subprocess.TimeoutExpired:
            raise HostError(f"{what}: no answer within {TIME_LIMIT:.0f} s") from None
        if answer.returncode != 0:
            said = " ".join((answer.stderr or answer.stdout).split()) or "no reason was given"
            raise HostError(f"{what}: {said.removeprefix('error: ')}")
        return answer.stdout
