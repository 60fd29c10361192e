"""Running Compose's own reader, and getting all its complaints out of it.

The reader ends at the first thing that it cannot read. To report everything at once, what it
complains of is taken out of a copy of the file, and the copy is read again, until it can be.
"""

import json
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from slipway.errors import ConfigError, HostError
from slipway.key_lines import KeyLines

Run = Callable[[Sequence[str], Mapping[str, str]], "subprocess.CompletedProcess[str]"]
"""Runs a command with an environment."""

_HELPER = "compose-config"
_ROUNDS = 50
_PLACEHOLDER = "slipway"
_UNSET = re.compile(r'The \\*"(\w+)\\*" variable is not set')
_REQUIRED = re.compile(r"required variable (\w+) is missing a value(?:: ([^;\n]*))?")
_ENV_FILE = re.compile(r"(?:env file|Couldn't find env file:) ?(\S+)")
_UNDEFINED = re.compile(
    r'service "([^"]+)" (?:refers to undefined|depends on undefined) (\w+) "?([^\s:"]+)'
)
_AT_PATH = (
    re.compile(r"validating [^:\n]+: (\S+) (.+)"),
    re.compile(r"'(services\S+)' (.+?)(?=; '|\n|$)"),
    re.compile(r"invalid interpolation format for (\S+?)\.?[;\s](.*)", re.DOTALL),
)
_LISTED = {"network": "networks", "volume": "volumes", "secret": "secrets", "config": "configs"}


@dataclass
class Interpreted:
    """What the reader gave.

    Args:
        document: the project, as the reader resolved it.
        problems: what the reader, or a variable without a value, complains of; a line each.
    """

    document: dict[str, Any]
    problems: list[str] = field(default_factory=list)


def run_command(
    command: Sequence[str], environ: Mapping[str, str]
) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end; an executable that is not there counts as exit code 127."""
    try:
        return subprocess.run(
            list(command), env=dict(environ), capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return subprocess.CompletedProcess(list(command), 127, "", f"{command[0]}: not found")


def interpret(
    file: Path, environ: Mapping[str, str], lines: KeyLines, run: Run = run_command
) -> Interpreted:
    """The project in a compose file, as Compose's own reader sees it.

    Raises:
        ConfigError: nothing of it can be read.
        HostError: no reader is installed.
    """
    reader = _Reader(environ, run)
    answer = reader.read(file, None)
    if answer.returncode == 0:
        return Interpreted(reader.parse(answer.stdout), _unset(file, answer.stderr))
    return _Repair(file, environ, lines, run).read(answer.stderr)


class _Reader:
    """Compose's reader: the plugin where there is one, else the helper over the same package."""

    def __init__(self, environ: Mapping[str, str], run: Run) -> None:
        self._environ = environ
        self._run = run
        self._has_plugin = run(["docker", "compose", "version"], environ).returncode == 0

    def read(self, file: Path, folder: Path | None) -> "subprocess.CompletedProcess[str]":
        """Read a file; `folder` is where its relative paths begin, if not at the file."""
        where = ["--project-directory", str(folder)] if folder else []
        if self._has_plugin:
            # Its JSON leaves out extensions of services, its YAML does not.
            command = ["docker", "compose", *where, "--file", str(file), "config"]
        else:
            command = [_HELPER, *where, str(file)]
        answer = self._run(command, self._environ)
        if answer.returncode == 127 and not self._has_plugin:
            raise HostError(
                f"cannot read {file}: neither `docker compose` nor {_HELPER} is installed; "
                "run scripts/bootstrap, then . scripts/activate"
            )
        return answer

    def parse(self, text: str) -> dict[str, Any]:
        # The plugin doubles each `$`, so that its output is a compose file again.
        plain = text.replace("$$", "$") if self._has_plugin else text
        document: dict[str, Any] = YAML(typ="safe").load(plain)
        return document


