"""What may be wrong with the machine: each check is a function from facts to findings."""

import re
from collections.abc import Iterator
from dataclasses import replace

from slipway.doctor.facts import Disk, MachineFacts, Unread
from slipway.doctor.findings import Finding, ok, problem, sized, warning

OLDEST_CLI = (3, 238)
"""Before it, a hook that failed was only warned of, and a refused release counted as a success."""
DISK_WARN_BYTES = 5 * 10**9
DISK_WARN_SHARE = 0.10
DISK_FAIL_BYTES = 10**9
_BOOTSTRAP = "scripts/bootstrap, then: . scripts/activate"
_BACKEND = "pulumi whoami --verbose; a new checkout needs scripts/bootstrap first"


def check_machine(facts: MachineFacts) -> list[Finding]:
    """All findings about the machine."""
    return [
        check_engine(facts),
        check_cli(facts),
        check_plugin(facts),
        *check_registries(facts),
        *check_disks(facts),
        check_backend(facts),
        check_passphrase(facts),
    ]


def check_engine(facts: MachineFacts) -> Finding:
    """The Docker engine answers."""
    if isinstance(facts.engine, Unread):
        why = "nothing can be released, and what serves cannot be looked at"
        what = facts.engine.why.partition("; ")[0]
        return problem("engine", what, why, "scripts/bootstrap, or: systemctl start docker")
    where = "" if facts.engine.local else ", on another machine"
    return ok("engine", f"Docker {facts.engine.version} answers{where}")


def check_cli(facts: MachineFacts) -> Finding:
    """The Pulumi CLI runs and is new enough."""
    if isinstance(facts.cli, Unread):
        return problem("pulumi", facts.cli.why, "no stack can be read or released", _BOOTSTRAP)
    if _numbers(facts.cli) < OLDEST_CLI:
        oldest = ".".join(map(str, OLDEST_CLI))
        why = "under it a release that fails its checks would count as a success"
        return problem("pulumi", f"{facts.cli} is older than {oldest}", why, _BOOTSTRAP)
    return ok("pulumi", facts.cli)


def check_plugin(facts: MachineFacts) -> Finding:
    """The Docker provider plugin is installed."""
    why = "the engine cannot make containers without it"
    if isinstance(facts.plugins, Unread):
        return warning("plugin", f"not looked at: {facts.plugins.why}", why, _BOOTSTRAP)
    if not facts.plugins:
        return problem("plugin", "the Docker provider plugin is missing", why, _BOOTSTRAP)
    return ok("plugin", f"docker {', '.join(facts.plugins)}")


def check_registries(facts: MachineFacts) -> Iterator[Finding]:
    """Each registry that a stack pushes to answers."""
    for host, reason in sorted(facts.registries.items()):
        if reason is None:
            yield ok("registry", f"{host} answers")
            continue
        why = "images can neither be looked up nor pushed, so that no release can begin"
        local = host.partition(":")[0] in ("localhost", "127.0.0.1")
        command = "scripts/bootstrap" if local else f"curl -i https://{host}/v2/"
        yield problem("registry", reason.partition("; ")[0], why, command)


def check_disks(facts: MachineFacts) -> Iterator[Finding]:
    """There is space for images and for the state."""
    by_device: dict[int, Disk] = {}
    for disk in facts.disks:
        if isinstance(disk, Unread):
            yield ok("disk", f"not looked at: {disk.why}")
        elif disk.device in by_device:  # Two folders of one file system share its space.
            both = f"{by_device[disk.device].holds} and {disk.holds}"
            by_device[disk.device] = replace(by_device[disk.device], holds=both)
        else:
            by_device[disk.device] = disk
    yield from map(_judge_disk, by_device.values())


def _judge_disk(disk: Disk) -> Finding:
    share = disk.free / disk.total if disk.total else 0.0
    what = f"{sized(disk.free)} of {sized(disk.total)} free for {disk.holds} ({disk.path})"
    command = "scripts/doctor --prune, then: docker builder prune"
    if disk.free < DISK_FAIL_BYTES:
        why = "a build or the writing of the state can fail half-way"
        return problem("disk", what, why, command)
    if disk.free < DISK_WARN_BYTES or share < DISK_WARN_SHARE:
        return warning("disk", what, "some more releases will fill it", command)
    return ok("disk", what)


def check_backend(facts: MachineFacts) -> Finding:
    """The backend says which stacks it has."""
    if isinstance(facts.backend, Unread):
        why = "without the state nothing can be released, and nothing is known of what serves"
        return problem("backend", facts.backend.why, why, _BACKEND)
    return ok("backend", f"has {', '.join(facts.backend) or 'no stacks'}")


def check_passphrase(facts: MachineFacts) -> Finding:
    """Only its owner may read the passphrase of the stacks' secrets."""
    found = facts.passphrase
    if found is None:
        return ok("passphrase", "from the environment")
    if found.mode is None:
        why = "the secrets of the stacks cannot be decrypted"
        command = f"put the passphrase into {found.file}; for a first set-up: scripts/bootstrap"
        return problem("passphrase", f"there is no {found.file}", why, command)
    if found.mode & 0o077:
        what = f"{found.file} has the mode {found.mode:04o}"
        why = "whoever can read it can decrypt the secrets of all stacks"
        return problem("passphrase", what, why, f"chmod 600 {found.file}")
    return ok("passphrase", f"{found.file} is its owner's alone")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version.split("-")[0])[:3])
