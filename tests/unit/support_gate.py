"""A host, an ingress and a clock for tests of the gate: kept in memory, written by hand.

All of them write what was done to them into one journal, so that a test can compare the whole
course of a gate with the one that it promises.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from slipway.errors import GateError
from slipway.extension import Extension, Probe
from slipway.gate import Gate
from slipway.gate_plan import Candidate, GatePlan
from slipway.host import LABEL_OWNER, LABEL_ROLE, ContainerState
from slipway.ingress import LiveRoute
from slipway.probes import Reply, Verdict, judge
from slipway.proxy import KEY_HEADER, SERVICE_HEADER
from slipway.redact import Redactor
from slipway.roles import Role

INGRESS = "shop-test-ingress"
LABELS = {LABEL_OWNER: "0123456789ab", LABEL_ROLE: "service"}
KEY = "a-key"
NEVER = "0001-01-01T00:00:00Z"


class FakeClock:
    """Time that passes only in `sleep`; things can be set to happen at a time."""

    def __init__(self) -> None:
        self.now = 100.0
        self._due: list[tuple[float, Callable[[], None]]] = []

    def __call__(self) -> float:
        return self.now

    @property
    def elapsed(self) -> float:
        return round(self.now - 100.0, 3)

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        self._due.append((100.0 + seconds, action))

    def sleep(self, seconds: float) -> None:
        self.now = round(self.now + seconds, 6)
        due = [entry for entry in self._due if entry[0] <= self.now]
        self._due = [entry for entry in self._due if entry[0] > self.now]
        for _, action in due:
            action()


class InlineExecutor(Executor):
    """Runs what it is given at once, so that a probe's answer comes at a known time."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class FakeHost:
    """Containers by name. Whatever changes one is written into the journal."""

    client = None  # No image is looked into.

    def __init__(self, clock: FakeClock, journal: list[str]) -> None:
        self._clock = clock
        self._journal = journal
        self._containers: dict[str, ContainerState] = {}
        self.digests: dict[str, list[str]] = {}
        self.logs: dict[str, str] = {}
        self.exit_codes: dict[str, int] = {}
        self.answers: dict[str, tuple[int, str]] = {}
        self.on_start: dict[str, Callable[[], None]] = {}
        self.failing: dict[str, Exception] = {}
        self.written: dict[str, list[str]] = {}

    def add(
        self,
        name: str,
        image: str,
        *,
        running: bool = False,
        labels: Mapping[str, str] = LABELS,
    ) -> None:
        """A container that is there before the test begins."""
        self._containers[name] = ContainerState(
            id=f"id-of-{name}",
            name=name,
            status="running" if running else "created",
            exit_code=0,
            restarts=0,
            started_at="2026-01-01T00:00:00Z" if running else NEVER,
            health=None,
            health_output="",
            image=f"image-of-{name}",
            labels=labels,
        )
        self.digests[f"image-of-{name}"] = [image]

    def change(self, name: str, **fields: Any) -> None:
        self._containers[name] = replace(self._containers[name], **fields)

    def image_created(self, image: str) -> str | None:
        return "2025-12-31T00:00:00Z"

    def crash(self, name: str, code: int = 1) -> None:
        self.change(name, status="exited", exit_code=code)

    def vanish(self, name: str) -> None:
        del self._containers[name]

    @property
    def running(self) -> list[str]:
        return sorted(n for n, found in self._containers.items() if found.running)

    @property
    def names(self) -> list[str]:
        return sorted(self._containers)

    def container(self, name: str) -> ContainerState | None:
        by_id = {found.id: found for found in self._containers.values()}
        return self._containers.get(name) or by_id.get(name)

    def containers(self, labels: Mapping[str, str]) -> list[ContainerState]:
        self._fail("containers")
        return [
            found
            for _, found in sorted(self._containers.items())
            if labels.items() <= found.labels.items()
        ]

    def writers(self, volume: str) -> list[ContainerState]:
        names = self.written.get(volume, [])
        return [self._containers[name] for name in names if name in self.running]

    def start(self, name: str) -> None:
        self._journal.append(f"host: start {name}")
        self._fail(f"start {name}")
        found = self._containers[name]
        if not found.running:
            at = f"started at {self._clock.now}"
            self.change(name, status="running", exit_code=0, started_at=at)
        if name in self.on_start:
            self.on_start[name]()

    def stop(self, name: str, grace: float) -> None:
        self._journal.append(f"host: stop {name} within {grace:g} s")
        self._fail(f"stop {name}")
        if name in self.running:
            self.change(name, status="exited", exit_code=143)

    def remove(self, name: str) -> None:
        self._journal.append(f"host: remove {name}")
        if "remove" in self.failing:
            raise self.failing["remove"]
        found = self.container(name)
        if found is not None:
            del self._containers[found.name]

    def last_exit_code(self, name: str) -> int | None:
        return self.exit_codes.get(name)

    def execute(self, name: str, command: Sequence[str]) -> tuple[int, str]:
        self._fail("execute")
        return self.answers.get(name, (0, ""))

    def log_tail(self, name: str, lines: int) -> str:
        return "\n".join(self.logs.get(name, "").splitlines()[-lines:])

    def image_digests(self, image: str) -> list[str]:
        return self.digests.get(image, [])

    def close(self) -> None:
        self._journal.append("host: close")

    def _fail(self, what: str) -> None:
        if what in self.failing:
            raise self.failing[what]


