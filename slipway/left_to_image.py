"""What a compose file leaves to the image where Docker must be told all the same.

A command whose entrypoint is taken away, and the test of a health check of which only the times are
given: Compose hands both over as nothing, which the provider cannot. They are read out of the
Dockerfile, and where that does not say them, they must be written.
"""

from collections.abc import Collection, Iterator

from slipway.built_image import BuiltImage, read_built_image
from slipway.key_lines import KeyLines
from slipway.services import HealthCheck, Project, Service


def complete(
    project: Project, lines: KeyLines, unread: Collection[str] = ()
) -> tuple[Project, list[str]]:
    """The project with what its services leave to their images, and what could not be found.

    Args:
        project: as the compose file has it.
        lines: finds lines for messages.
        unread: services of which not all could be read; nothing is said of them.
    """
    services = dict(project.services)
    problems: list[str] = []
    for name, service in project.services.items():
        if name in unread or not (_starts_nothing(service) or _untested(service.healthcheck)):
            continue
        image = read_built_image(service.build) if service.build else BuiltImage()
        services[name] = _completed(service, image)
        problems += _missing(services[name], image, lines)
    return project.model_copy(update={"services": services}), problems


def _starts_nothing(service: Service) -> bool:
    return service.entrypoint in ([], [""]) and not service.command


def _untested(check: HealthCheck | None) -> bool:
    if check is None or check.disable or check.test:
        return False
    times = (check.interval, check.timeout, check.start_period, check.retries)
    return any(time is not None for time in times)


def _completed(service: Service, image: BuiltImage) -> Service:
    if _starts_nothing(service) and image.command:
        service = service.model_copy(update={"command": list(image.command)})
    check = service.healthcheck
    if check is not None and _untested(check) and image.checked:
        check = check.model_copy(update={"test": list(image.health or ())})
        service = service.model_copy(update={"healthcheck": check})
    return service


def _missing(service: Service, image: BuiltImage, lines: KeyLines) -> Iterator[str]:
    if _starts_nothing(service):
        says = _silent(service, "has no CMD" if image.command is None else "leaves no CMD")
        yield (
            f"{lines.where('services', service.name, 'entrypoint')}: takes the entrypoint away, "
            f"and {says}; write beside it what is to run: command: [gunicorn, …]"
        )
    if _untested(service.healthcheck):
        says = _silent(service, "has no HEALTHCHECK" if image.health is None else "switches it off")
        yield (
            f"{lines.where('services', service.name, 'healthcheck')}: has no test, and {says}; "
            "write one, test: [CMD, curl, --fail, …], or remove the health check"
        )


def _silent(service: Service, says: str) -> str:
    if service.build is None:
        return "what its image says is not known before it is pulled"
    return f"{service.build.dockerfile} {says}"
