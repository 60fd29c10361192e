"""Files that a compose file puts into containers: bind-mounted ones, secrets and configs.

They are uploaded into the container when it is made, so that a release does not depend on a folder
of the machine that made it, and their content is part of the container's revision.
"""

import base64
import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from slipway.canonical import keyed_digest
from slipway.key_lines import KeyLines
from slipway.relative_sources import real_path, relative_sources
from slipway.services import BindMount, FileReference, FileSource, Project, Service

DOCKER_SOCKETS = ("/var/run/docker.sock", "/run/docker.sock")
_MOST_FILES = 100
_MOST_BYTES = 1 << 20
_READABLE = "0444"
_DATA_SUFFIXES = {".db", ".sqlite", ".sqlite3", ".log"}
_DATA_NAMES = {"acme.json"}
_SQLITE = b"SQLite format 3\0"


@dataclass(frozen=True)
class UploadedFile:
    """A file that is put into a container.

    Args:
        path: where, absolute.
        content: what.
        permissions: as chmod takes them.
        secret: whether the content is hidden.
    """

    path: str
    content: bytes = field(repr=False)
    permissions: str = _READABLE
    secret: bool = False

    @property
    def encoded(self) -> str:
        return base64.b64encode(self.content).decode()

    def identity(self, key: str) -> str:
        """Tells one content from another; a secret's cannot be tried out without the key."""
        if self.secret:
            return keyed_digest(key, {"secret": self.encoded})
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Mounted:
    """What a service mounts beside named volumes.

    Args:
        files: what is uploaded.
        host_paths: what is mounted from the Docker host.
    """

    files: tuple[UploadedFile, ...] = ()
    host_paths: tuple[BindMount, ...] = ()


def collect(
    project: Project, lines: KeyLines, variables: Mapping[str, str], secrets: Mapping[str, str]
) -> tuple[dict[str, Mounted], list[str]]:
    """What each service mounts, and what of that cannot be.

    Args:
        project: the compose project.
        lines: finds lines for messages.
        variables: of the stack's configuration; for secrets that come from the environment.
        secrets: the stack's secrets.
    """
    collector = _Collector(project, lines, {**variables, **secrets}, secrets)
    return {name: collector.of(s) for name, s in project.services.items()}, collector.problems


