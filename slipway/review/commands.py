"""Rules about what services run."""

from collections.abc import Iterator

from slipway.conventions import fails_softly, is_dev_command, is_scheduler
from slipway.review.subject import Finding, Subject
from slipway.roles import Role, migrates_at_start, release_name
from slipway.start_command import start_command


def schedulers(subject: Subject) -> Iterator[Finding]:
    """Schedulers of which two would run during a release."""
    for service in subject.with_role(Role.WORKER, Role.ROUTED):
        decided = "singleton" in service.extension.model_fields_set
        if is_scheduler(start_command(service)) and not decided:
            yield subject.refuse(
                "starts jobs by the clock: while old and new container run side by side, each job "
                "would be started twice; write x-slipway: {singleton: true} (or false, if that "
                "does no harm)",
                *("services", service.name, "command"),
            )


def empty_words(subject: Subject) -> Iterator[Finding]:
    """Commands with empty words, which the provider does not take."""
    for service in subject.project.services.values():
        if "" in (service.command or []):
            yield subject.refuse(
                "holds an empty word, which cannot be handed over; have a shell write it: "
                "[sh, -c, 'exec … \"\" …']",
                *("services", service.name, "command"),
            )


def development_servers(subject: Subject) -> Iterator[Finding]:
    """Servers that are not meant for users."""
    for service in subject.project.services.values():
        if service.build is None or not is_dev_command(start_command(service)):
            continue
        text = (
            "starts a server for development, which is slow, may show secrets in its error pages, "
            "and restarts itself; start gunicorn or uvicorn without --reload instead"
        )
        find = subject.warn if subject.rehearsal else subject.refuse
        yield find(text, "services", service.name, "command")


def migrations_at_start(subject: Subject) -> Iterator[Finding]:
    """Services that change the schema by starting."""
    for service in subject.project.services.values():
        if service.build is not None and migrates_at_start(service):
            yield subject.warn(
                "changes the database's schema when it starts: one new container is started alone "
                "first, and going back to an older release does not undo the change; write it as "
                "x-slipway: {release: …} to have it run once and shown",
                *("services", service.name, "command"),
            )


def soft_health_checks(subject: Subject) -> Iterator[Finding]:
    """Health checks that pass with an error."""
    for service in subject.project.services.values():
        if (
            service.has_health_check
            and service.healthcheck
            and fails_softly(service.healthcheck.test)
        ):
            yield subject.warn(
                "passes even when the answer is an error such as 500; add --fail to curl, or check "
                "the status",
                *("services", service.name, "healthcheck", "test"),
            )


def restart_policies(subject: Subject) -> Iterator[Finding]:
    """Policies that are taken otherwise than they are written."""
    for service in subject.project.services.values():
        path = ("services", service.name, "restart")
        if subject.role(service) is Role.JOB and service.restart != "no":
            yield subject.warn(
                "has no effect: others wait for the service to complete, and what would start it "
                "again would run it again and again",
                *path,
            )
        elif subject.lines.written(*path) == "on-failure":
            yield subject.warn(
                "taken for unless-stopped: on-failure would revive a stopped candidate when the "
                "Docker daemon restarts; unlike with it, a container that ends with exit code 0 "
                "is started again",
                *path,
            )


def misplaced_release_commands(subject: Subject) -> Iterator[Finding]:
    """Release commands that nothing could run."""
    for service in subject.project.services.values():
        if service.extension.release is None:
            continue
        path = ("services", service.name, "x-slipway", "release")
        if service.build is None:
            yield subject.refuse(
                "belongs to a service that is built here; move it to the application's", *path
            )
        if release_name(service.name) in subject.project.services:
            yield subject.refuse(
                f"would run as {release_name(service.name)}, which is a service already; rename it",
                *path,
            )
