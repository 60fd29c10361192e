from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from slipway.evidence.model import Evidence, Failure, Phase
from slipway.evidence.recorder import Recorder, moment, silent
from slipway.evidence.store import Store
from slipway.probes import Verdict

BEGUN = Evidence(stack="test", run="20260102T030405Z", started="2026-01-02T03:04:05+00:00")
NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
WELL = Verdict("health", True, "status 200", "status 200", "fine", 3.14)
ILL = Verdict("health", False, "status 200", "status 500", "token hunter2 is wrong", 2.0)


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def recorder(tmp_path: Path, clock: Clock, said: list[str]) -> Recorder:
    def redact(text: str) -> str:
        return text.replace("hunter2", "[secret]")

    return Recorder(BEGUN, Store(tmp_path, "test"), clock, lambda: NOON, said.append, redact)


@pytest.fixture
def kept(tmp_path: Path) -> Callable[[], Evidence]:
    return lambda: Store(tmp_path, "test").list()[0]


def test_unfinished_report_is_there_from_the_beginning(
    recorder: Recorder, tmp_path: Path, kept: Callable[[], Evidence]
) -> None:
    names = [file.name for file in (tmp_path / "test").iterdir()]
    assert names == ["20260102T030405Z-unfinished.json"]
    assert kept() == BEGUN


def test_phases_are_timed_from_the_start(
    recorder: Recorder, clock: Clock, kept: Callable[[], Evidence]
) -> None:
    clock.seconds += 1.5
    with recorder.phase("prove web"):
        clock.seconds += 2.25
    assert kept().phases == [Phase(name="prove web", begins=1.5, seconds=2.25)]


def test_last_answer_to_a_probe_counts_and_rounds_are_counted(
    recorder: Recorder, kept: Callable[[], Evidence]
) -> None:
    recorder.service("web", container="web-1")
    for verdict in (ILL, WELL, WELL):
        recorder.probed("web", "candidate", verdict)
    recorder.probed("web", "public", WELL)
    recorder.finish(7)
    candidate, public = kept().services[0].probes
    assert (candidate.passed, candidate.rounds, candidate.milliseconds) == (True, 3, 3.1)
    assert (candidate.body, public.asked, public.rounds) == ("", "public", 1)


@pytest.mark.parametrize(
    ("started", "created", "pushed", "after"),
    [
        ("2026-01-02T03:04:06.123456789Z", "2026-01-02T03:04:05Z", None, True),
        ("2026-01-02T03:04:06Z", "2026-01-02T03:04:05Z", "2026-01-02T03:04:07+00:00", False),
        ("0001-01-01T00:00:00Z", "2026-01-02T03:04:05Z", None, None),
        ("2026-01-02T03:04:06Z", "2026-01-02T03:04:06Z", None, False),
        ("2026-01-02T03:04:06Z", None, None, None),
        ("soon", "2026-01-02T03:04:05Z", None, None),
    ],
)
def test_container_is_compared_with_the_push_of_its_image_or_else_its_build(
    recorder: Recorder,
    kept: Callable[[], Evidence],
    started: str,
    created: str | None,
    pushed: str | None,
    after: bool | None,
) -> None:
    facts = {"container_started": started, "image_created": created, "image_pushed": pushed}
    recorder.service("web", **facts)
    recorder.finish(7)
    assert kept().services[0].started_after_image is after


def test_failure_has_the_first_reason_the_phase_and_no_secret(
    recorder: Recorder, kept: Callable[[], Evidence]
) -> None:
    recorder.service("web", container="web-1")
    with recorder.phase("prove web"):
        recorder.probed("web", "candidate", ILL)
        recorder.failed("token hunter2 is wrong", "web")
        recorder.failed("later")
        recorder.ended("web", 3, "password=hunter2")
    recorder.finish(None, "refused: hunter2\nnext: mend it")
    found = kept()
    assert found.failure == Failure(
        phase="prove web",
        service="web",
        summary="token [secret] is wrong",
        report="refused: [secret]\nnext: mend it",
    )
    assert (found.outcome, found.release, found.ended) == ("failed", None, NOON.isoformat())
    assert (found.services[0].exit_code, found.services[0].log_tail) == (3, "password=[secret]")
    assert "hunter2" not in found.as_json()


