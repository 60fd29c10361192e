"""A sandbox of its own for each group of tests: a copy of the example, own state, own ports.

Nothing here touches containers, volumes or images of anyone else: what a sandbox makes carries its
project's name, and that has a random part.
"""

import json
import os
import random
import re
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import httpx
import psutil
from docker.errors import APIError, DockerException, ImageNotFound
from docker.models.networks import Network

from slipway.evidence.model import Evidence
from slipway.evidence.store import Store
from slipway.host import LABEL_PROJECT, LABEL_ROLE, Host
from slipway.probes import Prober
from slipway.toolchain.environment import project_environment
from slipway.verify import Deployment, parse_export, verify

ROOT = Path(__file__).resolve().parents[2]
_MARK = "SLIPWAY_SANDBOX"
_PATIENCE = 240.0
_NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""All is on the loopback interface; reading the certificates anew takes 50 ms each time."""


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    output: str
    lines: tuple[tuple[float, str], ...] = field(repr=False, default=())

    def time_of(self, text: str) -> float:
        """When (seconds since the epoch) the first line with this text came."""
        return next(at for at, line in self.lines if text in line)


def free_port() -> int:
    """A port that nobody listens on now.

    It is below those that the system gives to outgoing connections: one of them might take it
    while a test has its owner stopped.
    """
    while True:
        port = random.randint(20_000, 30_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("", port))
            return port


def _remove_network(network: Network) -> None:
    """Remove a network; on a busy machine it forgets its containers only after they are gone."""
    for _ in range(50):
        try:
            network.remove()
        except APIError:
            time.sleep(0.2)
        else:
            return
    network.remove()


class Sandbox:
    """A project of its own, with stacks `test` and `prod`.

    Args:
        folder: where it is laid out; empty.
        stable_for: of its stacks.
        source: the application that is copied; the example unless given.
        variables: values for the compose file.
        proof: whether the example's own proof stays. Most tests break the application in ways
            that this would see before the gate does.
    """

    def __init__(
        self,
        folder: Path,
        stable_for: str = "1s",
        source: Path | None = None,
        variables: Mapping[str, str] | None = None,
        *,
        proof: bool = False,
    ) -> None:
        self.folder = folder
        self._source = source
        self._variables = dict(variables or {})
        self.name = f"e2e{secrets.token_hex(3)}"
        self.ports = {"test": free_port(), "prod": free_port()}
        self.environ = project_environment(ROOT, os.environ) | {
            _MARK: self.name,
            "PULUMI_BACKEND_URL": f"file://{folder}/state?metadata=skip",
            "PULUMI_CONFIG_PASSPHRASE": "only for this sandbox",
            "NO_COLOR": "1",
            "PYTHONPATH": str(folder),
        }
        self.environ.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)
        self.engine = _engine()
        self._lay_out(stable_for)
        if source is None and not proof:
            text = re.sub(r"(?m)^( +)proof:\n(?:\1 +.*\n)+", "", self.read("app/compose.yaml"))
            self.write("app/compose.yaml", re.sub(r" +x-slipway: \{proof: .*\}\n", "", text))

    def _lay_out(self, stable_for: str) -> None:
        for name in ("components", "slipway", "__main__.py"):
            (self.folder / name).symlink_to(ROOT / name)
        description = (ROOT / "Pulumi.yaml").read_text()
        self.write("Pulumi.yaml", re.sub(r"^name: .*", f"name: {self.name}", description))
        shutil.copytree(
            self._source or ROOT / "examples/quotes",
            self.folder / "app",
            ignore=shutil.ignore_patterns("tests", "__pycache__", ".*_cache", "*.md"),
        )
        if self._source is None:
            # Faster than a user would have it, so that the tests wait less.
            self.replace("app/compose.yaml", "interval: 5s", "interval: 1s")
            self.replace("app/compose.yaml", "drain: 30s", "drain: 8s\n      interval: 200ms")
        text = self.read("app/compose.yaml")
        self.write("app/compose.yaml", re.sub(r"(?m)^name: .*", f"name: {self.name}", text))
        (self.folder / "state").mkdir()
        for stack, port in self.ports.items():
            settings = {"compose": "app/compose.yaml", "port": str(port), "stableFor": stable_for}
            lines = [f"  slipway:{key}: {json.dumps(value)}\n" for key, value in settings.items()]
            if self._variables:
                lines.append(f"  slipway:variables: {json.dumps(self._variables)}\n")
            self.write(f"stacks/Pulumi.{stack}.yaml", "config:\n" + "".join(lines))
            self.pulumi("stack", "init", stack)

    # Files

    def read(self, path: str) -> str:
        return (self.folder / path).read_text()

    def write(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def replace(self, path: str, old: str, new: str) -> None:
        text = self.read(path)
        assert old in text, f"{path} has no {old!r}"
        self.write(path, text.replace(old, new, 1))

    @contextmanager
    def changed(self, path: str, change: Callable[[str], str]) -> Iterator[None]:
        """A file with another text, for the length of a block."""
        text = self.read(path)
        assert change(text) != text, f"nothing changed in {path}"
        self.write(path, change(text))
        try:
            yield
        finally:
            self.write(path, text)

    def set_version(self, version: str) -> None:
        """Change one line of the application."""
        if self._source is None:
            file, name = self.folder / "app/app/__init__.py", "__version__"
        else:
            name = "VERSION"
            file = next(
                f for f in (self.folder / "app").rglob("*.py") if f'\n{name} = "' in f.read_text()
            )
        file.write_text(re.sub(f'(?m)^{name} = ".*"', f'{name} = "{version}"', file.read_text()))

    # Commands

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start pulumi in a process group of its own."""
        return self._start(["pulumi", *arguments, "--non-interactive"])

    def start_script(self, name: str, *arguments: str) -> "subprocess.Popen[str]":
        """Start what stands behind scripts/<name>, in a process group of its own."""
        return self._start([sys.executable, "-B", "-m", f"slipway.commands.{name}", *arguments])

    def script(self, name: str, *arguments: str) -> Outcome:
        """Run what stands behind scripts/<name>."""
        return self.follow(self.start_script(name, *arguments))

    def deploy(self, *options: str, stack: str = "test", code: int = 0) -> Outcome:
        """Run scripts/deploy, and see with which code it ends."""
        outcome = self.script("deploy", stack, *options)
        assert outcome.code == code, outcome.output
        return outcome

    def roll_back(self, *arguments: str, stack: str = "test", code: int = 0) -> Outcome:
        """Run scripts/rollback, and see with which code it ends."""
        outcome = self.script("rollback", stack, *arguments)
        assert outcome.code == code, outcome.output
        return outcome

    def evidence(self, stack: str = "test") -> list[Evidence]:
        """The evidence of a stack, newest first."""
        return Store(self.folder / ".slipway/evidence", stack).list()

    def _start(self, command: list[str]) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def follow(
        self, process: "subprocess.Popen[str]", on_line: Callable[[str], None] = lambda line: None
    ) -> Outcome:
        """Read a command's output to its end."""
        assert process.stdout is not None
        watchdog = threading.Timer(_PATIENCE, self.kill)
        watchdog.start()
        lines = []
        for line in process.stdout:
            lines.append((time.time(), line.rstrip("\n")))
            on_line(line)
        watchdog.cancel()
        process.stdout.close()
        return Outcome(process.wait(), "\n".join(line for _, line in lines), tuple(lines))

    def pulumi(self, *arguments: str) -> Outcome:
        return self.follow(self.start(*arguments))

    def up(self, stack: str = "test", *options: str) -> Outcome:
        return self.pulumi("up", "--yes", "--skip-preview", "--stack", stack, *options)

    def must_up(self, stack: str = "test", *options: str) -> Outcome:
        outcome = self.up(stack, *options)
        assert outcome.code == 0, outcome.output
        return outcome

    def must_fail(self, stack: str = "test", *options: str) -> Outcome:
        outcome = self.up(stack, *options)
        assert outcome.code != 0, outcome.output
        return outcome

    def preview(self, stack: str = "test", *options: str) -> Outcome:
        return self.pulumi("preview", "--stack", stack, *options)

    def kill(self) -> None:
        """SIGKILL to every process of this sandbox, at once and for good."""
        while True:
            found = [p for p in psutil.process_iter() if self._is_ours(p)]
            if not found:
                return
            for process in found:
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGKILL)
            time.sleep(0.05)

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get(_MARK) == self.name
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            return False

    def unlock(self) -> None:
        """Take a killed run's lock away, as its message tells."""
        self.pulumi("cancel", "--yes", "--stack", "test")

    # What is there

    def url(self, stack: str = "test") -> str:
        return f"http://127.0.0.1:{self.ports[stack]}"

    @property
    def health_path(self) -> str:
        """Where the application tells how it is."""
        return "/api/health" if self._source is None else "/health/"

    def health(self, stack: str = "test") -> dict[str, Any]:
        answer = httpx.get(f"{self.url(stack)}{self.health_path}", timeout=10)
        assert answer.status_code == httpx.codes.OK, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def deployment(self, stack: str = "test") -> Deployment:
        return parse_export(stack, json.loads(self.export(stack)))

    def export(self, stack: str = "test") -> str:
        return self.pulumi("stack", "export", "--stack", stack).output

    def live(self, service: str, stack: str = "test") -> str:
        """Name of the container that the state calls live."""
        return self.deployment(stack).live.containers[service]["name"]

    def containers(self, stack: str = "test") -> dict[str, Any]:
        """The service containers of a stack on the host, by name."""
        found = self.engine.containers.list(
            all=True,
            filters={
                "label": [
                    f"{LABEL_PROJECT}={self.name}",
                    f"slipway.stack={stack}",
                    f"{LABEL_ROLE}=service",
                ]
            },
        )
        return {str(container.name): container for container in found}

    def running(self, stack: str = "test") -> dict[str, str]:
        """Names and ids of the service containers that run."""
        found = self.containers(stack).items()
        return {name: container.id for name, container in found if container.status == "running"}

    def assert_agreement(self, stack: str = "test") -> None:
        """Proxy, containers and state agree, and nothing of ours is left over."""
        deployment = self.deployment(stack)
        host = Host(self.engine)
        checks = list(verify(deployment, host, Prober(deployment.address)))
        assert all(check.passed is not False for check in checks), "\n".join(map(str, checks))
        serving = {container["name"] for container in deployment.live.serving.values()}
        assert set(self.running(stack)) == serving
        assert set(self.containers(stack)) == set(deployment.live.names)

    def tear_down(self) -> None:
        """Destroy the stacks; take away what destroying keeps, for it is ours alone."""
        self.kill()
        for stack in self.ports:
            self.pulumi("cancel", "--yes", "--stack", stack)
            self.pulumi("destroy", "--yes", "--skip-preview", "--stack", stack)
        mine: dict[str, str | list[str] | bool] = {"label": f"{LABEL_PROJECT}={self.name}"}
        for container in self.engine.containers.list(all=True, filters=mine):
            container.remove(force=True)
        for network in self.engine.networks.list(filters=mine):
            _remove_network(network)
        for volume in self.engine.volumes.list(filters=mine):
            volume.remove()
        repository = f"localhost:5000/{self.name}"
        for image in self.engine.images.list(repository):
            # By name: an image with the same content may be somebody else's too.
            for name in [*image.tags, *image.attrs["RepoDigests"]]:
                if name.startswith((f"{repository}:", f"{repository}@")):
                    # The digest's name goes with the last tag.
                    with suppress(ImageNotFound):
                        self.engine.images.remove(name)
        self.engine.close()


def _engine() -> docker.DockerClient:
    try:
        return docker.from_env()
    except DockerException as error:
        raise AssertionError(
            f"no Docker engine answers ({error}); run scripts/bootstrap, which starts one"
        ) from error


class Watcher(threading.Thread):
    """Asks the public address again and again, and keeps what was not as it should be."""

    def __init__(self, url: str, path: str = "/api/health") -> None:
        super().__init__(daemon=True)
        self._url = f"{url}{path}"
        self._stopped = threading.Event()
        self.answers = 0
        self.failures: list[str] = []
        self.versions: list[str] = []

    def run(self) -> None:
        while not self._stopped.wait(0.05):
            try:
                answer = httpx.get(self._url, timeout=40, verify=_NO_CERTIFICATES)
            except httpx.HTTPError as error:
                self.failures.append(f"{time.time():.2f} {error!r}")
                continue
            self.answers += 1
            if answer.status_code != httpx.codes.OK:
                self.failures.append(f"{time.time():.2f} {answer.status_code} {answer.text}")
            elif (version := answer.json()["version"]) not in self.versions[-1:]:
                self.versions.append(version)

    def __enter__(self) -> "Watcher":
        self.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self._stopped.set()
        self.join()
        assert self.failures == []
        assert self.answers > 0
