"""Choosing the request that tells whether a service is well."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from slipway.init.health import health_routes
from slipway.init.outline import ServiceOutline
from slipway.init.source import Source, settings

_URL = re.compile(r"https?://[^\s'\"`)|;&]+")
_BARE_URL = re.compile(r"\b(?:localhost|127\.0\.0\.1)(?::\d+)?(?:/[^\s'\"`)|;&]*)?")
_ANSWERS = [200, 301, 302, 401, 403, 404]
_OWN_ADDRESSES = {"*", "127.0.0.1"}


@dataclass(frozen=True)
class Probing:
    """A probe, what it was chosen from, and what is left to decide about it."""

    probe: dict[str, object]
    why: tuple[str, ...]
    to_decide: str = ""


def probe_of(service: ServiceOutline, port: int, source: Source, front: bool) -> Probing:
    """The probe for a service that listens on a port.

    Args:
        service: the service.
        port: its port.
        source: its sources.
        front: whether it is a proxy, whose sources tell nothing of what is behind it.
    """
    headers = {} if front else _host_header(service, source)
    why = _host_reason(headers)
    checked = _checked_path(service.health, port)
    routes = [] if front else health_routes(source.files)
    if checked:
        asked = [route for route in routes if route.whole and route.path == checked]
        answer = asked[0].answer if len(asked) == 1 else {}
        told = (f"{asked[0].file}:{asked[0].line} answers with these values.",) if answer else ()
        reasons = ("Its healthcheck asks for this path.", *told, *why)
        return Probing(_probe(checked, headers, answer), reasons)
    if routes and routes[0].whole:
        found = routes[0]
        what = ", with these values" if found.answer else ""
        told = (f"{found.file}:{found.line} answers there{what}.",)
        return Probing(_probe(found.path, headers, found.answer), (*told, *why))
    reason = "Nothing tells of a path for health checks: any answer but an error of the server."
    if routes:
        reason = f"{routes[0].file}:{routes[0].line} has one, but below which prefix is not clear."
    reason = (
        "The proxy's 502, 503 and 504 fail: what is behind it must answer." if front else reason
    )
    probe: dict[str, object] = {**_probe("/", headers), "status": _ANSWERS}
    missing = "/ with almost any status says little; write the path of a health check and no status"
    more = () if front else ("Replace it by the path of a health check.",)
    return Probing(probe, (reason, *more, *why), "" if front else missing)


def _probe(
    path: str, headers: dict[str, str], answer: Mapping[str, object] | None = None
) -> dict[str, object]:
    probe: dict[str, object] = {"path": path, "headers": headers, "json": dict(answer or {})}
    return {key: value for key, value in probe.items() if value}


def _checked_path(test: Sequence[str], port: int) -> str | None:
    """The path that a health check asks the service for."""
    text = " ".join(test[1:])
    found = _URL.search(text)
    if not found:
        bare = _BARE_URL.search(text) if re.search(r"\b(?:curl|wget)\b", text) else None
        url = f"http://{bare[0]}" if bare else ""
    else:
        url = found[0]
    try:
        parts = urlsplit(url)
        same = parts.port in (port, None)
    except ValueError:
        return None
    if not url or parts.scheme != "http" or not same or "$" in url:
        return None
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _host_header(service: ServiceOutline, source: Source) -> dict[str, str]:
    """The Host that Django lets through, where it lets not every one through."""
    for name, value in service.environment.items():
        if name.endswith("ALLOWED_HOSTS") and value:
            return _host(re.split(r"[,\s]+", value.strip("[] ").replace('"', "")))
    for setting in settings(source, "ALLOWED_HOSTS"):
        if isinstance(setting.value, list | tuple) and setting.value:
            return _host([str(host) for host in setting.value])
    return {}


def _host(allowed: Sequence[str]) -> dict[str, str]:
    if not _OWN_ADDRESSES.isdisjoint(allowed):
        return {}
    return {"Host": next((host.lstrip(".") for host in allowed if host), "localhost")}


def _host_reason(headers: dict[str, str]) -> tuple[str, ...]:
    return ("ALLOWED_HOSTS lets this Host through.",) if headers else ()
