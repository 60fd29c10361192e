"""Rules about services that are not built here: databases, brokers, caches."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from slipway.conventions import KnownImage, known_image
from slipway.review.subject import Finding, Subject
from slipway.roles import Role
from slipway.services import BindMount, Service, VolumeMount

_FOLDERS = ("PGDATA", "MYSQL_DATADIR")
"""Variables that tell where an image keeps its data."""


def _keeps_data(service: Service, known: KnownImage) -> bool:
    """Whether something that lasts is mounted where the image has its data, or above."""
    told = [service.environment[name] for name in _FOLDERS if name in service.environment]
    folders = [PurePosixPath(f) for f in (*known.data, *(v.get_secret_value() for v in told))]
    lasting = [
        PurePosixPath(mount.target)
        for mount in service.volumes
        if isinstance(mount, BindMount) or (isinstance(mount, VolumeMount) and mount.source)
    ]
    if not folders:
        return bool(lasting)
    return any(folder.is_relative_to(target) for folder in folders for target in lasting)


def databases_without_volume(subject: Subject) -> Iterator[Finding]:
    """A database whose data would go with its container."""
    for service in subject.with_role(Role.BACKING) if subject.whole else []:
        known = known_image(service.image or "")
        if known is None or known.kind != "database" or service.extension.ephemeral:
            continue
        if _keeps_data(service, known):
            continue
        folder = known.data[0] if known.data else "/data"
        yield subject.refuse(
            f"a database without a volume loses its data with its container; add volumes: "
            f"[{service.name}-data:{folder}] and declare the volume, or write x-slipway: "
            "{ephemeral: true} if that is meant",
            *("services", service.name),
        )


def published_ports(subject: Subject) -> Iterator[Finding]:
    """Backing services that are open to the network."""
    for service in subject.with_role(Role.BACKING):
        for index, port in enumerate(service.ports):
            if port.loopback:
                continue
            shown = str(port).removeprefix(":")
            on_loopback = port.model_copy(update={"host_ip": "127.0.0.1"})
            yield subject.warn(
                f'"{shown}" opens {service.name} to everyone who reaches the host; services of the '
                "stack reach it by its name without that; remove it, or write "
                f"{on_loopback}",
                *("services", service.name, "ports", index),
            )


def unknown_readiness(subject: Subject) -> Iterator[Finding]:
    """Others wait for a service of which nothing tells when it is ready."""
    awaited = {name for s in subject.project.services.values() for name in s.depends_on}
    for service in subject.with_role(Role.BACKING) if subject.whole else []:
        if service.name not in awaited or service.has_health_check:
            continue
        known = known_image(service.image or "")
        if known is not None and known.ready is not None:
            yield subject.warn(
                f"has no healthcheck; it counts as ready when `{' '.join(known.ready[1:])}` passes "
                "in it",
                *("services", service.name),
            )
        else:
            yield subject.warn(
                "has no healthcheck, and nothing is known of its image: it counts as ready once it "
                "runs; add a healthcheck",
                *("services", service.name),
            )


def nothing_to_run(subject: Subject) -> Iterator[Finding]:
    """A service without an image."""
    for service in subject.project.services.values():
        if service.build is None and service.image is None:
            yield subject.refuse("has neither build nor image; add one", "services", service.name)
        if service.build is None and service.pull_policy not in (None, "missing"):
            yield subject.warn(
                "has no effect: the image's digest says which one runs",
                *("services", service.name, "pull_policy"),
            )
