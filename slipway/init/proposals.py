"""What `x-slipway` should say for each service, and why."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from slipway.conventions import (
    collects_static,
    is_scheduler,
    is_worker,
    listening_port,
    migrates,
)
from slipway.init.fronts import Fronts, is_front
from slipway.init.outline import Outline, Port, ServiceOutline
from slipway.init.probing import probe_of
from slipway.init.source import Source, Sources, settings
from slipway.invocations import calls
from slipway.yaml_edit import text_of, value_of

_DEBUGGERS = {2345, 5678, 5679, 9229}
_SQLITE = re.compile(r"sqlite", re.IGNORECASE)
_PUBLIC = ("80", "443", "8080", "8000")


@dataclass(frozen=True)
class Entry:
    """A key of `x-slipway`.

    Args:
        key: its name.
        value: its value.
        why: what it was chosen from; stands above it as a comment, one line each.
    """

    key: str
    value: object
    why: tuple[str, ...]


@dataclass(frozen=True)
class Proposals:
    """What is proposed.

    Args:
        entries: by service; services for which there is nothing to say are left out.
        routed: the services that get requests.
        to_decide: what a proposal leaves to the user: service, key, text.
    """

    entries: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    routed: tuple[str, ...] = ()
    to_decide: tuple[tuple[str, str, str], ...] = ()


def propose(outline: Outline, sources: Sources) -> Proposals:
    """The proposals for all services of a compose file."""
    return _Proposer(outline, sources).all()


def applications(outline: Outline) -> list[ServiceOutline]:
    """The services that run the user's own code."""
    built = [s for s in outline.services if s.context]
    return built or [s for s in outline.services if s.image_name and s.known is None]


