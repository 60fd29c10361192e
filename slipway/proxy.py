"""The ingress as data: Caddy's configuration, and where its routes are kept.

Caddy's configuration never changes with a release: a reload of it loses requests and cuts
WebSockets. The upstream is read from a file at each request, and the switch is an atomic rename
on a volume:

    /slipway/live            -> releases/<route>, one folder for all services
    /slipway/live/<service>  container:port that gets the traffic, or HELD
    /slipway/live/+table     name of the sites for which this route was made
    /slipway/candidate/<service>, /slipway/candidate/.key
                             container:port that gets the requests with the right key; between
                             two gates nobody knows the key
    /slipway/lease           who is at the gate

`caddy_config` is a value, as are the scripts in `slipway.proxy_scripts`; `slipway.ingress` carries
them out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from slipway.canonical import SHORT, digest

ROOT = "/slipway"
CONFIG_FILE = "/etc/caddy/slipway.json"
PUBLIC_PORT = 20080
"""The port on which Caddy listens for the public inside its container. A service's own port is
listened on too, under the service's name, so this is one that no service has."""
KEY_HEADER = "X-Slipway-Candidate"
SERVICE_HEADER = "X-Slipway-Service"
KEY_PREFIX = "gate-"
LIVE_PREFIX = "live-"
HELD = "127.0.0.1:9"
"""Stands in the place of an upstream while requests wait: nothing in the ingress container listens
there, so that a connection is refused at once and tried again."""
TABLE = "+table"
"""Stands beside the upstreams of a route and names the sites that it is for; no service can be
called so."""
ADMIN = "127.0.0.1:2019"
SERVER = "slipway"
"""The header Server of what the proxy answers itself."""
_RETRY = 2.0


@dataclass(frozen=True)
class Site:
    """What the proxy does for one service.

    Args:
        service: its name.
        port: the port on which it listens inside its container.
        hosts: names of hosts whose public requests it gets; empty: of every host.
        path: prefix of the paths that it gets, not taken off.
        internal: whether it gets no public requests at all.
        names: names by which other services call it: the proxy answers to them on `port`.
        hold: seconds that a request waits for it to accept a connection.
    """

    service: str
    port: int
    hosts: tuple[str, ...] = ()
    path: str = "/"
    internal: bool = False
    names: tuple[str, ...] = ()
    hold: float = _RETRY


def caddy_config(sites: Sequence[Site], before: Sequence[Site] = ()) -> dict[str, Any]:
    """Caddy's configuration for a stack; see https://caddyserver.com/docs/json/.

    Args:
        sites: what the proxy does.
        before: what it does as long as the live route is not one of a release with these sites:
            those of the release that serves while the proxy is made.
    """
    ordered, earlier = _by_service(sites), _by_service(before)
    earlier = [] if earlier == ordered else earlier
    only_now = _OnlyWhile(table_id(earlier)) if earlier else None
    every = _by_service({site.service: site for site in [*earlier, *ordered]}.values())
    old = [*_public_routes(earlier), _NOWHERE]
    public = [*_keyed_routes(every), *(only_now.each(old) if only_now else [])]
    servers = {"public": _server(PUBLIC_PORT, [*public, *_public_routes(ordered)])}
    for port in sorted({site.port for site in [*ordered, *earlier] if site.names}):
        named, old_named = _named(ordered, port), _named(earlier, port)
        guarded = only_now.each(_named_routes(old_named)) if only_now else []
        routes = [*_new_names(named, earlier), *guarded, *_named_routes(named)]
        servers[f"internal-{port}"] = _server(port, routes)
    return {
        "admin": {"listen": ADMIN},
        "logging": {"logs": {"default": {"level": "WARN"}}},
        "apps": {"http": {"grace_period": "30s", "servers": servers}},
    }


def table_id(sites: Sequence[Site]) -> str:
    """A name for the ways that requests take, which a live route can carry."""
    return digest([asdict(site) for site in _by_service(sites)])[:SHORT]


def settings_id(
    sites: Sequence[Site], image: str, port: int, bind: str, networks: Sequence[str] = ()
) -> str:
    """A name for all that an ingress container is made from, to see whether one has it."""
    settings = {
        "config": caddy_config(sites),
        "names": {site.service: asdict(site)["names"] for site in sites},
        "image": image,
        "port": port,
        "bind": bind,
        "networks": sorted(networks),
    }
    return digest(settings)[:SHORT]


def _by_service(sites: Iterable[Site]) -> list[Site]:
    return sorted(sites, key=lambda site: site.service)


