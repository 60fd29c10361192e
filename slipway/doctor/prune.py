"""Removing what no release needs: first a list, then, once it was agreed to, the removal."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from slipway.doctor.collect import collect_leftovers
from slipway.doctor.facts import Orphan, StackFacts, Unread
from slipway.doctor.registry_images import Repository
from slipway.doctor.retention import Candidate
from slipway.doctor.stock import look_for_old
from slipway.doctor.surroundings import Project, Surroundings
from slipway.errors import GateError, HostError, UserError
from slipway.host import Host

_LONGEST_RUN = timedelta(hours=1)
"""Age after which a container is an orphan although no lock tells whether a deploy runs."""


@dataclass(frozen=True)
class Plan:
    """What may go.

    Args:
        images: of host and registries.
        containers: of stacks whose state does not know them.
        unread: what could not be looked at, a line each.
    """

    images: tuple[Candidate, ...] = ()
    containers: tuple[Orphan, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        return not self.images and not self.containers

    def within(self, agreed: "Plan") -> "Plan":
        """What of this plan was in one that somebody agreed to."""
        keys = {image.key for image in agreed.images}
        ids = {container.id for container in agreed.containers}
        images = tuple(image for image in self.images if image.key in keys)
        containers = tuple(orphan for orphan in self.containers if orphan.id in ids)
        return Plan(images, containers, self.unread)


@dataclass
class Outcome:
    """What became of a plan.

    Args:
        removed: what is gone, by name.
        failed: what is not, and why.
    """

    removed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def make_plan(around: Surroundings, project: Project, chosen: Sequence[str]) -> Plan:
    """What may go now.

    Args:
        around: what to ask.
        project: all stacks.
        chosen: those whose containers and repositories are looked at.

    Raises:
        UserError: it is not known what all stacks need, or a deploy is running; nothing may go.
    """
    known = () if isinstance(project.known, Unread) else project.known
    stacks = [collect_leftovers(around, project, n) for n in sorted({*project.files, *known})]
    for stack in stacks:  # All of them: they may share a repository.
        refuse_busy(stack)
    stock = look_for_old(around, project, chosen)
    orphans = [o for stack in stacks if stack.name in chosen for o in removable(stack, around)]
    return Plan(stock.candidates, tuple(orphans), stock.unread)


def refuse_busy(stack: StackFacts) -> None:
    """Refuse while a deploy may be using images that its ledger does not name yet.

    Raises:
        GateError: one is running, or its lock cannot be read.
    """
    if isinstance(stack.locks, Unread):
        raise GateError(stack.locks.why)
    for lock in stack.locks or ():
        if not lock.over:
            raise GateError(
                f"stack {stack.name} is locked by {lock.text}; wait for its deploy, or clear the "
                "lock if it has ended; scripts/doctor tells how"
            )


def removable(stack: StackFacts, around: Surroundings) -> Iterable[Orphan]:
    """The containers of a stack that may go."""
    if isinstance(stack.orphans, Unread):
        return
    for orphan in stack.orphans:
        young = orphan.created is None or around.now - orphan.created < _LONGEST_RUN
        if not orphan.routed and not (stack.locks is None and young):
            yield orphan


def carry_out(plan: Plan, around: Surroundings) -> Outcome:
    """Remove what a plan names. Containers go first: they hold images."""
    outcome = Outcome()
    if isinstance(around.host, Unread) or isinstance(around.images, Unread):
        raise HostError("no Docker engine answers")
    for orphan in plan.containers:
        _remove_container(orphan, around.host, outcome)
    closed: set[str] = set()
    for image in plan.images:
        try:
            if image.where == "host":
                for name in image.names:
                    around.images.remove(name)
            else:
                repository = Repository(around.registry, image.names[0].partition("@")[0])
                if repository.host in closed:
                    continue
                repository.remove(image.digest)
        except UserError as error:
            if image.where == "registry":  # It will say the same of each of its images.
                closed.add(repository.host)
            outcome.failed.append(str(error))
            continue
        outcome.removed.append(f"{image.reference} ({image.where})")
    return outcome


def _remove_container(orphan: Orphan, host: Host, outcome: Outcome) -> None:
    try:
        host.remove(orphan.id)
    except UserError as error:
        outcome.failed.append(str(error))
    else:
        outcome.removed.append(f"container {orphan.name}")