class _Proposer:
    def __init__(self, outline: Outline, sources: Sources) -> None:
        self._outline = outline
        self._sources = sources
        self._apps = applications(outline)
        self._ports = {s.name: p for s in self._apps if (p := self._port(s)) is not None}
        self._fronts = Fronts(outline, list(self._ports))
        self._to_decide: list[tuple[str, str, str]] = []

    def all(self) -> Proposals:
        routes = self._routes()
        releasing = self._releasing([name for name in routes if name in self._ports])
        entries = {}
        for service in self._outline.services:
            found = [*routes.get(service.name, [])]
            if service.name in {app.name for app in self._apps}:
                found += self._alone(service, routed=service.name in routes)
            if service.name == releasing:
                found += self._release(service)
            if service.context:
                found += _as_root(service)
            if found and not service.has_extension:
                entries[service.name] = tuple(found)
        return Proposals(entries, tuple(routes), tuple(self._to_decide))

    def _runs(self, service: ServiceOutline) -> list[list[str]]:
        """The service's command, and the scripts of its own that it starts."""
        return self._sources.of(service.context).run_by(service.command)

    def _port(self, service: ServiceOutline) -> tuple[int, str] | None:
        """The port on which a service answers HTTP, and what tells so."""
        runs = self._runs(service)
        if any(is_worker(run) or is_scheduler(run) for run in runs):
            return None
        if any(call.name == "celery" for run in runs for call in calls(run)):
            return None  # Flower, which shows and controls all jobs, is nothing for the public.
        published = [p.target for p in service.ports if _may_be_http(p)]
        listening = next((port for run in runs if (port := listening_port(run))), None)
        if listening and (listening in published or not published):
            return listening, "its command listens there"
        if published:
            return published[0] or 0, f'the file publishes it as "{service.ports[0].text}"'
        labelled = [v for k, v in service.labels.items() if k.endswith(".server.port")]
        if labelled and labelled[0].isdigit():
            return int(labelled[0]), "its labels name it"
        if service.exposed:
            return service.exposed[0], "the file or the image exposes it"
        return None

    def _routes(self) -> dict[str, list[Entry]]:
        """The routes and probes, by service."""
        routes: dict[str, list[Entry]] = {}
        for front, behind in self._fronts.pairs:
            port = self._fronts.port(front)
            why = (f"{front.known.name if front.known else front.name} is in front of the rest.",)
            routes[front.name] = [Entry("route", {"port": port}, why)]
            routes[front.name].append(self._probes(front, port))
            for name in behind:
                routes.setdefault(name, self._inner_route(name, front.name))
        rest = [s for s in self._apps if s.name in self._ports and s.name not in routes]
        taken = self._has_public_route() or any(not is_inner(r) for r in routes.values())
        reached = [s for s in rest if s.ports or self._fronts.hosts_of(s)]
        public = sorted(reached, key=_least_public) or rest[: 0 if taken else 1]
        for service in public:
            routes[service.name] = self._public_route(service, taken)
            taken = True
        for service in rest:
            if service.name not in routes:
                routes[service.name] = self._inner_route(service.name, "")
        return routes

    def _has_public_route(self) -> bool:
        """Whether the file says already where the public's requests go."""
        routes = [value_of(s.node, "x-slipway", "route") for s in self._outline.services]
        return any(r and text_of(value_of(r, "internal")) != "true" for r in routes)

    def _inner_route(self, name: str, front: str) -> list[Entry]:
        service = next(s for s in self._apps if s.name == name)
        port, told = self._ports[name]
        caller = f"{front} calls" if front else "Other services call"
        why = (f"{caller} it by its name; {told}.",)
        return [
            Entry("route", {"port": port, "internal": True}, why),
            self._probes(service, port),
        ]

    def _public_route(self, service: ServiceOutline, taken: bool) -> list[Entry]:
        port, told = self._ports[service.name]
        route: dict[str, object] = {"port": port}
        hosts = self._fronts.hosts_of(service)
        why = [f"Requests arrive at this port: {told}."]
        if hosts:
            route["host"] = hosts
            why.append("The hosts are those of its labels or of VIRTUAL_HOST.")
        elif taken:
            route["path"] = f"/{service.name}"
            why.append("Another service has / already: choose a path, or host: [name].")
            self._to_decide.append(
                (
                    service.name,
                    "x-slipway.route",
                    f"another service gets the other requests, and this one those below "
                    f"/{service.name}, which is not taken off the path; write the path that it "
                    "serves, or host: [its name]",
                )
            )
        return [Entry("route", route, tuple(why)), self._probes(service, port)]

    def _probes(self, service: ServiceOutline, port: int) -> Entry:
        found = probe_of(service, port, self._sources.of(service.context), front=is_front(service))
        if found.to_decide:
            self._to_decide.append((service.name, "x-slipway.probes", found.to_decide))
        return Entry("probes", [found.probe], found.why)

    def _alone(self, service: ServiceOutline, routed: bool) -> list[Entry]:
        """That old and new may not run at once."""
        if not routed and any(is_scheduler(run) for run in self._runs(service)):
            why = "It starts jobs by the clock: two at once would start each job twice."
            return [Entry("singleton", True, (why,))]
        kept = [m for m in service.mounts if not m.read_only and m.source]
        if kept and self._uses_sqlite(service) and not self._decided_on(kept[0].source):
            why = f"SQLite on {kept[0].source}: old and new must not write to it at once."
            return [Entry("overlap", False, (why,))]
        return []

    def _decided_on(self, volume: str) -> bool:
        """Whether a service that has the volume too says already how it is released."""
        return any(
            service.has_extension and volume in [mount.source for mount in service.mounts]
            for service in self._outline.services
        )

    def _uses_sqlite(self, service: ServiceOutline) -> bool:
        if any(_SQLITE.search(value) for value in service.environment.values()):
            return True
        others = [s.known for s in self._outline.services]
        if any(known and known.kind == "database" for known in others):
            return False
        source = self._sources.of(service.context)
        return any(_SQLITE.search(t) for p, t in source.files.items() if _configures(p))

    def _releasing(self, routed: Sequence[str]) -> str | None:
        """The service whose image migrates; None if something does that already."""
        if any(migrates(run) for app in self._apps for run in self._runs(app)):
            return None
        inner_last = sorted(routed, key=lambda name: is_front(self._service(name)))
        return next((n for n in inner_last if self._release(self._service(n))), None)

    def _service(self, name: str) -> ServiceOutline:
        return next(s for s in self._outline.services if s.name == name)

    def _release(self, service: ServiceOutline) -> list[Entry]:
        source = self._sources.of(service.context)
        run = _runner(service.command)
        if source.named("manage.py"):
            return [self._django_release(service, source, run)]
        for path in source.named("alembic.ini"):
            folder = path.rpartition("/")[0]
            if folder.rpartition("/")[2] == "migrations":
                command = f"{run}flask db upgrade"
            elif not folder or _copied_to_workdir(service, folder):
                command = f"{run}alembic upgrade head"
            else:
                command = f"cd {folder} && {run}alembic upgrade head"
            why = f"{path} is there, and nothing migrates the database when the service starts."
            return [Entry("release", command, (why,))]
        if any("[tool.aerich]" in source.files[p] for p in source.named("pyproject.toml")):
            why = "pyproject.toml has [tool.aerich], and nothing migrates the database."
            return [Entry("release", f"{run}aerich upgrade", (why,))]
        return []

    def _django_release(self, service: ServiceOutline, source: Source, run: str) -> Entry:
        path = source.named("manage.py")[0]
        folder = path.rpartition("/")[0]
        manage = "manage.py" if _copied_to_workdir(service, folder) else path
        python = f"{run}python {manage}"
        why = [f"{path} is there, and nothing migrates the database when the service starts."]
        command = f"{python} migrate --noinput"
        gathered = service.image.collects_static or any(
            collects_static(found) for app in self._apps for found in self._runs(app)
        )
        root = next(iter(settings(source, "STATIC_ROOT")), None)
        if root and not gathered:
            command += f" && {python} collectstatic --noinput"
            why.append(f"{root.file}:{root.line} sets STATIC_ROOT, which collectstatic fills.")
        return Entry("release", command, tuple(why))


