"""Base image and proxy, pinned: pushed to the registry once, then used by digest for ever."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from slipway.toolchain import base_image, caddy_image, files, pulling, registry
from slipway.toolchain.errors import SetupError
from slipway.toolchain.host import Host
from slipway.toolchain.plan import Finding, Step, missing, present


@dataclass(frozen=True)
class Pinned:
    """An image that is used by digest.

    Args:
        variable: name in images.env.
        repository: name in the engine, the same below the registry.
        tag: its tag, there and there; two images of one tag do the same.
        provide: has it in the engine under its local name.
        unfit: why an image of that name in the registry cannot be used; empty when it can.
    """

    variable: str
    repository: str
    tag: Callable[[Host], str]
    provide: Callable[[Host], None]
    unfit: Callable[[Host, str], str]

    @property
    def origin(self) -> str:
        """Name, in images.env, of what bootstrap took last: tag@digest."""
        return f"{self.variable}_TAG"

    def local(self, host: Host) -> str:
        """Name and tag."""
        return f"{self.repository}:{self.tag(host)}"


PYTHON = Pinned(
    "SLIPWAY_PYTHON_IMAGE",
    base_image.REPOSITORY,
    lambda host: base_image.TAG,
    base_image.provide,
    lambda host, image: "",
)
CADDY = Pinned(
    "SLIPWAY_CADDY_IMAGE",
    caddy_image.REPOSITORY,
    caddy_image.tag,
    lambda host: caddy_image.provide(host, base_for_builds(host)),
    caddy_image.unfit,
)


def base_step(host: Host) -> Step:
    """The step that has the base image in the engine; the registry's image may need it."""

    def look() -> Finding:
        if pulling.exists(host, base_image.LOCAL):
            return present(f"{base_image.LOCAL} in the engine")
        if reference := pinned(host, PYTHON):
            return present(reference)
        return missing("no base image")

    return Step("Base image", look, lambda: base_image.provide(host))


def step(host: Host, image: Pinned, name: str) -> Step:
    """The step that has an image in the registry, and its digest in images.env."""

    def look() -> Finding:
        if reference := pinned(host, image):
            return present(reference)
        return missing(f"no {image.variable} in {host.places.images.name} that the registry has")

    return Step(name, look, lambda: _pin(host, image))


def pinned(host: Host, image: Pinned) -> str | None:
    """The image's reference by digest, if it is known and the registry still has it.

    One that bootstrap took for another recipe no longer counts; one that the user wrote does.
    """
    variables = files.read_variables(host.places.images)
    reference = variables.get(image.variable, "")
    name, _, digest = reference.partition("@")
    if name != f"{host.places.registry}/{image.repository}" or not digest:
        return None
    tag, _, taken = variables.get(image.origin, "").partition("@")
    if taken == digest and tag != image.tag(host):
        return None
    if host.places.registry_is_local:
        return reference if registry.has(image.repository, digest) else None
    found = host.commands.run(["docker", "manifest", "inspect", reference], timeout=30)
    return reference if found.ok else None


def base_for_builds(host: Host) -> str:
    """What images that Slipway builds itself stand on."""
    # What the registry has is the same for all checkouts; the engine's may be of another day.
    return pinned(host, PYTHON) or base_image.LOCAL


def _pin(host: Host, image: Pinned) -> None:
    tag = image.tag(host)
    remote = f"{host.places.registry}/{image.repository}:{tag}"
    digest = _adopt(host, image, remote) or _push(host, image, remote)
    reference = f"{host.places.registry}/{image.repository}@{digest}"
    taken = {image.variable: reference, image.origin: f"{tag}@{digest}"}
    variables = files.read_variables(host.places.images)
    files.write_variables(host.places.images, {**variables, **taken})


def _adopt(host: Host, image: Pinned, remote: str) -> str | None:
    """The digest of what another checkout has pushed: one for all is better than two.

    Raises:
        SetupError: the registry has it, but it cannot be pulled; another must not take its place.
    """
    local = host.places.registry_is_local
    if local and not registry.has(image.repository, image.tag(host)):
        return None
    pulled = host.commands.watch(["docker", "pull", remote], f"pulling {remote}", timeout=1200)
    if local and not pulled.ok:
        raise SetupError(
            f"{remote} is in the registry, but could not be pulled: {pulled.reason}",
            "check the Docker host's disk (df -h) and the registry's log "
            f"(docker logs {registry.CONTAINER}), then run scripts/bootstrap again",
            pulled.stdout,
        )
    return digest_in(pulled.stdout) if pulled.ok and not image.unfit(host, remote) else None


def _push(host: Host, image: Pinned, remote: str) -> str:
    image.provide(host)
    host.commands.run(["docker", "tag", image.local(host), remote])
    pushed = host.commands.watch(["docker", "push", remote], f"pushing {remote}")
    digest = digest_in(pushed.stdout) if pushed.ok else None
    if digest is None:
        raise SetupError(
            f"{remote} could not be pushed: {pushed.reason}",
            f"check that the registry {host.places.registry} runs and takes your pushes "
            "(docker login), then run scripts/bootstrap again",
            pushed.stdout,
        )
    return digest


def digest_in(output: str) -> str | None:
    """The digest that `docker push` and `docker pull` print."""
    match = re.search(r"digest: (sha256:[0-9a-f]{64})", output, re.IGNORECASE)
    return match.group(1) if match else None
