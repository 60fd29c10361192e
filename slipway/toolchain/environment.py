"""The environment in which Pulumi and the scripts run, for shells and for Python alike.

`. scripts/activate` evaluates what `python3 -m slipway.toolchain.environment --shell` prints.
"""

import argparse
import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from slipway.toolchain import files
from slipway.toolchain.docker_plugin import is_fallback
from slipway.toolchain.places import Places

_PASSPHRASE = "PULUMI_CONFIG_PASSPHRASE"  # noqa: S105  (the name of a variable)
_PASSPHRASE_FILE = f"{_PASSPHRASE}_FILE"


def project_environment(root: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The whole environment for programs that work on a checkout.

    The programs that bootstrap provides and the virtual environment go first on PATH; backend and
    passphrase are the checkout's own unless the user has set others. Applying it twice changes
    nothing, and an environment made for another checkout is taken over.

    Args:
        root: the checkout.
        environ: the environment so far.

    Example:
        >>> project_environment(Path("/srv/shop"), {"HOME": "/home/kim"})["PULUMI_BACKEND_URL"]
        'file:///srv/shop/.slipway/state?metadata=skip'
    """
    places = Places.of(root, environ)
    variables = dict(environ)
    _forget_other_checkout(variables, root)
    # The built language host ignores runtime.options.virtualenv: the first `python` on PATH counts.
    first = [str(places.venv / "bin"), str(places.bin)]
    rest = [
        part for part in variables.get("PATH", os.defpath).split(os.pathsep) if part not in first
    ]
    variables["PATH"] = os.pathsep.join(first + rest)
    variables["SLIPWAY_HOME"] = str(root)
    variables["PULUMI_SKIP_UPDATE_CHECK"] = "true"
    if not variables.get("PULUMI_BACKEND_URL"):
        variables["PULUMI_BACKEND_URL"] = own_backend(places)
    if _PASSPHRASE not in variables and not variables.get(_PASSPHRASE_FILE):
        variables[_PASSPHRASE_FILE] = str(places.passphrase)
    if is_fallback(places):
        # The download that the engine would try for other plugins is out of reach here.
        variables["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
    variables.update(files.read_variables(places.images))
    return variables


def own_backend(places: Places) -> str:
    """URL of the checkout's own backend.

    Without `metadata=skip` a small file of attributes lies beside each state file and is not
    replaced atomically: a run that is killed in that instant leaves an empty one, and from then
    on Pulumi cannot load the state ("failed to load checkpoint: EOF").
    """
    return f"file://{places.state}?metadata=skip"


def uses_own_state(places: Places, variables: Mapping[str, str]) -> bool:
    """Whether the state is in the checkout's own folder."""
    return variables.get("PULUMI_BACKEND_URL") == own_backend(places)


def uses_own_passphrase(places: Places, variables: Mapping[str, str]) -> bool:
    """Whether the passphrase is the generated one."""
    return variables.get(_PASSPHRASE_FILE) == str(places.passphrase)


def shell_lines(root: Path, environ: Mapping[str, str]) -> list[str]:
    """Lines for bash or zsh that turn `environ` into the project's environment."""
    wanted = project_environment(root, environ)
    lines = [
        f"export {name}={shlex.quote(value)}"
        for name, value in sorted(wanted.items())
        if environ.get(name) != value
    ]
    return lines + [f"unset {name}" for name in sorted(set(environ) - set(wanted))]


def _forget_other_checkout(variables: dict[str, str], root: Path) -> None:
    """Drop what an activation of another checkout has set, lest it pass for the user's."""
    previous = variables.get("SLIPWAY_HOME")
    if not previous or Path(previous) == root:
        return
    other = Places.of(Path(previous), variables)
    if uses_own_state(other, variables):
        del variables["PULUMI_BACKEND_URL"]
    if uses_own_passphrase(other, variables):
        del variables[_PASSPHRASE_FILE]
    parts = variables.get("PATH", "").split(os.pathsep)
    variables["PATH"] = os.pathsep.join(p for p in parts if p != str(other.venv / "bin"))


def main() -> None:
    """Print the environment for a shell."""
    parser = argparse.ArgumentParser(
        prog="python3 -m slipway.toolchain.environment",
        description="Print shell lines that set the project's environment.",
    )
    parser.add_argument("--shell", action="store_true", required=True, help="for bash and zsh")
    # A python3 that is a version manager's shim sees folders on PATH that the shell does not have.
    parser.add_argument("--path", default=os.environ.get("PATH", ""), help="the shell's own PATH")
    path = parser.parse_args().path
    root = Path(__file__).resolve().parents[2]
    print("\n".join(shell_lines(root, {**os.environ, "PATH": path})))


if __name__ == "__main__":
    main()
