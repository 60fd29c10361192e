"""The Docker engine that runs a stack's containers: the few things that Slipway asks of it."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import docker
import docker.auth
import requests
from docker.errors import APIError, DockerException, NotFound

from slipway.errors import HostError
from slipway.registry import Credentials

LABEL_OWNER = "slipway.owner"
LABEL_PROJECT = "slipway.project"
LABEL_STACK = "slipway.stack"
LABEL_SERVICE = "slipway.service"
LABEL_REVISION = "slipway.revision"
LABEL_ROLE = "slipway.role"
LABEL_CONFIG = "slipway.config"
LABEL_CONFIG_BEFORE = "slipway.config.before"
"""What a proxy could be too: it has the ways of the release before beside its own."""

_CALL_TIMEOUT = 60
_HOST_OF_URL = re.compile(r"[a-z+]+://([^:/]+)")
_EVENTS_KEPT = 600
"""Seconds to look back for how a container ended."""
_EXIT_CODE_TRIES = 50
_EXIT_CODE_PAUSE = 0.1


@dataclass(frozen=True)
class ContainerState:
    """What Docker tells of a container.

    Args:
        id: full container id.
        name: without the leading slash.
        status: created, running, restarting, exited, paused, dead.
        exit_code: of the last run.
        restarts: how often the restart policy has started it again.
        started_at: of the last run, as Docker writes it; begins with 0001 where there was none.
        health: starting, healthy, unhealthy, or None without a health check.
        health_output: what the last health check printed.
        health_test: its health check, as Docker takes it; empty without one.
        image: the id of the image it was made from.
        labels: its labels.
    """

    id: str
    name: str
    status: str
    exit_code: int
    restarts: int
    started_at: str
    health: str | None
    health_output: str
    image: str
    labels: Mapping[str, str]
    health_test: tuple[str, ...] = ()

    @property
    def running(self) -> bool:
        return self.status == "running"


@dataclass(frozen=True)
class NetworkState:
    """What Docker tells of a network: id, labels, and whether a running container is in it."""

    id: str
    labels: Mapping[str, str]
    used: bool


class Host:
    """A Docker engine.

    Args:
        client: the Docker SDK's client.
    """

    def __init__(self, client: docker.DockerClient) -> None:
        self._client = client

    @property
    def client(self) -> docker.DockerClient:
        """The Docker SDK's client."""
        return self._client

    @property
    def local(self) -> bool:
        """Whether the engine runs on this machine: the SDK calls a socket's host localhost."""
        found = _HOST_OF_URL.match(str(self._client.api.base_url))
        return found is not None and found[1] in ("localhost", "127.0.0.1")

    def container(self, name: str) -> ContainerState | None:
        """The container of this name or id; None if there is none."""
        with explained(f"look at container {name}"):
            try:
                return _state(self._client.api.inspect_container(name))
            except NotFound:
                return None

    def containers(self, labels: Mapping[str, str]) -> list[ContainerState]:
        """All containers, running or not, that carry all these labels; sorted by name."""
        wanted = [f"{key}={value}" for key, value in labels.items()]
        with explained("list containers"):
            found = self._client.api.containers(all=True, filters={"label": wanted})
        states = (self.container(item["Id"]) for item in found)
        return sorted((s for s in states if s is not None), key=lambda s: s.name)

    def publisher(self, port: int) -> ContainerState | None:
        """The running container that publishes a host port, if one does."""
        with explained("list containers"):
            found = self._client.api.containers(filters={"publish": f"{port}/tcp"})
            found += self._client.api.containers()
        for item in found:
            if any(p.get("PublicPort") == port for p in item.get("Ports") or []):
                return self.container(item["Id"])
        return None

    def start(self, name: str) -> None:
        """Start a container; one that runs already stays as it is."""
        with explained(f"start container {name}"):
            self._client.api.start(name)

    def stop(self, name: str, grace: float) -> None:
        """Stop a container: its stop signal, then SIGKILL after `grace` seconds.

        One that is gone counts as stopped.
        """
        with explained(f"stop container {name}"):
            try:
                self._client.api.stop(name, timeout=round(grace))
            except NotFound:
                return

    def remove(self, name: str) -> None:
        """Remove a container, running or not; one that is gone counts as removed."""
        with explained(f"remove container {name}"):
            try:
                self._client.api.remove_container(name, force=True)
            except NotFound:
                return
            except APIError as error:
                if error.status_code != requests.codes.conflict:  # Removal is in progress.
                    raise

    def log_tail(self, name: str, lines: int) -> str:
        """The last lines that a container printed."""
        with explained(f"read the log of container {name}"):
            try:
                raw = self._client.api.logs(name, tail=lines)
            except NotFound:
                return ""
        return bytes(raw).decode("utf-8", "replace").rstrip()

    def log_lines(self, name: str) -> Iterator[str]:
        """All that a container printed, line by line, with its times; nothing if it is gone."""
        with explained(f"read the log of container {name}"):
            try:
                chunks = self._client.api.logs(name, stream=True, follow=False, timestamps=True)
            except NotFound:
                return
            rest = b""
            for chunk in chunks:
                *lines, rest = (rest + chunk).split(b"\n")
                yield from (f"{line.decode('utf-8', 'replace')}\n" for line in lines)
            if rest:
                yield rest.decode("utf-8", "replace")

    def last_exit_code(self, name: str) -> int | None:
        """The exit code with which a container ended the last time; None if Docker knows of none.

        Of a container that runs again, Docker tells it no more but in its record of events.
        """
        with explained(f"read the events of container {name}"):
            now = int(time.time())
            found = self._client.api.events(
                since=now - _EVENTS_KEPT,
                until=now + 1,
                filters={"container": name, "event": "die"},
                decode=True,
            )
            codes = [int(event["Actor"]["Attributes"]["exitCode"]) for event in found]
        return codes[-1] if codes else None

    def execute(self, name: str, command: Sequence[str]) -> tuple[int, str]:
        """Run a command in a running container: its exit code, and what it printed."""
        with explained(f"run a command in container {name}"):
            created = self._client.api.exec_create(name, list(command))
            output = self._client.api.exec_start(created["Id"])
            found = self._client.api.exec_inspect(created["Id"])
            # Docker tells the exit code an instant after the output has ended.
            for _ in range(_EXIT_CODE_TRIES):
                if not found["Running"] and found["ExitCode"] is not None:
                    break
                time.sleep(_EXIT_CODE_PAUSE)
                found = self._client.api.exec_inspect(created["Id"])
        if found["ExitCode"] is None:
            raise HostError(f"Docker does not tell how a command in container {name} ended")
        return int(found["ExitCode"]), bytes(output).decode("utf-8", "replace")

    def networks(self, name: str) -> list[NetworkState]:
        """All networks of this name; Docker allows several."""
        with explained("list networks"):
            found = self._client.api.networks(names=[name])
            # The filter matches parts of names too.
            exact = [item["Id"] for item in found if item["Name"] == name]
            details = [self._client.api.inspect_network(id_) for id_ in exact]
        return [
            NetworkState(item["Id"], item.get("Labels") or {}, bool(item.get("Containers")))
            for item in details
        ]

    def has_volume(self, name: str) -> bool:
        """Whether there is a volume of this name."""
        with explained(f"look at volume {name}"):
            try:
                self._client.api.inspect_volume(name)
            except NotFound:
                return False
        return True

    def writers(self, volume: str) -> list[ContainerState]:
        """The running containers that may write to a volume, sorted by name."""
        with explained(f"list the containers of volume {volume}"):
            found = self._client.api.containers(filters={"volume": volume})
        # The filter takes a part of a name, and a folder, for a match too.
        writing = [
            item["Id"]
            for item in found
            for mount in item.get("Mounts") or []
            if mount.get("Name") == volume and mount.get("RW")
        ]
        states = (self.container(id_) for id_ in dict.fromkeys(writing))
        return sorted((s for s in states if s is not None), key=lambda s: s.name)

    def engine_version(self) -> tuple[int, int]:
        """Major and minor version of the engine."""
        with explained("ask the engine for its version"):
            found = str(self._client.version().get("Version", "0.0"))
        major, _, rest = found.partition(".")
        return int(major or 0), int(rest.partition(".")[0] or 0)

    def remove_network(self, id_: str) -> None:
        """Remove a network that no container uses."""
        with explained(f"remove network {id_}"):
            self._client.api.remove_network(id_)

    def image_digests(self, image: str) -> list[str]:
        """The `repository@sha256:…` names that an image has; empty if there is no such image.

        Docker shortens names of its own hub: compare digests, not names (`has_digest`).
        """
        with explained(f"look at image {image}"):
            try:
                found = self._client.images.get(image)
            except NotFound:
                return []
        return list(found.attrs.get("RepoDigests") or [])

    def image_created(self, image: str) -> str | None:
        """When an image was built, as Docker writes it; None if there is no such image."""
        with explained(f"look at image {image}"):
            try:
                found = self._client.images.get(image)
            except NotFound:
                return None
        return str(found.attrs.get("Created") or "") or None

    def close(self) -> None:
        self._client.close()


