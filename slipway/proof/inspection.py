"""Looking into images: containers that are made from them, serve nobody and are taken away again.

Everything that the proof asks of Docker is here.
"""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import docker
import requests
from docker.errors import APIError, NotFound

from slipway.host import LABEL_ROLE, explained
from slipway.mounted_files import UploadedFile
from slipway.proof.archive import Stream, first_file, packed, read_tree
from slipway.proof.files import Found
from slipway.proof.image import ImageFacts
from slipway.proof.interpreter import PYTHONS, Ended

ROLE = "proof"
"""What these containers are, as their label tells."""
_POLL = 0.1
_NOT_THERE = (requests.codes.not_found, requests.codes.bad_request)
_LINES = 200


@dataclass(frozen=True)
class Process:
    """What is run in an image.

    Args:
        arguments: what stands behind the name of its Python.
        environment: variables.
        user: who runs it; empty for the image's own.
        workdir: where; empty for the image's own.
        files: what is put into the container before.
        timeout: seconds until it is ended.
    """

    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    user: str = ""
    workdir: str = ""
    files: tuple[UploadedFile, ...] = ()
    timeout: float = 60.0


class Look(Protocol):
    """Reads files of an image; see `Inspector.opened`."""

    def tree(self, path: str, wanted: Mapping[str, str]) -> dict[str, Found]: ...

    def content(self, path: str) -> bytes | None: ...

    def has(self, path: str) -> bool: ...


class Inspector:
    """Looks into images of a Docker engine.

    Args:
        client: the Docker SDK's client.
        labels: of the stack; its containers carry them.
        prefix: their names begin with it.
        clock: gives seconds.
        sleep: passes them.
    """

    def __init__(
        self,
        client: docker.DockerClient,
        labels: Mapping[str, str],
        prefix: str,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._labels = {**labels, LABEL_ROLE: ROLE}
        self._prefix = prefix
        self._clock = clock
        self._sleep = sleep

    @property
    def _api(self) -> Any:
        return self._client.api

    def sweep(self) -> None:
        """Remove what a killed run has left."""
        wanted = [f"{key}={value}" for key, value in self._labels.items()]
        with explained("remove containers of an earlier proof"):
            for found in self._api.containers(all=True, filters={"label": wanted}):
                self._remove(found["Id"])

    def facts(self, image: str) -> ImageFacts:
        """What Docker tells of an image.

        Raises:
            HostError: there is no such image.
        """
        with explained(f"look at image {image}"):
            found = self._api.inspect_image(image)
        config = found.get("Config") or {}
        pairs = (text.partition("=") for text in config.get("Env") or [])
        return ImageFacts(
            id=found["Id"],
            digests=tuple(found.get("RepoDigests") or ()),
            user=config.get("User") or "",
            workdir=config.get("WorkingDir") or "/",
            environment={name: value for name, _, value in pairs},
            labels=config.get("Labels") or {},
        )

    @contextmanager
    def opened(self, image: str) -> Iterator["Look"]:
        """A container of the image that is never started, for the length of a block."""
        with self._container(image, {"entrypoint": ["true"]}) as id_:
            yield _Container(self._api, id_)

    def run(self, image: str, process: Process) -> Ended:
        """Run the image's own Python, without a network."""
        for python in PYTHONS:
            ended = self._run(image, python, process)
            if not ended.missing:
                return ended
        return ended

    def _run(self, image: str, python: str, process: Process) -> Ended:
        settings: dict[str, Any] = {
            "entrypoint": [python],
            "command": list(process.arguments),
            "environment": dict(process.environment),
            "user": process.user or None,
            "working_dir": process.workdir or None,
            "healthcheck": {"test": ["NONE"]},
        }
        with self._container(image, settings) as id_:
            with explained(f"run {python} in image {image}"):
                if process.files:
                    self._api.put_archive(id_, "/", packed(process.files))
                try:
                    self._api.start(id_)
                except APIError as error:
                    if error.status_code in _NOT_THERE and "not found" in str(error.explanation):
                        return Ended(None, missing=True)
                    raise
                code = self._end_of(id_, process.timeout)
                raw = self._api.logs(id_, tail=_LINES)
            return Ended(code, bytes(raw).decode("utf-8", "replace"))

    def _end_of(self, id_: str, timeout: float) -> int | None:
        deadline = self._clock() + timeout
        while True:
            state = self._api.inspect_container(id_)["State"]
            if not state["Running"]:
                return int(state["ExitCode"])
            if self._clock() >= deadline:
                self._api.kill(id_)
                return None
            self._sleep(_POLL)

    @contextmanager
    def _container(self, image: str, settings: Mapping[str, Any]) -> Iterator[str]:
        id_ = f"{self._prefix}-proof-{secrets.token_hex(4)}"
        host = self._api.create_host_config(network_mode="none")
        # By its name: a container whose id never came is removed too.
        try:
            with explained(f"make a container of image {image}"):
                self._api.create_container(
                    image, name=id_, labels=self._labels, host_config=host, **settings
                )
            yield id_
        finally:
            with explained(f"remove container {id_}"):
                self._remove(id_)

    def _remove(self, id_: str) -> None:
        try:
            self._api.remove_container(id_, force=True, v=True)
        except NotFound:
            return
        except APIError as error:
            if error.status_code != requests.codes.conflict:  # Removal is in progress.
                raise


class _Container:
    """A container that is looked into."""

    def __init__(self, api: Any, id_: str) -> None:
        self._api = api
        self._id = id_

    def tree(self, path: str, wanted: Mapping[str, str]) -> dict[str, Found]:
        """What is at a path and below it, by path; nothing if there is nothing.

        Args:
            path: absolute.
            wanted: the content that files must have, to keep a sample of those that differ.
        """
        with explained(f"read {path} of an image"):
            try:
                chunks, stat = self._api.get_archive(self._id, path)
                if stat.get("linkTarget"):
                    chunks.close()
                    # With it, Docker follows the link.
                    chunks, _ = self._api.get_archive(self._id, f"{path}/.")
            except NotFound:
                return {}
            return dict(read_tree(Stream(chunks), path, wanted))

    def content(self, path: str) -> bytes | None:
        """A file's content; None if there is no such file."""
        with explained(f"read {path} of an image"):
            try:
                chunks, _ = self._api.get_archive(self._id, path)
            except NotFound:
                return None
            return first_file(Stream(chunks))

    def has(self, path: str) -> bool:
        """Whether there is something at a path."""
        with explained(f"look for {path} in an image"):
            try:
                chunks, _ = self._api.get_archive(self._id, path)
            except NotFound:
                return False
            chunks.close()
        return True