class _Repair:
    """Reads a copy of a file from which more and more is taken out."""

    def __init__(self, file: Path, environ: Mapping[str, str], lines: KeyLines, run: Run) -> None:
        self._file = file
        self._environ = dict(environ)
        self._lines = lines
        self._run = run
        self._problems: list[str] = []

    def read(self, complaint: str) -> Interpreted:
        first = complaint.strip() or "the compose reader gave no reason"
        try:
            document = YAML(typ="safe").load(self._file.read_text())
        except YAMLError:
            raise ConfigError([f"{self._file}: {first}"]) from None
        if not isinstance(document, dict) or not isinstance(document.get("services"), dict):
            raise ConfigError([f"{self._file}: {first}"])
        self._document = document
        for _ in range(_ROUNDS):
            if not self._take_out(complaint.strip()):
                break
            answer = self._again()
            if answer is not None:
                return answer
            complaint = self._complaint
        raise ConfigError(self._problems or [f"{self._file}: {first}"])

    def _again(self) -> Interpreted | None:
        reader = _Reader(self._environ, self._run)
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "compose.yaml"
            copy.write_text(json.dumps(self._document))
            answer = reader.read(copy, self._file.parent.resolve())
        if answer.returncode != 0:
            self._complaint = answer.stderr.replace(str(copy), str(self._file))
            return None
        document = reader.parse(answer.stdout)
        unset = _unset(self._file, answer.stderr)
        return Interpreted(document, [*self._problems, *unset])

    def _take_out(self, complaint: str) -> bool:
        """Take what a complaint is about out of the copy; False if nothing could be."""
        taken = [
            taken
            for take in (self._required, self._env_files, self._undefined, self._at_paths)
            for taken in take(complaint)
        ]
        if not taken:
            return self._by_service(complaint)
        self._problems += [problem for problem in taken if problem not in self._problems]
        return True

    def _required(self, complaint: str) -> Iterator[str]:
        for name, reason in _REQUIRED.findall(complaint):
            if name in self._environ:
                continue
            self._environ[name] = _PLACEHOLDER
            said = f" ({reason.strip()})" if reason.strip() else ""
            yield _unset_variable(self._file, name, said)

    def _env_files(self, complaint: str) -> Iterator[str]:
        if "env file" not in complaint:
            return
        for missing in _ENV_FILE.findall(complaint):
            for name, service in self._services():
                kept = [e for e in _as_list(service.get("env_file")) if not _names(e, missing)]
                if len(kept) == len(_as_list(service.get("env_file"))):
                    continue
                service["env_file"] = kept
                yield (
                    f"{self._lines.where('services', name, 'env_file')}: {Path(missing).name} is "
                    f"not there ({missing}); write it (is there an example beside it?), or give "
                    "its variables under environment"
                )

    def _undefined(self, complaint: str) -> Iterator[str]:
        for name, kind, missing in _UNDEFINED.findall(complaint):
            key = _LISTED.get(kind, "depends_on")
            service = self._document["services"].get(name) or {}
            if not _without(service, key, missing):
                continue
            remedy = (
                f"add it under services, or remove it from {key}"
                if key == "depends_on"
                else f"declare it under the top-level {key}"
            )
            yield f"{self._lines.where('services', name, key)}: {missing} is not there; {remedy}"

    def _at_paths(self, complaint: str) -> Iterator[str]:
        for pattern in _AT_PATH:
            for written, reason in pattern.findall(complaint):
                path = _path(written)
                if path == ["services"] or not _delete(self._document, path):
                    continue
                said = reason.strip().rstrip(".;")
                if said == "false schema" or said.startswith("additional properties"):
                    said = "no such key in Compose; correct its spelling, or remove it"
                yield f"{self._lines.where(*path)}: {said}"

    def _by_service(self, complaint: str) -> bool:
        """What a complaint does not tell the place of, is found by leaving services out."""
        whole = dict(self._document["services"])
        for name in whole:
            self._document["services"] = {k: v for k, v in whole.items() if k != name}
            for other in self._document["services"].values():
                _without(other or {}, "depends_on", name)
            if self._again() is not None or self._complaint.strip() != complaint:
                reason = complaint.removeprefix(f"{_HELPER}: ")
                self._problems.append(f"{self._lines.where('services', name)}: {reason}")
                return True
        self._document["services"] = whole
        if complaint:
            self._problems.append(f"{self._file}: {complaint}")
        return False

    def _services(self) -> list[tuple[str, dict[str, Any]]]:
        found = self._document["services"].items()
        return [(name, service) for name, service in found if isinstance(service, dict)]


def _unset(file: Path, said: str) -> list[str]:
    return [_unset_variable(file, name) for name in sorted(set(_UNSET.findall(said)))]


def _unset_variable(file: Path, name: str, reason: str = "") -> str:
    text = file.read_text()
    use = re.search(rf"\$\{{?{re.escape(name)}\b", text)
    line = text.count("\n", 0, use.start()) + 1 if use else 1
    return (
        f"{file}:{line} ${{{name}}}: has no value{reason}; set it under slipway:variables, or with "
        f"pulumi config set --stack <stack> --secret --path slipway:secrets.{name} <value>, "
        f"or give it a default: ${{{name}:-}}"
    )


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _names(entry: Any, missing: str) -> bool:
    path = entry.get("path", "") if isinstance(entry, dict) else str(entry)
    return Path(missing).as_posix().endswith(Path(path).as_posix().removeprefix("./"))


def _without(service: dict[str, Any], key: str, missing: str) -> bool:
    """Take an entry out of a list or mapping of a service; volumes begin with their source."""
    value = service.get(key)
    if isinstance(value, dict):
        return bool(value.pop(missing, _PLACEHOLDER) != _PLACEHOLDER)
    kept = [entry for entry in _as_list(value) if not _is(entry, missing)]
    if len(kept) == len(_as_list(value)):
        return False
    service[key] = kept
    return True


def _is(entry: Any, missing: str) -> bool:
    if isinstance(entry, dict):
        return str(entry.get("source")) == missing
    return str(entry).split(":", 1)[0] == missing


def _path(written: str) -> list[str | int]:
    """The path in `services[web].healthcheck.interval` or `services.web.ports.0`."""
    parts = re.findall(r"[^.\[\]]+", written)
    return [int(part) if part.isdigit() else part for part in parts]


def _delete(document: Any, path: list[str | int]) -> bool:
    """Take out what stands at a path, or the deepest part of it below a service that does."""
    *above, last = path
    for part in above:
        try:
            document = document[part]
        except (KeyError, IndexError, TypeError):
            return False
    try:
        del document[last]
    except (KeyError, IndexError, TypeError):
        return False
    return True
