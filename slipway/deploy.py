"""What a stack's program does before and at the gate: the sequence over the other modules.

`prepare` reads the compose file, looks at registry, state and host, and gives a value with all
names; the components declare it. `pass_gate` is what the gate's hook carries out.
"""

import datetime
import secrets
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slipway import compose, look, preflight
from slipway.canonical import SHORT, digest
from slipway.errors import ConfigError, HostError
from slipway.gate import Candidate, Gate, GatePlan
from slipway.host import (
    LABEL_OWNER,
    LABEL_PROJECT,
    LABEL_ROLE,
    LABEL_STACK,
    Host,
    connect,
    registry_login,
)
from slipway.ingress import Ingress
from slipway.plan import (
    ContainerPlan,
    ImagePlan,
    ingress_resource,
    plan_containers,
    plan_images,
    refuse_moved_tags,
)
from slipway.probes import Prober
from slipway.proxy import settings_id
from slipway.redact import Redactor, holds_secret
from slipway.registry import Registry
from slipway.release import by_reference, fingerprint, prepend
from slipway.services import Project
from slipway.state import CONTAINER, LiveFact, StackState, live_fact

REPLACE_INGRESS = "SLIPWAY_REPLACE_INGRESS"
_READER_VARIABLES = ("PATH", "HOME", "DOCKER_", "SLIPWAY_", "XDG_", "SSL_CERT_")


@dataclass(frozen=True)
class Settings:
    """A stack's configuration.

    Args:
        compose: path of the compose file.
        port: public port on the host.
        registry: registry, with a path if it has one; default the local one.
        ingress_image: Caddy by digest; default SLIPWAY_CADDY_IMAGE of the environment.
        stable_for: seconds that a candidate must stay well; default 15.
        platform: what images are built for; default linux/amd64.
        bind: address of the host on which the public port listens; default all.
        address: public URL that is probed after the switch; default http://<host>:<port>.
        keep_releases: releases that the ledger keeps; default 20.
        variables: values for `${NAME}` in the compose file.
        secrets: the same, never shown.
    """

    compose: Path
    port: int
    registry: str = "localhost:5000"
    ingress_image: str | None = None
    stable_for: float = 15.0
    platform: str = "linux/amd64"
    bind: str = "0.0.0.0"  # noqa: S104  a public port is meant to be public
    address: str | None = None
    keep_releases: int = 20
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class StackName:
    """Which stack this is.

    Args:
        project: the Pulumi project.
        stack: the Pulumi stack.
        component: name of the component.
        key: the stack's random key.
    """

    project: str
    stack: str
    component: str
    key: str = field(repr=False)

    @property
    def owner(self) -> str:
        """Marks what this stack's state has made, as against a stack of the same name elsewhere."""
        return digest({"owner": self.key})[:SHORT]


