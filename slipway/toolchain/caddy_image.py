"""The proxy's image: official Caddy, or a built one on the base image."""

import hashlib
import re
import shutil

from slipway.toolchain import files, go_tools, pulling
from slipway.toolchain.errors import SetupError
from slipway.toolchain.go_tools import CADDY
from slipway.toolchain.host import Host

OFFICIAL = "caddy:2.11"
REPOSITORY = "slipway/caddy"
AT_LEAST = (2, 11)
"""Older ones have no upstream that is read from a file at each request."""
_NEEDS = (
    "caddy version && touch /tmp/a && mv -T /tmp/a /tmp/b && flock /tmp/b readlink -f /tmp/b && "
    "{ command -v curl || command -v wget; }"
)


def tag(host: Host) -> str:
    """The tag of the proxy's image: a name for all that it is made from.

    Two builds of one recipe differ in the times of their files. A registry that has the tag
    therefore decides which image it is, for all checkouts that have the same recipe. What a built
    one stands on is no part of it: a proxy that changes with every base image would have to be
    stopped for each.
    """
    recipe = "\n".join([OFFICIAL, go_tools.kept(host, (CADDY,)).name, dockerfile("base")])
    return f"2.11-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"


def provide(host: Host, base: str) -> None:
    """Have the proxy's image in the engine, under its local name.

    Args:
        host: the machine.
        base: image that a built one stands on.
    """
    local = f"{REPOSITORY}:{tag(host)}"
    if pulling.exists(host, local) and not unfit(host, local):
        return
    if pulling.pull(host, OFFICIAL):
        reason = unfit(host, OFFICIAL)
        if not reason:
            host.commands.run(["docker", "tag", OFFICIAL, local])
            return
        host.say(f"    {OFFICIAL} will not do: {reason}")
    _build(host, base, local)


def unfit(host: Host, image: str) -> str:
    """Why an image cannot be the proxy; empty when it can."""
    options = ["--rm", "--label", "slipway.role=check", "--entrypoint", "sh"]
    outcome = host.commands.run(["docker", "run", *options, image, "-c", _NEEDS], timeout=60)
    if not outcome.ok:
        return f"it lacks a program that the switch needs: {outcome.reason}"
    match = re.search(r"v?(\d+)\.(\d+)", outcome.stdout)
    found = (int(match.group(1)), int(match.group(2))) if match else (0, 0)
    return "" if found >= AT_LEAST else f"its version is {found[0]}.{found[1]}"


def dockerfile(base: str) -> str:
    """How the built image is made; the same paths as in the official one."""
    return f"""FROM {base}
LABEL slipway.role=proxy
RUN command -v curl || (apt-get update && apt-get install -y --no-install-recommends curl \\
    && rm -rf /var/lib/apt/lists/*)
RUN mkdir -p /config/caddy /data/caddy /etc/caddy /srv
ENV XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data
COPY caddy /usr/bin/caddy
WORKDIR /srv
EXPOSE 80 443 443/udp
CMD ["caddy", "run"]
"""


def _build(host: Host, base: str, local: str) -> None:
    final = go_tools.kept(host, (CADDY,))
    if not final.is_dir():
        unfinished = go_tools.scratch(host, CADDY.program)
        go_tools.build(host, CADDY, unfinished)
        go_tools.keep(unfinished, final)
    context = go_tools.scratch(host, "caddy-image")
    shutil.copy2(final / CADDY.program, context / "caddy")
    files.write(context / "Dockerfile", dockerfile(base))
    built = host.commands.watch(
        ["docker", "build", "--tag", local, str(context)], "building the Caddy image"
    )
    shutil.rmtree(context, ignore_errors=True)
    reason = unfit(host, local) if built.ok else built.reason
    if reason:
        raise SetupError(
            f"the Caddy image could not be built: {reason}",
            "mend what the output says, then run scripts/bootstrap again",
            built.stdout,
        )
