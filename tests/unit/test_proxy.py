from collections.abc import Sequence
from typing import Any

import pytest

from slipway.canonical import SHORT
from slipway.proxy import PUBLIC_PORT, Site, caddy_config, settings_id, table_id

KEYS = {
    "candidate": "gate-{file./slipway/candidate/.key}",
    "live": "live-{file./slipway/candidate/.key}",
}
WEB = Site("web", 8000, names=("web",))


def page(status: str, text: str) -> dict[str, Any]:
    return {
        "handler": "static_response",
        "status_code": status,
        "body": f"{text}\n",
        "headers": {"Content-Type": ["text/plain; charset=utf-8"], "Server": ["slipway"]},
    }


def proxied(folder: str, service: str, response: dict[str, object]) -> dict[str, Any]:
    """A proxy to the upstream in a file; the keys of the gate never reach the application."""
    request = {"delete": ["X-Slipway-Candidate", "X-Slipway-Service"]}
    return {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": f"{{file./slipway/{folder}/{service}}}"}],
        "headers": {"request": request, "response": response},
    }


def keyed(folder: str, service: str) -> dict[str, Any]:
    """The way of the gate alone."""
    header = {"X-Slipway-Candidate": [KEYS[folder]], "X-Slipway-Service": [service]}
    handle = proxied(folder, service, {"set": {"X-Slipway-Candidate": [KEYS[folder]]}})
    return {"match": [{"header": header}], "handle": [handle], "terminal": True}


def way(service: str, match: dict[str, Any] | None = None, hold: str = "2s") -> dict[str, Any]:
    """The way of everyone to what is live."""
    retry = {"load_balancing": {"try_duration": hold, "try_interval": "100ms"}}
    handle = proxied("live", service, {"delete": ["X-Slipway-Candidate"]}) | retry
    return {**({"match": [match]} if match else {}), "handle": [handle], "terminal": True}


def server(port: int, *routes: dict[str, Any]) -> dict[str, Any]:
    nothing = page("404", "No service takes this host and path.")
    status = "{http.error.status_code}"
    failed = page(status, f"The application does not answer ({status}).")
    return {
        "listen": [f":{port}"],
        "routes": [*routes, {"handle": [nothing]}],
        "automatic_https": {"disable": True},
        "errors": {"routes": [{"handle": [failed]}]},
    }


def public_ways(sites: Sequence[Site]) -> list[dict[str, Any]]:
    """What follows the gate's own ways on the public port."""
    routes: list[dict[str, Any]] = caddy_config(sites)["apps"]["http"]["servers"]["public"][
        "routes"
    ]
    return routes[2 * len(sites) : -1]


def test_configuration_is_constant_but_for_the_sites() -> None:
    assert caddy_config([WEB]) == {
        "admin": {"listen": "127.0.0.1:2019"},
        "logging": {"logs": {"default": {"level": "WARN"}}},
        "apps": {
            "http": {
                "grace_period": "30s",
                "servers": {
                    "public": server(
                        PUBLIC_PORT, keyed("candidate", "web"), keyed("live", "web"), way("web")
                    ),
                    "internal-8000": server(8000, way("web")),
                },
            }
        },
    }


def test_host_comes_before_none_and_a_long_path_before_a_short_one() -> None:
    sites = [
        Site("all", 1),
        Site("api", 2, path="/api"),
        Site("deep", 3, path="/api/v2/"),
        Site("shop", 4, hosts=("shop.example.com", "example.com")),
        Site("hidden", 5, internal=True),
    ]
    assert public_ways(sites) == [
        way("shop", {"host": ["shop.example.com", "example.com"]}),
        way("deep", {"path": ["/api/v2", "/api/v2/*"]}),
        way("api", {"path": ["/api", "/api/*"]}),
        way("all"),
    ]


def test_requests_wait_as_long_as_a_service_may_be_held() -> None:
    assert public_ways([Site("web", 8000, hold=30.0)]) == [way("web", hold="30s")]


def test_names_tell_services_of_the_same_port_apart() -> None:
    sites = [WEB, Site("api", 8000, internal=True, names=("api", "backend"))]
    servers = caddy_config(sites)["apps"]["http"]["servers"]
    assert servers["internal-8000"] == server(
        8000, way("api", {"host": ["api", "backend"]}), way("web", {"host": ["web"]}), way("api")
    )


