"""What the collectors ask, and what is read once for all stacks."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from ruamel.yaml import YAML

from slipway.compose import Reading, read_project
from slipway.compose_reader import reader_environment
from slipway.doctor.engine import Images
from slipway.doctor.facts import Unread
from slipway.doctor.pulumi_cli import Pulumi
from slipway.doctor.stack_file import StackFile, parse_stack_file
from slipway.errors import ConfigError, UserError
from slipway.host import Host
from slipway.probes import Prober
from slipway.redact import Redactor
from slipway.registry import Registry
from slipway.toolchain.places import LOCAL_REGISTRY
from slipway.yaml_edit import read_text

_AT_ONCE = 4

T = TypeVar("T")


@dataclass(frozen=True)
class Surroundings:
    """What the collectors ask.

    Args:
        root: the project's folder.
        environ: process environment.
        pulumi: the CLI.
        host: the Docker engine.
        images: the same, for its images.
        registry: connection to registries.
        prober: makes what asks a public address.
        hostname: name of this machine.
        started: when a process of this machine began.
        now: the time of the look.
    """

    root: Path
    environ: Mapping[str, str]
    pulumi: Pulumi
    host: Host | Unread
    images: Images | Unread
    registry: Registry
    prober: Callable[[str], Prober]
    hostname: str
    started: Callable[[int], float | None]
    now: datetime


@dataclass(frozen=True)
class Project:
    """What is read once for all stacks.

    Args:
        name: of the Pulumi project.
        files: configuration of the stacks in stacks/.
        known: the stacks that the backend has.
        exports: their states.
        readings: their compose files.
    """

    name: str
    files: Mapping[str, StackFile | Unread]
    known: tuple[str, ...] | Unread
    exports: Mapping[str, dict[str, Any] | Unread] = field(repr=False)
    readings: Mapping[str, Reading | Unread] = field(repr=False)

    @property
    def configured(self) -> dict[str, StackFile]:
        """The configurations that could be read."""
        return {name: file for name, file in self.files.items() if isinstance(file, StackFile)}


def attempt(action: Callable[[], T]) -> T | Unread:
    """What an action gives, or why it gives nothing.

    A bug of ours, or a state that nobody foresaw, is told as a reason too: whoever calls doctor
    has trouble already, and needs the rest of the answers.
    """
    hide = Redactor(())  # A backend's URL may have a password.
    try:
        return action()
    except ConfigError as error:
        return Unread("; ".join(hide.message(problem) for problem in error.problems))
    except UserError as error:
        return Unread(hide(" ".join(str(error).split())))
    except Exception as error:
        return Unread(hide(f"{type(error).__name__}: {error} (a bug in Slipway)"))


def collect_project(around: Surroundings) -> Project:
    """What is read once for all stacks.

    Raises:
        ConfigError: Pulumi.yaml cannot be read.
    """
    file = around.root / "Pulumi.yaml"
    text = read_text(file)
    document = attempt(lambda: YAML(typ="safe").load(text))
    if not isinstance(document, dict) or "name" not in document:
        raise ConfigError([f"{file}: has no name; write name: my-project"])
    files = {
        path.name.removeprefix("Pulumi.").removesuffix(".yaml"): _stack_file(around, path, text)
        for path in sorted(around.root.glob("stacks/Pulumi.*.yaml"))
    }
    known = attempt(around.pulumi.stacks)
    names = () if isinstance(known, Unread) else known
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = list(pool.map(lambda name: attempt(lambda: around.pulumi.export(name)), names))
    readings = {name: _read_compose(around, file) for name, file in files.items()}
    return Project(
        str(document["name"]), files, known, dict(zip(names, found, strict=True)), readings
    )


def _stack_file(around: Surroundings, path: Path, project_text: str) -> StackFile | Unread:
    registry = around.environ.get("SLIPWAY_REGISTRY") or LOCAL_REGISTRY
    name = str(path.relative_to(around.root))
    return attempt(
        lambda: parse_stack_file(name, read_text(path), project_text, registry.rstrip("/"))
    )


def _read_compose(around: Surroundings, file: StackFile | Unread) -> Reading | Unread:
    if isinstance(file, Unread):
        return Unread("the stack's file cannot be read")
    reader = reader_environment(around.environ)
    return attempt(lambda: read_project(compose_path(around, file), reader, file.variables))


def compose_path(around: Surroundings, file: StackFile) -> Path:
    """Where a compose file is; as the user wrote it if that leads there, for short messages."""
    path = around.root / file.compose
    return file.compose if Path.cwd() == around.root else path
