"""The proxies of a compose file, and what is behind them."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from slipway.init.outline import Outline, ServiceOutline

_HOST_RULE = re.compile(r"Host\(([^)]*)\)")
_BACKTICKED = re.compile(r"[`\"']([^`\"']+)[`\"']")
_LOOKS_AT_DOCKER = {"traefik", "nginx-proxy"}
_CONFIGURATION = re.compile(r".*\.(?:conf|template|tmpl|toml|ya?ml|json|cfg)|Caddyfile.*|default")
_LONGEST = 1 << 16


def is_front(service: ServiceOutline) -> bool:
    """Whether a service's program is a proxy."""
    return service.known is not None and service.known.kind == "proxy"


def looks_at_docker(service: ServiceOutline) -> bool:
    """Whether a proxy finds containers by asking Docker; it would find unproven ones too."""
    asks = any("docker.sock" in mount.source for mount in service.mounts)
    return asks and service.known is not None and service.known.name in _LOOKS_AT_DOCKER


class Fronts:
    """The proxies that stay in front, and the services that they lead to.

    Args:
        outline: the compose file.
        answering: names of the application's services that answer HTTP.
    """

    def __init__(self, outline: Outline, answering: Sequence[str]) -> None:
        self._outline = outline
        fronts = [s for s in outline.services if is_front(s) and s.ports]
        names = [n for n in answering if n not in {f.name for f in fronts}]
        self.pairs = [
            (front, self._behind(front, names)) for front in fronts if not looks_at_docker(front)
        ]
        self.asking = [front for front in fronts if looks_at_docker(front)]

    def port(self, front: ServiceOutline) -> int:
        """Where a proxy takes HTTP."""
        ports = [port.target for port in front.ports if port.target not in (None, 443)]
        return next((port for port in (80, 8080) if port in ports), (ports or [80])[0] or 80)

    def _behind(self, front: ServiceOutline, names: Sequence[str]) -> list[str]:
        texts = list(_configuration(front, self._outline.file.parent))
        if not texts:
            closed = {s.name for s in self._outline.services if not s.ports}
            return [name for name in names if name in closed] or list(names[:1])
        words = "\n".join(texts)
        return [n for n in names if re.search(rf"(?<![\w.-]){re.escape(n)}(?![\w-])", words)]

    def hosts_of(self, service: ServiceOutline) -> list[str]:
        """The hosts that a service's labels, or `VIRTUAL_HOST`, give to a proxy that is to go."""
        if not self.asking:
            return []
        rules = [rule for key, rule in service.labels.items() if key.endswith(".rule")]
        named = [
            host
            for rule in rules
            for found in _HOST_RULE.findall(rule)
            for host in _BACKTICKED.findall(found)
        ]
        named += re.split(r"[,\s]+", service.environment.get("VIRTUAL_HOST", ""))
        return list(dict.fromkeys(host for host in named if host))


def _configuration(front: ServiceOutline, folder: Path) -> Iterator[str]:
    """The texts of a proxy's configuration, those that it mounts and those built into it."""
    roots = [folder / m.source for m in front.mounts if m.source.startswith(".")]
    if front.context and front.context != folder:
        roots.append(front.context)
    for root in roots:
        for path in [root] if root.is_file() else sorted(root.rglob("*")):
            if path.is_file() and (path == root or _CONFIGURATION.fullmatch(path.name)):
                yield path.read_text("utf-8", "replace")[:_LONGEST]
    # A Caddy may be told everything by its command.
    if front.command and any("proxy" in word for word in front.command):
        yield " ".join(front.command)
