"""The parts that services play: backing, release command, singleton, held, called by name."""

import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from docker.errors import NotFound

from tests.e2e import faults
from tests.e2e.harness import Outcome, Sandbox, Watcher

COMPOSE = """\
name: {name}
services:
  db:
    image: ${{SLIPWAY_PYTHON_IMAGE}}
    command: ["python3", "-m", "http.server", "9000", "--directory", "/data"]
    healthcheck:
      test: ["CMD", "python3", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:9000')"]
      interval: 500ms
    volumes: [records:/data]
    stop_grace_period: 1s
  web:
    build: &build
      context: .
      args: {{BASE_IMAGE: "${{SLIPWAY_PYTHON_IMAGE}}"}}
    depends_on: {{db: {{condition: service_healthy}}}}
    volumes: [data:/data]
    stop_grace_period: 20s
    x-slipway:
      route: {{port: 8000}}
      probes: [{{path: /api/health, json: {{status: ok}}}}]
      release: >-
        python -c "import urllib.request as r; r.urlopen('http://db:9000'); print('db is there')"
      overlap: false
      drain: 4s
      interval: 200ms
  worker:
    build: *build
    command: ["python", "-m", "app.worker"]
    volumes: [data:/data]
    healthcheck: {{test: ["CMD", "python", "-m", "app.worker", "--check"], interval: 1s}}
    x-slipway: {{singleton: true}}
volumes: {{data: {{}}, records: {{}}}}
"""
CALL = """\
import urllib.request
print(urllib.request.urlopen('http://web:8000/api/health', timeout=25).read().decode())
"""


