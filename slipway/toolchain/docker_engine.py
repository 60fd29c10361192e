"""Docker Engine: used where it answers, started where that is ours to do."""

import time
from collections.abc import Callable
from pathlib import Path

from slipway.toolchain import apt
from slipway.toolchain.errors import SetupError
from slipway.toolchain.host import Host
from slipway.toolchain.plan import Finding, Step, missing, present

PATIENCE = 60.0
"""Seconds for the engine to answer after its start."""
_PID = Path("/var/run/docker.pid")
_SYSTEMD = Path("/run/systemd/system")
_ABOUT = "{{.ServerVersion}}, {{.Driver}}, cgroup v{{.CgroupVersion}}"


def step(host: Host) -> Step:
    """The step that provides a running engine."""
    return Step("Docker Engine", lambda: look(host), lambda: act(host))


def look(host: Host) -> Finding:
    """The engine answers."""
    if host.commands.which("docker") is None:
        return missing("no docker command")
    reason = _refusal(host)
    if reason:
        return missing(f"does not answer: {reason}")
    about = host.commands.run(["docker", "info", "--format", _ABOUT], timeout=20)
    return present(about.stdout.strip() or "answers")


def is_remote(host: Host) -> bool:
    """Whether the user's DOCKER_HOST names another machine."""
    address = host.environ.get("DOCKER_HOST", "")
    return bool(address) and not address.startswith(("unix://", "npipe://"))


def act(host: Host) -> None:
    """Start the engine, installing it first if need be."""
    chosen = next((n for n in ("DOCKER_HOST", "DOCKER_CONTEXT") if host.environ.get(n)), None)
    if chosen:
        raise SetupError(
            f"Docker does not answer at {chosen}={host.environ[chosen]}: {_refusal(host)}",
            f"start the engine there, or unset {chosen} to use the one on this machine",
        )
    if not host.is_root:
        raise SetupError(f"Docker cannot be used: {_refusal(host)}", _advice(host))
    if host.commands.which("dockerd") is None or host.commands.which("docker") is None:
        apt.install(host, ["docker.io", "iptables"], "Docker Engine")
        if not _refusal(host):  # the package has started it
            return
    if _SYSTEMD.is_dir():
        _start_by_systemd(host)
    else:
        _start_by_hand(host)


def _refusal(host: Host) -> str:
    outcome = host.commands.run(
        ["docker", "version", "--format", "{{.Server.Version}}"], timeout=15
    )
    return "" if outcome.ok and outcome.stdout.strip() else outcome.reason


def _advice(host: Host) -> str:
    if host.commands.which("docker") is None:
        return "install Docker (docs.docker.com/engine/install), then run scripts/bootstrap again"
    if "permission denied" in _refusal(host).lower():
        return (
            "let your user reach it: sudo usermod -aG docker $USER, log out and in, "
            "then run scripts/bootstrap again"
        )
    start = "sudo systemctl start docker" if _SYSTEMD.is_dir() else "sudo dockerd"
    return (
        f"start it ({start}) or point DOCKER_HOST at an engine that runs "
        "(for example DOCKER_HOST=ssh://user@server), then run scripts/bootstrap again"
    )


def _start_by_systemd(host: Host) -> None:
    host.say("    starting it: systemctl start docker")
    started = host.commands.watch(["systemctl", "start", "docker"], "systemctl start docker")
    if not started.ok or not _answers(host, lambda: None):
        journal = host.commands.run(
            ["journalctl", "-u", "docker", "-n", "15", "--no-pager", "-o", "cat"]
        )
        raise SetupError(
            f"systemctl start docker: {_refusal(host) or started.reason}",
            "mend what the log says (systemctl status docker), then run scripts/bootstrap again",
            journal.stdout,
        )


def _start_by_hand(host: Host) -> None:
    if host.commands.which("iptables") is None:
        apt.install(host, ["iptables"], "Docker Engine")
    log = host.places.cache / "dockerd.log"
    if _launch(host, log):
        return
    if _iptables_trouble(_tail(log)) and _use_legacy_iptables(host) and _launch(host, log):
        return
    raise SetupError(
        f"dockerd did not get ready (log: {log})",
        "mend what its log says, or start an engine by other means, "
        "then run scripts/bootstrap again",
        _tail(log),
    )


def _launch(host: Host, log: Path) -> bool:
    ended: Callable[[], int | None] = lambda: None  # noqa: E731
    if _running_dockerd() is None:
        _PID.unlink(missing_ok=True)  # left by a machine that went down; dockerd would refuse
        host.say(f"    starting dockerd (log: {log})")
        ended = host.commands.start(["dockerd"], log)
    else:
        host.say("    dockerd was started already; waiting for it")
    return _answers(host, ended)


def _answers(host: Host, ended: Callable[[], int | None]) -> bool:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if not _refusal(host):
            return True
        if ended() is not None and _running_dockerd() is None:
            return False
        time.sleep(0.3)
    return False


def _running_dockerd() -> int | None:
    try:
        number = int(_PID.read_text(encoding="ascii"))
        name = Path(f"/proc/{number}/comm").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None
    return number if name == "dockerd" else None


def _iptables_trouble(log: str) -> bool:
    """Kernels without nf_tables fail in the nft flavour of iptables only."""
    return "iptables" in log and any(
        sign in log for sign in ("nf_tables", "Could not fetch rule set", "RULE_APPEND failed")
    )


def _use_legacy_iptables(host: Host) -> bool:
    legacy = host.commands.which("iptables-legacy")
    if legacy is None:
        return False
    host.say(
        "    this kernel does not take iptables' nf_tables flavour: switching to iptables-legacy"
    )
    host.say("    (back again with: update-alternatives --auto iptables)")
    return host.commands.run(["update-alternatives", "--set", "iptables", legacy]).ok


def _tail(log: Path) -> str:
    try:
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
    except OSError:
        return ""
