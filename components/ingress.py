"""The proxy in front of a stack."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_docker as docker

from components.labels import labels as as_labels
from slipway.earlier_routes import EarlierRoutes
from slipway.host import LABEL_CONFIG, LABEL_CONFIG_BEFORE, LABEL_ROLE
from slipway.proxy import CONFIG_FILE, PUBLIC_PORT, ROOT, Site, caddy_config

_GRACE = 35
"""Seconds that Caddy gets to finish requests when it is stopped: its own grace period is 30."""


@dataclass(frozen=True)
class NetworkPlace:
    """A place in a network.

    Args:
        name: the network's name on the host.
        names: what the container answers to in it.
    """

    name: pulumi.Input[str]
    names: Sequence[str] = ()


@dataclass(frozen=True)
class IngressArgs:
    """Arguments of an Ingress.

    Args:
        image: Caddy 2.11 or newer, pinned by digest.
        container_name: name of the container on the host.
        resource_name: name of the container's resource; differs from the component's only after
            a container was lost.
        settings: a name for all of this, by which a change of it is found.
        sites: what it does for each service that takes requests.
        port: public port on the host.
        networks: the networks that it shares with these services, by the compose file's names.
        labels: labels of the container.
        bind: address on the host, default all.
        hooks: hooks of the container.
        replace: make the container anew where its settings differ, which interrupts the service;
            default no: a release never does that by the way.
        earlier: what it does until the release serves, where another one serves.
    """

    image: str
    container_name: str
    resource_name: str
    settings: str
    sites: Sequence[Site]
    port: int
    networks: Mapping[str, NetworkPlace]
    labels: Mapping[str, str]
    bind: str = "0.0.0.0"  # noqa: S104  a public port is meant to be public
    hooks: pulumi.ResourceHookBinding | None = None
    replace: bool = False
    earlier: EarlierRoutes = field(default_factory=EarlierRoutes)


class Ingress(pulumi.ComponentResource):
    """Caddy with a configuration that no release changes; see `slipway.proxy`.

    Outputs:
        container_name: name of the container.
        container_id: its id.

    Errors: a changed port or image is not carried out, unless `replace` says so, because the old
    container must stop before the new one can have the port.
    """

    container_name: pulumi.Output[str]
    container_id: pulumi.Output[str]

    def __init__(
        self, name: str, args: IngressArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("slipway:docker:Ingress", name, {}, opts)
        routes = docker.Volume(
            f"{name}-routes",
            name=f"{args.container_name}-routes",
            labels=as_labels(args.labels, docker.VolumeLabelArgs),
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["*"]),
        )
        container = self._create_container(args, routes)
        self.container_name = container.name
        self.container_id = container.id
        self.register_outputs(
            {"container_name": self.container_name, "container_id": self.container_id}
        )

    def _create_container(self, args: IngressArgs, routes: docker.Volume) -> docker.Container:
        config = caddy_config(args.sites, args.earlier.sites)
        labels = {**args.labels, LABEL_ROLE: "ingress", LABEL_CONFIG: args.settings}
        if args.earlier.settings:
            labels[LABEL_CONFIG_BEFORE] = args.earlier.settings
        return docker.Container(
            args.resource_name,
            name=args.container_name,
            image=args.image,
            entrypoints=["caddy"],
            command=["run", "--config", CONFIG_FILE],
            restart="unless-stopped",
            destroy_grace_seconds=_GRACE,
            stop_timeout=_GRACE,
            must_run=False,
            labels=as_labels(labels, docker.ContainerLabelArgs),
            ports=[
                docker.ContainerPortArgs(internal=PUBLIC_PORT, external=args.port, ip=args.bind)
            ],
            networks_advanced=[
                docker.ContainerNetworksAdvancedArgs(name=place.name, aliases=list(place.names))
                for _, place in sorted(args.networks.items())
            ],
            uploads=[
                docker.ContainerUploadArgs(
                    file=CONFIG_FILE, content=json.dumps(config, indent=2, sort_keys=True)
                )
            ],
            volumes=[
                docker.ContainerVolumeArgs(volume_name=routes.name, container_path=ROOT),
            ],
            opts=pulumi.ResourceOptions(
                parent=self,
                # The provider reads some settings back in another form than they were given, and
                # would make the container anew over it.
                ignore_changes=[] if args.replace else ["*"],
                hooks=args.hooks,
            ),
        )
