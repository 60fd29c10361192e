"""The image registry: a local one in a container, or the one that SLIPWAY_REGISTRY names."""

import http.client
import shutil
import time
from collections.abc import Callable

from slipway.toolchain import docker_engine, files, go_tools, ports, pulling
from slipway.toolchain.errors import SetupError
from slipway.toolchain.host import Host
from slipway.toolchain.plan import Finding, Step, missing, present

CONTAINER = "slipway-registry"
VOLUME = "slipway-registry"
OFFICIAL = "registry:2"
LOCAL = "slipway/registry:2"
PORT = 5000
_MANIFESTS = ", ".join(
    [
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    ]
)


def step(host: Host, base: Callable[[], str]) -> Step:
    """The step that provides the registry.

    Args:
        host: the machine.
        base: gives the image that a built registry image stands on, when it is needed.
    """
    return Step("Image registry", lambda: look(host), lambda: act(host, base))


def look(host: Host) -> Finding:
    """The local registry answers, and it is ours."""
    if not host.places.registry_is_local:
        return present(f"{host.places.registry}, as SLIPWAY_REGISTRY says")
    state = _state(host)
    if state != "running":
        return missing(f"container {CONTAINER} {'is ' + state if state else 'is not there'}")
    if not answers():
        return missing(
            f"container {CONTAINER} runs, but http://127.0.0.1:{PORT}/v2/ does not answer"
        )
    return present(f"{host.places.registry}, container {CONTAINER}")


def act(host: Host, base: Callable[[], str]) -> None:
    """Start the container; make its image first if need be."""
    if docker_engine.is_remote(host):
        raise SetupError(
            f"Docker runs on another machine ({host.environ['DOCKER_HOST']}), where a registry on "
            "127.0.0.1 could not be reached from here",
            "set SLIPWAY_REGISTRY to a registry that both machines reach, for example "
            "SLIPWAY_REGISTRY=registry.example.com/team",
        )
    state = _state(host)
    if state and not _is_ours(host):
        raise SetupError(
            f"there is a container named {CONTAINER} that Slipway did not make",
            f"rename it: docker rename {CONTAINER} other-name; then run scripts/bootstrap again",
        )
    if state != "running" and ports.in_use(PORT):
        raise SetupError(
            f"port {PORT} of 127.0.0.1, which the local registry needs, is taken by "
            f"{ports.owner(PORT, host.commands)}",
            "stop that, or set SLIPWAY_REGISTRY to a registry of yours, for example "
            "SLIPWAY_REGISTRY=registry.example.com/team",
        )
    if state not in (None, "running"):
        # A container that was killed inside `docker run` may be without its port: make it anew.
        host.commands.run(["docker", "rm", "--force", CONTAINER])
        state = None
    if state is None:
        _provide_image(host, base())
        _run(host)
    _wait(host)


def answers() -> bool:
    """Whether the registry's API answers."""
    return _ask("GET", "/v2/") == 200


def has(repository: str, reference: str) -> bool:
    """Whether the local registry has a manifest.

    Args:
        repository: name without the registry, e.g. `slipway/python`.
        reference: tag or digest.
    """
    return _ask("HEAD", f"/v2/{repository}/manifests/{reference}") == 200


def _ask(method: str, path: str) -> int | None:
    # Straight to the socket: a proxy from the environment has no business here.
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
    try:
        connection.request(method, path, headers={"Accept": _MANIFESTS})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _inspect(host: Host, template: str) -> str | None:
    command = ["docker", "container", "inspect", "--format", template, CONTAINER]
    outcome = host.commands.run(command, timeout=20)
    return outcome.stdout.strip() if outcome.ok else None


def _state(host: Host) -> str | None:
    """Docker's word for the container's state; None when there is no such container."""
    return _inspect(host, "{{.State.Status}}")


def _is_ours(host: Host) -> bool:
    return _inspect(host, '{{index .Config.Labels "slipway.role"}}') == "registry"


def dockerfile(base: str) -> str:
    """How the registry image is built where the official one cannot be pulled."""
    return f"""FROM {base}
RUN apt-get update && apt-get install -y --no-install-recommends docker-registry \\
    && rm -rf /var/lib/apt/lists/* && mkdir -p /var/lib/registry /etc/docker/registry
COPY config.yml /etc/docker/registry/config.yml
VOLUME /var/lib/registry
EXPOSE {PORT}
ENTRYPOINT ["docker-registry"]
CMD ["serve", "/etc/docker/registry/config.yml"]
"""


_CONFIG = f"""version: 0.1
storage:
  filesystem:
    rootdirectory: /var/lib/registry
  delete:
    enabled: true
http:
  addr: :{PORT}
"""


def _provide_image(host: Host, base: str) -> None:
    if pulling.exists(host, LOCAL):
        return
    if pulling.pull(host, OFFICIAL):
        host.commands.run(["docker", "tag", OFFICIAL, LOCAL])
        return
    host.say("    building a registry image from Debian's docker-registry package")
    context = go_tools.scratch(host, "registry-image")
    files.write(context / "Dockerfile", dockerfile(base))
    files.write(context / "config.yml", _CONFIG)
    built = host.commands.watch(
        ["docker", "build", "--tag", LOCAL, str(context)], "building the registry image"
    )
    shutil.rmtree(context, ignore_errors=True)
    if not built.ok:
        raise SetupError(
            f"the registry image could not be built: {built.reason}",
            "check that Debian's mirrors are reachable from inside `docker build`, "
            "then run scripts/bootstrap again",
            built.stdout,
        )


def _run(host: Host) -> None:
    identity = ["--name", CONTAINER, "--label", "slipway.role=registry"]
    lifetime = ["--detach", "--restart", "unless-stopped"]
    access = ["--publish", f"127.0.0.1:{PORT}:{PORT}", "--volume", f"{VOLUME}:/var/lib/registry"]
    settings = ["--env", "REGISTRY_STORAGE_DELETE_ENABLED=true"]
    outcome = host.commands.run(
        ["docker", "run", *identity, *lifetime, *access, *settings, LOCAL], timeout=120
    )
    if not outcome.ok:
        host.commands.run(["docker", "rm", "--force", CONTAINER])
        raise SetupError(
            f"container {CONTAINER} could not be started: {outcome.reason}",
            "mend what Docker says, then run scripts/bootstrap again",
        )


def _wait(host: Host) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if answers():
            return
        time.sleep(0.2)
    logs = host.commands.run(["docker", "logs", "--tail", "15", CONTAINER])
    raise SetupError(
        f"the registry does not answer on http://127.0.0.1:{PORT}/v2/ (state: {_state(host)})",
        f"mend what its log says (docker logs {CONTAINER}), or remove it: docker rm -f {CONTAINER} "
        f"(its images stay in the volume {VOLUME}); then run scripts/bootstrap again",
        logs.stdout + logs.stderr,
    )
