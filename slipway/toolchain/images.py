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
        local: name and tag in the engine, the same below the registry.
        provide: has it in the engine under its local name.
        unfit: why an image of that name in the registry cannot be used; empty when it can.
    """

    variable: str
    local: str
    provide: Callable[[Host], None]
    unfit: Callable[[Host, str], str]

    @property
    def repository(self) -> str:
        """Name without tag."""
        return self.local.rpartition(":")[0]


PYTHON = Pinned(
    "SLIPWAY_PYTHON_IMAGE", base_image.LOCAL, base_image.provide, lambda host, image: ""
)
CADDY = Pinned(
    "SLIPWAY_CADDY_IMAGE",
    caddy_image.LOCAL,
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
    """The image's reference by digest, if it is known and the registry still has it."""
    reference = files.read_variables(host.places.images).get(image.variable, "")
    name, _, digest = reference.partition("@")
    if name != f"{host.places.registry}/{image.repository}" or not digest:
        return None
    if host.places.registry_is_local:
        return reference if registry.has(image.repository, digest) else None
    found = host.commands.run(["docker", "manifest", "inspect", reference], timeout=30)
    return reference if found.ok else None


def base_for_builds(host: Host) -> str:
    """What images that Slipway builds itself stand on."""
    if pulling.exists(host, base_image.LOCAL):
        return base_image.LOCAL
    return pinned(host, PYTHON) or base_image.LOCAL


def _pin(host: Host, image: Pinned) -> None:
    remote = f"{host.places.registry}/{image.local}"
    digest = _adopt(host, image, remote) or _push(host, image, remote)
    variables = files.read_variables(host.places.images)
    reference = f"{host.places.registry}/{image.repository}@{digest}"
    files.write_variables(host.places.images, {**variables, image.variable: reference})


def _adopt(host: Host, image: Pinned, remote: str) -> str | None:
    """The digest of what another checkout has pushed: one for all is better than two."""
    tag = image.local.rpartition(":")[2]
    if host.places.registry_is_local and not registry.has(image.repository, tag):
        return None
    pulled = host.commands.watch(["docker", "pull", remote], f"pulling {remote}", timeout=1200)
    return digest_in(pulled.stdout) if pulled.ok and not image.unfit(host, remote) else None


def _push(host: Host, image: Pinned, remote: str) -> str:
    image.provide(host)
    host.commands.run(["docker", "tag", image.local, remote])
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
