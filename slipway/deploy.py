"""What a stack's program does before it declares anything: the sequence over the other modules.

`prepare` reads the compose file, looks at registry, state and host, and gives a value with all
names; the components declare it.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from slipway import look, preflight
from slipway.backing_changes import Change, refuse_backing_changes
from slipway.blueprint import KEPT
from slipway.declared import Declared, restored
from slipway.earlier_routes import earlier_routes, recorded_project
from slipway.errors import ConfigError
from slipway.fixed_settings import refuse_fixed_changes
from slipway.host import LABEL_CONFIG, LABEL_OWNER, LABEL_ROLE, Host, connect
from slipway.host_names import volume_names
from slipway.image_plan import ImagePlan, ReleasedImage, refuse_moved_tags
from slipway.ingress_changes import Wanted, refuse_ingress_change
from slipway.origin import Origin, read_origin
from slipway.plan import (
    ContainerPlan,
    ingress_resource,
    ingress_settings,
    plan_containers,
    plan_sites,
)
from slipway.prepared import Prepared, Settings, StackName
from slipway.promotion import Rule, obstacle
from slipway.public_port import require_free_port
from slipway.reading import ingress_image, read_source
from slipway.release import fingerprint
from slipway.shared_volumes import refuse_shared_volumes
from slipway.state import CONTAINER, STASH, LiveFact, StackState, live_fact
from slipway.unset_variables import told_for

REPLACE_INGRESS = "SLIPWAY_REPLACE_INGRESS"
REPLACE = "SLIPWAY_REPLACE"
"""Names the backing services, separated by commas, that this run may stop and start anew."""
RELEASE = "SLIPWAY_RELEASE"
"""Number of the release of the ledger that this run restores, instead of what the source is."""

RUN = "SLIPWAY_RUN"
"""Name of the driver's run that this is part of."""


