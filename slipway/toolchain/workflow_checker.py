"""The checker of CI workflows, actionlint, built from tools/: only the project's checks need it."""

from slipway.toolchain import go_tools
from slipway.toolchain.go_tools import ACTIONLINT
from slipway.toolchain.host import Host
from slipway.toolchain.plan import Finding, Step, missing, present


def step(host: Host) -> Step:
    """The step that provides the checker."""
    return Step("Workflow checker", lambda: look(host), lambda: act(host))


def look(host: Host) -> Finding:
    """The version that this checkout names is there."""
    final = go_tools.kept(host, (ACTIONLINT,))
    if go_tools.published(host, final, (ACTIONLINT.program,)):
        return present(f"{ACTIONLINT.program} {ACTIONLINT.version}")
    return missing(f"no {ACTIONLINT.program} {ACTIONLINT.version}")


def act(host: Host) -> None:
    """Build it."""
    final = go_tools.kept(host, (ACTIONLINT,))
    if not final.is_dir():
        unfinished = go_tools.scratch(host, ACTIONLINT.program)
        go_tools.build(host, ACTIONLINT, unfinished)
        go_tools.keep(unfinished, final)
    go_tools.publish(host, final, (ACTIONLINT.program,))
