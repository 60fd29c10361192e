"""Reading what a release is made from out of its source, and telling all that is wrong."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from slipway import compose, preflight
from slipway.blueprint import Marked, Record, markers, project_record, record
from slipway.compose_reader import reader_environment
from slipway.declared import Declared
from slipway.errors import ConfigError
from slipway.hash_cache import HashCache
from slipway.host import registry_login
from slipway.image_plan import LookUp, plan_images, pulled_images
from slipway.mounted_files import Mounted, collect
from slipway.prepared import Settings, StackName
from slipway.proof.unmapped import unmapped
from slipway.redact import Redactor
from slipway.registry import Registry
from slipway.review import Subject, review
from slipway.roles import migrates_at_start
from slipway.services import Project
from slipway.state import StackState

_PLACE = re.compile(r"(.+?):(\d+) ")


class _Problems:
    """Collects what must be mended, so that all of it is told at once."""

    def __init__(self) -> None:
        self.found: list[str] = []

    @contextmanager
    def collected(self) -> Iterator[None]:
        try:
            yield
        except ConfigError as error:
            self.found += error.problems


def read_source(
    stack: StackName,
    settings: Settings,
    environ: Mapping[str, str],
    state: StackState,
    warn: Callable[[str], None],
    look_up: LookUp | None = None,
) -> Declared:
    """Read and review everything that the release is made from.

    Args:
        stack: which stack.
        settings: its configuration.
        environ: process environment.
        state: the stack's state.
        warn: takes a line about what is done otherwise than the file might make one think.
        look_up: gives the digest of an image; default: asks its registry.

    Raises:
        ConfigError: with all problems, and no secret of the stack in them.
    """
    redact = Redactor(settings.secrets.values())
    values = {**settings.variables, **settings.secrets}
    problems = _Problems()
    found: Declared | None = None
    with problems.collected():
        reading = compose.read_project(settings.compose, reader_environment(environ), values)
        problems.found += reading.problems
        for line in reading.warnings:
            warn(redact.message(line))
        found = _judge(reading, stack, settings, environ, state, warn, problems, look_up)
    if problems.found or found is None:
        told = sorted(dict.fromkeys(problems.found), key=_by_line(str(settings.compose)))
        raise ConfigError([redact.message(line) for line in told])
    return found


def _by_line(compose_file: str) -> Callable[[str], tuple[bool, str, int, str]]:
    """The order of problems: those of the compose file first, each file's by its lines."""

    def key(problem: str) -> tuple[bool, str, int, str]:
        placed = _PLACE.match(problem)
        file, line = (placed[1], int(placed[2])) if placed else ("", 0)
        return file != compose_file, file, line, problem

    return key


def _judge(
    reading: compose.Reading,
    stack: StackName,
    settings: Settings,
    environ: Mapping[str, str],
    state: StackState,
    warn: Callable[[str], None],
    problems: _Problems,
    look_up: LookUp | None,
) -> Declared:
    project, lines = reading.project, reading.lines
    subject = Subject(project, lines, stack.stack, reading.complete, reading.unread, reading.whole)
    for finding in review(subject):
        if finding.refused:
            problems.found.append(finding.text)
        else:
            warn(Redactor(settings.secrets.values()).message(finding.text))
    images, pulled = {}, {}
    with problems.collected():
        preflight.require_pinned_ingress(ingress_image(settings, environ))
    with problems.collected():
        preflight.refuse_secret_arguments(project, lines, settings.secrets)
    with problems.collected():
        pulled = pulled_images(project, lines)
    mounted, unmounted = collect(project, lines, settings.variables, settings.secrets)
    problems.found += unmounted
    with problems.collected(), Registry(registry_login) as registry:
        images = plan_images(
            project,
            stack.component,
            settings.registry,
            settings.platform,
            state,
            look_up or registry.digest,
            HashCache(),
        )
    problems.found += unmapped(project, lines, images)
    marked = None if problems.found else _marked(stack, settings, environ)
    return Declared(
        project,
        lines,
        {**pulled, **images},
        mounted,
        _records(project, mounted, stack, settings, marked),
        project_record(project, stack.key, settings.secrets, marked),
        frozenset(s.name for s in project.services.values() if s.build and migrates_at_start(s)),
    )


def ingress_image(settings: Settings, environ: Mapping[str, str]) -> str | None:
    """The proxy's image, as stack or environment name it."""
    return settings.ingress_image or environ.get("SLIPWAY_CADDY_IMAGE")


def _records(
    project: Project,
    mounted: Mapping[str, Mounted],
    stack: StackName,
    settings: Settings,
    marked: Marked | None,
) -> dict[str, Record]:
    return {
        name: record(service, mounted.get(name, Mounted()), stack.key, settings.secrets, marked)
        for name, service in project.services.items()
    }


def _marked(stack: StackName, settings: Settings, environ: Mapping[str, str]) -> Marked | None:
    """The project once more, with a marker in the place of each secret."""
    if not settings.secrets:
        return None
    marks = markers(settings.secrets, stack.key)
    try:
        reading = compose.read_project(
            settings.compose, reader_environment(environ), {**settings.variables, **marks}
        )
        mounted, _ = collect(reading.project, reading.lines, settings.variables, marks)
    except ConfigError:
        return None  # A secret stands where only a number may; what it is part of is kept.
    return Marked(reading.project, mounted, {mark: name for name, mark in marks.items()})