class _Collector:
    def __init__(
        self,
        project: Project,
        lines: KeyLines,
        values: Mapping[str, str],
        secrets: Mapping[str, str],
    ) -> None:
        self._project = project
        self._lines = lines
        self._values = values
        self._secrets = secrets
        self._folder = Path(project.file).resolve().parent
        builds = [service.build for service in project.services.values() if service.build]
        self._contexts = {str(Path(build.context).resolve()) for build in builds}
        self._relative = relative_sources(lines, self._folder, values)
        self.problems: list[str] = []

    def of(self, service: Service) -> Mounted:
        files: list[UploadedFile] = []
        paths: list[BindMount] = []
        for index, mount in enumerate(service.volumes):
            if isinstance(mount, BindMount):
                where = self._lines.where("services", service.name, "volumes", index)
                try:
                    files += self._bound(service, mount, where, paths)
                except OSError as error:
                    self.problems.append(f"{where}: {mount.source} cannot be read ({error})")
        files += self._referenced(service, "secrets", service.secrets, self._project.secrets)
        files += self._referenced(service, "configs", service.configs, self._project.configs)
        if service.read_only and files:
            self.problems.append(
                f"{self._lines.where('services', service.name, 'read_only')}: files cannot be put "
                f"into a container whose file system is read-only ({files[0].path}); remove "
                "read_only, or bake the file into the image"
            )
        return Mounted(tuple(files), tuple(paths))

    def _bound(
        self, service: Service, mount: BindMount, where: str, paths: list[BindMount]
    ) -> Iterator[UploadedFile]:
        # The reader leaves links in the way to the compose file as they are; its folder has none.
        source = real_path(Path(mount.source))
        ours = source.is_relative_to(self._folder) or source in self._relative
        uploaded = source.is_file() and (ours or source.is_relative_to(self._folder.parent))
        if uploaded and not mount.read_only and _is_data(source):
            self.problems.append(
                f"{where}: {mount.source} would be copied into each new container, and what is "
                f"written to {mount.target} be lost with it; use a named volume on its folder, or "
                "an absolute path of the Docker host for the folder"
            )
            return
        if mount.source in DOCKER_SOCKETS:
            if "docker.sock" not in service.extension.allow:
                self.problems.append(
                    f"{where}: {mount.source} gives the container the whole host; remove it, or "
                    "write x-slipway: {allow: [docker.sock]} if that is meant"
                )
            paths.append(mount)
        elif uploaded:
            yield _upload(source, mount.target)
        elif not ours and not (str(source) in self._contexts and source.is_dir()):
            paths.append(mount)
        elif (problem := self._folder_problem(mount, source)) is not None:
            self.problems.append(f"{where}: {problem}")
        else:
            for file in _files_below(source):
                yield _upload(file, f"{mount.target.rstrip('/')}/{file.relative_to(source)}")

    def _folder_problem(self, mount: BindMount, source: Path) -> str | None:
        """Why a folder of the project cannot be uploaded; None if it can."""
        way = os.path.relpath(source, self._folder)
        shown = way if Path(way).parts[:1] in ((), ("..",)) else f"./{way}"
        if str(source) in self._contexts or _holds_python(source):
            return (
                f"{shown} hides {mount.target} of the image, so that other code than the released "
                "would run; remove it here (for development it can stand in a "
                "compose.override.yaml)"
            )
        if not source.exists() and (mount.read_only or source.suffix):
            return f"{shown} is not there; correct the path, write the file, or remove the mount"
        data = (
            f"{shown} is a folder of this checkout, and data does not live there; use a named "
            "volume, or an absolute path of the Docker host"
            + (f", or write {shown}:{mount.target}:ro if it is configuration" * source.is_dir())
        )
        if not mount.read_only or not source.is_dir():
            return data
        sizes = [file.stat().st_size for file in _files_below(source)]
        if len(sizes) > _MOST_FILES or sum(sizes) > _MOST_BYTES:
            return (
                f"{shown} holds {len(sizes)} files with {sum(sizes):,} bytes, which is too much to "
                "put into a container as configuration; bake it into the image"
            )
        return None

    def _referenced(
        self,
        service: Service,
        key: str,
        references: list[FileReference],
        sources: Mapping[str, FileSource],
    ) -> Iterator[UploadedFile]:
        for index, reference in enumerate(references):
            source = sources.get(reference.source)
            where = self._lines.where("services", service.name, key, index)
            if source is None:
                self.problems.append(f"{where}: {reference.source} is not declared under {key}")
                continue
            content = self._content(
                reference.source, source, self._lines.where(key, reference.source)
            )
            if content is None:
                continue
            base = "/run/secrets/" if key == "secrets" else "/"
            target = reference.target or reference.source
            path = target if target.startswith("/") else base + target
            mode = _permissions(reference.mode)
            yield UploadedFile(path, content, mode, secret=key == "secrets")

    def _content(self, name: str, source: FileSource, where: str) -> bytes | None:
        if source.content is not None:
            return source.content.encode()
        if source.file is not None:
            try:
                return Path(source.file).read_bytes()
            except OSError as error:
                self.problems.append(f"{where}: {source.file} cannot be read ({error.strerror})")
                return None
        wanted = source.environment or source.name or name
        value = self._values.get(wanted)
        if value is None:
            self.problems.append(
                f"{where}: {wanted} has no value; run pulumi config set --stack <stack> --secret "
                f"--path slipway:secrets.{wanted} <value>"
            )
            return None
        return value.encode()


def _permissions(mode: int | str | None) -> str:
    if mode is None:
        return _READABLE
    return f"{mode:04o}" if isinstance(mode, int) else mode.removeprefix("0o").zfill(4)


def _upload(file: Path, target: str) -> UploadedFile:
    executable = bool(file.stat().st_mode & 0o111)
    return UploadedFile(target, file.read_bytes(), "0755" if executable else "0644")


def _files_below(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())


def _is_data(file: Path) -> bool:
    """Whether a file is one that an application writes to."""
    if file.suffix in _DATA_SUFFIXES or file.name in _DATA_NAMES:
        return True
    try:
        with file.open("rb") as opened:
            return opened.read(len(_SQLITE)) == _SQLITE
    except OSError:
        return False


def _holds_python(folder: Path) -> bool:
    return folder.is_dir() and next(folder.rglob("*.py"), None) is not None
