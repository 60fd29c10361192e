"""Pulumi's file backend, the passphrase of its secrets, and the stacks."""

import json
import secrets
from collections.abc import Mapping
from pathlib import Path

from slipway.toolchain import environment, files
from slipway.toolchain.errors import SetupError
from slipway.toolchain.host import Host
from slipway.toolchain.plan import Finding, Step, missing, present


def step(host: Host) -> Step:
    """The step that provides state folder and passphrase."""
    return Step("Pulumi state and passphrase", lambda: look(host), lambda: act(host))


def look(host: Host) -> Finding:
    """What the user has not set is there."""
    variables = environment.project_environment(host.places.root, host.environ)
    problems = []
    if environment.uses_own_state(host.places, variables) and not host.places.state.is_dir():
        problems.append("no state folder")
    if environment.uses_own_passphrase(host.places, variables):
        if not host.places.passphrase.is_file():
            problems.append("no passphrase")
        elif host.places.passphrase.stat().st_mode & 0o077:
            problems.append("others can read the passphrase file")
    if problems:
        return missing(", ".join(problems))
    return present(variables["PULUMI_BACKEND_URL"])


def act(host: Host) -> None:
    """Make the folder, and a passphrase nobody has to invent."""
    variables = environment.project_environment(host.places.root, host.environ)
    if environment.uses_own_state(host.places, variables):
        host.places.state.mkdir(parents=True, exist_ok=True)
    if environment.uses_own_passphrase(host.places, variables):
        if host.places.passphrase.is_file():
            host.places.passphrase.chmod(0o600)
        else:
            files.write(host.places.passphrase, secrets.token_urlsafe(32) + "\n", mode=0o600)


def stacks_step(host: Host) -> Step:
    """The step that makes the stacks known to the backend."""
    return Step("Stacks", lambda: look_stacks(host), lambda: act_stacks(host))


def look_stacks(host: Host) -> Finding:
    """Each stacks/Pulumi.<name>.yaml has a stack in the backend."""
    if not (host.places.root / "Pulumi.yaml").is_file():
        return present("skipped: no Pulumi.yaml here yet")
    wanted = configured(host.places.root)
    known = _known(host)
    if known is None:
        return missing("the backend does not say which stacks it has")
    absent = sorted(set(wanted) - known)
    if absent:
        return missing(f"the backend does not know {', '.join(absent)}")
    return present(", ".join(wanted) or "none configured")


def act_stacks(host: Host) -> None:
    """Initialise the stacks that the backend does not have."""
    known = _known(host)
    for name in configured(host.places.root):
        if known is not None and name in known:
            continue
        done = host.commands.run(
            ["pulumi", "stack", "init", name, "--no-select", "--non-interactive"],
            env=_environment(host),
            cwd=host.places.root,
            timeout=120,
        )
        if not done.ok:
            raise SetupError(
                f"stack {name} could not be made: {done.reason}",
                f"check PULUMI_BACKEND_URL and the passphrase. If stacks/Pulumi.{name}.yaml has an "
                "encryptionsalt, it belongs to one passphrase: name the file with that one in "
                "PULUMI_CONFIG_PASSPHRASE_FILE, or remove the line if there is no `secure:` value",
                done.stderr,
            )


def configured(root: Path) -> list[str]:
    """Names of the stacks that have a configuration file."""
    found = sorted((root / "stacks").glob("Pulumi.*.yaml"))
    return [path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in found]


def _known(host: Host) -> set[str] | None:
    listing = host.commands.run(
        ["pulumi", "stack", "ls", "--json", "--non-interactive"],
        env=_environment(host),
        cwd=host.places.root,
    )
    if not listing.ok:
        return None
    # Other backends put the organisation before the name.
    return {str(entry["name"]).rpartition("/")[2] for entry in json.loads(listing.stdout or "[]")}


def _environment(host: Host) -> Mapping[str, str]:
    return environment.project_environment(host.places.root, host.environ)
