"""What served before a release that failed, or that was killed, runs in the end."""

from dataclasses import replace

import pytest

from slipway import proving
from slipway.errors import HostError
from slipway.gate_plan import Candidate
from slipway.ingress import LiveRoute
from slipway.probes import Reply
from slipway.proxy import HELD
from slipway.roles import Role

from .support_exchange import (
    BEFORE,
    Exchange,
    alone,
    beat,
    crash,
    db,
    held,
    left_held,
    refused,
)
from .support_gate import INGRESS, InlineExecutor, image, web, worker

STILL = "what served before still serves"
OOPS = Reply(1.0, 500, "oops")


@pytest.fixture(autouse=True)
def _probes_answer_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proving, "ThreadPoolExecutor", InlineExecutor)


def left(scene: Exchange, name: str, service: str, *, running: bool = True) -> None:
    """A run that was killed has left a container."""
    scene.host.add(name, image("b"), running=running)
    scene.label(name, service)


# --- whatever part a service plays now ------------------------------------------------------


def killed_in_an_exchange(*candidates: Candidate) -> Exchange:
    """A gate was killed when it had stopped beat-1 and started beat-2."""
    scene = Exchange([*candidates, web()], live={"beat": "beat-1", **BEFORE})
    scene.host.crash("beat-1", 143)
    left(scene, "beat-2", "beat")
    return scene


@pytest.mark.parametrize(
    "candidates",
    [[], [replace(worker("beat-3", "c"), service="beat")], [beat("beat-3", "c")], [beat()]],
    ids=["dropped", "now a worker", "a singleton again", "the same source"],
)
def test_singleton_that_a_killed_gate_stopped_comes_back_when_the_next_release_fails(
    candidates: list[Candidate],
) -> None:
    scene = killed_in_an_exchange(*candidates)
    crash(scene, "web-2")
    assert refused(scene).splitlines()[-1] == STILL
    assert scene.host.running == ["beat-1", INGRESS, "web-1"]


def test_worker_that_was_a_singleton_never_runs_beside_what_comes_back() -> None:
    scene = killed_in_an_exchange(replace(worker("beat-3", "c"), service="beat"))
    scene.host.on_start["beat-3"] = lambda: scene.host.crash("beat-2", 3)
    scene.prober.public = OOPS
    refused(scene)
    assert scene.journal.index("host: stop beat-3 within 10 s") < scene.journal.index(
        "host: start beat-1"
    )
    assert scene.host.running == ["beat-1", INGRESS, "web-1"]


def test_route_never_goes_back_to_what_a_killed_gate_has_stopped() -> None:
    """It was held; the next source lets old and new run side by side."""
    scene = left_held(Exchange([web("web-3", "c")], live=BEFORE))
    left(scene, "web-2", "web")
    scene.prober.replies["web-3"] = OOPS
    assert refused(scene).splitlines()[-1] == STILL
    assert scene.ingress.route.upstreams == BEFORE
    assert scene.host.running == [INGRESS, "web-1"]


# --- what serves is looked at ---------------------------------------------------------------


@pytest.mark.parametrize("service", ["web", "worker"])
def test_live_container_that_was_down_is_started_when_a_release_fails(service: str) -> None:
    scene = Exchange([web()], live={**BEFORE, "worker": "worker-1"})
    scene.host.crash(f"{service}-1", 137)
    scene.prober.replies["web-2"] = OOPS
    assert refused(scene).splitlines()[-1] == STILL
    assert scene.host.running == [INGRESS, "web-1", "worker-1"]


def test_what_does_not_come_back_is_named_instead_of_claimed_to_serve() -> None:
    scene = Exchange([web()], live={**BEFORE, "worker": "worker-1"})
    scene.host.crash("web-1", 137)
    crash(scene, "web-1", 3)
    crash(scene, "web-2")
    assert refused(scene).splitlines()[-1] == (
        "what served before was brought back, but web-1 is exited with exit code 3: look at "
        "docker logs and run pulumi up again"
    )


def test_what_crashes_a_moment_after_it_was_started_again_is_named() -> None:
    scene = Exchange([web()], live=BEFORE)
    scene.host.crash("web-1", 137)
    scene.host.on_start["web-1"] = lambda: scene.clock.after(
        scene.clock.elapsed + 1.0,
        lambda: scene.host.change("web-1", restarts=1, started_at="again"),
    )
    crash(scene, "web-2")
    assert "but web-1 is running, restarted by Docker (1): " in refused(scene).splitlines()[-1]


def test_what_is_gone_is_named() -> None:
    scene = Exchange([web()], live=BEFORE)
    scene.host.vanish("web-1")
    crash(scene, "web-2")
    assert "but web-1 is gone: " in refused(scene).splitlines()[-1]


def test_engine_that_does_not_answer_any_more_is_told() -> None:
    scene = Exchange([web()], live=BEFORE)
    crash(scene, "web-2")
    find = scene.host.container

    def container(name: str) -> object:
        if "host: stop web-2 within 10 s" in scene.journal:
            raise HostError("Docker does not answer")
        return find(name)

    scene.host.container = container  # type: ignore[method-assign, assignment]
    assert refused(scene).splitlines()[-1] == (
        "what served before was brought back, but cannot be looked at: Docker does not answer"
    )


