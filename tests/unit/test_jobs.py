"""Jobs: what they print, when they count as done, and that never two of them run."""

from dataclasses import replace
from typing import Any

import pytest

from slipway import proving
from slipway.errors import GateError, HostError
from slipway.extension import Extension
from slipway.gate_plan import Candidate
from slipway.roles import Role

from .support_exchange import BEFORE, Exchange, db
from .support_gate import INGRESS, InlineExecutor, Scene, image, web


@pytest.fixture(autouse=True)
def _probes_answer_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proving, "ThreadPoolExecutor", InlineExecutor)


def job(name: str = "migrate-2", service: str = "migrate", **more: Any) -> Candidate:
    fields: dict[str, Any] = {"role": Role.JOB, "timeout": 600.0, **more}
    return Candidate(service, name, image("b"), Extension(), 2.0, None, **fields)


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
    scene.ingress.marks["id-of-migrate-2"] = "done"
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


# --- when a job is done ---------------------------------------------------------------------


def runs(scene: Scene) -> int:
    """How often the job is started by one more gate."""
    before = len(scene.journal)
    scene.run()
    return scene.journal[before:].count("host: start migrate-2")


def test_job_that_the_gate_saw_succeed_does_not_run_for_the_next_attempt() -> None:
    scene = Scene([job()])
    ends(scene, "migrate-2", 0, 1.0)
    assert [runs(scene), runs(scene)] == [1, 0]


def test_job_that_was_stopped_half_way_runs_again_though_it_ended_well() -> None:
    """A server of requests ends with 0 when it is asked to stop; so may a job."""
    scene = Scene([job(timeout=5.0)])
    stop = scene.host.stop

    def orderly(name: str, grace: float) -> None:
        stop(name, grace)
        scene.host.crash(name, 0)

    scene.host.stop = orderly  # type: ignore[method-assign]
    assert "not complete within 5 s" in refused(scene)[0]
    ends(scene, "migrate-2", 0, 1.0)
    assert runs(scene) == 1


def test_job_whose_gate_was_killed_before_it_saw_the_end_runs_again() -> None:
    scene = Scene([job()])
    scene.host.crash("migrate-2", 0)
    ends(scene, "migrate-2", 0, 1.0)
    assert runs(scene) == 1


def test_mark_of_another_container_with_the_same_name_does_not_count() -> None:
    scene = Scene([job()])
    scene.host.crash("migrate-2", 0)
    scene.ingress.marks["id-of-another"] = "done"
    ends(scene, "migrate-2", 0, 1.0)
    assert runs(scene) == 1


def test_job_runs_again_when_a_backing_service_is_new() -> None:
    scene = Exchange([db("db-1", "a"), job()], live={"db": "db-1"})
    ends(scene, "migrate-2", 0, 1.0)
    assert [runs(scene), runs(scene)] == [1, 0]
    scene.host.add("db-2", image("b"))
    scene.label("db-2", "db")
    scene.candidates[0] = db("db-2", "b")
    assert [runs(scene), runs(scene)] == [1, 0]


def test_job_that_ran_again_by_itself_and_failed_runs_again() -> None:
    scene = Scene([job()])
    scene.ingress.marks["id-of-migrate-2"] = "done"
    scene.host.crash("migrate-2", 1)
    ends(scene, "migrate-2", 0, 1.0)
    assert runs(scene) == 1


def test_job_whose_mark_cannot_be_written_fails_the_release() -> None:
    scene = Scene([web(), job()], live=BEFORE)
    ends(scene, "migrate-2", 0, 1.0)
    scene.ingress.failing["mark"] = HostError("the volume is full")
    with pytest.raises(HostError, match=r"^the volume is full$"):
        scene.run()
    assert scene.host.running == [INGRESS, "web-1"]


# --- never two at once ----------------------------------------------------------------------


def left_at_work(*candidates: Candidate) -> Exchange:
    """A run that was killed has left a job running."""
    scene = Exchange([*candidates], live=BEFORE)
    scene.host.add("migrate-2", image("b"), running=True)
    scene.label("migrate-2", "migrate")
    return scene


def test_job_waits_for_the_one_that_a_killed_run_left_at_work() -> None:
    scene = left_at_work(job("migrate-3"))
    scene.clock.after(30.0, lambda: scene.host.crash("migrate-2", 0))
    together: list[list[str]] = []

    def started() -> None:
        together.append(scene.host.running)
        scene.host.crash("migrate-3", 0)

    scene.host.on_start["migrate-3"] = started
    assert scene.run()[2:5] == [
        "says: waiting for migrate-2, which a run that was killed has left at work",
        "says: running migrate",
        "host: start migrate-3",
    ]
    assert together == [["migrate-3", INGRESS, "web-1"]]
    assert 30.0 <= scene.clock.elapsed < 31.0


def test_job_is_refused_when_the_one_before_it_does_not_end() -> None:
    scene = left_at_work(job("migrate-3", timeout=60.0))
    assert refused(scene)[0] == (
        "the release of shop-test was refused: service migrate: migrate-2, left at work by a run "
        "that was killed, has not ended within 60 s; wait for it, or stop it with docker stop "
        "migrate-2"
    )
    assert "host: start migrate-3" not in scene.journal
    assert scene.host.running == ["migrate-2", INGRESS, "web-1"]


@pytest.mark.parametrize("name", ["migrate-2", "migrate-3"], ids=["the same", "another source"])
def test_database_is_not_taken_from_a_job_that_a_killed_run_left_at_work(name: str) -> None:
    scene = left_at_work(db(), job(name))
    scene.live = {"db": "db-1", **BEFORE}
    scene.host.add("db-1", image("a"), running=True)
    scene.label("db-1", "db")
    scene.clock.after(30.0, lambda: scene.host.crash("migrate-2", 0))
    scene.host.on_start[name] = lambda: scene.host.crash(name, 0)
    scene.run()
    order = [
        "says: waiting for migrate-2, which a run that was killed has left at work",
        "host: stop db-1 within 10 s",
        f"host: start {name}",
    ]
    assert [line for line in scene.journal if line in order] == order


def test_jobs_of_other_stacks_and_services_are_not_waited_for() -> None:
    scene = left_at_work(replace(job("import-3"), service="import"))
    scene.host.on_start["import-3"] = lambda: scene.host.crash("import-3", 0)
    assert "says: import has succeeded" in scene.run()
