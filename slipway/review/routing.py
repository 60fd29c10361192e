"""Rules about how requests reach services."""

import re
from collections.abc import Iterator

from slipway.built_image import read_built_image
from slipway.conventions import known_image
from slipway.review.subject import Finding, Subject
from slipway.roles import Role
from slipway.services import Port, Service

_APPLICATIONS = (Role.ROUTED, Role.WORKER, Role.SINGLETON, Role.HELD)
_PROXY = "proxy"


def missing_routes(subject: Subject) -> Iterator[Finding]:
    """Nobody reaches the stack."""
    public = [
        s for s in subject.project.routed if s.extension.route and not s.extension.route.internal
    ]
    if public or not subject.complete:
        return
    built = [s for s in subject.project.services.values() if s.build] or list(
        subject.project.services.values()
    )
    proposed = built[0] if built else None
    name = proposed.name if proposed else "web"
    port = proposed.ports[0].target if proposed and proposed.ports else 8000
    yield subject.refuse(
        "no service takes the stack's public traffic; write on the one that does, for example "
        f"{name}: x-slipway: {{route: {{port: {port}}}}} with the port on which it listens",
        "services",
    )


def clashing_routes(subject: Subject) -> Iterator[Finding]:
    """Two services want the same requests."""
    taken: dict[tuple[str, str], str] = {}
    for service in subject.project.routed:
        route = service.extension.route
        if route is None or route.internal:
            continue
        for host in route.host or ["every host"]:
            other = taken.setdefault((host, route.path.rstrip("/")), service.name)
            if other != service.name:
                yield subject.refuse(
                    f"{other} takes {route.path} of {host} already; give one of them another path "
                    "or host, or internal: true if only other services call it",
                    *("services", service.name, "x-slipway", "route"),
                )


def unchecked_routes(subject: Subject) -> Iterator[Finding]:
    """Nothing tells whether a routed service is well."""
    for service in subject.project.routed if subject.complete else []:
        if not service.extension.probes and not _checked(service):
            yield subject.refuse(
                "takes public traffic, but nothing tells whether it is well; add "
                "x-slipway.probes: [{path: /health}] (any path that answers 200) or a healthcheck, "
                "or [{tcp: true}] if nothing answers",
                *("services", service.name),
            )


def _checked(service: Service) -> bool:
    if service.healthcheck is not None or service.build is None:
        return service.has_health_check
    return read_built_image(service.build).checked


def unreachable_names(subject: Subject) -> Iterator[Finding]:
    """Another service calls one that old and new containers are side by side of."""
    for service in subject.with_role(Role.WORKER):
        callers = [
            other.name
            for other in subject.project.services.values()
            if service.name in other.depends_on and service.expose
        ]
        if callers:
            port = re.split(r"[-/]", service.expose[0])[0]  # Of a range, the first.
            yield subject.refuse(
                f"{', '.join(callers)} may call it by its name, which must lead to the proven "
                f"container; write x-slipway: {{route: {{port: {port}, internal: true}}}}",
                *("services", service.name, "expose"),
            )


def fixed_ports(subject: Subject) -> Iterator[Finding]:
    """Ports of the host on services of which two containers run side by side."""
    for service in subject.with_role(*_APPLICATIONS):
        for index, port in enumerate(service.ports):
            yield from _fixed_port(subject, service, index, port)


def _fixed_port(subject: Subject, service: Service, index: int, port: Port) -> Iterator[Finding]:
    path = ("services", service.name, "ports", index)
    route = service.extension.route
    if route is not None and route.port == port.target and port.protocol == "tcp":
        yield subject.warn(
            f"{port} is not published: the stack's proxy owns the public port, and leads to "
            f"{port.target} from slipway:port",
            *path,
        )
        return
    if subject.role(service) in (Role.SINGLETON, Role.HELD):
        return
    also = "" if route is None else f" (its route is to port {route.port})"
    yield subject.refuse(
        f'"{port}" binds a port of the host, which old and new container cannot share{also}; for '
        f"HTTP write x-slipway: {{route: {{port: {port.target}}}}}, with host or path if another "
        "service has the public one; for anything else x-slipway: {singleton: true}; or remove it",
        *path,
    )


def proxies_without_route(subject: Subject) -> Iterator[Finding]:
    """A proxy of the stack's own stands in front, but the public's requests do not reach it."""
    for service in subject.with_role(Role.BACKING):
        known = known_image(service.image or "")
        if known is None or known.kind != _PROXY or not service.ports:
            continue
        port = service.ports[0].target
        yield subject.refuse(
            f"{known.name} stands in front of the application; either remove it and let Slipway's "
            f"proxy lead to the application, or keep it: x-slipway: {{route: {{port: {port}}}, "
            "probes: […]} here, and internal: true on the application's route",
            *("services", service.name),
        )


def container_names(subject: Subject) -> Iterator[Finding]:
    """Names that only one container could have."""
    for service in subject.project.services.values():
        if service.container_name:
            yield subject.warn(
                f"{service.container_name} is kept as a name within the stack's networks; the "
                "container itself is named after stack, service and revision, since old and new "
                "cannot share a name",
                *("services", service.name, "container_name"),
            )