class Census(threading.Thread):
    """Counts the running containers of each service, again and again."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(daemon=True)
        self._sandbox = sandbox
        self._stopped = threading.Event()
        self.most: dict[str, int] = {}

    def run(self) -> None:
        while not self._stopped.wait(0.1):
            with suppress(NotFound):  # One that was removed while it was looked at.
                self._count(list(self._sandbox.running()))

    def _count(self, names: list[str]) -> None:
        for service in ("db", "web", "worker"):
            count = sum(bool(re.search(f"-test-{service}-[0-9a-f]{{12}}", n)) for n in names)
            self.most[service] = max(count, self.most.get(service, 0))

    def __enter__(self) -> "Census":
        self.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self._stopped.set()
        self.join()


@pytest.fixture(scope="module")
def stack(new_sandbox: Callable[..., Sandbox]) -> tuple[Sandbox, Outcome]:
    """A sandbox with these services, and how its first release went."""
    sandbox = new_sandbox()
    sandbox.write("app/compose.yaml", COMPOSE.format(name=sandbox.name))
    return sandbox, sandbox.must_up()


@pytest.fixture
def parts(stack: tuple[Sandbox, Outcome]) -> Sandbox:
    return stack[0]


def release(sandbox: Sandbox, version: str) -> Outcome:
    """Release a version under load; no request fails, and nothing ever runs twice."""
    sandbox.set_version(version)
    with Watcher(sandbox.url()) as watcher, Census(sandbox) as census:
        outcome = sandbox.must_up()
        time.sleep(0.5)
    assert watcher.versions[-1] == version
    assert census.most == {"db": 1, "web": 1, "worker": 1}
    sandbox.assert_agreement()
    return outcome


def test_release_command_runs_once_the_backing_service_is_ready(
    stack: tuple[Sandbox, Outcome],
) -> None:
    _, first = stack
    assert first.time_of("db is proven") <= first.time_of("running web-release")
    assert first.time_of("web-release | db is there") <= first.time_of("proving web before")


def test_held_service_is_exchanged_while_requests_wait(parts: Sandbox) -> None:
    db = parts.live("db")
    outcome = release(parts, "1.1.0")
    assert "holding requests for web" in outcome.output
    assert "requests were held for" in outcome.output
    assert parts.live("db") == db


def test_second_preview_is_empty(parts: Sandbox) -> None:
    outcome = parts.preview("test", "--expect-no-changes")
    assert outcome.code == 0, outcome.output


def test_other_services_call_a_routed_one_by_its_name(parts: Sandbox) -> None:
    db = parts.engine.containers.get(parts.live("db"))
    parts.set_version("1.1.1")
    before = db.exec_run(["python3", "-c", CALL]).output.decode()
    parts.must_up()
    after = db.exec_run(["python3", "-c", CALL]).output.decode()
    assert '"version":"1.1.0"' in before
    assert '"version":"1.1.1"' in after


@pytest.mark.parametrize("fault", ["web", "worker", "release"])
def test_failed_release_brings_the_old_ones_back(parts: Sandbox, fault: str) -> None:
    running = sorted(parts.running())
    version = parts.health()["version"]
    file, change = {
        "web": ("app/app/main.py", faults.first("raise RuntimeError('web is broken')")),
        "worker": ("app/app/worker.py", faults.first("raise RuntimeError('worker is broken')")),
        "release": (
            "app/compose.yaml",
            lambda text: text.replace("print('db is there')", "raise SystemExit('no such table')"),
        ),
    }[fault]
    parts.set_version("9.9.9")
    with Watcher(parts.url()) as watcher, Census(parts) as census, parts.changed(file, change):
        outcome = parts.must_fail()
    parts.set_version(version)
    told = {"web": "web is broken", "worker": "worker is broken", "release": "no such table"}
    assert told[fault] in outcome.output
    assert watcher.versions == [version]
    assert census.most == {"db": 1, "web": 1, "worker": 1}
    assert sorted(parts.running()) == running
    parts.must_up()
    parts.assert_agreement()


KILLED_AT = {"held": r"-web-.*never runs twice", "switched": r"switched: new requests"}


@pytest.mark.parametrize("source", ["same", "old", "third"])
@pytest.mark.parametrize("phase", list(KILLED_AT))
def test_run_killed_in_the_exchange_of_a_held_service_is_made_good(
    parts: Sandbox, phase: str, source: str
) -> None:
    version = parts.health()["version"]
    wanted = {"same": f"{version}.1", "old": version, "third": f"{version}.2"}[source]
    parts.set_version(f"{version}.1")
    reached: list[str] = []

    def watch(line: str) -> None:
        if not reached and re.search(KILLED_AT[phase], line):
            reached.append(line)
            parts.kill()

    process = parts.start("up", "--yes", "--skip-preview", "--stack", "test")
    outcome = parts.follow(process, watch)
    assert reached, outcome.output
    assert outcome.code != 0
    parts.unlock()
    parts.set_version(wanted)
    with Census(parts) as census:
        parts.must_up()
    assert parts.health()["version"] == wanted
    assert census.most == {"db": 1, "web": 1, "worker": 1}
    parts.assert_agreement()


def test_release_that_fails_after_a_killed_one_leaves_what_that_switched_to(
    parts: Sandbox,
) -> None:
    version = parts.health()["version"]
    parts.set_version(f"{version}.1")

    def watch(line: str) -> None:
        if re.search(KILLED_AT["switched"], line):
            parts.kill()

    process = parts.start("up", "--yes", "--skip-preview", "--stack", "test")
    assert parts.follow(process, watch).code != 0
    parts.unlock()
    running = sorted(parts.running())
    broken = faults.first("raise RuntimeError('web is broken')")
    with Census(parts) as census, parts.changed("app/app/main.py", broken):
        outcome = parts.must_fail()
    assert "what served before still serves" in outcome.output
    assert census.most == {"db": 1, "web": 1, "worker": 1}
    assert sorted(parts.running()) == running
    assert parts.health()["version"] == f"{version}.1"
    parts.must_up()
    parts.assert_agreement()


def test_backing_service_changes_only_when_asked(parts: Sandbox) -> None:
    db = parts.live("db")
    with parts.changed(
        "app/compose.yaml", lambda text: text.replace('9000",', '9000", "-b", "0.0.0.0",')
    ):
        refused = parts.must_fail()
        assert "services.db: command differ from what runs" in refused.output
        assert "SLIPWAY_REPLACE=db" in refused.output
        assert parts.live("db") == db
        parts.environ["SLIPWAY_REPLACE"] = "db"
        try:
            shown = parts.preview().output
            assert "-db-" in shown
            with Census(parts) as census:
                parts.must_up()
        finally:
            del parts.environ["SLIPWAY_REPLACE"]
        assert census.most["db"] == 1
        assert parts.live("db") != db
        parts.assert_agreement()
        again = parts.preview("test", "--expect-no-changes")
        assert again.code == 0, again.output
    parts.environ["SLIPWAY_REPLACE"] = "db"
    parts.must_up()
    del parts.environ["SLIPWAY_REPLACE"]


@pytest.mark.parametrize("change", ["renamed", "built"])
def test_database_is_not_started_twice_on_its_volume(parts: Sandbox, change: str) -> None:
    running = sorted(parts.running())

    def edited(text: str) -> str:
        if change == "renamed":
            return text.replace("  db:\n", "  postgres:\n").replace("{db:", "{postgres:")
        built = 'build: {context: ., args: {BASE_IMAGE: "${SLIPWAY_PYTHON_IMAGE}"}}'
        return text.replace("image: ${SLIPWAY_PYTHON_IMAGE}", built)

    parts.environ["SLIPWAY_REPLACE"] = "db,postgres"
    try:
        with parts.changed("app/compose.yaml", edited), Census(parts) as census:
            refused = parts.must_fail()
    finally:
        del parts.environ["SLIPWAY_REPLACE"]
    volume = f"on the same volume {parts.name}-test-records"
    told = "would be started beside" if change == "renamed" else "runs as a backing service"
    assert told in refused.output
    assert volume in refused.output
    assert census.most == {"db": 1, "web": 1, "worker": 1}
    assert sorted(parts.running()) == running
    parts.must_up()
    parts.assert_agreement()


def test_database_is_not_started_where_another_container_writes(parts: Sandbox) -> None:
    volume = f"{parts.name}-test-records"
    stranger = parts.engine.containers.run(
        parts.environ["SLIPWAY_PYTHON_IMAGE"],
        ["sleep", "600"],
        detach=True,
        volumes={volume: {"bind": "/data", "mode": "rw"}},
    )
    db = parts.live("db")
    parts.environ["SLIPWAY_REPLACE"] = "db"
    try:
        with parts.changed(
            "app/compose.yaml", lambda text: text.replace('9000",', '9000", "-b", "0.0.0.0",')
        ):
            refused = parts.must_fail()
    finally:
        del parts.environ["SLIPWAY_REPLACE"]
        stranger.remove(force=True)
    assert f"container {stranger.name}, which is not of this stack, runs" in refused.output
    assert parts.live("db") == db
    parts.must_up()
    parts.assert_agreement()
