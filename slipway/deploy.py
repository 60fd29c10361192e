"""What a stack's program does before it declares anything: the sequence over the other modules.

`prepare` reads the compose file, looks at registry, state and host, and gives a value with all
names; the components declare it.
"""

import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from slipway import compose, look, preflight
from slipway.errors import ConfigError
from slipway.host import LABEL_OWNER, LABEL_ROLE, Host, connect, registry_login
from slipway.image_plan import ImagePlan, plan_images, pulled_images, refuse_moved_tags
from slipway.key_lines import KeyLines
from slipway.mounted_files import Mounted, collect
from slipway.plan import (
    ingress_networks,
    ingress_resource,
    plan_containers,
    plan_sites,
    refuse_backing_changes,
)
from slipway.prepared import Prepared, Settings, StackName
from slipway.proxy import settings_id
from slipway.redact import Redactor
from slipway.reference import ImageReference
from slipway.registry import Registry
from slipway.release import fingerprint
from slipway.review import Subject, review
from slipway.roles import release_name, with_release_commands
from slipway.services import Project
from slipway.state import CONTAINER, LiveFact, StackState, live_fact

REPLACE_INGRESS = "SLIPWAY_REPLACE_INGRESS"
REPLACE = "SLIPWAY_REPLACE"
"""Names the backing services, separated by commas, that this run may stop and start anew."""
_READER_VARIABLES = ("PATH", "HOME", "DOCKER_", "SLIPWAY_", "XDG_", "SSL_CERT_", "COMPOSE_PROFILES")

_PLACE = re.compile(r"(.+?):(\d+) ")

_V = TypeVar("_V")


@dataclass(frozen=True)
class _Findings:
    """What compose file, Dockerfiles and registry tell."""

    project: Project
    lines: KeyLines
    images: Mapping[str, ImagePlan]
    pulled: Mapping[str, ImageReference]
    mounted: Mapping[str, Mounted]
    ingress_image: str


def prepare(
    stack: StackName,
    settings: Settings,
    environ: Mapping[str, str],
    state: StackState,
    *,
    preview: bool,
    report: Callable[[str], None],
    warn: Callable[[str], None] | None = None,
) -> Prepared:
    """Find out what the stack must hold. Nothing is changed.

    Args:
        stack: which stack.
        settings: its configuration.
        environ: process environment.
        state: the stack's state.
        preview: whether nothing will be done; then the host is not looked at, so that a preview
            depends on the source, the registry and the state alone.
        report: takes a line about what was found.
        warn: takes a line about what is done otherwise than the file might make one think;
            default: `report`.

    Raises:
        UserError: something that the user must mend first.
    """
    found = _read(stack, settings, environ, state, warn or report)
    project, prefix = found.project, f"{found.project.name}-{stack.stack}"
    live = live_fact(state.stash(f"{stack.component}-live"))
    refuse_moved_tags(found.images, live.ledger)
    replace_ingress = bool(environ.get(REPLACE_INGRESS))
    if not replace_ingress:
        _refuse_ingress_change(stack, settings, project, found.ingress_image, state, prefix)
    findings = look.Findings()
    if not preview:
        with closing(connect()) as host:
            preflight.require_external(project, found.lines, host)
            preflight.require_builder(found.images.values(), host)
            findings = _look(host, stack, settings, state, live, prefix)
    for reason in findings.reasons:
        report(f"the gate looks again: {reason}")
    plans = plan_containers(
        with_release_commands(project),
        {**found.pulled, **found.images},
        found.mounted,
        stack.key,
        stack.component,
        prefix,
        state,
        findings.missing,
    )
    asked = frozenset(name.strip() for name in environ.get(REPLACE, "").split(","))
    refuse_backing_changes(plans, live, asked, found.lines)
    release = fingerprint(
        {plan.service.name: plan.revision for plan in plans},
        {plan.service.name: plan.service.extension for plan in plans},
        stack.key,
    )
    return Prepared(
        stack=stack,
        settings=settings,
        project=project,
        prefix=prefix,
        address=settings.address or f"http://127.0.0.1:{settings.port}",
        ingress_image=found.ingress_image,
        ingress_resource=ingress_resource(stack.component, state, findings.missing),
        replace_ingress=replace_ingress,
        containers=tuple(plans),
        live=live,
        attempt=_attempt(state, stack, release, recheck=bool(findings.reasons)),
        orphans=findings.orphans,
        sites=plan_sites(project),
    )


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