def test_failure_outside_of_all_services_is_told_by_its_report(
    recorder: Recorder, kept: Callable[[], Evidence]
) -> None:
    recorder.finish(None, "Docker does not answer\nstart it")
    failure = kept().failure
    assert failure is not None
    assert failure.summary == "Docker does not answer"


def test_report_that_cannot_be_written_is_told_once_and_fails_nothing(
    tmp_path: Path, clock: Clock, said: list[str]
) -> None:
    (tmp_path / "test").write_text("a file where the folder should be")
    found = Recorder(BEGUN, Store(tmp_path, "test"), clock, lambda: NOON, said.append)
    with found.phase("prove web"):
        found.probed("web", "candidate", WELL)
    assert found.finish(7) is None
    assert len(said) == 1
    assert said[0].startswith("warning: evidence is not kept: ")


def test_silent_recorder_keeps_nothing() -> None:
    recorder = silent()
    with recorder.phase("prove web"):
        recorder.probed("web", "candidate", WELL)
    assert recorder.finish(1) is None


def test_times_of_docker_are_understood() -> None:
    assert moment("2026-01-02T12:00:00Z") == NOON
    assert moment("2026-01-02T12:00:00") == NOON
    assert moment("") is None


def test_run_that_is_killed_in_a_phase_leaves_what_it_saw_there(
    recorder: Recorder, clock: Clock, kept: Callable[[], Evidence]
) -> None:
    recorder.service("web", container="web-1")
    clock.seconds += 2.0
    with recorder.phase("prove web"):
        clock.seconds += 5.0
        recorder.probed("web", "candidate", ILL)
        found = kept()
    assert found.outcome == "unfinished"
    assert found.phases == [Phase(name="prove web", begins=2.0, seconds=5.0)]
    assert [probe.found for probe in found.services[0].probes] == ["status 500"]


def test_unfinished_report_is_written_once_a_second_at_most(
    recorder: Recorder, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[float] = []
    monkeypatch.setattr(Store, "begin", lambda self, evidence: written.append(clock.seconds))
    for _ in range(40):
        clock.seconds += 0.25
        recorder.probed("web", "candidate", WELL)
    assert written == [101.0 + second for second in range(10)]


def test_reason_of_a_failure_is_kept_at_once(
    recorder: Recorder, kept: Callable[[], Evidence]
) -> None:
    recorder.failed("not well", "web")
    found = kept()
    assert (found.outcome, found.failure) == (
        "unfinished",
        Failure(service="web", summary="not well"),
    )


def test_answer_after_the_failure_does_not_hide_the_one_that_failed(
    recorder: Recorder, kept: Callable[[], Evidence]
) -> None:
    recorder.service("web", container="web-1")
    recorder.probed("web", "public", ILL)
    recorder.failed("not well", "web")
    recorder.probed("web", "public", WELL)
    recorder.finish(None)
    (probe,) = kept().services[0].probes
    assert (probe.passed, probe.found, probe.rounds) == (False, "status 500", 2)


@pytest.mark.parametrize(
    "facts", [{"container": "\udcff"}, {"exit_code": "three"}, {"colour": "red"}]
)
def test_facts_that_no_report_can_hold_fail_nothing(
    recorder: Recorder, said: list[str], facts: dict[str, str]
) -> None:
    recorder.service("web", **facts)
    assert recorder.finish(7) is None
    assert len(said) == 1
    assert said[0].startswith("warning: evidence is not kept: ")
    assert "\n" not in said[0]
