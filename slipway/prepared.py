"""A stack, ready to be declared: its configuration, its names, and what it must hold."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slipway.blueprint import Record, kept_names
from slipway.canonical import SHORT, digest
from slipway.earlier_routes import EarlierRoutes
from slipway.host import LABEL_OWNER, LABEL_PROJECT, LABEL_STACK
from slipway.host_names import network_names, volume_names
from slipway.origin import Origin
from slipway.plan import ContainerPlan, identity_of, ingress_networks, ingress_settings
from slipway.proxy import Site
from slipway.redact import Redactor, holds_secret
from slipway.release import by_number, prepend
from slipway.services import Project
from slipway.state import LiveFact


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
        pin: number of the release at which the stack is held; default none.
        promote_from: stack in which a release must have been verified first; default none.
        min_soak: seconds for which it must have served there.
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
    pin: int | None = None
    promote_from: str | None = None
    min_soak: float = 0.0
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
    """A stack, ready to be declared.

    Args:
        stack: which stack.
        settings: its configuration.
        project: the compose project, or what the ledger keeps of it.
        project_record: what the ledger keeps of it beside its services.
        prefix: names on the host begin with it.
        address: public URL.
        ingress_image: the proxy, by digest.
        ingress_resource: name of its resource.
        replaced_ingress: name of the settings of the proxy that this run makes anew; empty if it
            makes none anew.
        containers: what the stack must hold, in the order in which it starts.
        live: what serves, with the ledger.
        attempt: the mark of this attempt.
        orphans: ids of containers of the stack that no state knows.
        sites: what the proxy does.
        earlier: what it does until this release serves.
        origin: who releases, and from what.
        restores: number of the release of the ledger that this is; None if it comes from the
            source.
        known: values that the state keeps, by name.
        run: name of the driver's run; empty without one.
        time: at which this run began, in UTC, as the ledger tells it.
        proof_places: `file:line key` of what is to be proven of images, by service.
        pushed: when this run has pushed an image, by the name of its resources; it grows.
    """

    stack: StackName
    settings: Settings
    project: Project
    project_record: Record
    prefix: str
    address: str
    ingress_image: str
    ingress_resource: str
    replaced_ingress: str
    containers: tuple[ContainerPlan, ...]
    live: LiveFact
    attempt: Mapping[str, Any]
    orphans: tuple[str, ...]
    sites: tuple[Site, ...] = ()
    earlier: EarlierRoutes = field(default_factory=EarlierRoutes)
    origin: Origin = field(default_factory=Origin)
    restores: int | None = None
    known: Mapping[str, str] = field(default_factory=dict, repr=False)
    run: str = ""
    time: str = field(default="", compare=False)
    proof_places: Mapping[str, str] = field(default_factory=dict, compare=False)
    pushed: dict[str, str] = field(default_factory=dict, compare=False)

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
        return volume_names(self.project.volumes, self.prefix)

    @property
    def networks(self) -> dict[str, str]:
        """Names on the host of the compose file's networks."""
        return network_names(self.project.networks, self.prefix)

    @property
    def ingress_networks(self) -> dict[str, tuple[str, ...]]:
        """The networks that the proxy is in, with the names that it answers to."""
        found = ingress_networks(self.project, self.sites)
        for network, names in self.earlier.networks.items():
            found[network] = tuple(dict.fromkeys((*found.get(network, ()), *names)))
        return found

    @property
    def ingress_settings(self) -> str:
        """A name for all that the proxy is made from."""
        published = (self.settings.bind, self.settings.port)
        return ingress_settings(
            self.project, self.sites, self.ingress_image, published, self.prefix
        )

    @property
    def needs_replacing_back(self) -> bool:
        """Whether the proxy, once it is made anew, cannot be again what it was."""
        there = (self.ingress_settings, self.earlier.settings)
        return self.replaced_ingress not in ("", *there)

    @property
    def fingerprint(self) -> str:
        return str(self.attempt["release"])

    @property
    def redactor(self) -> Redactor:
        """Hides the stack's secrets, those in files, and literals that look like one."""
        found = [value for plan in self.containers for value in _hidden(plan)]
        return Redactor([*self.settings.secrets.values(), *found])

    def ledger(self, images: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The ledger with this release at its head.

        Args:
            images: reference of each service's image; may be known only later.
        """
        entry = {
            "fingerprint": self.fingerprint,
            "time": self.time,
            **self.origin.recorded(),
            **({} if self.restores is None else {"rollback_of": self.restores}),
            "project": self.project_record.content,
            "services": {
                plan.service.name: _recorded(plan, images[plan.service.name])
                for plan in self.containers
            },
        }
        return prepend(self.live.ledger, entry, self.settings.keep_releases)

    def fact(self, images: Mapping[str, Any]) -> dict[str, Any]:
        """The ledger as the state keeps it; see `ledger`."""
        return by_number(self.ledger(images))

    @property
    def kept(self) -> dict[str, str]:
        """What the state must keep for the releases of the ledger, by name."""
        known = {**self.known, **self.project_record.kept}
        for plan in self.containers:
            known |= plan.record.kept
        entries = self.ledger(dict.fromkeys((p.service.name for p in self.containers), ""))
        # What is not known any more was lost with a state that somebody edited.
        return {name: known[name] for name in sorted(kept_names(entries)) if name in known}


def _hidden(plan: ContainerPlan) -> Iterator[str]:
    """What of a container's settings nobody may read."""
    environment, files = plan.spec.environment, plan.placement.mounted.files
    yield from (value for name, value in environment.items() if holds_secret(name, value))
    yield from (file.content.decode(errors="replace") for file in files if file.secret)
    open_ = [file.content.decode(errors="replace") for file in files if not file.secret]
    encoded = {file.encoded for file in files}
    for value in plan.record.kept.values():
        # Ordinary lines of configuration would be hidden wherever they stand.
        if value not in encoded and not any(value in text for text in open_):
            yield value


def _recorded(plan: ContainerPlan, image: Any) -> dict[str, Any]:
    """What the ledger tells of a container."""
    found: dict[str, Any] = {"revision": plan.revision, "image": image}
    _, source_hash = identity_of(plan.image)
    if source_hash is not None:
        found["source_hash"] = source_hash
    if plan.job_of is not None:
        return {**found, "job_of": plan.job_of}
    return {**found, "record": plan.record.content, **({"alone": True} if plan.alone else {})}