class FakeIngress:
    """A proxy's route, candidate and requests in flight."""

    def __init__(self, journal: list[str]) -> None:
        self._journal = journal
        self.route = LiveRoute()
        self.candidates: dict[str, str] = {}
        self.requests: dict[str, int] = {}
        self.marks: dict[str, str] = {}
        self.lost = False
        self.failing: dict[str, Exception] = {}
        self.on_switch: list[Callable[[], None]] = []

    def live(self) -> LiveRoute:
        self.fail("live")
        return self.route

    def in_flight(self, upstream: str) -> int:
        self.fail("in_flight")
        return self.requests.get(upstream, 0)

    @contextmanager
    def lease(
        self, connect: Callable[[], Any], sleep: Callable[[float], None]
    ) -> Iterator["FakeLease"]:
        self.fail("lease")
        self._journal.append("ingress: lease taken")
        try:
            yield FakeLease(self)
        finally:
            self.candidates = {}
            self._journal.append("ingress: lease given back")

    def set(self, route: LiveRoute) -> None:
        self._journal.append(f"ingress: {_shown(self.route)} => {_shown(route)}")
        self.route = route

    def open(self, upstreams: Mapping[str, str]) -> str:
        self.candidates = dict(upstreams)
        for service, upstream in sorted(upstreams.items()):
            self._journal.append(f"ingress: candidate {service} is {upstream}")
        return KEY

    def close(self) -> None:
        self.candidates = {}
        self._journal.append("ingress: no candidate")

    def fail(self, what: str) -> None:
        if what in self.failing:
            raise self.failing[what]


class FakeLease:
    """Compare-and-swap on the fake's route, as the real scripts do it."""

    def __init__(self, ingress: FakeIngress) -> None:
        self._ingress = ingress

    def open_candidates(self, upstreams: Mapping[str, str]) -> str:
        return self._ingress.open(upstreams)

    def close_candidate(self) -> None:
        self._ingress.close()

    def switch(
        self,
        seen: LiveRoute,
        fingerprint: str,
        upstreams: Mapping[str, str],
        table: str | None = None,
    ) -> LiveRoute:
        self._ingress.fail("switch")
        kept = seen.table if table is None else table
        route = LiveRoute(f"releases/{fingerprint}", dict(upstreams), kept)
        self._swap(seen, route)
        for action in self._ingress.on_switch:
            action()
        self._ingress.fail("switch, after it was done")
        return route

    def switch_back(self, current: LiveRoute, earlier: LiveRoute) -> None:
        self._ingress.fail("switch_back")
        again = replace(earlier, route=f"{earlier.route}, again")
        self._swap(current, again if earlier.upstreams else LiveRoute())

    def job_mark(self, container: str) -> str:
        return self._ingress.marks.get(container, "")

    def mark_job(self, container: str, mark: str, known: Iterable[str]) -> None:
        self._ingress.fail("mark")
        if self._ingress.lost:
            raise GateError("another deploy has taken the route over")
        kept = {container, *known}
        marks = {**self._ingress.marks, container: mark}
        self._ingress.marks = {name: text for name, text in marks.items() if name in kept}

    def confirm(self, seen: LiveRoute) -> None:
        if self._ingress.lost or self._ingress.route.route != seen.route:
            raise GateError("another deploy has taken the route over")

    def held(self) -> bool:
        return not self._ingress.lost

    def _swap(self, seen: LiveRoute, route: LiveRoute) -> None:
        if self._ingress.lost or self._ingress.route.route != seen.route:
            raise GateError("another deploy has taken the route over")
        self._ingress.set(route)


