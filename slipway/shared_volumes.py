"""Volumes that are in use elsewhere on the host: by another stack, or by no stack at all."""

from collections.abc import Mapping, Sequence

from slipway.backing_changes import EXCLUSIVE, written_volumes
from slipway.errors import HostError
from slipway.host import LABEL_OWNER, Host
from slipway.plan import ContainerPlan


def refuse_shared_volumes(
    plans: Sequence[ContainerPlan], volumes: Mapping[str, str], owner: str, host: Host
) -> None:
    """Refuse to start what must be alone on a volume to which someone else writes.

    The stack's own containers are told from its state (`slipway.backing_changes`).

    Args:
        plans: the containers of the release.
        volumes: names of volumes on the host.
        owner: the mark of the stack's own containers.
        host: the engine.

    Raises:
        HostError: one or more volumes are in use.
    """
    problems = []
    for plan in plans:
        found = host.container(plan.name)
        if plan.role not in EXCLUSIVE or (found is not None and found.running):
            continue
        for volume in sorted({volumes.get(name, name) for name in written_volumes(plan.service)}):
            users = [c for c in host.writers(volume) if c.labels.get(LABEL_OWNER) != owner]
            problems += [
                f"services.{plan.service.name}: container {user.name}, which is not of this "
                f"stack, runs and may write to volume {volume}: two databases on one volume "
                f"destroy it; stop it first (docker stop {user.name}), have it mount the volume "
                "read-only, or use another volume"
                for user in users
            ]
    if problems:
        raise HostError("\n".join(problems))