@dataclass(frozen=True)
class _OnlyWhile:
    """Has routes match only while the live route is of one table, or of none that it tells."""

    table: str

    def each(self, routes: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        current = {"vars": {f"{{file.{ROOT}/live/{TABLE}}}": [self.table, ""]}}
        return [
            {**route, "match": [{**match, **current} for match in route.get("match", [{}])]}
            for route in routes
        ]


def _server(port: int, routes: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "listen": [f":{port}"],
        # Without the last one, what matches nothing would get an empty answer with status 200.
        "routes": [*routes, {"handle": _NOWHERE["handle"]}],
        "automatic_https": {"disable": True},
        "errors": {
            "routes": [
                {
                    "handle": [
                        _page(
                            "{http.error.status_code}",
                            "The application does not answer ({http.error.status_code}).",
                        )
                    ]
                }
            ]
        },
    }


def _keyed_routes(sites: Sequence[Site]) -> list[dict[str, Any]]:
    """The gate's own ways: to a candidate, and to what serves without the public's way there.

    The candidate gets no second try, so that its failures are seen at once.
    """
    routes = []
    # The prefix: a key file that is missing for an instant must not match an empty header.
    for prefix, folder in ((KEY_PREFIX, "candidate"), (LIVE_PREFIX, "live")):
        key = f"{prefix}{{file.{ROOT}/candidate/.key}}"
        for site in sites:
            header = {KEY_HEADER: [key], SERVICE_HEADER: [site.service]}
            proxy = _proxy_to(folder, site.service, {KEY_HEADER: [key]})
            routes.append({"match": [{"header": header}], "handle": [proxy], "terminal": True})
    return routes


def _public_routes(sites: Sequence[Site]) -> list[dict[str, Any]]:
    """The public's ways: a host before none, a longer path before a shorter one."""
    public = [site for site in sites if not site.internal]
    public.sort(key=lambda site: (not site.hosts, -len(site.path), site.service))
    return [_route(_public_match(site), site) for site in public]


def _public_match(site: Site) -> dict[str, Any]:
    match: dict[str, Any] = {}
    if site.hosts:
        match["host"] = list(site.hosts)
    if site.path != "/":
        prefix = site.path.rstrip("/")
        match["path"] = [prefix, f"{prefix}/*"]
    return match


def _named(sites: Sequence[Site], port: int) -> list[Site]:
    return [site for site in sites if site.names and site.port == port]


def _new_names(sites: Sequence[Site], earlier: Sequence[Site]) -> list[dict[str, Any]]:
    """The ways to services that the release before did not have, by names that it did not have:
    what calls them is proven before they are in the live route for good."""
    services = {site.service for site in earlier}
    names = {name for site in earlier for name in site.names}
    new = {site: [n for n in site.names if n not in names] for site in sites if earlier}
    return [
        _route({"host": found}, site)
        for site, found in new.items()
        if found and site.service not in services
    ]


def _named_routes(sites: Sequence[Site]) -> list[dict[str, Any]]:
    """The ways of other services, by name. Where one alone has a port, or is internal, the name
    need not be in the request: a proxy of the stack's own may put the public's host there."""
    named = [_route({"host": list(site.names)}, site) for site in sites]
    alone = sites if len(sites) == 1 else [site for site in sites if site.internal]
    if len(alone) != 1:
        return named
    return [*(named if len(sites) > 1 else []), _route({}, alone[0])]


def _route(match: dict[str, Any], site: Site) -> dict[str, Any]:
    # A connection that could not be made is tried again, and the file read again: a request that
    # looked the old container up just before it stopped goes to the new one, and one that comes
    # while its service is held waits.
    retry = {"load_balancing": {"try_duration": f"{site.hold:g}s", "try_interval": "100ms"}}
    route: dict[str, Any] = {"match": [match]} if match else {}
    return {
        **route,
        "handle": [_proxy_to("live", site.service, {}) | retry],
        "terminal": True,
    }


def _proxy_to(folder: str, service: str, echo: dict[str, list[str]]) -> dict[str, Any]:
    """A proxy to the upstream in a file.

    `echo` is set on answers: it proves to the gate that the right container gave them, and not
    another stack, another machine or a cache on the way.
    """
    return {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": f"{{file.{ROOT}/{folder}/{service}}}"}],
        # The key never reaches an application, not even a wrong one.
        "headers": {
            "request": {"delete": [KEY_HEADER, SERVICE_HEADER]},
            "response": {"set": echo} if echo else {"delete": [KEY_HEADER]},
        },
    }


def _page(status: str, text: str) -> dict[str, Any]:
    return {
        "handler": "static_response",
        "status_code": status,
        "body": f"{text}\n",
        "headers": {"Content-Type": ["text/plain; charset=utf-8"], "Server": [SERVER]},
    }


_NOWHERE = {"handle": [_page("404", "No service takes this host and path.")], "terminal": True}
