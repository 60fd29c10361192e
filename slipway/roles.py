"""What part each service plays in a release, and in which order they are tried.

    backing ─▶ job ─▶ routed ─▶ worker ─▶ singleton ─▶ held ─▶ switch

A *backing* service (a database, a broker) is not built here; releases leave it alone. A *job* runs
to its end before candidates start. A *routed* service takes requests, a *worker* does not. A
*singleton* must stop before its successor starts; for a *held* one, the proxy holds requests
meanwhile, which is why it comes last.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

from slipway.conventions import migrates
from slipway.extension import Extension
from slipway.services import Attachment, Dependency, HealthCheck, Project, Service
from slipway.start_command import start_command, start_script

_COMPLETED: Literal["service_completed_successfully"] = "service_completed_successfully"
JOB_TIMEOUT = 600.0


class Role(StrEnum):
    """The part that a service plays; in the order in which they are tried."""

    BACKING = "backing"
    JOB = "job"
    ROUTED = "routed"
    WORKER = "worker"
    SINGLETON = "singleton"
    HELD = "held"


def role_of(service: Service, project: Project) -> Role:
    """The part that a service plays."""
    if service.name in _jobs(project):
        return Role.JOB
    if service.routed:
        return Role.ROUTED if service.extension.overlap else Role.HELD
    if service.build is None:
        return Role.BACKING
    return Role.SINGLETON if service.extension.exclusive else Role.WORKER


def _jobs(project: Project) -> set[str]:
    """The services that others wait for to complete."""
    return {
        name
        for service in project.services.values()
        for name, dependency in service.depends_on.items()
        if dependency.condition == _COMPLETED
    }


def with_release_commands(project: Project) -> Project:
    """The project with a job for each service that has a release command.

    A job is never started again when it has ended, whatever its service's policy.
    """
    jobs = _jobs(project)
    services = {
        name: service.model_copy(update={"restart": "no"}) if name in jobs else service
        for name, service in project.services.items()
    }
    for name, service in project.services.items():
        if service.extension.release is not None:
            job = release_job(service)
            services[job.name] = job
            waits = {**service.depends_on, job.name: Dependency(condition=_COMPLETED)}
            services[name] = service.model_copy(update={"depends_on": waits})
    return project.model_copy(update={"services": dict(sorted(services.items()))})


def release_name(service: str) -> str:
    """The name of the job that runs a service's release command."""
    return f"{service}-release"


def release_job(service: Service) -> Service:
    """A service that runs a release command in a container like the service's own."""
    command = service.extension.release
    words = ["sh", "-ec", command] if isinstance(command, str) else list(command or [])
    extension = Extension(timeout=service.extension.release_timeout)
    fields = {
        "name": release_name(service.name),
        "command": words,
        "healthcheck": HealthCheck(disable=True),
        "restart": "no",
        "ports": [],
        "expose": [],
        "container_name": None,
        "networks": {name: Attachment() for name in service.networks},
        "extension": extension,
    }
    return service.model_copy(update=fields)


def job_timeout(service: Service) -> float:
    """Seconds that a job may take; a server's 60 would be too little for a job."""
    chosen = service.extension.model_fields_set
    return service.extension.timeout if "timeout" in chosen else JOB_TIMEOUT


def migrates_at_start(service: Service) -> bool:
    """Whether starting the service changes the schema of a database, as far as can be seen."""
    return migrates(start_command(service)) or migrates(["sh", "-c", start_script(service)])


def in_order(names: Iterable[str], project: Project) -> list[str]:
    """Names sorted so that each comes after what it depends on, and by name else."""
    ordered: list[str] = []

    def visit(name: str) -> None:
        if name in ordered or name not in project.services:
            return
        for needed in sorted(project.services[name].depends_on):
            visit(needed)
        ordered.append(name)

    for name in sorted(project.services):
        visit(name)
    wanted = set(names)
    return [name for name in ordered if name in wanted]
