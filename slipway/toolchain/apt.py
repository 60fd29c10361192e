"""Debian packages, where set-up may install them."""

from collections.abc import Sequence

from slipway.toolchain.errors import SetupError
from slipway.toolchain.host import Host


def install(host: Host, packages: Sequence[str], purpose: str) -> None:
    """Install packages by apt.

    Args:
        host: the machine.
        packages: names of Debian packages.
        purpose: what they are needed for, for messages.

    Raises:
        SetupError: not root, no apt, or apt failed.
    """
    names = " ".join(packages)
    if not host.is_root or host.commands.which("apt-get") is None:
        raise SetupError(
            f"{purpose} needs the package(s) {names}, which are not installed",
            f"install {names} with this machine's package manager (on Debian and Ubuntu: "
            f"sudo apt-get install {names}), then run scripts/bootstrap again",
        )
    host.say(f"    installing {names} (apt-get) for {purpose}")
    environment = {**host.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # A bootstrap that was killed leaves its apt-get at work, which holds this lock for a while.
    options = ["-o", "DPkg::Lock::Timeout=180", "-o", "Acquire::Retries=2", "-yq"]
    command = ["apt-get", *options, "install", "--no-install-recommends", *packages]

    def attempt() -> str:
        outcome = host.commands.watch(
            command, f"apt-get install {names}", env=environment, shielded=True
        )
        return "" if outcome.ok else outcome.stdout or outcome.reason

    failure = attempt()
    if failure:
        # Package lists are absent on fresh images, or older than the archive.
        if "dpkg was interrupted" in failure:
            host.commands.watch(
                ["dpkg", "--configure", "-a"], "dpkg --configure -a", env=environment, shielded=True
            )
        host.commands.watch(
            ["apt-get", *options, "update"], "apt-get update", env=environment, shielded=True
        )
        failure = attempt()
    if failure:
        raise SetupError(
            f"apt-get could not install {names}",
            f"mend what it says, try: apt-get install {names}; then run scripts/bootstrap again",
            failure,
        )
