"""The reader of compose files: Docker's compose plugin, or the helper built from tools/."""

from slipway.toolchain import go_tools
from slipway.toolchain.go_tools import COMPOSE_CONFIG
from slipway.toolchain.host import Host
from slipway.toolchain.plan import Finding, Step, missing, present


def step(host: Host) -> Step:
    """The step that provides a compose reader."""
    return Step("Compose reader", lambda: look(host), lambda: act(host))


def look(host: Host) -> Finding:
    """Either reader is there."""
    plugin = host.commands.run(["docker", "compose", "version", "--short"], timeout=20)
    if plugin.ok:
        return present(f"docker compose {plugin.stdout.strip()}")
    final = go_tools.kept(host, (COMPOSE_CONFIG,))
    if go_tools.published(host, final, (COMPOSE_CONFIG.program,)):
        return present(f"{COMPOSE_CONFIG.program} over compose-go {COMPOSE_CONFIG.version}")
    return missing("neither `docker compose` nor the compose-config helper")


def act(host: Host) -> None:
    """Build the helper."""
    final = go_tools.kept(host, (COMPOSE_CONFIG,))
    if not final.is_dir():
        unfinished = go_tools.scratch(host, COMPOSE_CONFIG.program)
        go_tools.build(host, COMPOSE_CONFIG, unfinished)
        go_tools.keep(unfinished, final)
    go_tools.publish(host, final, (COMPOSE_CONFIG.program,))
