"""What a release may not do to databases, and to all else of which never two may run.

A container of such a service goes on running until its successor has its name: only then does the
gate stop it. One under another name, or one that is started beside it, would write to the same
volume.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slipway.errors import ConfigError
from slipway.host_names import volume_names
from slipway.key_lines import KeyLines
from slipway.plan import ContainerPlan
from slipway.roles import Role
from slipway.services import Service, Volume, VolumeMount
from slipway.state import LiveFact

EXCLUSIVE = (Role.BACKING, Role.SINGLETON, Role.HELD)
"""Parts of which never two containers run."""
_EXTENSION = "x-slipway"


@dataclass(frozen=True)
class Change:
    """A release that is compared with what serves.

    Args:
        plans: its containers.
        live: what serves.
        volumes: names on the host of the release's volumes.
        prefix: names on the host begin with it.
    """

    plans: Sequence[ContainerPlan]
    live: LiveFact
    volumes: Mapping[str, str]
    prefix: str

    def is_same(self, plan: ContainerPlan) -> bool:
        """Whether a container serves already, or is to be made anew because it is gone."""
        found = self.live.containers.get(plan.service.name)
        if found is None:
            return False
        names = (plan.name, found["name"])
        return min(names) == max(names) or max(names).startswith(f"{min(names)}-")

    def writes(self, plan: ContainerPlan) -> set[str]:
        """Volumes of the host that a container writes to."""
        return {self.volumes.get(name, name) for name in written_volumes(plan.service)}

    def before(self, service: str) -> Mapping[str, Any]:
        """A service of the release that serves, as the ledger keeps it."""
        services = self.live.ledger[0]["services"] if self.live.ledger else {}
        found: Mapping[str, Any] = services.get(service, {}).get("record", {})
        return found

    def wrote(self, service: str) -> set[str]:
        """Volumes of the host that a service's live container writes to."""
        kept = self.live.ledger[0].get("project", {}).get("volumes", {}) if self.live.ledger else {}
        declared = {name: Volume.model_validate(found) for name, found in kept.items()}
        names = volume_names(declared, self.prefix)
        mounts = self.before(service).get("service", {}).get("volumes", [])
        written = (m for m in mounts if m.get("type") == "volume" and not m.get("read_only"))
        return {names.get(m["source"], m["source"]) for m in written if m.get("source")}

    def role(self, service: str) -> Role | None:
        """The part that a service's live container plays."""
        found = self.live.containers.get(service, {})
        return Role(found["role"]) if "role" in found else None


def written_volumes(service: Service) -> list[str]:
    """Names of the volumes that a service may write to."""
    mounts = (m for m in service.volumes if isinstance(m, VolumeMount) and not m.read_only)
    return [mount.source for mount in mounts if mount.source]


def refuse_backing_changes(change: Change, replace: frozenset[str], where: KeyLines) -> None:
    """Refuse a release that would change a database by the way, or start two on one volume.

    Args:
        change: the release, and what serves.
        replace: services whose change is asked for.
        where: finds lines for messages.

    Raises:
        ConfigError: a backing service differs from what runs, and nobody asked for it; or one
            could not be exchanged without two on one volume.
    """
    problems = [
        f"{where.where('services', plan.service.name)}: {problem}"
        for plan in change.plans
        if not change.is_same(plan)
        for problem in _problems(plan, change, replace)
    ]
    if problems:
        raise ConfigError(problems)


def _problems(plan: ContainerPlan, change: Change, replace: frozenset[str]) -> Iterator[str]:
    name = plan.service.name
    if change.role(name) is Role.BACKING:
        obstacle = None if plan.role in EXCLUSIVE else _side_by_side(plan, change)
        if obstacle is not None:
            yield obstacle
        elif name not in replace:
            yield (
                f"{_changes(plan, change)} differ from what runs "
                f"({change.live.containers[name]['name']}); it would be stopped, and started anew "
                f"on the same volumes, while the application waits; to do it: SLIPWAY_REPLACE="
                f"{name} pulumi up; see it first with pulumi preview"
            )
    if plan.job_of is None:
        yield from _inherited(plan, change)


def _side_by_side(plan: ContainerPlan, change: Change) -> str | None:
    """Why a service that never ran twice cannot become one that does; None if it can."""
    name, running = plan.service.name, change.live.containers[plan.service.name]["name"]
    shared = sorted(change.writes(plan) & change.wrote(name))
    if shared:
        return (
            f"{running} runs as a backing service, and as a {plan.role} the new container would "
            f"be started beside it, on the same volume {', '.join(shared)}; write x-slipway: "
            "{singleton: true}, so that the old one stops first"
        )
    callers = sorted(p.service.name for p in change.plans if name in p.service.depends_on)
    if plan.role is Role.WORKER and callers:
        return (
            f"{running} runs as a backing service that is called by its name, which a worker does "
            f"not have ({', '.join(callers)} depends on it); write x-slipway: {{singleton: true}}, "
            "or a route with internal: true"
        )
    return None


def _inherited(plan: ContainerPlan, change: Change) -> Iterator[str]:
    """Volumes that a service takes over from another one, whose container runs until the end."""
    new = change.writes(plan) - change.wrote(plan.service.name)
    planned = {p.service.name: p for p in change.plans}
    for other, found in sorted(change.live.containers.items()):
        if change.role(other) not in EXCLUSIVE or other == plan.service.name:
            continue
        shared = new & change.wrote(other)
        if other in planned:
            # Those that share a volume by the file have been made for it.
            shared -= change.writes(planned[other])
        if shared:
            yield (
                f"would be started beside {found['name']}, on the same volume "
                f"{', '.join(sorted(shared))}; keep the name {other} for it (a further name goes "
                "under networks: {default: {aliases: […]}}), give it another volume, or release "
                "once without either of the two first"
            )


def _changes(plan: ContainerPlan, change: Change) -> str:
    """The keys of a service in which its container differs from the one that the ledger knows."""
    before, after = change.before(plan.service.name), plan.record.content
    old, new = before.get("service", {}), after.get("service", {})
    keys = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
    beside = {key for key in ("environment", "files") if before.get(key) != after.get(key)}
    return ", ".join(sorted({*keys, *beside} - {_EXTENSION})) or "its settings"
