"""The collectors: all that doctor knows of machine and stacks is asked for here, unjudged.

One thing that is broken must not hide the others: each question has its own guard.
"""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from slipway.compose import Reading
from slipway.doctor.facts import (
    Disk,
    Engine,
    Evidence,
    LockFact,
    MachineFacts,
    Orphan,
    Passphrase,
    StackFacts,
    StateFacts,
    Unread,
)
from slipway.doctor.serving import Serving
from slipway.doctor.stack_file import StackFile
from slipway.doctor.surroundings import Project, Surroundings, attempt, compose_path
from slipway.errors import ConfigError, UserError
from slipway.image_plan import pulled_images
from slipway.locks import find_locks, interrupted_creates, left_behind, lock_folder
from slipway.pin import find_unpinned
from slipway.public_port import require_free_port
from slipway.toolchain.places import Places

_PLUGIN = "docker"
_NO_ENGINE = "no Docker engine answers"
_RUN = "%Y%m%dT%H%M%SZ"

# --- the machine ----------------------------------------------------------------------------


def collect_machine(around: Surroundings, project: Project) -> MachineFacts:
    """What all stacks share."""
    registries = {file.registry.partition("/")[0] for file in project.configured.values()}
    engine = attempt(lambda: _engine(around))
    with ThreadPoolExecutor() as pool:
        cli = pool.submit(attempt, around.pulumi.version)
        plugins = pool.submit(attempt, lambda: around.pulumi.plugins(_PLUGIN))
    return MachineFacts(
        engine=engine,
        cli=cli.result(),
        plugins=plugins.result(),
        registries={host: _registry(around, host) for host in sorted(registries)},
        disks=(_docker_disk(engine), _state_disk(around, project)),
        backend=project.known,
        passphrase=_passphrase(around),
    )


def _engine(around: Surroundings) -> Engine | Unread:
    if isinstance(around.host, Unread) or isinstance(around.images, Unread):
        return around.host if isinstance(around.host, Unread) else Unread(_NO_ENGINE)
    return Engine(around.images.version(), around.images.data_root(), around.host.local)


def _registry(around: Surroundings, host: str) -> str | None:
    found = attempt(lambda: around.registry.require_answer(host))
    return found.why if isinstance(found, Unread) else None


def _docker_disk(engine: Engine | Unread) -> Disk | Unread:
    if isinstance(engine, Unread):
        return Unread(f"Docker's folder: {_NO_ENGINE}")
    if not engine.local:
        return Unread("Docker's folder is on another machine")
    if not engine.data_root.exists():  # Docker Desktop: it is inside a virtual machine.
        return Unread(f"Docker's folder {engine.data_root} is not on this machine")
    return attempt(lambda: _disk("Docker", engine.data_root))


def _state_disk(around: Surroundings, project: Project) -> Disk | Unread:
    backend = around.environ.get("PULUMI_BACKEND_URL", "")
    locks = lock_folder(backend, project.name, "any", around.root)
    folder = Places.of(around.root, around.environ).private if locks is None else locks.parents[4]
    there = next(place for place in (folder, *folder.parents) if place.exists())
    return attempt(lambda: _disk("the state", there))


def _disk(holds: str, path: Path) -> Disk:
    usage = shutil.disk_usage(path)
    return Disk(holds, path, usage.free, usage.total, os.stat(path).st_dev)


def _passphrase(around: Surroundings) -> Passphrase | None:
    if "PULUMI_CONFIG_PASSPHRASE" in around.environ:
        return None
    named = around.environ.get("PULUMI_CONFIG_PASSPHRASE_FILE")
    file = Path(named) if named else Places.of(around.root, around.environ).passphrase
    try:
        return Passphrase(file, file.stat().st_mode & 0o7777)
    except OSError:
        return Passphrase(file, None)


# --- a stack --------------------------------------------------------------------------------


def collect_stack(around: Surroundings, project: Project, name: str) -> StackFacts:
    """What is known of one stack."""
    facts = collect_leftovers(around, project, name)
    file, serving = facts.file, _serving(project, name)
    reading = project.readings.get(name, Unread("there is no configuration"))
    ingress = serving.ingress if isinstance(serving, Serving) else ""
    if not ingress and isinstance(reading, Reading):
        ingress = f"{reading.project.name}-{name}-ingress"
    return replace(
        facts,
        port_taken=attempt(lambda: _port_taken(around, file, ingress)),
        compose=_unpinned(around, file, reading),
        drift=attempt(lambda: _drift(around, serving)),
        evidence=_evidence(around, name),
    )