def test_live_worker_that_cannot_be_started_keeps_nothing_else_from_coming_back() -> None:
    scene = Exchange([held()], live={**BEFORE, "worker": "worker-1"})
    scene.host.crash("worker-1", 137)
    scene.host.failing["start worker-1"] = HostError("its folder is gone")
    crash(scene, "web-2")
    assert "but worker-1 is exited with exit code 137" in refused(scene).splitlines()[-1]
    assert "says: worker-1 was not brought back: its folder is gone" in scene.journal
    assert scene.ingress.route.upstreams == BEFORE
    assert scene.host.running == [INGRESS, "web-1"]


def test_job_is_never_started_again_for_a_release_that_fails() -> None:
    job = alone("migrate", "migrate-1", Role.JOB, "a")
    scene = Exchange([job, web()], live=BEFORE)
    scene.host.crash("migrate-1", 0)
    crash(scene, "web-2")
    refused(scene)
    assert scene.host.running == [INGRESS, "web-1"]


def test_requests_go_back_before_what_takes_none_is_exchanged() -> None:
    scene = Exchange([beat(), web()], live={"beat": "beat-1", **BEFORE})
    scene.prober.public = OOPS
    refused(scene)
    assert scene.journal.index("ingress: web=web-2:8000 => web=web-1:8000") < scene.journal.index(
        "host: stop beat-2 within 10 s"
    )
    assert scene.host.running == ["beat-1", INGRESS, "web-1"]


# --- gates that were killed after their switch ----------------------------------------------

LIVE = {"beat": "beat-1", "db": "db-1", **BEFORE}


def killed_after_the_switch(*candidates: Candidate, first: bool = False) -> Exchange:
    """The public goes to web-2; db-2 and beat-2 run beside it, and the state knows of none."""
    scene = Exchange(list(candidates), live={} if first else LIVE)
    for service in ("beat", "db", "web"):
        name = f"{service}-2"
        if scene.host.container(name) is None:
            left(scene, name, service)
        scene.host.change(name, status="running")
        if not first and service != "web":
            scene.host.crash(f"{service}-1", 143)
    scene.ingress.route = LiveRoute("releases/killed", {"web": "web-2:8000"})
    return scene


@pytest.mark.parametrize("first", [False, True], ids=["a later release", "the first release"])
@pytest.mark.parametrize("letter", ["c", "b"], ids=["a third source", "the same source"])
def test_failed_release_after_a_killed_one_keeps_together_what_served(
    letter: str, *, first: bool
) -> None:
    n = {"c": 3, "b": 2}[letter]
    candidates = [
        db("db-2", "b"),
        beat(f"beat-{n}", letter),
        web(f"web-{n}", letter),
        replace(worker(f"mail-{n}", letter), service="mail"),
    ]
    scene = killed_after_the_switch(*candidates, first=first)
    crash(scene, f"mail-{n}")
    scene.prober.public = OOPS
    assert refused(scene).splitlines()[-1] == STILL
    assert scene.ingress.route.upstreams == {"web": "web-2:8000"}
    old = [] if first else ["web-1"]
    assert scene.host.running == sorted(["beat-2", "db-2", INGRESS, "web-2", *old])


def test_old_source_that_fails_after_a_killed_release_keeps_together_what_served() -> None:
    scene = killed_after_the_switch(db("db-1", "a"), beat("beat-1", "a"), held("web-1", "a"))
    scene.host.crash("web-1", 143)
    scene.prober.replies["web-1"] = OOPS
    assert refused(scene).splitlines()[-1] == STILL
    assert scene.ingress.route.upstreams == {"web": "web-2:8000"}
    assert scene.host.running == ["beat-2", "db-2", INGRESS, "web-2"]


def test_state_tells_what_served_where_nothing_runs_after_a_killed_release() -> None:
    scene = killed_after_the_switch(beat("beat-3", "c"), web("web-3", "c"))
    scene.host.crash("beat-2", 1)
    crash(scene, "web-3")
    refused(scene)
    assert "beat-1" in scene.host.running


def test_new_internal_route_is_not_taken_for_a_switch() -> None:
    """A gate was killed when it had led the first requests to a new service, and nothing else."""
    scene = Exchange([beat("beat-3", "c"), web()], live={"beat": "beat-1", **BEFORE})
    scene.host.crash("beat-1", 143)
    left(scene, "beat-2", "beat")
    left(scene, "api-2", "api")
    scene.ingress.route = LiveRoute("releases/opened", {**BEFORE, "api": "api-2:8000"})
    crash(scene, "web-2")
    refused(scene)
    assert scene.host.running == ["api-2", "beat-1", INGRESS, "web-1"]


def test_requests_that_a_killed_gate_holds_are_not_taken_for_a_switch() -> None:
    scene = Exchange([beat("beat-3", "c"), held("web-3", "c")], live={"beat": "beat-1", **BEFORE})
    scene.host.crash("beat-1", 143)
    left(scene, "beat-2", "beat")
    scene.host.crash("web-1", 143)
    scene.ingress.route = LiveRoute("releases/left", {"web": HELD})
    crash(scene, "web-3")
    refused(scene)
    assert scene.host.running == ["beat-1", INGRESS, "web-1"]
