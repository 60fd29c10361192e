"""Who holds a lease: a process, told so that others can see whether it has ended."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

import psutil

_CLOCK_TOLERANCE = 2.0


@dataclass(frozen=True)
class Holder:
    """Who holds a lease: a process on a machine.

    Args:
        host: name of the machine.
        pid: its process id.
        started: when it started, in seconds since the epoch.
        namespace: within what its process id means this process, as of `pid_namespace`.
    """

    host: str
    pid: int
    started: int
    namespace: str = ""

    @classmethod
    def current(cls) -> "Holder":
        process = psutil.Process()
        started = int(process.create_time())
        return cls(socket.gethostname(), process.pid, started, pid_namespace())

    @classmethod
    def parse(cls, text: str) -> "Holder | None":
        try:
            host, pid, started, namespace = text.split("/")
            return cls(host, int(pid), int(started), namespace)
        except ValueError:
            return None

    def __str__(self) -> str:
        return f"{self.host}/{self.pid}/{self.started}/{self.namespace}"

    @property
    def dead(self) -> bool:
        """Whether this process is known to have ended: it was on this machine and is gone."""
        # Two machines or containers may have one name, and ids of their own.
        if (self.host, self.namespace) != (socket.gethostname(), pid_namespace()):
            return False
        try:
            # psutil derives the time from the clock, which may have been set since.
            return abs(psutil.Process(self.pid).create_time() - self.started) > _CLOCK_TOLERANCE
        except psutil.NoSuchProcess:
            return True


def pid_namespace(proc: Path = Path("/proc")) -> str:
    """Within what process ids are those that this process sees: a boot and a namespace of Linux.

    Args:
        proc: where Linux tells them; elsewhere, where there is no such folder, the name is empty.
    """
    try:
        boot = (proc / "sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot}:{os.readlink(proc / 'self/ns/pid')}"
    except OSError:
        return ""
