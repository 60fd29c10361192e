"""A stack, ready to be declared: its configuration, its names, and what it must hold."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slipway.canonical import SHORT, digest
from slipway.host import LABEL_OWNER, LABEL_PROJECT, LABEL_STACK
from slipway.image_plan import ImagePlan
from slipway.plan import ContainerPlan, ingress_networks
from slipway.proxy import Site
from slipway.redact import Redactor, holds_secret
from slipway.release import by_reference, prepend
from slipway.services import DEFAULT_NETWORK, Project
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
    sites: tuple[Site, ...] = ()

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
        volumes = self.project.volumes.items()
        return {
            name: volume.name or name if volume.external else f"{self.prefix}-{name}"
            for name, volume in volumes
        }

    @property
    def networks(self) -> dict[str, str]:
        """Names on the host of the compose file's networks."""
        own = {DEFAULT_NETWORK: self.prefix}
        for name, network in self.project.networks.items():
            if network.external:
                own[name] = network.name or name
            elif name != DEFAULT_NETWORK:
                own[name] = f"{self.prefix}-{name}"
        return own

    @property
    def ingress_networks(self) -> dict[str, tuple[str, ...]]:
        """The networks that the proxy is in, with the names that it answers to."""
        return ingress_networks(self.project, self.sites)

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
        hidden = by_reference(recorded, self._all_secrets(plan)) != recorded
        return bool(hidden) or any(file.secret for file in plan.placement.mounted.files)

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
