"""Official images, where the registry that has them can be reached."""

import re

from slipway.toolchain.host import Host

PATIENCE = 10.0
"""Seconds within which a pull must show that the registry answers."""


def pull(host: Host, image: str) -> bool:
    """Pull an image; False, said aloud, when that is not possible."""
    outcome = host.commands.watch(
        ["docker", "pull", image], f"pulling {image}", timeout=1200, first_output=PATIENCE
    )
    if not outcome.ok:
        host.say(f"    official image {image} not to be had: {_short(outcome.reason)}")
    return outcome.ok


def exists(host: Host, image: str) -> bool:
    """Whether the engine has an image."""
    return host.commands.run(["docker", "image", "inspect", image], timeout=30).ok


def _short(reason: str) -> str:
    return re.sub(r"^Error response from daemon: ", "", reason)[:200]