def _read(
    stack: StackName,
    settings: Settings,
    environ: Mapping[str, str],
    state: StackState,
    warn: Callable[[str], None],
) -> _Findings:
    """Read and review everything that the release is made from.

    Raises:
        ConfigError: with all problems, and no secret of the stack in them.
    """
    redact = Redactor(settings.secrets.values())
    reader = {k: v for k, v in environ.items() if k.startswith(_READER_VARIABLES)}
    values = {**settings.variables, **settings.secrets}
    problems = _Problems()
    found: _Findings | None = None
    with problems.collected():
        reading = compose.read_project(settings.compose, reader, values)
        problems.found += reading.problems
        for line in reading.warnings:
            warn(redact.message(line))
        found = _judge(reading, stack, settings, environ, state, warn, problems)
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
) -> _Findings:
    project, lines = reading.project, reading.lines
    for finding in review(Subject(project, lines, stack.stack, reading.complete)):
        if finding.refused:
            problems.found.append(finding.text)
        else:
            warn(Redactor(settings.secrets.values()).message(finding.text))
    image, images, pulled = "", {}, {}
    with problems.collected():
        image = preflight.require_pinned_ingress(
            settings.ingress_image or environ.get("SLIPWAY_CADDY_IMAGE")
        )
    with problems.collected():
        preflight.refuse_secret_arguments(project, settings.secrets)
    with problems.collected():
        pulled = pulled_images(project, lines)
    mounted, unmounted = collect(project, lines, settings.variables, settings.secrets)
    problems.found += unmounted
    with problems.collected(), Registry(registry_login) as registry:
        images = plan_images(
            project, stack.component, settings.registry, settings.platform, state, registry.digest
        )
    return _Findings(
        project,
        lines,
        _with_jobs(project, images),
        _with_jobs(project, pulled),
        _with_jobs(project, mounted),
        image,
    )


def _with_jobs(project: Project, by_service: Mapping[str, _V]) -> dict[str, _V]:
    """What belongs to a service belongs to the job that runs its release command too."""
    jobs = {
        release_name(name): value
        for name, value in by_service.items()
        if project.services[name].extension.release is not None
    }
    return {**by_service, **jobs}


def _refuse_ingress_change(
    stack: StackName,
    settings: Settings,
    project: Project,
    image: str,
    state: StackState,
    prefix: str,
) -> None:
    found = state.named(CONTAINER).get(ingress_resource(stack.component, state, frozenset()))
    preflight.refuse_other_name(found, f"{prefix}-ingress")
    sites = plan_sites(project)
    networks = sorted(ingress_networks(project, sites))
    wanted = settings_id(sites, image, settings.port, settings.bind, networks)
    preflight.refuse_ingress_change(found, wanted, stack.stack, REPLACE_INGRESS)


def _look(
    host: Host,
    stack: StackName,
    settings: Settings,
    state: StackState,
    live: LiveFact,
    prefix: str,
) -> look.Findings:
    ingress_name = f"{prefix}-ingress"
    preflight.require_free_port(settings.port, ingress_name, host)
    preflight.require_own_names([ingress_name], LABEL_OWNER, stack.owner, host)
    own = {LABEL_OWNER: stack.owner, LABEL_ROLE: "service"}
    return look.compare(state, live, host, ingress_name, own)


def _attempt(state: StackState, stack: StackName, release: str, *, recheck: bool) -> dict[str, Any]:
    """The mark of this attempt: as it was, unless the release differs or the gate must look."""
    earlier = state.stash(f"{stack.component}-attempt") or {}
    look_again = secrets.token_hex(4) if recheck else earlier.get("look", "first")
    return {"release": release, "look": look_again}
