from pathlib import Path
from typing import Any

import pytest

from slipway.review import routing

from .support import built, said

BUILD = {"context": "/nowhere"}
CHECKED = {"probes": [{"path": "/health"}]}


def routed(port: int = 8000, **more: Any) -> dict[str, Any]:
    """A built service with a route; `more` belongs to the route."""
    return {"build": BUILD, "x-slipway": {"route": {"port": port, **more}, **CHECKED}}


def published(*ports: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"mode": "ingress", "protocol": "tcp", **port} for port in ports]


# --- missing and clashing routes ------------------------------------------------------------


@pytest.mark.parametrize(
    ("services", "proposed"),
    [
        ({}, "web: x-slipway: {route: {port: 8000}}"),
        ({"db": {"image": "postgres"}}, "db: x-slipway: {route: {port: 8000}}"),
        (
            {"api": {"build": BUILD, "ports": published({"target": 9000})}, "db": {"image": "x"}},
            "api: x-slipway: {route: {port: 9000}}",
        ),
        ({"web": routed(internal=True)}, "web: x-slipway: {route: {port: 8000}}"),
    ],
)
def test_stack_that_nobody_reaches_is_refused_with_a_proposal(
    services: dict[str, Any], proposed: str
) -> None:
    assert said(routing.missing_routes, services) == [
        "refused services: no service takes the stack's public traffic; write on the one that "
        f"does, for example {proposed} with the port on which it listens"
    ]


def test_nothing_is_missed_where_a_service_could_not_be_read() -> None:
    assert said(routing.missing_routes, {"db": {"image": "x"}}, complete=False) == []


def test_one_public_route_is_enough() -> None:
    services = {"web": routed(), "api": routed(internal=True)}
    assert said(routing.missing_routes, services) == []


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ({}, {}, "/ of every host"),
        ({"path": "/api"}, {"path": "/api/"}, "/api/ of every host"),
        ({"host": ["a", "b"]}, {"host": "b"}, "/ of b"),
    ],
)
def test_two_services_that_want_the_same_requests_are_refused(
    one: dict[str, Any], other: dict[str, Any], told: str
) -> None:
    services = {"a": routed(**one), "b": routed(**other)}
    assert said(routing.clashing_routes, services) == [
        f"refused services.b.x-slipway.route: a takes {told} already; give one of them another "
        "path or host, or internal: true if only other services call it"
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"path": "/api"}),
        ({}, {"host": "b"}),
        ({"host": "a"}, {"host": "b"}),
        ({}, {"internal": True}),
    ],
)
def test_requests_that_can_be_told_apart_do_not_clash(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert said(routing.clashing_routes, {"a": routed(**one), "b": routed(**other)}) == []


# --- checks and names -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "check", [None, {"test": ["NONE"]}, {"test": ["CMD", "true"], "disable": True}]
)
def test_routed_service_that_nothing_checks_is_refused(check: dict[str, Any] | None) -> None:
    unchecked = {"build": BUILD, "healthcheck": check, "x-slipway": {"route": {"port": 8000}}}
    assert said(routing.unchecked_routes, {"web": unchecked}) == [
        "refused services.web: takes public traffic, but nothing tells whether it is well; add "
        "x-slipway.probes: [{path: /health}] (any path that answers 200) or a healthcheck, or "
        "[{tcp: true}] if nothing answers"
    ]


@pytest.mark.parametrize(
    "keys",
    [
        {"healthcheck": {"test": ["CMD-SHELL", "curl -f localhost"]}},
        {"x-slipway": {"route": {"port": 8000}, **CHECKED}},
        {"x-slipway": {"route": {"port": 8000}, "probes": [{"tcp": True}]}},
    ],
)
def test_one_check_is_enough(keys: dict[str, Any]) -> None:
    service = {"build": BUILD, "x-slipway": {"route": {"port": 8000}}, **keys}
    assert said(routing.unchecked_routes, {"web": service}) == []


def test_worker_that_others_call_needs_a_route() -> None:
    api = {"build": BUILD, "expose": ["9000/tcp"]}
    waits = {"depends_on": {"api": {}}}
    services = {"api": api, "web": {**routed(), **waits}, "job": {"build": BUILD, **waits}}
    assert said(routing.unreachable_names, services) == [
        "refused services.api.expose: job, web may call it by its name, which must lead to the "
        "proven container; write x-slipway: {route: {port: 9000, internal: true}}"
    ]


@pytest.mark.parametrize(
    "api",
    [
        {"build": BUILD},
        {"image": "api", "expose": ["9000"]},
        {**routed(9000, internal=True), "expose": ["9000"]},
        {"build": BUILD, "expose": ["9000"], "x-slipway": {"singleton": True}},
    ],
    ids=["exposes nothing", "backing", "routed", "singleton"],
)
def test_service_with_one_container_or_a_route_can_be_called(api: dict[str, Any]) -> None:
    services = {"api": api, "web": {**routed(), "depends_on": {"api": {}}}}
    assert said(routing.unreachable_names, services) == []


# --- ports ----------------------------------------------------------------------------------


