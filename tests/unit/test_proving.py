"""Groups, jobs, readiness and the way of the probes; the gate's whole course is in test_gate."""

from dataclasses import replace
from typing import Any

import pytest

from slipway import proving
from slipway.errors import GateError
from slipway.extension import Extension
from slipway.gate_plan import REACHED, Candidate
from slipway.ingress import LiveRoute
from slipway.probes import Reply
from slipway.roles import Role

from .support_gate import INGRESS, InlineExecutor, Scene, image, web, worker

BEFORE = {"web": "web-1:8000"}


@pytest.fixture(autouse=True)
def _probes_answer_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proving, "ThreadPoolExecutor", InlineExecutor)


def job(name: str = "migrate-2", service: str = "migrate", **more: Any) -> Candidate:
    fields: dict[str, Any] = {"role": Role.JOB, "timeout": 600.0, **more}
    return Candidate(service, name, image("b"), Extension(), 2.0, None, **fields)


def backing(name: str = "db-1", **more: Any) -> Candidate:
    extension = Extension.model_validate({"successes": 3})
    return Candidate("db", name, image("a"), extension, 0.0, None, role=Role.BACKING, **more)


def api(**more: Any) -> Candidate:
    """A second routed service."""
    return replace(web("api-2", **more), service="api")


def refused(scene: Scene) -> list[str]:
    with pytest.raises(GateError) as caught:
        scene.run()
    return str(caught.value).splitlines()


# --- backing services -----------------------------------------------------------------------


def test_backing_service_is_awaited_before_jobs_run() -> None:
    scene = Scene([job(), backing()], live={"db": "db-1"})
    scene.host.on_start["migrate-2"] = lambda: scene.host.crash("migrate-2", 0)
    assert scene.run()[2:7] == [
        "says: proving db before any traffic goes there",
        "says: db: steady, to be watched for 0 s",
        "says: db is proven",
        "says: running migrate",
        "host: start migrate-2",
    ]
    assert scene.clock.elapsed == 0.4, "what serves already need not pass three rounds"


def test_backing_service_that_is_new_must_pass_all_rounds() -> None:
    scene = Scene([backing("db-2")])
    scene.run()
    assert scene.clock.elapsed == 2.0


@pytest.mark.parametrize(
    ("ready", "command"),
    [
        (("CMD-SHELL", "pg_isready -q"), ["sh", "-c", "pg_isready -q"]),
        (("CMD", "redis-cli", "ping"), ["redis-cli", "ping"]),
    ],
)
def test_readiness_is_asked_in_the_container(ready: tuple[str, ...], command: list[str]) -> None:
    scene = Scene([backing(ready=ready)], live={"db": "db-1"})
    asked: list[tuple[str, list[str]]] = []

    def execute(name: str, words: list[str]) -> tuple[int, str]:
        asked.append((name, words))
        return 0, ""

    scene.host.execute = execute  # type: ignore[method-assign, assignment]
    scene.run()
    assert asked == [("db-1", command)]


def test_backing_service_that_never_gets_ready_is_refused_with_what_it_said() -> None:
    ready = ("CMD-SHELL", "pg_isready -q")
    scene = Scene([backing("db-2", ready=ready, timeout=3.0)])
    scene.host.answers["db-2"] = (2, "no response\n")
    assert refused(scene) == [
        "the release of shop-test was refused: service db: not well within 3 s",
        "container: db-2, running",
        f"image: {image('a')}",
        "probe “pg_isready -q”: expected exit code 0, found exit code 2",
        "body: no response",
        "its log is empty",
        "next: the container is kept (docker logs db-2); mend its settings and run pulumi up again",
        "nothing serves: there was no release before",
    ]


# --- groups ---------------------------------------------------------------------------------


