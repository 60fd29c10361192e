"""Rules about volumes, and about secrets that stand in the file."""

import re
from collections.abc import Iterator

from slipway.built_image import read_built_image
from slipway.conventions import collects_static
from slipway.literal_secrets import FOUND_IN_BUILD, build_secrets
from slipway.literal_secrets import literal_secrets as secrets_in
from slipway.review.subject import Finding, Subject
from slipway.roles import Role
from slipway.services import Service, VolumeMount
from slipway.start_command import start_command, start_script

_RESERVED = "ingress-routes"
_SQLITE = re.compile(r"sqlite|\.db3?$", re.IGNORECASE)
_STATIC = re.compile(r"static|assets", re.IGNORECASE)


def _named(service: Service) -> set[str]:
    return {m.source for m in service.volumes if isinstance(m, VolumeMount) and m.source}


def undeclared_volumes(subject: Subject) -> Iterator[Finding]:
    """Volumes that no service could share."""
    for service in subject.project.services.values() if subject.whole else []:
        for volume in sorted(_named(service) - set(subject.project.volumes)):
            yield subject.refuse(
                f"{volume} is not declared; add it under the top-level volumes",
                *("services", service.name, "volumes"),
            )


def reserved_volumes(subject: Subject) -> Iterator[Finding]:
    """A volume of the proxy's name, and names that are not the stack's."""
    for name, volume in subject.project.volumes.items():
        if name == _RESERVED:
            yield subject.refuse("is the proxy's own volume; rename it", "volumes", name)
        if volume.name and not volume.external:
            yield subject.refuse(
                f"Slipway names volumes after the stack, so {volume.name} would not be found; "
                "remove name and copy the data over, or add external: true to adopt the volume",
                *("volumes", name, "name"),
            )


def unmounted_image_volumes(subject: Subject) -> Iterator[Finding]:
    """Folders that an image declares as volumes, and that nothing is mounted on."""
    for service in subject.project.services.values() if subject.whole else []:
        if service.build is None or subject.role(service) is Role.JOB:
            continue
        targets = [mount.target.rstrip("/") for mount in service.volumes]
        for folder in read_built_image(service.build).volumes:
            if not any(folder == t or folder.startswith(f"{t}/") for t in targets):
                yield subject.warn(
                    f"{service.build.dockerfile} declares VOLUME {folder}, on which nothing is "
                    "mounted: what is written there dies with the container; mount a named volume",
                    *("services", service.name),
                )


def stale_static_volumes(subject: Subject) -> Iterator[Finding]:
    """Volumes that got their content from the first image, and keep it."""
    services = subject.project.services.values()
    for service in services:
        release = service.extension.release
        words = ["sh", "-c", release] if isinstance(release, str) else list(release or [])
        fills = (words, start_command(service), ["sh", "-c", start_script(service)])
        if service.build is None or any(collects_static(fill) for fill in fills):
            continue
        for volume in sorted(v for v in _named(service) if _STATIC.search(v)):
            readers = [s.name for s in services if s is not service and volume in _named(s)]
            if readers:
                yield subject.warn(
                    f"{volume}, which {', '.join(readers)} reads too, keeps what the first image "
                    "put there: a named volume is not refreshed by a new image; fill it in "
                    "x-slipway: {release: …}, as with manage.py collectstatic --noinput",
                    *("services", service.name, "volumes"),
                )


def single_writer_files(subject: Subject) -> Iterator[Finding]:
    """Databases in files, which two containers may not take at once."""
    for service in subject.with_role(Role.ROUTED, Role.WORKER) if subject.whole else []:
        if service.build is None or "overlap" in service.extension.model_fields_set:
            continue
        for name, value in service.environment.items():
            if _named(service) and _SQLITE.search(value.get_secret_value()):
                yield subject.warn(
                    f"{name} names a database in a file, and old and new container would use it at "
                    "once for some seconds; write x-slipway: {overlap: false} to have requests "
                    "wait instead, or overlap: true if the application is made for it",
                    *("services", service.name, "environment", name),
                )


def literal_secrets(subject: Subject) -> Iterator[Finding]:
    """Secrets that everyone who has the repository can read."""
    for found in secrets_in(subject.lines.file):
        yield Finding(
            found.line,
            f"{found.file}:{found.line} services.{found.service}.environment.{found.key}: a secret "
            f"stands in the file; run scripts/secrets {found.file}, which moves it into the "
            "stacks' configuration",
            refused=False,
        )
    for found in build_secrets(subject.lines.file):
        yield Finding(
            found.line,
            f"{found.file}:{found.line} services.{found.service}.build.args.{found.key}: "
            f"{FOUND_IN_BUILD}",
            refused=False,
        )
