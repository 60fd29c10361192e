"""From services to what a stack must hold: containers, their names, the proxy's sites."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from slipway.blueprint import Record
from slipway.declared import Declared
from slipway.host_names import adopted_networks, adopted_volumes
from slipway.image_plan import Image, ImagePlan, ReleasedImage
from slipway.mounted_files import Mounted
from slipway.proxy import Site, settings_id
from slipway.release import ContainerSpec, Placement, container_spec, revision
from slipway.roles import Role, in_order, role_of, with_release_commands
from slipway.services import BindMount, Project, Service, VolumeMount
from slipway.state import CONTAINER, StackState


@dataclass(frozen=True)
class ContainerPlan:
    """A service's container.

    Args:
        service: its service.
        resource: name of its resource.
        name: its name on the host.
        revision: hash of all that it is made from.
        spec: what it is made from.
        image: what it runs.
        role: its service's part in a release.
        placement: what ties it to its host.
        record: its service as the ledger keeps it.
        alone: whether it must be proven before others of its role start.
        job_of: the service whose release command it runs.
    """

    service: Service
    resource: str
    name: str
    revision: str
    spec: ContainerSpec
    image: Image
    role: Role = Role.ROUTED
    placement: Placement = field(default_factory=Placement)
    record: Record = field(default_factory=lambda: Record({}))
    alone: bool = False
    job_of: str | None = None

    @property
    def upstream(self) -> str | None:
        """container:port for the proxy; None where the service takes no public traffic."""
        route = self.service.extension.route
        return f"{self.name}:{route.port}" if route else None


def plan_containers(
    declared: Declared,
    key: str,
    component: str,
    prefix: str,
    state: StackState,
    missing: frozenset[str],
) -> list[ContainerPlan]:
    """The container of each service, in the order in which they start.

    Args:
        declared: what the release is made from.
        key: the stack's random key.
        component: names of resources begin with it.
        prefix: names on the host begin with it.
        state: of this stack.
        missing: resources of containers that are gone from the host though the state has them;
            they are made anew under a name of their own.
    """
    project = with_release_commands(declared.project)
    images, mounted = declared.with_jobs(declared.images), declared.with_jobs(declared.mounted)
    records, job_of = declared.with_jobs(declared.records), declared.job_of
    plans: list[ContainerPlan] = []
    for name in in_order(project.services, project):
        service, image = project.services[name], images[name]
        role = role_of(service, project)
        placement = _placement(service, role, mounted.get(name, Mounted()), project, prefix)
        identity, source_hash = identity_of(image)
        placed, job = placement.plain(key), role is Role.JOB
        spec = container_spec(service, identity, source_hash, placed, job=job)
        revised = revision(spec, key)
        resource = _serving(name, declared, state, missing)
        if resource is not None:
            # Its secrets may have another value today; what serves stays as it is.
            revised = _revision_in(declared, name) or revised
        else:
            resource = state.incarnation(
                f"{component}-{name}-{revised}", CONTAINER, missing.__contains__
            )
        plans.append(
            ContainerPlan(
                service=service,
                resource=resource,
                name=f"{prefix}-{resource.removeprefix(f'{component}-')}",
                revision=revised,
                spec=spec,
                image=image,
                role=role,
                placement=placement,
                record=records.get(name, Record({})),
                alone=name in declared.alone,
                job_of=job_of.get(name),
            )
        )
    return plans


def identity_of(image: Image) -> tuple[str, str | None]:
    """What tells one image from another in a revision, and the hash of its source if it has one."""
    if isinstance(image, ImagePlan):
        return image.source.hash, image.source.hash
    if isinstance(image, ReleasedImage):
        return image.source_hash, image.source_hash
    return str(image), None


def _serving(
    service: str, declared: Declared, state: StackState, missing: frozenset[str]
) -> str | None:
    """The resource of the container that serves this release, if it does and is there."""
    name = declared.serving.get(service)
    for resource, found in state.named(CONTAINER).items():
        if name is not None and found.get("name") == name and resource not in missing:
            return resource
    return None


def _revision_in(declared: Declared, service: str) -> str | None:
    services = declared.entry["services"] if declared.entry else {}
    found = services.get(service, {}).get("revision")
    return None if found is None else str(found)


def _placement(
    service: Service, role: Role, mounted: Mounted, project: Project, prefix: str
) -> Placement:
    alone = role in (Role.BACKING, Role.SINGLETON)
    route = service.extension.route
    owned = route.port if route else None  # The proxy has this one.
    published = role in (Role.BACKING, Role.SINGLETON, Role.HELD)
    volumes = {mount.source for mount in service.volumes if isinstance(mount, VolumeMount)}
    there = adopted_volumes(project.volumes, prefix).items()
    joined = adopted_networks(project.networks, prefix).items()
    return Placement(
        mounts=tuple(m for m in service.volumes if not isinstance(m, BindMount)),
        mounted=mounted,
        ports=tuple(p for p in service.ports if published and p.target != owned),
        # Names that lead to old and new alike would lead requests to what is not proven.
        aliases=dict.fromkeys(service.networks, service.names if alone else ()),
        adopted_volumes={name: found for name, found in there if name in volumes},
        adopted_networks={name: found for name, found in joined if name in service.networks},
    )


def plan_sites(project: Project) -> tuple[Site, ...]:
    """What the proxy does for each service that takes requests."""
    return tuple(
        Site(
            service=service.name,
            port=route.port,
            hosts=tuple(route.host),
            path=route.path,
            internal=route.internal,
            names=service.names,
            **({} if service.extension.overlap else {"hold": service.extension.hold}),
        )
        for service in project.routed
        if (route := service.extension.route) is not None
    )


def ingress_networks(project: Project, sites: Sequence[Site]) -> dict[str, tuple[str, ...]]:
    """The networks of the compose file that the proxy must be in, with its names in each."""
    found: dict[str, tuple[str, ...]] = {}
    for site in sites:
        for network in project.services[site.service].networks:
            found[network] = (*found.get(network, ()), *site.names)
    return found


def ingress_settings(
    project: Project, sites: Sequence[Site], image: str, published: tuple[str, int], prefix: str
) -> str:
    """A name for all that the proxy of a project is made from; see `slipway.proxy.settings_id`.

    Args:
        project: the compose project.
        sites: what the proxy does.
        image: its image.
        published: address and port of the host on which it listens.
        prefix: names on the host begin with it.
    """
    bind, port = published
    adopted = adopted_networks(project.networks, prefix)
    networks = [
        f"{name}={adopted[name]}" if name in adopted else name
        for name in ingress_networks(project, sites)
    ]
    return settings_id(sites, image, port, bind, networks)


def ingress_resource(component: str, state: StackState, missing: frozenset[str]) -> str:
    """Name of the ingress container's resource."""
    return state.incarnation(f"{component}-ingress", CONTAINER, missing.__contains__)
