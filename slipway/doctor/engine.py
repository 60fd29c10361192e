"""What doctor alone asks of the Docker engine: where it stores, which images it has."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound

from slipway.doctor.retention import HostImage
from slipway.errors import HostError

_TIMEOUT = 60


class Images:
    """The images of a Docker engine.

    Args:
        api: the Docker SDK's low-level client.
    """

    def __init__(self, api: Any) -> None:
        self._api = api

    def version(self) -> str:
        """The engine's version."""
        with _explained("ask the engine for its version"):
            return str(self._api.version().get("Version", "of unknown version"))

    def data_root(self) -> Path:
        """Folder of images and volumes, on the machine that the engine runs on."""
        with _explained("ask the engine where it stores"):
            return Path(str(self._api.info()["DockerRootDir"]))

    def all(self) -> list[HostImage]:
        """All images that have a name; sorted by name."""
        with _explained("list images"):
            found = [_image(item) for item in self._api.images()]
        return sorted((image for image in found if image.names), key=lambda image: image.names)

    def used(self) -> list[HostImage]:
        """The images that containers are made from, running or not."""
        with _explained("list containers"):
            ids = {item["ImageID"] for item in self._api.containers(all=True)}
        images = {image.id: image for image in self.all()}
        return [images.get(id_, HostImage(id_, (), None, 0)) for id_ in sorted(ids)]

    def created(self, container: str) -> datetime | None:
        """When a container was made; None if it is gone."""
        with _explained(f"look at container {container}"):
            try:
                return moment(self._api.inspect_container(container).get("Created"))
            except docker.errors.NotFound:
                return None

    def remove(self, name: str) -> None:
        """Take a name from an image, which goes with its last one; a name that is gone is fine.

        Without force: Docker itself refuses what a container uses.
        """
        with _explained(f"remove image {name}"):
            try:
                self._api.remove_image(name)
            except ImageNotFound:
                return

    def close(self) -> None:
        self._api.close()


def connect() -> Images:
    """The images of the engine that DOCKER_HOST names, else of the local one.

    Raises:
        HostError: it does not answer.
    """
    with _explained("reach the Docker engine"):
        return Images(docker.from_env(timeout=_TIMEOUT).api)


def moment(text: Any) -> datetime | None:
    """A time as Docker and registries write it, to the second; None if it is none."""
    try:
        return datetime.fromisoformat(str(text)[:19]).replace(tzinfo=UTC)
    except ValueError:
        return None


def _image(item: Any) -> HostImage:
    names = [*(item.get("RepoTags") or []), *(item.get("RepoDigests") or [])]
    created = datetime.fromtimestamp(max(item.get("Created") or 0, 0), UTC)
    real = tuple(name for name in names if "<none>" not in name)
    return HostImage(item["Id"], real, created, int(item.get("Size") or 0))


@contextmanager
def _explained(action: str) -> Iterator[None]:
    try:
        yield
    except APIError as error:
        raise HostError(f"Docker could not {action}: {error.explanation or error}") from error
    except (DockerException, requests.exceptions.RequestException, OSError) as error:
        raise HostError(f"cannot {action}: no Docker engine answers ({error})") from error
