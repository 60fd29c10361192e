"""A compose file on disk, read by Compose's own reader and prepared for a host on which nothing is.

Texts are written as teams write them, but for digests: `@PIN` stands for one in what is written and
in what is said about it.
"""

import shutil
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, Self

from slipway import deploy
from slipway.errors import ConfigError, HostError
from slipway.host import NetworkState
from slipway.image_plan import ImagePlan
from slipway.plan import ContainerPlan
from slipway.prepared import Prepared, Settings, StackName
from slipway.reference import ImageReference
from slipway.release import SOURCE_HASH_VARIABLE
from slipway.state import StackState

PIN = f"@sha256:{'1' * 64}"
CADDY = f"caddy{PIN}"
DOCKERFILE = """\
FROM python:3.12@PIN
COPY . /app
CMD ["gunicorn", "--bind", "0.0.0.0:8000", "shop.wsgi"]
"""
WEB = """\
services:
  web:
    build: .
    x-slipway: {route: {port: 8000}, probes: [{path: /health}]}
"""
"""A service that takes the stack's traffic; what is added to it begins on line 5."""


class UntouchedHost:
    """A Docker engine on which nothing is yet, and on which nothing may be changed.

    Args:
        present: names of networks that are there.
        volumes: names of volumes that are there.
        engine: its version.
    """

    local = False

    def __init__(
        self,
        present: Sequence[str] = (),
        volumes: Sequence[str] = (),
        engine: tuple[int, int] = (28, 0),
    ) -> None:
        self.journal: list[str] = []
        self.present = present
        self.volumes = volumes
        self.engine = engine

    def engine_version(self) -> tuple[int, int]:
        return self.engine

    def has_volume(self, name: str) -> bool:
        return name in self.volumes

    def networks(self, name: str) -> list[NetworkState]:
        return [NetworkState(name, {}, used=True)] if name in self.present else []

    def publisher(self, port: int) -> None:
        return None

    def container(self, name: str) -> None:
        return None

    def containers(self, labels: Mapping[str, str]) -> list[Any]:
        return []

    def writers(self, volume: str) -> list[Any]:
        return []

    def close(self) -> None:
        return None

    def __getattr__(self, name: str) -> NoReturn:
        """Whatever is not a look at the host."""
        self.journal.append(name)
        raise AssertionError(f"{name} was called")


class EmptyRegistry:
    """A registry that has no image of this project."""

    def __init__(self, credentials: object) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def digest(self, reference: ImageReference) -> None:
        return None


@dataclass
class Outcome:
    """What came of a compose file.

    Args:
        prepared: the plan; None if it was refused.
        problems: why it was refused, a line each.
        warnings: what was warned about, a line each.
    """

    prepared: Prepared | None
    problems: list[str]
    warnings: list[str]

    @property
    def plan(self) -> Prepared:
        assert self.prepared is not None, self.problems
        return self.prepared

    @property
    def order(self) -> list[str]:
        """Services and their parts, in the order in which they start."""
        return [f"{p.service.name} {p.role.value}" for p in self.plan.containers]

    def container(self, service: str) -> ContainerPlan:
        (found,) = [p for p in self.plan.containers if p.service.name == service]
        return found

    def made_from(self, service: str) -> dict[str, Any]:
        """All of a container's settings that are no defaults, but for image and environment."""
        found = self.container(service).spec.plain()
        del found["identity"]
        assert found.pop("networks", {}).keys() <= {"default"}
        return found

    def networks(self, service: str) -> dict[str, list[str]]:
        """The networks that a container is in, with its names there."""
        aliases = self.container(service).placement.aliases
        return {network: list(names) for network, names in aliases.items()}

    def environment(self, service: str) -> dict[str, str]:
        found = dict(self.container(service).spec.environment)
        found.pop(SOURCE_HASH_VARIABLE, None)
        return found

    def files(self, service: str) -> dict[str, tuple[str, str]]:
        """What is uploaded into a container: content and permissions by path."""
        mounted = self.container(service).placement.mounted
        return {f.path: (f.content.decode(), f.permissions) for f in mounted.files}

    def image(self, service: str) -> ImagePlan:
        found = self.container(service).image
        assert isinstance(found, ImagePlan)
        return found

    def context(self, service: str) -> list[str]:
        """The files of a build context."""
        entries = self.image(service).source.entries
        return [entry.path for entry in entries if entry.content is not None]


@dataclass
class Sample:
    """A project's folder, and what surrounds it."""

    folder: Path
    path: str
    host: UntouchedHost = field(default_factory=UntouchedHost)
    file: str = "compose.yaml"
    stack: str = "prod"
    variables: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    shell: dict[str, str] = field(default_factory=dict)

    @property
    def stack_name(self) -> StackName:
        return StackName("shop", self.stack, "shop", "stack key")

    @property
    def settings(self) -> Settings:
        return Settings(
            compose=self.folder / self.file,
            port=8001,
            ingress_image=CADDY,
            variables=self.variables,
            secrets=self.secrets,
        )

    def write(self, path: str, text: str) -> Path:
        """Write a file of the project; a path from its folder."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace("@PIN", PIN))
        return file

    def read(self, compose: str) -> Outcome:
        """What comes of a compose file, which is the same with and without preview."""
        self.write(self.file, compose)
        preview, real = self.prepare(preview=True), self.prepare(preview=False)
        assert preview == real
        return real

    def web(self, more: str = "", top: str = "") -> Outcome:
        """What comes of `WEB` with more keys of its service, and more below."""
        return self.read(WEB + textwrap.indent(textwrap.dedent(more), " " * 4) + top)

    def prepare(self, *, preview: bool) -> Outcome:
        """Prepare what is written.

        Raises:
            HostError: the host is not as the compose file needs it.
        """
        warnings: list[str] = []
        prepared, problems = None, []
        try:
            prepared = deploy.prepare(
                self.stack_name,
                self.settings,
                {**self.shell, "PATH": self.path},
                StackState(),
                preview=preview,
                report=warnings.append,
                warn=warnings.append,
            )
        except ConfigError as error:
            problems = list(error.problems)
        assert self.host.journal == []
        return Outcome(prepared, self._short(problems), self._short(warnings))

    def host_error(self, compose: str) -> str:
        """What is told of the host after the compose file was found to be well."""
        self.write(self.file, compose)
        assert self.prepare(preview=True).problems == []
        try:
            self.prepare(preview=False)
        except HostError as error:
            return self._short([str(error)])[0]
        raise AssertionError("nothing was told")

    def _short(self, lines: Sequence[str]) -> list[str]:
        return [line.replace(f"{self.folder}/", "").replace(PIN, "@PIN") for line in lines]


def reader_path(folder: Path) -> str:
    """A PATH on which Compose's own reader is, and nothing else that could read the file."""
    found = shutil.which("compose-config")
    assert found is not None, "run scripts/bootstrap, then . scripts/activate"
    folder.mkdir()
    (folder / "compose-config").symlink_to(found)
    return str(folder)
