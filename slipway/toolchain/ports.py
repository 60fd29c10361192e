"""Who listens on a TCP port of this machine."""

import socket
from pathlib import Path

from slipway.toolchain.commands import Commands

_LISTEN = "0A"


def in_use(port: int) -> bool:
    """Whether something accepts connections on 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def owner(port: int, commands: Commands, proc: Path = Path("/proc")) -> str:
    """The container or process that has a port, in words; says so where it cannot be told."""
    found = commands.run(
        ["docker", "ps", "--filter", f"publish={port}", "--format", "{{.Names}} ({{.Image}})"],
        timeout=10,
    )
    if found.ok and found.stdout.strip():
        return f"container {found.stdout.strip().splitlines()[0]}"
    return _process(port, proc) or "a process of another user (see: ss -ltnp)"


def _process(port: int, proc: Path) -> str | None:
    wanted = {f"socket:[{inode}]" for inode in _inodes(port, proc)}
    for folder in sorted(proc.glob("[0-9]*")):
        try:
            links = {str(link.readlink()) for link in (folder / "fd").iterdir()}
            if wanted & links:
                name = (folder / "comm").read_text(encoding="utf-8").strip()
                return f"process {folder.name} ({name})"
        except OSError:  # ended meanwhile, or not ours to look at
            continue
    return None


def _inodes(port: int, proc: Path) -> set[str]:
    inodes = set()
    for table in ("tcp", "tcp6"):
        try:
            lines = (proc / "net" / table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == _LISTEN and int(fields[1].rsplit(":", 1)[1], 16) == port:
                inodes.add(fields[9])
    return inodes