def test_without_an_internal_one_only_the_name_leads_to_services_of_the_same_port() -> None:
    sites = [WEB, Site("api", 8000, path="/api", names=("api",))]
    servers = caddy_config(sites)["apps"]["http"]["servers"]
    assert servers["internal-8000"] == server(
        8000, way("api", {"host": ["api"]}), way("web", {"host": ["web"]})
    )


def test_order_of_the_sites_does_not_matter() -> None:
    sites = [WEB, Site("api", 9000, path="/api")]
    assert caddy_config(sites) == caddy_config(sites[::-1])


# --- the ways of the release before ---------------------------------------------------------


def while_before(before: Sequence[Site], route: dict[str, Any]) -> dict[str, Any]:
    """A route that holds until the release that the proxy is made for serves."""
    current = {"vars": {"{file./slipway/live/+table}": [table_id(before), ""]}}
    matches = route.get("match", [{}])
    return {"match": [{**match, **current} for match in matches], **without_match(route)}


def without_match(route: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in route.items() if key != "match"}


NOWHERE = {"handle": [page("404", "No service takes this host and path.")], "terminal": True}


def test_ways_of_the_release_before_hold_until_the_next_one_serves() -> None:
    before = [WEB, Site("old", 9000, hosts=("old.example.com",))]
    after = [Site("front", 8080, names=("front",)), Site("web", 8000, path="/web", names=("web",))]
    servers = caddy_config(after, before)["apps"]["http"]["servers"]
    gates = [keyed(f, s) for f in ("candidate", "live") for s in ("front", "old", "web")]
    assert servers == {
        "public": server(
            PUBLIC_PORT,
            *gates,
            while_before(before, way("old", {"host": ["old.example.com"]})),
            while_before(before, way("web")),
            while_before(before, NOWHERE),
            way("web", {"path": ["/web", "/web/*"]}),
            way("front"),
        ),
        "internal-8000": server(8000, while_before(before, way("web")), way("web")),
        "internal-8080": server(8080, way("front", {"host": ["front"]}), way("front")),
    }


def test_new_service_is_called_by_its_name_before_the_release_serves() -> None:
    """What calls it must be proven, and the service of the same port takes every name else."""
    after = [WEB, Site("api", 8000, internal=True, names=("api", "web"))]
    servers = caddy_config(after, [WEB])["apps"]["http"]["servers"]
    assert servers["internal-8000"]["routes"][:2] == [
        way("api", {"host": ["api"]}),
        while_before([WEB], way("web")),
    ]


def test_same_ways_are_no_others() -> None:
    assert caddy_config([WEB], [WEB]) == caddy_config([WEB])


def test_tables_are_told_apart_by_what_they_lead_to() -> None:
    sites = [WEB, Site("api", 9000)]
    assert table_id(sites) == table_id(sites[::-1])
    others = [[WEB], [WEB, Site("api", 9001)], [WEB, Site("api", 9000, names=("api",))]]
    assert len({table_id(found) for found in [sites, *others]}) == len(others) + 1


SETTINGS: dict[str, Any] = {
    "sites": [WEB],
    "image": "caddy@sha256:1",
    "port": 8000,
    "bind": "0.0.0.0",
    "networks": ["default"],
}


def test_settings_have_one_name() -> None:
    assert settings_id(**SETTINGS) == settings_id(**SETTINGS)
    assert len(settings_id(**SETTINGS)) == SHORT


@pytest.mark.parametrize(
    "change",
    [
        {"sites": [Site("api", 8000, names=("api",))]},
        {"sites": [Site("web", 8000, names=("web", "www"))]},
        {"image": "caddy@sha256:2"},
        {"port": 8001},
        {"bind": "127.0.0.1"},
        {"networks": ["default", "front"]},
    ],
    ids=["service", "names", "image", "port", "bind", "networks"],
)
def test_another_setting_gives_another_name(change: dict[str, Any]) -> None:
    assert settings_id(**{**SETTINGS, **change}) != settings_id(**SETTINGS)
