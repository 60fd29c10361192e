"""What a release is made from, wherever that comes from: the source, or the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from slipway.blueprint import Record, own_services
from slipway.errors import ConfigError
from slipway.image_plan import Image
from slipway.key_lines import KeyLines
from slipway.mounted_files import Mounted
from slipway.released import Restored, restore
from slipway.roles import release_name
from slipway.services import Project
from slipway.state import LiveFact

_V = TypeVar("_V")


@dataclass(frozen=True)
class Declared:
    """What a release is made from.

    Args:
        project: services, volumes and networks.
        lines: finds lines for messages.
        images: by service.
        mounted: what services mount beside named volumes.
        records: services as the ledger keeps them.
        beside: the project beside its services, as the ledger keeps it.
        alone: services that must be proven before others of their role start.
        entry: the release of the ledger that this is; None if it comes from the source.
        serving: names of the containers that serve this very release, by service.
    """

    project: Project
    lines: KeyLines
    images: Mapping[str, Image]
    mounted: Mapping[str, Mounted]
    records: Mapping[str, Record]
    beside: Record
    alone: frozenset[str] = frozenset()
    entry: Mapping[str, Any] | None = None
    serving: Mapping[str, str] = field(default_factory=dict)

    @property
    def job_of(self) -> dict[str, str]:
        """The service whose release command a job runs, by the job's name."""
        services = self.project.services.values()
        return {release_name(s.name): s.name for s in services if s.extension.release is not None}

    def with_jobs(self, by_service: Mapping[str, _V]) -> dict[str, _V]:
        """What belongs to a service belongs to the job that runs its release command too."""
        jobs = {job: by_service[of] for job, of in self.job_of.items() if of in by_service}
        return {**by_service, **jobs}


class _OfRelease(KeyLines):
    """Places in a release of the ledger, which has no lines."""

    def where(self, *path: object) -> str:
        return f"{self.file} {'.'.join(str(part) for part in path)}"


def restored(
    number: int, live: LiveFact, configured: Mapping[str, str], kept: Mapping[str, str]
) -> Declared:
    """A release of the ledger.

    Args:
        number: which one.
        live: what serves, with the ledger.
        configured: today's secrets and variables of the stack's configuration.
        kept: what the state keeps, by name.

    Raises:
        ConfigError: the ledger has no such release, or a secret of it is gone.
    """
    entry = find_release(number, live)
    release: Restored = restore(entry, {**configured, **kept})
    serves = entry is live.ledger[0]
    services = own_services(entry).items()
    return Declared(
        release.project,
        _OfRelease(Path(release.project.file)),
        release.images,
        release.mounted,
        {n: Record(found["record"]) for n, found in services},
        Record(entry["project"]),
        release.alone,
        entry,
        {n: c["name"] for n, c in live.containers.items()} if serves else {},
    )


def find_release(number: int, live: LiveFact) -> Mapping[str, Any]:
    """The release with a number; the one that serves, if that is it or was made from it.

    Raises:
        ConfigError: the ledger has no such release.
    """
    if live.ledger and number in (live.ledger[0]["number"], live.ledger[0].get("rollback_of")):
        return live.ledger[0]
    for entry in live.ledger:
        if entry["number"] == number:
            return entry
    there = ", ".join(str(entry["number"]) for entry in live.ledger) or "none"
    raise ConfigError(
        [f"there is no release {number} in the ledger; there are: {there} (scripts/history)"]
    )
