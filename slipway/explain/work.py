"""The work that a release would be: images to build, commands to run."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from slipway.explain.model import Command, SourceImage
from slipway.explain.settings import readable
from slipway.image_plan import ImagePlan
from slipway.none_values import with_none
from slipway.plan import ContainerPlan
from slipway.roles import Role


def source_images(plans: Sequence[ContainerPlan]) -> tuple[SourceImage, ...]:
    """The images that are made from the source, by name."""
    found: dict[str, SourceImage] = {}
    for plan in sorted(plans, key=lambda one: one.service.name):
        if plan.job_of is None and isinstance(plan.image, ImagePlan):
            name = str(plan.image.reference)
            services = found[name].services if name in found else ()
            found[name] = SourceImage(name, (*services, plan.service.name), plan.image.digest)
    return tuple(found[name] for name in sorted(found))


def commands_to_run(
    plans: Sequence[ContainerPlan], entry: Mapping[str, Any] | None
) -> tuple[Command, ...]:
    """The jobs that have not run for the release that serves, in the order in which they run.

    Args:
        plans: the containers of the release, in the order in which they start.
        entry: the ledger's newest; None for a stack without a release.
    """
    kept = entry["services"] if entry else {}
    return tuple(
        Command(plan.job_of or plan.service.name, _command(plan), plan.job_of is not None)
        for plan in plans
        if plan.role is Role.JOB
        and kept.get(plan.service.name, {}).get("revision") != plan.revision
    )


def _command(plan: ContainerPlan) -> str:
    """As the record has it: there, secrets stand by reference."""
    service = with_none(plan.record.content.get("service", {}))
    written = service.get("command")
    if plan.job_of is not None:
        written = (service.get("x-slipway") or {}).get("release")
    shown = readable(written)
    return shlex.join(map(str, shown)) if isinstance(shown, list) else str(shown or "")
