"""The container of one service."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_docker as docker

from components.labels import labels as as_labels
from slipway.durations import format_duration
from slipway.host import LABEL_REVISION, LABEL_ROLE, LABEL_SERVICE
from slipway.plan import ContainerPlan
from slipway.services import HealthCheck


@dataclass(frozen=True)
class ServiceContainerArgs:
    """Arguments of a service's container.

    Args:
        plan: what it is.
        image: `repository@sha256:…`.
        network: name of the stack's network.
        volumes: names on the host of the volumes that the compose file declares.
        labels: labels of the stack.
        secret: whether its settings hold a secret.
    """

    plan: ContainerPlan
    image: pulumi.Input[str]
    network: pulumi.Input[str]
    volumes: Mapping[str, pulumi.Input[str]]
    labels: Mapping[str, str]
    secret: bool


def service_container(args: ServiceContainerArgs, opts: pulumi.ResourceOptions) -> docker.Container:
    """Declare a container that is created but not started: starting is the gate's part.

    It is named after its revision, so that a change of anything makes another container and
    never replaces one that serves.
    """
    plan, service = args.plan, args.plan.service
    grace = round(service.stop_grace_period)
    environment = [f"{name}={value}" for name, value in sorted(plan.spec.environment.items())]
    hide: Callable[[Any], Any] = pulumi.Output.secret if args.secret else _as_it_is
    labels = {
        **service.labels,
        **args.labels,
        LABEL_ROLE: "service",
        LABEL_SERVICE: service.name,
        LABEL_REVISION: plan.revision,
    }
    return docker.Container(
        plan.resource,
        name=plan.name,
        image=args.image,
        command=hide(service.command),
        entrypoints=hide(service.entrypoint),
        envs=hide(environment),
        healthcheck=hide(_healthcheck(service.healthcheck)),
        init=service.init,
        labels=hide(as_labels(labels, docker.ContainerLabelArgs)),
        networks_advanced=[docker.ContainerNetworksAdvancedArgs(name=args.network)],
        read_only=service.read_only,
        restart=service.restart,
        stop_signal=service.stop_signal,
        stop_timeout=grace,
        # Unset, it means SIGKILL at once.
        destroy_grace_seconds=max(grace, 1),
        user=service.user,
        working_dir=service.working_dir,
        volumes=[
            docker.ContainerVolumeArgs(
                volume_name=args.volumes[mount.source],
                container_path=mount.target,
                read_only=mount.read_only,
            )
            for mount in service.volumes
        ],
        start=False,
        must_run=False,
        opts=opts,
    )


def _as_it_is(value: Any) -> Any:
    return value


def _healthcheck(check: HealthCheck | None) -> docker.ContainerHealthcheckArgs | None:
    if check is None:
        return None
    if check.disable:
        return docker.ContainerHealthcheckArgs(tests=["NONE"])
    if not check.test:
        return None
    return docker.ContainerHealthcheckArgs(
        tests=check.test,
        interval=_duration(check.interval),
        timeout=_duration(check.timeout),
        retries=check.retries,
        start_period=_duration(check.start_period),
    )


def _duration(seconds: float | None) -> str | None:
    return None if seconds is None else format_duration(seconds)