def _shown(route: LiveRoute) -> str:
    return ", ".join(f"{k}={v}" for k, v in sorted(route.upstreams.items())) or "no route"


class FakeProber:
    """Asks the container that a request would reach: running ones answer well unless told."""

    def __init__(self, clock: FakeClock, host: FakeHost, ingress: FakeIngress) -> None:
        self._clock = clock
        self._host = host
        self._ingress = ingress
        self.replies: dict[str, Reply] = {}
        self.public: Reply | None = None
        self.asked: list[tuple[float, str, str]] = []

    def probe(
        self, probe: Probe, headers: Mapping[str, str], upstream: str = "the application"
    ) -> Verdict:
        key = headers.get(KEY_HEADER)
        way = {None: "public", f"gate-{KEY}": "candidate", f"live-{KEY}": "live"}[key]
        service = headers.get(SERVICE_HEADER, "web")
        routes = self._ingress.candidates if way == "candidate" else self._ingress.route.upstreams
        route = routes.get(service)
        self.asked.append((self._clock.elapsed, way, probe.path))
        return judge(probe, self._reply(route, public=key is None), upstream)

    def _reply(self, upstream: str | None, *, public: bool) -> Reply:
        if public and self.public is not None:
            return self.public
        container = upstream.rsplit(":", 1)[0] if upstream else ""
        if container not in self._host.running:
            return Reply(1.0, 502, "The application does not answer (502).\n", by_proxy=True)
        return self.replies.get(container, Reply(1.0, 200, "ok"))


def image(letter: str) -> str:
    return f"localhost:5000/shop@sha256:{letter * 64}"


def extension(**more: Any) -> Extension:
    fields = {"route": {"port": 8000}, "probes": [{"path": "/health"}], "successes": 2, **more}
    return Extension.model_validate(fields)


@dataclass
class Scene:
    """All that a gate works with, wired together.

    `live` is the release before; without it this is the stack's first.
    """

    candidates: list[Candidate]
    live: Mapping[str, str] = field(default_factory=dict)
    orphans: tuple[str, ...] = ()
    secrets: list[str] = field(default_factory=list)
    table: str = ""

    def __post_init__(self) -> None:
        self.journal: list[str] = []
        self.clock = FakeClock()
        self.host = FakeHost(self.clock, self.journal)
        self.ingress = FakeIngress(self.journal)
        self.prober = FakeProber(self.clock, self.host, self.ingress)
        self.host.add(INGRESS, image("e"), running=True, labels={})
        for name in self.live.values():
            self.host.add(name.rsplit(":", 1)[0], image("a"), running=True)
        for candidate in self.candidates:
            if self.host.container(candidate.container) is None:
                self.host.add(candidate.container, candidate.image)
        routed = {service: up for service, up in self.live.items() if ":" in up}
        if routed:
            self.ingress.route = LiveRoute("releases/before", routed)

    @property
    def plan(self) -> GatePlan:
        live = frozenset(name.rsplit(":", 1)[0] for name in self.live.values())
        return GatePlan(
            stack="shop-test",
            fingerprint="now",
            ingress=INGRESS,
            candidates=tuple(self.candidates),
            live=live,
            orphans=self.orphans,
            served={service: up for service, up in self.live.items() if ":" in up},
            table=self.table,
        )

    def run(self) -> list[str]:
        """Run the gate; what was done, in order."""
        Gate(
            self.plan,
            self.host,
            self.ingress,
            self.prober,
            lambda: self.host,
            Redactor(self.secrets),
            lambda line: self.journal.append(f"says: {line}"),
            self.clock,
            self.clock.sleep,
        ).run()
        return self.journal


def web(name: str = "web-2", letter: str = "b", stable_for: float = 2.0, **more: Any) -> Candidate:
    found = extension(**more)
    return Candidate(
        service="web",
        container=name,
        image=image(letter),
        extension=found,
        stable_for=stable_for,
        upstream=f"{name}:8000",
        timeout=found.timeout,
    )


def worker(name: str = "worker-2", letter: str = "b", **more: Any) -> Candidate:
    found = Extension.model_validate({"successes": 2, **more})
    return Candidate(
        service="worker",
        role=Role.WORKER,
        container=name,
        image=image(letter),
        extension=found,
        stable_for=2.0,
        upstream=None,
        timeout=found.timeout,
    )
