"""The container of one service."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_docker as docker

from components.labels import labels as as_labels
from slipway.durations import format_duration
from slipway.host import LABEL_REVISION, LABEL_ROLE, LABEL_SERVICE
from slipway.plan import ContainerPlan
from slipway.services import HealthCheck, Service, TmpfsMount, VolumeMount


@dataclass(frozen=True)
class ServiceContainerArgs:
    """Arguments of a service's container.

    Args:
        plan: what it is.
        image: `repository@sha256:…`.
        networks: names on the host of the compose file's networks.
        volumes: names on the host of the compose file's volumes.
        labels: labels of the stack.
        secret: whether its settings hold a secret.
    """

    plan: ContainerPlan
    image: pulumi.Input[str]
    networks: Mapping[str, pulumi.Input[str]]
    volumes: Mapping[str, pulumi.Input[str]]
    labels: Mapping[str, str]
    secret: bool


def service_container(args: ServiceContainerArgs, opts: pulumi.ResourceOptions) -> docker.Container:
    """Declare a container that is created but not started: starting is the gate's part.

    It is named after its revision, so that a change of anything makes another container and
    never replaces one that serves.
    """
    plan, service = args.plan, args.plan.service
    limits = service.deploy.resources.limits
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
        # The provider takes an empty list for none, and the image's own would run.
        entrypoints=hide([""] if service.entrypoint == [] else service.entrypoint),
        envs=hide(environment),
        healthcheck=hide(_healthcheck(service.healthcheck)),
        init=service.init,
        labels=hide(as_labels(labels, docker.ContainerLabelArgs)),
        networks_advanced=[
            docker.ContainerNetworksAdvancedArgs(
                name=args.networks[network], aliases=list(names) or None
            )
            for network, names in sorted(plan.placement.aliases.items())
        ],
        platform=service.platform,
        read_only=service.read_only,
        restart=service.restart,
        stop_signal=service.stop_signal,
        stop_timeout=grace,
        # Unset, it means SIGKILL at once.
        destroy_grace_seconds=max(grace, 1),
        user=service.user,
        working_dir=service.working_dir,
        volumes=_volumes(args),
        tmpfs=_tmpfs(plan),
        uploads=_uploads(plan, hide),
        ports=_ports(plan),
        hosts=_extra_hosts(service),
        capabilities=_capabilities(service),
        hostname=service.hostname,
        log_driver=service.logging.driver if service.logging else None,
        log_opts=hide(service.logging.options)
        if service.logging and service.logging.options
        else None,
        memory=_megabytes(limits.memory),
        cpus=None if limits.cpus is None else f"{limits.cpus:g}",
        security_opts=service.security_opt or None,
        shm_size=_megabytes(service.shm_size),
        stdin_open=service.stdin_open or None,
        tty=service.tty or None,
        ulimits=[
            docker.ContainerUlimitArgs(name=name, soft=limit.soft, hard=limit.hard)
            for name, limit in sorted(service.ulimits.items())
        ]
        or None,
        start=False,
        must_run=False,
        opts=opts,
    )


def _volumes(args: ServiceContainerArgs) -> list[docker.ContainerVolumeArgs]:
    placement = args.plan.placement
    named = [
        docker.ContainerVolumeArgs(
            volume_name=args.volumes[mount.source] if mount.source else None,
            container_path=mount.target,
            read_only=mount.read_only,
        )
        for mount in placement.mounts
        if isinstance(mount, VolumeMount)
    ]
    paths = [
        docker.ContainerVolumeArgs(
            host_path=mount.source, container_path=mount.target, read_only=mount.read_only
        )
        for mount in placement.mounted.host_paths
    ]
    return [*named, *paths]


def _tmpfs(plan: ContainerPlan) -> dict[str, str] | None:
    mounts = [m for m in plan.placement.mounts if isinstance(m, TmpfsMount)]
    found = {mount.target: _tmpfs_options(mount) for mount in mounts}
    for entry in plan.service.tmpfs:
        target, _, options = entry.partition(":")
        found[target] = options
    return found or None


def _tmpfs_options(mount: TmpfsMount) -> str:
    size, mode = mount.tmpfs.size, mount.tmpfs.mode
    options = [f"size={size}" if size else "", f"mode={mode:o}" if mode else ""]
    return ",".join(option for option in options if option)


def _uploads(
    plan: ContainerPlan, hide: Callable[[Any], Any]
) -> list[docker.ContainerUploadArgs] | None:
    return [
        docker.ContainerUploadArgs(
            file=file.path,
            # A config may hold a secret as well as what is declared as one.
            content_base64=(pulumi.Output.secret if file.secret else hide)(file.encoded),
            permissions=file.permissions,
        )
        for file in plan.placement.mounted.files
    ] or None


def _ports(plan: ContainerPlan) -> list[docker.ContainerPortArgs] | None:
    return [
        docker.ContainerPortArgs(
            internal=port.target,
            external=int(port.published) if port.published else None,
            ip=port.host_ip or None,
            protocol=port.protocol,
        )
        for port in plan.placement.ports
    ] or None


def _extra_hosts(service: Service) -> list[docker.ContainerHostArgs] | None:
    pairs = [re.split("[=:]", entry, maxsplit=1) for entry in service.extra_hosts]
    return [docker.ContainerHostArgs(host=host, ip=ip) for host, ip in pairs] or None


def _capabilities(service: Service) -> docker.ContainerCapabilitiesArgs | None:
    if not service.cap_add and not service.cap_drop:
        return None
    return docker.ContainerCapabilitiesArgs(adds=service.cap_add, drops=service.cap_drop)


def _megabytes(count: int | None) -> int | None:
    return None if count is None else max(count // (1 << 20), 1)


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