@dataclass(frozen=True)
class Prepared:
    """A stack, ready to be declared."""

    stack: StackName
    settings: Settings
    project: Project
    prefix: str
    address: str
    ingress_image: str
    ingress_resource: str
    replace_ingress: bool
    containers: tuple[ContainerPlan, ...]
    live: LiveFact
    attempt: Mapping[str, Any]
    orphans: tuple[str, ...]

    @property
    def ingress_name(self) -> str:
        return f"{self.prefix}-ingress"

    @property
    def labels(self) -> dict[str, str]:
        return {
            LABEL_OWNER: self.stack.owner,
            LABEL_PROJECT: self.stack.project,
            LABEL_STACK: self.stack.stack,
        }

    @property
    def volumes(self) -> dict[str, str]:
        """Names on the host of the compose file's volumes."""
        return {name: f"{self.prefix}-{name}" for name in self.project.volumes}

    @property
    def routed(self) -> str:
        return next(plan.service.name for plan in self.containers if plan.service.routed)

    @property
    def fingerprint(self) -> str:
        return str(self.attempt["release"])

    @property
    def redactor(self) -> Redactor:
        """Hides the stack's secrets, and literals of the compose file that look like one."""
        literals = [
            value
            for plan in self.containers
            for name, value in plan.spec.environment.items()
            if holds_secret(name, value)
        ]
        return Redactor([*self.settings.secrets.values(), *literals])

    def holds_secret(self, plan: ContainerPlan) -> bool:
        """Whether a container's settings have one of the stack's secrets, or what looks like it."""
        recorded = _recorded(plan)
        return bool(by_reference(recorded, self._all_secrets(plan)) != recorded)

    def ledger(self, images: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The ledger with this release at its head.

        Args:
            images: reference of each service's image; may be known only later.
        """
        services = {
            plan.service.name: {
                "revision": plan.revision,
                "source_hash": plan.image.source.hash
                if isinstance(plan.image, ImagePlan)
                else None,
                "image": images[plan.service.name],
                **by_reference(_recorded(plan), self._all_secrets(plan)),
            }
            for plan in self.containers
        }
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        entry = {"fingerprint": self.fingerprint, "time": now, "services": services}
        return prepend(self.live.ledger, entry, self.settings.keep_releases)

    def _all_secrets(self, plan: ContainerPlan) -> dict[str, str]:
        configured = self.settings.secrets
        literal = {
            name: value
            for name, value in plan.spec.environment.items()
            # What a configured secret is part of is told by that secret's name already.
            if value and holds_secret(name, value) and by_reference(value, configured) == value
        }
        return {**literal, **self.settings.secrets}


def _recorded(plan: ContainerPlan) -> dict[str, Any]:
    """What the ledger tells of a container beside its image."""
    extension = plan.service.extension
    return {
        "spec": plan.spec.plain(),
        "environment": dict(plan.spec.environment),
        "checks": extension.model_dump(mode="json", by_alias=True, exclude_defaults=True),
    }


def prepare(
    stack: StackName,
    settings: Settings,
    environ: Mapping[str, str],
    state: StackState,
    *,
    preview: bool,
    report: Callable[[str], None],
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

    Raises:
        UserError: something that the user must mend first.
    """
    reader = {k: v for k, v in environ.items() if k.startswith(_READER_VARIABLES)}
    values = {**settings.variables, **settings.secrets}
    project = _read_project(settings, reader, values)
    image = preflight.require_pinned_ingress(
        settings.ingress_image or environ.get("SLIPWAY_CADDY_IMAGE")
    )
    preflight.refuse_secret_arguments(project, settings.secrets)
    prefix = f"{project.name}-{stack.stack}"
    live = live_fact(state.stash(f"{stack.component}-live"))
    with Registry(registry_login) as registry:
        images = plan_images(
            project, stack.component, settings.registry, settings.platform, state, registry.digest
        )
    refuse_moved_tags(images, live.ledger)
    replace_ingress = bool(environ.get(REPLACE_INGRESS))
    if not replace_ingress:
        _refuse_ingress_change(stack, settings, project, image, state, f"{prefix}-ingress")
    findings = look.Findings()
    if not preview:
        with closing(connect()) as host:
            findings = _look(host, stack, settings, state, live, prefix)
    for reason in findings.reasons:
        report(f"the gate looks again: {reason}")
    plans = plan_containers(
        project, images, stack.key, stack.component, prefix, state, findings.missing
    )
    release = fingerprint(
        {plan.service.name: plan.revision for plan in plans},
        {name: service.extension for name, service in project.services.items()},
        stack.key,
    )
    return Prepared(
        stack=stack,
        settings=settings,
        project=project,
        prefix=prefix,
        address=settings.address or f"http://127.0.0.1:{settings.port}",
        ingress_image=image,
        ingress_resource=ingress_resource(stack.component, state, findings.missing),
        replace_ingress=replace_ingress,
        containers=tuple(plans),
        live=live,
        attempt=_attempt(state, stack, release, recheck=bool(findings.reasons)),
        orphans=findings.orphans,
    )


def _read_project(
    settings: Settings, environ: Mapping[str, str], values: Mapping[str, str]
) -> Project:
    try:
        return compose.read_project(settings.compose, environ, values)
    except ConfigError as error:
        # A message may quote a value that holds a secret of the stack.
        redact = Redactor(settings.secrets.values())
        raise ConfigError([redact(problem) for problem in error.problems]) from None


def _refuse_ingress_change(
    stack: StackName,
    settings: Settings,
    project: Project,
    image: str,
    state: StackState,
    ingress_name: str,
) -> None:
    routed = next(name for name, service in project.services.items() if service.routed)
    found = state.named(CONTAINER).get(ingress_resource(stack.component, state, frozenset()))
    preflight.refuse_other_name(found, ingress_name)
    wanted = settings_id(routed, image, settings.port, settings.bind)
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


def pass_gate(prepared: Prepared, fact: Mapping[str, Any], report: Callable[[str], None]) -> None:
    """Carry the gate out for a fact that is to enter the state.

    Raises:
        UserError: the release did not pass; what served before still serves.
    """
    services = fact["ledger"][0]["services"]
    candidates = tuple(
        Candidate(
            service=plan.service.name,
            container=plan.name,
            image=services[plan.service.name]["image"],
            extension=plan.service.extension,
            stable_for=_stable_for(plan, prepared.settings),
            upstream=plan.upstream,
            grace=plan.service.stop_grace_period,
        )
        for plan in prepared.containers
    )
    plan = GatePlan(
        stack=prepared.prefix,
        fingerprint=prepared.fingerprint,
        ingress=prepared.ingress_name,
        candidates=candidates,
        live=prepared.live.names,
        orphans=prepared.orphans,
        served=prepared.live.upstreams,
    )
    with closing(connect()) as host:
        Gate(
            plan,
            host,
            Ingress(host, prepared.ingress_name),
            Prober(prepared.address),
            connect,
            prepared.redactor,
            report,
        ).run()


def _stable_for(plan: ContainerPlan, settings: Settings) -> float:
    chosen = plan.service.extension.stable_for
    return settings.stable_for if chosen is None else chosen


def remove_leftover_network(prepared: Prepared) -> None:
    """Remove networks of ours that a killed run left under the stack's name.

    Raises:
        HostError: a network of that name is not ours, or is in use.
    """
    with closing(connect()) as host:
        for network in host.networks(prepared.prefix):
            own = network.labels.get(LABEL_OWNER) == prepared.stack.owner
            if not own or network.used:
                raise HostError(
                    f"network {prepared.prefix} is there already, and this stack's state has not "
                    f"made it; remove it (docker network rm {prepared.prefix}), or use another "
                    "stack name"
                )
            host.remove_network(network.id)


def remove_leftover(container: str, prepared: Prepared) -> None:
    """Remove a container of ours that a killed run left under a name that is needed.

    Raises:
        HostError: the container of that name is not ours.
    """
    with closing(connect()) as host:
        preflight.require_own_names([container], LABEL_OWNER, prepared.stack.owner, host)
        found = host.container(container)
        if found is not None and found.running and _routed(prepared, host, container):
            raise HostError(
                f"container {container} runs and takes the public traffic, but this stack's state "
                "does not know it: was an older state restored? Nothing was changed; compare "
                "docker ps with pulumi stack export, and remove the container by hand if nothing "
                "needs it"
            )
        host.remove(container)


def _routed(prepared: Prepared, host: Host, container: str) -> bool:
    """Whether the proxy leads to a container, or is that container and leads anywhere."""
    ingress = host.container(prepared.ingress_name)
    if ingress is None or not ingress.running:
        return False
    routed = Ingress(host, prepared.ingress_name).live().containers
    return bool(routed) if container == prepared.ingress_name else container in routed