def test_service_that_migrates_when_it_starts_is_proven_alone_and_first() -> None:
    scene = Scene([web(), replace(api(), alone=True)])
    assert [line for line in scene.run() if "proving" in line] == [
        "says: proving api before any traffic goes there",
        "says: proving web before any traffic goes there",
    ]


def test_routed_services_of_one_kind_are_proven_together() -> None:
    scene = Scene([web(), api()])
    assert [line for line in scene.run() if "proving" in line or "=>" in line] == [
        "says: proving web, api before any traffic goes there",
        "ingress: no route => api=api-2:8000, web=web-2:8000",
    ]


def test_one_that_fails_later_takes_back_the_proof_of_another() -> None:
    scene = Scene([web(), worker()], live=BEFORE)
    started = scene.host.on_start
    started["worker-2"] = lambda: scene.prober.replies.update({"web-2": Reply(1.0, 500, "oops")})
    assert refused(scene)[0].startswith(
        "the release of shop-test was refused: service web: well at first, then failed after"
    )


# --- ways -----------------------------------------------------------------------------------


def test_candidates_are_asked_by_the_service_s_name() -> None:
    scene = Scene([web(), api()])
    scene.prober.replies["api-2"] = Reply(1.0, 500, "of api")
    (first, *_) = refused(scene)
    assert "service api: not well" in first


def test_internal_service_is_asked_past_the_public_after_the_switch() -> None:
    route = {"port": 8000, "internal": True}
    scene = Scene([api(route=route), web()])
    scene.prober.public = Reply(1.0, 200, "ok")
    scene.run()
    ways = [way for _, way, _ in scene.prober.asked if way != "candidate"]
    assert ways == ["live", "live", "public", "public"]


def test_probe_outside_the_public_s_path_is_asked_past_the_public() -> None:
    scene = Scene([web(route={"port": 8000, "path": "/shop"})])
    scene.run()
    assert scene.prober.asked[-1][1] == "live"


def test_service_without_probes_must_be_reached_only() -> None:
    assert web(probes=[]).probes == [REACHED]
    assert worker().probes == []
    assert [probe.path for probe in web().probes] == ["/health"]


def test_new_internal_service_can_be_called_before_its_caller_is_proven() -> None:
    internal = {"port": 8000, "internal": True}
    scene = Scene([web(), api(route=internal)], live=BEFORE)
    assert [line for line in scene.run() if "proving" in line or "=>" in line] == [
        "says: proving api before any traffic goes there",
        "ingress: web=web-1:8000 => api=api-2:8000, web=web-1:8000",
        "says: proving web before any traffic goes there",
        "ingress: api=api-2:8000, web=web-1:8000 => api=api-2:8000, web=web-2:8000",
    ]


def test_internal_service_that_others_call_already_is_switched_with_the_others() -> None:
    internal = {"port": 8000, "internal": True}
    live = {**BEFORE, "api": "api-1:8000"}
    scene = Scene([web(), api(route=internal)], live=live)
    assert [line for line in scene.run() if "=>" in line] == [
        "ingress: api=api-1:8000, web=web-1:8000 => api=api-2:8000, web=web-2:8000"
    ]


def test_new_internal_service_is_closed_again_when_its_caller_fails() -> None:
    internal = {"port": 8000, "internal": True}
    scene = Scene([web(), api(route=internal)], live=BEFORE)
    scene.host.on_start["web-2"] = lambda: scene.host.crash("web-2", 3)
    assert refused(scene)[-1] == "what served before still serves"
    assert scene.ingress.route.upstreams == BEFORE
    assert scene.host.running == [INGRESS, "web-1"]


def test_first_release_with_an_internal_service_that_fails_leaves_no_route() -> None:
    internal = {"port": 8000, "internal": True}
    scene = Scene([web(), api(route=internal)])
    scene.host.on_start["web-2"] = lambda: scene.host.crash("web-2", 3)
    refused(scene)
    assert scene.ingress.route == LiveRoute()
    assert scene.host.running == [INGRESS]
