"""Running Compose's own reader, and what it answers."""

import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from slipway.errors import HostError

Run = Callable[[Sequence[str], Mapping[str, str]], "subprocess.CompletedProcess[str]"]
"""Runs a command with an environment."""

READERS_OWN = (
    "PATH",
    "HOME",
    "DOCKER_CONFIG",
    "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)
"""What the reader needs of this machine: to be found, its plugin, files that are elsewhere."""

_HELPER = "compose-config"
_LOGGED = re.compile(r'^(?:time="[^"]*" )?level=\w+ msg=.*\n?', re.MULTILINE)
_UNSET = re.compile(r'The \\*"(\w+)\\*" variable is not set')


@dataclass(frozen=True)
class Answer:
    """What the reader said.

    Args:
        document: the project, as the reader resolved it; None if it could not.
        complaint: why it could not, without the reader's name and what it logged.
        unset: the variables that are used and have no value, sorted.
    """

    document: dict[str, Any] | None
    complaint: str = ""
    unset: tuple[str, ...] = ()

    @property
    def complaints(self) -> frozenset[str]:
        """The parts of the complaint, whose order differs from run to run."""
        return frozenset(self.complaint.split("; "))


def reader_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What of a process environment the reader gets.

    Values for `${NAME}` come from the stack's configuration, so that whoever deploys a commit
    releases the same; the exception is what bootstrap has set up. `READERS_OWN` are no values for
    a compose file either, but the reader would not start without them.
    """
    return {k: v for k, v in environ.items() if k in READERS_OWN or k.startswith("SLIPWAY_")}


def run_command(
    command: Sequence[str], environ: Mapping[str, str]
) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end; an executable that is not there counts as exit code 127."""
    try:
        return subprocess.run(
            list(command),
            env=dict(environ),
            capture_output=True,
            encoding="utf-8",
            errors="replace",  # It repeats what it cannot read.
            check=False,
        )
    except FileNotFoundError:
        return subprocess.CompletedProcess(list(command), 127, "", f"{command[0]}: not found")


class Reader:
    """Compose's reader: the plugin where there is one, else the helper over the same package.

    Args:
        environ: the reader's environment; gives values for `${NAME}`.
        run: runs it.
    """

    def __init__(self, environ: Mapping[str, str], run: Run) -> None:
        self._environ = environ
        self._run = run
        self._has_plugin = run(["docker", "compose", "version"], environ).returncode == 0

    def read(
        self, file: Path, folder: Path | None = None, more: Mapping[str, str] | None = None
    ) -> Answer:
        """Read a file.

        Args:
            file: the compose file.
            folder: where its relative paths begin, if not at the file.
            more: further variables.

        Raises:
            HostError: no reader is installed.
        """
        where = ["--project-directory", str(folder)] if folder else []
        if self._has_plugin:
            # Its JSON leaves out extensions of services, its YAML does not.
            command = ["docker", "compose", *where, "--file", str(file), "config"]
        else:
            command = [_HELPER, *where, str(file)]
        answer = self._run(command, {**self._environ, **(more or {})})
        if answer.returncode == 127 and not self._has_plugin:
            raise HostError(
                f"cannot read {file}: neither `docker compose` nor {_HELPER} is installed; "
                "run scripts/bootstrap, then . scripts/activate"
            )
        unset = tuple(sorted(set(_UNSET.findall(answer.stderr))))
        if answer.returncode == 0:
            return Answer(self._parse(answer.stdout), unset=unset)
        said = _LOGGED.sub("", answer.stderr).strip().removeprefix(f"{_HELPER}: ")
        return Answer(None, said or "the compose reader gave no reason", unset)

    def _parse(self, text: str) -> dict[str, Any]:
        # The plugin doubles each `$`, so that its output is a compose file again.
        plain = text.replace("$$", "$") if self._has_plugin else text
        document: dict[str, Any] = YAML(typ="safe").load(plain)
        return document
