"""The image that applications build on: Python on Debian.

Official `python:3.11-slim` where it can be pulled; else Debian's own packages, put together by
mmdebstrap, with the same habits: `python` is there, pip installs into /usr/local.
"""

import shutil
from pathlib import Path

from slipway.toolchain import apt, files, go_tools, pulling
from slipway.toolchain.errors import SetupError
from slipway.toolchain.host import Host

OFFICIAL = "python:3.11-slim"
REPOSITORY = "slipway/python"
TAG = "3.11"
LOCAL = f"{REPOSITORY}:{TAG}"
_SUITE = "bookworm"  # the Debian release whose Python is 3.11
_MIRROR = "http://deb.debian.org/debian"
_PACKAGES = "python3,python3-venv,python3-pip,ca-certificates,curl"
_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
_TRUST = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT")


def provide(host: Host) -> None:
    """Have the base image in the engine, under its local name."""
    if pulling.exists(host, LOCAL):
        return
    if pulling.pull(host, OFFICIAL):
        host.commands.run(["docker", "tag", OFFICIAL, LOCAL])
        return
    _build(host)


def changes(trust: bool) -> list[str]:
    """What `docker import` sets in the image's configuration.

    Args:
        trust: whether the host's certificates are in the image. They may be those of a company's
            own authority, which programs with a bundle of their own must be told of.
    """
    lines = [
        "ENV LANG=C.UTF-8",
        "ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LABEL slipway.role=base",
        'CMD ["python3"]',
    ]
    return lines + ([f"ENV {name}={_BUNDLE}" for name in _TRUST] if trust else [])


def _build(host: Host) -> None:
    if not host.is_root:
        raise SetupError(
            f"{OFFICIAL} cannot be pulled, and building a base image takes root",
            "give Docker access to the official images (or a mirror: registry-mirrors in "
            "/etc/docker/daemon.json), or run scripts/bootstrap as root once",
        )
    if host.commands.which("mmdebstrap") is None:
        apt.install(host, ["mmdebstrap", "debian-archive-keyring"], "the base image")
    trust = _BUNDLE.is_file()
    folder = go_tools.scratch(host, "base-image")
    archive = folder / "base.tar"
    host.say(f"    building the base image from Debian {_SUITE} (about a minute)")
    options = ["--variant=apt", f"--include={_PACKAGES}", '--aptopt=Acquire::Retries "3"']
    command = ["mmdebstrap", *options, *_hooks(folder, trust), _SUITE, str(archive), _MIRROR]
    made = host.commands.watch(
        [*_enclosure(host), *command],
        "mmdebstrap",
        env={**host.environ, "TMPDIR": str(folder)},
    )
    if not made.ok:
        raise SetupError(
            f"mmdebstrap could not put together Debian {_SUITE}",
            f"check that {_MIRROR} is reachable and the disk has 2 GB left, "
            "then run scripts/bootstrap again",
            made.stdout,
        )
    settings = [part for line in changes(trust) for part in ("--change", line)]
    imported = host.commands.watch(
        ["docker", "import", *settings, "--message", "slipway base image", str(archive), LOCAL],
        "docker import",
    )
    shutil.rmtree(folder, ignore_errors=True)
    if not imported.ok:
        raise SetupError(
            f"docker import of the base image failed: {imported.reason}",
            "check the Docker host's disk (docker system df), then run scripts/bootstrap again",
            imported.stdout,
        )


def _enclosure(host: Host) -> list[str]:
    """A mount namespace, which ends with mmdebstrap.

    Killed without one, it left /proc and /sys mounted below the cache folder. No namespace of
    processes: with it, `unshare` would stay in between and ignore SIGTERM.
    """
    return ["unshare", "--mount"] if host.commands.which("unshare") else []


def _hooks(folder: Path, trust: bool) -> list[str]:
    """mmdebstrap options that finish the tree; $1 is its root."""
    hooks = [
        # As in the official image: pip may install, and `python` is Python 3.
        'rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED',
        'ln -s python3 "$1"/usr/bin/python',
        'rm -f "$1"/etc/resolv.conf "$1"/etc/hostname',
    ]
    if trust:
        files.write(folder / "pip.conf", f"[global]\ncert = {_BUNDLE}\n")
        hooks += [f"copy-in {_BUNDLE} /etc/ssl/certs", f"copy-in {folder / 'pip.conf'} /etc"]
    return [f"--customize-hook={hook}" for hook in hooks]
