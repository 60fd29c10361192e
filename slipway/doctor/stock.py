"""Asking host and registry for the images that no release needs any more."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from slipway.compose import Reading
from slipway.doctor.facts import Unread
from slipway.doctor.registry_images import Repository
from slipway.doctor.retention import (
    Candidate,
    Needed,
    built_repositories,
    needed_by,
    old_in_registry,
    old_on_host,
    unneeded,
)
from slipway.doctor.stack_file import DEFAULT_RETENTION, StackFile
from slipway.doctor.surroundings import Project, Surroundings
from slipway.errors import HostError, RegistryError
from slipway.reference import parse_reference


@dataclass(frozen=True)
class Stock:
    """What was found.

    Args:
        candidates: images that may go.
        repositories: where they were looked for.
        unread: registries' repositories that could not be looked at, and why.
    """

    candidates: tuple[Candidate, ...]
    repositories: tuple[str, ...]
    unread: tuple[str, ...] = ()


def look_for_old(around: Surroundings, project: Project, stacks: Iterable[str]) -> Stock:
    """The images that may go from the repositories of some stacks.

    Args:
        around: what to ask.
        project: all stacks, whose releases are all kept.
        stacks: whose repositories are looked at.

    Raises:
        HostError: it is not known what all stacks need, so that nothing may go.
        ConfigError: a ledger cannot be read.
    """
    exports, files = _all_known(project)
    if isinstance(around.images, Unread):
        raise HostError(f"{around.images.why}: which images containers use is not known")
    needed = needed_by(exports, around.images.used())
    repositories = _repositories(project, exports, files, set(stacks))
    found = old_on_host(around.images.all(), needed, repositories, around.now)
    unread = []
    for name, retention in sorted(repositories.items()):
        try:
            found += _in_registry(around, name, needed, retention)
        except RegistryError as error:
            unread.append(str(error))
    order = sorted(found, key=lambda candidate: (candidate.reference, candidate.where))
    return Stock(tuple(order), tuple(sorted(repositories)), tuple(dict.fromkeys(unread)))


def _all_known(
    project: Project,
) -> tuple[dict[str, dict[str, Any]], dict[str, StackFile]]:
    """The states and configurations of all stacks, without exception."""
    if isinstance(project.known, Unread):
        raise HostError(f"{project.known.why}; what its stacks need is not known")
    exports, files = {}, {}
    for name, export in project.exports.items():
        if isinstance(export, Unread):
            raise HostError(f"{export.why}; what its releases need is not known")
        exports[name] = export
    for name, file in project.files.items():
        if isinstance(file, Unread):
            raise HostError(f"{file.why}; its slipway:imageRetention is not known")
        files[name] = file
    return exports, files


def _repositories(
    project: Project,
    exports: Mapping[str, Mapping[str, Any]],
    files: Mapping[str, StackFile],
    stacks: set[str],
) -> dict[str, float]:
    """The repositories of some stacks, each with the longest time that any stack wants."""
    found: dict[str, float] = {}
    chosen: set[str] = set()
    for name in exports.keys() | files.keys():
        own = set(built_repositories(name, exports.get(name, {})))
        file, reading = files.get(name), project.readings.get(name)
        if file is not None and isinstance(reading, Reading):
            own.add(parse_reference(f"{file.registry}/{reading.project.name}").name)
        retention = file.retention if file else DEFAULT_RETENTION
        for repository in own:
            found[repository] = max(found.get(repository, 0.0), retention)
        if name in stacks:
            chosen |= own
    return {repository: found[repository] for repository in chosen}


def _in_registry(
    around: Surroundings, name: str, needed: Needed, retention: float
) -> list[Candidate]:
    repository = Repository(around.registry, name)
    spare = unneeded(repository.tags(), needed)
    return old_in_registry(repository.images(spare), needed, retention, around.now)