def is_inner(entries: Sequence[Entry]) -> bool:
    """Whether a service's route is for other services only."""
    return any(
        isinstance(e.value, dict) and e.value.get("internal") for e in entries if e.key == "route"
    )


def _as_root(service: ServiceOutline) -> list[Entry]:
    """That it may run as root, if it does: the proof of its image would refuse that."""
    user = text_of(value_of(service.node, "user")) or service.image.user
    if user.partition(":")[0] not in ("", "0", "root"):
        return []
    named = f"runs as {user}" if user else "names no USER, and so runs as root"
    why = (f"Its image {named}.", "Give it a user of its own, and take this out.")
    return [Entry("allow", ["root"], why)]


def _may_be_http(port: Port) -> bool:
    return port.target is not None and not port.udp and port.target not in _DEBUGGERS


def _least_public(service: ServiceOutline) -> int:
    published = [port.published for port in service.ports]
    return next((n for n, port in enumerate(_PUBLIC) if port in published), len(_PUBLIC))


def _configures(path: str) -> bool:
    return re.search(r"(?:settings|config|database|db|production|base)[^/]*\.py$", path) is not None


def _runner(command: Sequence[str]) -> str:
    """`uv run ` or `poetry run `, where the service is started so."""
    words = " ".join(command)
    found = re.search(r"\b(uv|poetry|pipenv|pdm) run\b", words)
    return f"{found[1]} run " if found else ""


def _copied_to_workdir(service: ServiceOutline, folder: str) -> bool:
    """Whether what is in a folder of the context is at the working directory of the image."""
    sources = [source.strip("./") for source, _ in service.image.copied]
    return not folder or folder in sources