def connect() -> Host:
    """The engine that DOCKER_HOST names, else the local one.

    Raises:
        HostError: it does not answer.
    """
    with explained("reach the Docker engine"):
        client = docker.from_env(timeout=_CALL_TIMEOUT)
        client.ping()
    return Host(client)


def has_digest(names: Sequence[str], reference: str) -> bool:
    """Whether one of an image's names has the digest of `reference`."""
    return any(name.rpartition("@")[2] == reference.rpartition("@")[2] for name in names)


def registry_login(registry: str) -> Credentials | None:
    """The account that `docker login` stored for a registry."""
    host = docker.auth.INDEX_NAME if registry == "docker.io" else registry
    try:
        found = docker.auth.load_config().resolve_authconfig(host)
    except DockerException as error:
        raise HostError(
            f"the login for {registry} cannot be read ({error}); run docker login {registry} again"
        ) from error
    # A credential helper's answer has capital letters, the file's own entries have none.
    account = {str(key).lower(): value for key, value in (found or {}).items()}
    if not account.get("username"):
        return None
    return Credentials(account["username"], account["password"])


@contextmanager
def explained(action: str) -> Iterator[None]:
    """What goes wrong with Docker in the block becomes a HostError that says what was tried."""
    try:
        yield
    except requests.exceptions.ConnectionError as error:
        raise HostError(_unreachable(action)) from error
    except APIError as error:
        raise HostError(f"Docker could not {action}: {error.explanation or error}") from error
    except (DockerException, requests.exceptions.RequestException, OSError) as error:
        raise HostError(_unreachable(f"{action} ({error})")) from error


def _unreachable(action: str) -> str:
    return (
        f"cannot {action}: no Docker engine answers; start it (scripts/bootstrap, or "
        "systemctl start docker), or set DOCKER_HOST to one that runs"
    )


def _state(found: Mapping[str, Any]) -> ContainerState:
    state = found["State"]
    health = state.get("Health") or {}
    log = health.get("Log") or []
    return ContainerState(
        id=found["Id"],
        name=found["Name"].lstrip("/"),
        status=state["Status"],
        exit_code=state["ExitCode"],
        restarts=found.get("RestartCount", 0),
        started_at=state["StartedAt"],
        health=health.get("Status") if health.get("Status") != "none" else None,
        health_output=log[-1]["Output"].strip() if log else "",
        image=found["Image"],
        labels=found["Config"].get("Labels") or {},
        health_test=_health_test(found["Config"].get("Healthcheck") or {}),
    )


def _health_test(check: Mapping[str, Any]) -> tuple[str, ...]:
    test = tuple(check.get("Test") or ())
    return () if test[:1] in ((), ("NONE",)) else test