def test_port_of_the_route_is_said_to_be_the_proxy_s() -> None:
    web = {**routed(), "ports": published({"target": 8000, "published": "80"})}
    assert said(routing.fixed_ports, {"web": web}) == [
        "warned services.web.ports.0: 80:8000 is not published: the stack's proxy owns the public "
        "port, and leads to 8000 from slipway:port"
    ]


@pytest.mark.parametrize(
    ("service", "also"),
    [
        ({"build": BUILD}, ""),
        (routed(), " (its route is to port 8000)"),
    ],
    ids=["worker", "routed"],
)
def test_fixed_port_of_what_runs_side_by_side_is_refused(
    service: dict[str, Any], also: str
) -> None:
    ports = published({"target": 25, "published": "2525"})
    assert said(routing.fixed_ports, {"mail": {**service, "ports": ports}}) == [
        'refused services.mail.ports.0: "2525:25" binds a port of the host, which old and new '
        f"container cannot share{also}; for HTTP write x-slipway: {{route: {{port: 25}}}}, with "
        "host or path if another service has the public one; for anything else x-slipway: "
        "{singleton: true}; or remove it"
    ]


def test_udp_port_of_the_same_number_is_not_the_route_s() -> None:
    ports = published({"target": 8000, "published": "8000", "protocol": "udp"})
    (finding,) = said(routing.fixed_ports, {"web": {**routed(), "ports": ports}})
    assert finding.startswith('refused services.web.ports.0: "8000:8000/udp" binds')


@pytest.mark.parametrize(
    "service",
    [
        {"image": "postgres"},
        {"build": BUILD, "x-slipway": {"singleton": True}},
        {
            "build": BUILD,
            "x-slipway": {"route": {"port": 8000}, "overlap": False, **CHECKED},
        },
    ],
    ids=["backing", "singleton", "held"],
)
def test_what_never_runs_twice_may_have_a_port_of_the_host(service: dict[str, Any]) -> None:
    ports = published({"target": 25, "published": "2525"})
    assert said(routing.fixed_ports, {"mail": {**service, "ports": ports}}) == []


# --- proxies and names of containers --------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "name"), [("nginx:1.27", "nginx"), ("traefik", "traefik"), ("caddy:2", "caddy")]
)
def test_proxy_of_the_stack_s_own_needs_the_public_route(image: str, name: str) -> None:
    front = {"image": image, "ports": published({"target": 80, "published": "80"})}
    assert said(routing.proxies_without_route, {"front": front, "web": routed()}) == [
        f"refused services.front: {name} stands in front of the application; either remove it and "
        "let Slipway's proxy lead to the application, or keep it: x-slipway: {route: {port: 80}, "
        "probes: […]} here, and internal: true on the application's route"
    ]


@pytest.mark.parametrize(
    "front",
    [
        {"image": "nginx", "x-slipway": {"route": {"port": 80}, **CHECKED}},
        {"image": "nginx"},
        {"image": "redis", "ports": published({"target": 6379})},
    ],
    ids=["has the route", "publishes nothing", "is none"],
)
def test_service_that_takes_no_requests_past_the_proxy_is_left_alone(
    front: dict[str, Any],
) -> None:
    assert said(routing.proxies_without_route, {"front": front}) == []


def test_name_of_a_container_is_said_to_be_kept_in_networks_only() -> None:
    assert said(routing.container_names, {"web": {**routed(), "container_name": "shop_web"}}) == [
        "warned services.web.container_name: shop_web is kept as a name within the stack's "
        "networks; the container itself is named after stack, service and revision, since old and "
        "new cannot share a name"
    ]
    assert said(routing.container_names, {"web": routed()}) == []


@pytest.mark.parametrize(
    ("dockerfile", "keys", "accepted"),
    [
        ("FROM a\nHEALTHCHECK CMD curl -f http://localhost\n", {}, True),
        ("FROM a\nHEALTHCHECK NONE\n", {}, False),
        ("FROM a AS one\nHEALTHCHECK CMD true\nFROM b\n", {}, False),
        ("FROM a AS one\nHEALTHCHECK CMD true\nFROM one\n", {}, True),
        ("FROM a\nHEALTHCHECK CMD true\n", {"healthcheck": {"disable": True}}, False),
    ],
    ids=["on", "none", "of-another-stage", "inherited", "switched-off"],
)
def test_health_check_of_the_dockerfile_is_enough(
    tmp_path: Path, dockerfile: str, keys: dict[str, Any], accepted: bool
) -> None:
    web = built(tmp_path, dockerfile, **{"x-slipway": {"route": {"port": 1}}}, **keys)
    assert (said(routing.unchecked_routes, {"web": web}) == []) is accepted


@pytest.mark.parametrize(("target", "accepted"), [("web", False), ("checked", True), (None, True)])
def test_health_check_of_the_stage_that_is_built_counts(
    tmp_path: Path, target: str | None, accepted: bool
) -> None:
    stages = "FROM a AS web\nFROM web AS checked\nHEALTHCHECK CMD true\n"
    web = built(tmp_path, stages, **{"x-slipway": {"route": {"port": 1}}})
    web["build"]["target"] = target
    assert (said(routing.unchecked_routes, {"web": web}) == []) is accepted