def prepare(
    stack: StackName,
    settings: Settings,
    environ: Mapping[str, str],
    state: StackState,
    *,
    preview: bool,
    report: Callable[[str], None],
    warn: Callable[[str], None] | None = None,
    promoted: LiveFact | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
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
        promoted: what serves in the stack that `promote_from` names.
        clock: gives the time, in UTC.

    Raises:
        UserError: something that the user must mend first.
    """
    warn, now = warn or report, clock()
    live = live_fact(state.stash(f"{stack.component}-live"))
    known = _kept_values(state, stack.component)
    with told_for(stack.stack):
        declared = _declare(stack, settings, environ, state, live, known, warn)
    project, prefix = declared.project, f"{declared.project.name}-{stack.stack}"
    images = {n: i for n, i in declared.images.items() if isinstance(i, ImagePlan)}
    refuse_moved_tags(images, live.ledger)
    refuse_fixed_changes(project, state, stack.component, declared.lines)
    proxy = preflight.require_pinned_ingress(ingress_image(settings, environ))
    published = (settings.bind, settings.port)
    wanted = ingress_settings(project, plan_sites(project), proxy, published, prefix)
    allowed = bool(environ.get(REPLACE_INGRESS))
    values = {**settings.variables, **settings.secrets, **known}
    earlier = recorded_project(live.ledger[0], values) if live.ledger else None
    change = Wanted(stack.stack, proxy, published, project, earlier, prefix, declared.lines)
    replaced = _replaced_ingress(stack, state, wanted, None if allowed else change, prefix)
    origin = read_origin(settings.compose.absolute().parent, environ)
    if declared.entry is None:
        _hold_to_rule(stack, settings, declared, promoted, origin, now, warn if preview else None)
    findings = look.Findings()
    if not preview:
        with closing(connect()) as host:
            preflight.require_external(project, declared.lines, host)
            preflight.require_builder(images.values(), host)
            findings = _look(host, stack, settings, state, live, prefix)
    for reason in findings.reasons:
        report(f"the gate looks again: {reason}")
    plans = plan_containers(declared, stack.key, stack.component, prefix, state, findings.missing)
    asked = frozenset(name.strip() for name in environ.get(REPLACE, "").split(","))
    volumes = volume_names(project.volumes, prefix)
    refuse_backing_changes(Change(plans, live, volumes, prefix), asked, declared.lines)
    if not preview:
        with closing(connect()) as host:
            refuse_shared_volumes(plans, volumes, stack.owner, host)
    release = _fingerprint(plans, declared, stack.key)
    return Prepared(
        stack=stack,
        settings=settings,
        project=project,
        project_record=declared.beside,
        prefix=prefix,
        address=settings.address or f"http://127.0.0.1:{settings.port}",
        ingress_image=proxy,
        ingress_resource=ingress_resource(stack.component, state, findings.missing),
        replaced_ingress=replaced,
        earlier=earlier_routes(earlier, plans, project, proxy, published, prefix),
        containers=tuple(plans),
        live=live,
        attempt=_attempt(state, stack, release, recheck=bool(findings.reasons)),
        orphans=findings.orphans,
        sites=plan_sites(project),
        origin=origin,
        restores=None if declared.entry is None else int(declared.entry["number"]),
        known=known,
        run=environ.get(RUN, ""),
        time=now.isoformat(timespec="seconds"),
        proof_places={
            name: declared.lines.where("services", name, "x-slipway", "proof")
            for name in project.services
        },
    )


def _declare(
    stack: StackName,
    settings: Settings,
    environ: Mapping[str, str],
    state: StackState,
    live: LiveFact,
    known: Mapping[str, str],
    warn: Callable[[str], None],
) -> Declared:
    """The release: of the source, or of the ledger where one is asked for."""
    asked = environ.get(RELEASE) or settings.pin
    if not asked:
        return read_source(stack, settings, environ, state, warn)
    number = _number(str(asked))
    if not environ.get(RELEASE):
        if not live.ledger:
            raise ConfigError(
                [
                    f"stack {stack.stack} is pinned at release {number} (slipway:pin), and has no "
                    f"release: was it destroyed? run scripts/deploy {stack.stack} --leave-pin"
                ]
            )
        warn(
            f"stack {stack.stack} is pinned at release {number} (slipway:pin): the source is not "
            f"looked at, and nothing of it is released; to leave the pin: scripts/deploy "
            f"{stack.stack} --leave-pin"
        )
    return restored(number, live, {**settings.variables, **settings.secrets}, known)


def _number(asked: str) -> int:
    if not asked.isdecimal():
        raise ConfigError([f"{RELEASE}: {asked!r} is no release's number; see scripts/history"])
    return int(asked)


def _kept_values(state: StackState, component: str) -> dict[str, str]:
    """What the state keeps for the releases of the ledger, by name."""
    prefix = kept_resource(component, KEPT)
    return {
        KEPT + name.removeprefix(prefix): str(found.get("input"))
        for name, found in state.named(STASH).items()
        if name.startswith(prefix)
    }


def kept_resource(component: str, name: str) -> str:
    """Name of the resource that keeps a value."""
    return f"{component}-kept-{name.removeprefix(KEPT)}"


def _hold_to_rule(
    stack: StackName,
    settings: Settings,
    declared: Declared,
    promoted: LiveFact | None,
    origin: Origin,
    now: datetime,
    warn: Callable[[str], None] | None,
) -> None:
    if settings.promote_from is None or origin.hotfix:
        return
    digests = {
        name: image.digest if not isinstance(image, ReleasedImage) else image.reference.digest
        for name, image in declared.images.items()
    }
    rule = Rule(stack.stack, settings.promote_from, settings.min_soak)
    ledger = promoted.ledger if promoted else []
    problem = obstacle(rule, digests, ledger, now)
    if problem is None:
        return
    if warn is None:
        raise ConfigError([problem])
    warn(f"this could not be released now: {problem}")


def _fingerprint(plans: Sequence[ContainerPlan], declared: Declared, key: str) -> str:
    entry = declared.entry
    if entry is not None and declared.serving:
        revisions = {name: found["revision"] for name, found in entry["services"].items()}
        if revisions == {plan.service.name: plan.revision for plan in plans}:
            return str(entry["fingerprint"])
    return fingerprint(
        {plan.service.name: plan.revision for plan in plans},
        {plan.service.name: plan.service.extension for plan in plans},
        key,
    )


def _replaced_ingress(
    stack: StackName, state: StackState, wanted: str, refused: Wanted | None, prefix: str
) -> str:
    """The name of the settings of a proxy that must be made anew; empty if none must."""
    found = state.named(CONTAINER).get(ingress_resource(stack.component, state, frozenset()))
    preflight.refuse_other_name(found, f"{prefix}-ingress")
    labels = preflight.labels_of(found or {})
    if found is None or preflight.has_settings(labels, wanted):
        return ""
    if refused is not None:
        refuse_ingress_change(found, refused, REPLACE_INGRESS)
    return labels[LABEL_CONFIG]


def _look(
    host: Host,
    stack: StackName,
    settings: Settings,
    state: StackState,
    live: LiveFact,
    prefix: str,
) -> look.Findings:
    ingress_name = f"{prefix}-ingress"
    require_free_port(settings.port, ingress_name, host)
    preflight.require_own_names([ingress_name], LABEL_OWNER, stack.owner, host)
    own = {LABEL_OWNER: stack.owner, LABEL_ROLE: "service"}
    return look.compare(state, live, host, ingress_name, own)


def _attempt(state: StackState, stack: StackName, release: str, *, recheck: bool) -> dict[str, Any]:
    """The mark of this attempt: as it was, unless the release differs or the gate must look."""
    earlier = state.stash(f"{stack.component}-attempt") or {}
    look_again = secrets.token_hex(4) if recheck else earlier.get("look", "first")
    return {"release": release, "look": look_again}