def collect_leftovers(around: Surroundings, project: Project, name: str) -> StackFacts:
    """What must be known of a stack before anything is removed."""
    serving = _serving(project, name)
    return StackFacts(
        name=name,
        file=project.files.get(name, Unread(f"there is no stacks/Pulumi.{name}.yaml")),
        state=_state(project, name, serving),
        locks=attempt(lambda: _locks(around, project, name)),
        orphans=attempt(lambda: _orphans(around, serving)),
    )


def _serving(project: Project, name: str) -> Serving | Unread | None:
    """What the stack serves; None if the backend has no such stack."""
    if isinstance(project.known, Unread):
        return Unread("the backend does not answer")
    export = project.exports.get(name)
    if export is None or isinstance(export, Unread):
        return export
    return attempt(lambda: Serving(name, export))


def _state(
    project: Project, name: str, serving: Serving | Unread | None
) -> StateFacts | Unread | None:
    if serving is None or isinstance(serving, Unread):
        return serving
    pending = interrupted_creates(project.exports[name])  # type: ignore[arg-type]
    return StateFacts(serving.release, tuple(pending))


def _locks(around: Surroundings, project: Project, name: str) -> tuple[LockFact, ...] | None:
    backend = around.environ.get("PULUMI_BACKEND_URL", "")
    folder = lock_folder(backend, project.name, name, around.root)
    if folder is None:
        return None
    return tuple(
        LockFact(
            text=str(lock),
            over=left_behind(lock, around.hostname, around.started),
            here=lock.host == around.hostname,
            pid=lock.pid,
        )
        for lock in find_locks(folder)
    )


def _port_taken(
    around: Surroundings, file: StackFile | Unread, ingress: str
) -> str | Unread | None:
    if isinstance(file, Unread) or file.port is None:
        return None
    if isinstance(around.host, Unread):
        return Unread(_NO_ENGINE)
    if not ingress:
        return Unread("neither state nor compose file tells the name of the stack's own proxy")
    try:
        require_free_port(file.port, ingress, around.host)
    except UserError as error:
        return str(error)
    return None


def _unpinned(
    around: Surroundings, file: StackFile | Unread, reading: Reading | Unread
) -> tuple[str, ...] | Unread:
    if isinstance(file, Unread):
        return ()
    path = compose_path(around, file)
    found = attempt(lambda: find_unpinned(path, around.environ))
    if isinstance(found, Unread):
        return found
    if isinstance(reading, Unread):
        return reading
    # What holds a variable is judged with its value, and that by the rule that a deploy has.
    literal = [f for f in found if "$" not in f.image]
    lines = [f"{f.file}:{f.line} {f.image} is not pinned" for f in literal]
    told = tuple(f"{f.file}:{f.line} " for f in literal)
    try:
        pulled_images(reading.project, reading.lines)
    except ConfigError as error:
        here = [p for p in error.problems if p.startswith(f"{path}:") and not p.startswith(told)]
        lines += [problem.partition("; ")[0] for problem in here]
    return tuple(lines)


def _drift(
    around: Surroundings, serving: Serving | Unread | None
) -> tuple[str, ...] | Unread | None:
    # A state that cannot be read is told by itself.
    if serving is None or isinstance(serving, Unread) or serving.release is None:
        return None
    if isinstance(around.host, Unread):
        return Unread(_NO_ENGINE)
    return serving.drift(around.host, around.prober)


def _orphans(around: Surroundings, serving: Serving | Unread | None) -> tuple[Orphan, ...] | Unread:
    if serving is None or isinstance(serving, Unread):
        return serving or ()
    if isinstance(around.host, Unread) or isinstance(around.images, Unread):
        return Unread(_NO_ENGINE)
    return serving.orphans(around.host, around.images.created)


def _evidence(around: Surroundings, name: str) -> tuple[Evidence, ...]:
    folder = Places.of(around.root, around.environ).private / "evidence" / name
    return tuple(
        Evidence(file.relative_to(around.root), _begun(file))
        for file in sorted(folder.glob("*-unfinished.json"))
    )


def _begun(file: Path) -> datetime | None:
    try:
        return datetime.strptime(file.name.partition("-")[0], _RUN).replace(tzinfo=UTC)
    except ValueError:
        return None
