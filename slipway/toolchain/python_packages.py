"""The virtual environment, from hash-locked requirements."""

import hashlib
import re
import shutil
import sys
from pathlib import Path

from slipway.toolchain import files
from slipway.toolchain.errors import SetupError
from slipway.toolchain.host import Host
from slipway.toolchain.plan import Finding, Step, missing, present

_STAMP = "slipway-requirements"
_INSTALLED = (
    "import importlib.metadata as m; "
    "print('\\n'.join(d.metadata['Name'] + '==' + d.version for d in m.distributions()))"
)


def step(host: Host, dev: bool) -> Step:
    """The step that provides the virtual environment."""
    return Step("Python environment", lambda: look(host, dev), lambda: act(host, dev))


def lock_file(host: Host, dev: bool) -> Path:
    """The locked requirements, with or without what only development needs."""
    return host.places.root / ("requirements-dev.txt" if dev else "requirements.txt")


def look(host: Host, dev: bool) -> Finding:
    """The environment runs, was installed to the end, and holds the locked versions."""
    stamp = host.places.venv / _STAMP
    if not stamp.is_file():
        return missing("no complete .venv")
    made = files.read_variables(stamp)
    if made.get("at") != str(host.places.venv):
        return missing(".venv was made for another place")
    # One with the packages for development has all the others too.
    if made.get("lock") not in {_hash(lock_file(host, kind)) for kind in (dev, True)}:
        return missing(f"{lock_file(host, dev).name} has changed")
    python = host.places.venv / "bin" / "python"
    outcome = host.commands.run([str(python), "-I", "-c", _INSTALLED])
    if not outcome.ok:
        return missing(f".venv does not run: {outcome.reason}")
    found = {_key(line) for line in outcome.stdout.splitlines()}
    wanted = {_key(line) for line in pinned(lock_file(host, dev).read_text(encoding="utf-8"))}
    if absent := sorted(wanted - found):
        return missing(f".venv lacks {', '.join(absent[:3])}{' …' if len(absent) > 3 else ''}")
    return present(f"{len(wanted)} locked packages")


def act(host: Host, dev: bool) -> None:
    """Make the environment anew; what a changed lock file no longer names must not stay."""
    venv, lock = host.places.venv, lock_file(host, dev)
    # The interpreter may be the environment's own, when bootstrap runs in an activated shell.
    python = getattr(sys, "_base_executable", None) or sys.executable
    if venv.is_symlink() or venv.is_file():
        venv.unlink()
    shutil.rmtree(venv, ignore_errors=True)
    made = host.commands.watch([python, "-m", "venv", str(venv)], "python -m venv")
    if not made.ok:
        raise SetupError(
            f"cannot make {venv}",
            "install the venv module (on Debian and Ubuntu: apt-get install python3-venv), "
            "then run scripts/bootstrap again",
            made.stdout,
        )
    pip = [str(venv / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input"]
    installed = host.commands.watch(
        [*pip, "install", "--require-hashes", "-r", str(lock)], f"pip install -r {lock.name}"
    )
    if not installed.ok:
        raise SetupError(
            f"pip could not install {lock.name} into {venv}",
            "check that the package index is reachable (proxy and certificate settings of pip "
            "included), then run scripts/bootstrap again",
            installed.stdout,
        )
    # The scripts in it name their interpreter by path: a moved checkout needs a new one.
    files.write_variables(venv / _STAMP, {"at": str(venv), "lock": _hash(lock)})


def pinned(lock: str) -> list[str]:
    """The `name==version` of a lock file, without those for other systems only."""
    pins = []
    for line in lock.splitlines():
        match = re.match(r"([A-Za-z0-9._-]+==[^\s;\\]+)\s*(?:;\s*([^\\]+))?", line)
        if match and "== 'win32'" not in (match.group(2) or ""):
            pins.append(match.group(1))
    return pins


def _key(pin: str) -> str:
    name, _, version = pin.strip().partition("==")
    return f"{re.sub(r'[-_.]+', '-', name).lower()}=={version}"


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
