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


def ends(scene: Scene, name: str, code: int, after: float, *printed: str) -> None:
    """Have a container end some seconds after its start, with lines in its log."""

    def started() -> None:
        scene.clock.after(scene.clock.elapsed + after, ended)

    def ended() -> None:
        scene.host.crash(name, code)
        scene.host.logs[name] = "\n".join([scene.host.logs.get(name, ""), *printed]).strip()

    scene.host.on_start[name] = started


# --- jobs -----------------------------------------------------------------------------------


def test_job_runs_to_its_end_before_candidates_start_and_is_shown() -> None:
    scene = Scene([web(), job()], live=BEFORE)
    ends(scene, "migrate-2", 0, 1.0, "Applying 0001... OK", "Applying 0002... OK")
    assert scene.run()[2:9] == [
        "ingress: candidate web is web-2:8000",
        "says: running migrate",
        "host: start migrate-2",
        "says: migrate | Applying 0001... OK",
        "says: migrate | Applying 0002... OK",
        "says: migrate has succeeded",
        "says: proving web before any traffic goes there",
    ]


def test_job_s_lines_are_shown_as_they_come_and_once() -> None:
    scene = Scene([job()])
    scene.host.on_start["migrate-2"] = lambda: scene.host.logs.update({"migrate-2": "one"})
    scene.clock.after(1.0, lambda: scene.host.logs.update({"migrate-2": "one\ntwo"}))
    scene.clock.after(2.0, lambda: scene.host.crash("migrate-2", 0))
    assert [line for line in scene.run() if " | " in line] == [
        "says: migrate | one",
        "says: migrate | two",
    ]


def test_lines_of_a_job_s_earlier_run_are_not_shown_again() -> None:
    scene = Scene([job()])
    scene.host.crash("migrate-2", 1)
    scene.host.logs["migrate-2"] = "failed"
    ends(scene, "migrate-2", 0, 0.2, "worked")
    assert [line for line in scene.run() if " | " in line] == ["says: migrate | worked"]


def test_job_that_has_succeeded_is_not_run_again() -> None:
    scene = Scene([job()])
    scene.host.crash("migrate-2", 0)
    assert scene.run()[2:3] == ["says: migrate has run already for this release, and succeeded"]
    assert "host: start migrate-2" not in scene.journal


def test_job_that_a_killed_gate_left_running_is_waited_for() -> None:
    scene = Scene([job()])
    scene.host.change("migrate-2", status="running")
    scene.clock.after(3.0, lambda: scene.host.crash("migrate-2", 0))
    assert "says: migrate has succeeded" in scene.run()
    assert scene.clock.elapsed == 3.0


def test_failed_job_ends_the_release_before_anything_starts() -> None:
    scene = Scene([web(), job()], live=BEFORE)
    ends(scene, "migrate-2", 3, 1.0, "no such column")
    assert refused(scene) == [
        "the release of shop-test was refused: service migrate: it ended with exit code 3",
        "container: migrate-2, exited with exit code 3",
        f"image: {image('b')}",
        "end of its log:",
        "  | no such column",
        "next: the container is kept (docker logs migrate-2); mend the source and run pulumi up "
        "again",
        "what served before still serves",
    ]
    assert "host: start web-2" not in scene.journal


def test_job_that_takes_too_long_is_stopped() -> None:
    scene = Scene([job(timeout=5.0, grace=20.0)])
    assert refused(scene)[0] == (
        "the release of shop-test was refused: service migrate: not complete within 5 s"
    )
    assert scene.clock.elapsed == 5.2
    assert "host: stop migrate-2 within 20 s" in scene.journal
    assert scene.host.running == [INGRESS]


def test_job_that_is_gone_ends_the_release() -> None:
    scene = Scene([job()])
    scene.clock.after(1.0, lambda: scene.host.vanish("migrate-2"))
    scene.clock.sleep(0.9)
    assert refused(scene)[0] == (
        "the release of shop-test was refused: service migrate: the container is gone"
    )


def test_what_a_job_prints_shows_no_secret() -> None:
    scene = Scene([job()], secrets=["correct horse"])
    ends(scene, "migrate-2", 0, 0.2, "login with correct horse")
    assert "says: migrate | login with [secret]" in scene.run()


def test_jobs_run_one_after_the_other_in_the_order_of_the_plan() -> None:
    scene = Scene([job("second-2", "second"), job("first-2", "first")])
    for name in ("first-2", "second-2"):
        ends(scene, name, 0, 1.0)
    assert [line for line in scene.run() if line.startswith("host: start ")][1:] == [
        "host: start second-2",
        "host: start first-2",
    ]
    assert scene.clock.elapsed == 2.0


# --- backing services -----------------------------------------------------------------------


def test_backing_service_is_awaited_before_jobs_run() -> None:
    scene = Scene([job(), backing()], live={"db": "db-1"})
    scene.host.crash("migrate-2", 0)
    assert scene.run()[2:6] == [
        "says: proving db before any traffic goes there",
        "says: db: steady, to be watched for 0 s",
        "says: db is proven",
        "says: migrate has run already for this release, and succeeded",
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
    ways = [way for _, way, _ in scene.prober.asked[-4:]]
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
