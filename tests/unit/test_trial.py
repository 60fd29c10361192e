from collections.abc import Sequence
from dataclasses import replace

import pytest

from slipway.host import ContainerState
from slipway.probes import Verdict
from slipway.trial import Fault, Terms, Trial

GOOD = Verdict("GET /", True, "status 200", "status 200")
BAD = Verdict("GET /", False, "status 200", "status 500", "oops")
RUNNING = ContainerState(
    id="1",
    name="web",
    status="running",
    exit_code=0,
    restarts=2,
    started_at="noon",
    health=None,
    health_output="",
    image="sha256:1",
    labels={},
)
TERMS = Terms(successes=2, timeout=10, stable_for=5)


def begun(terms: Terms = TERMS) -> Trial:
    return Trial(terms, 100, RUNNING)


def rounds(trial: Trial, *seen: tuple[float, Sequence[Verdict]]) -> Trial:
    for at, verdicts in seen:
        trial.see_container(100 + at, RUNNING)
        trial.see_round(100 + at, verdicts)
    return trial


def standing(trial: Trial) -> tuple[str, bool, bool, Fault | None]:
    return trial.progress, trial.steady, trial.proven, trial.fault


def test_starting_until_enough_rounds_passed_in_a_row() -> None:
    trial = rounds(begun(), (0, [GOOD]), (1, [BAD]), (2, [GOOD]))
    assert standing(trial) == ("1 of 2 rounds passed", False, False, None)


def test_steady_after_successes_in_a_row() -> None:
    trial = rounds(begun(), (0, [GOOD]), (1, [GOOD, GOOD]))
    assert standing(trial) == ("steady, to be watched for 5 s", True, False, None)


def test_proven_after_staying_well_for_the_whole_window() -> None:
    trial = rounds(begun(), (0, [GOOD]), (1, [GOOD]), (4.9, [GOOD]))
    assert not trial.proven
    rounds(trial, (5, [GOOD]))
    assert (trial.proven, trial.over, trial.fault) == (True, True, None)


def test_proven_at_once_without_a_window() -> None:
    trial = rounds(begun(Terms(1, 10, 0)), (0, [GOOD]))
    assert trial.proven


def test_rounds_without_probes_pass_while_the_container_is_well() -> None:
    trial = rounds(begun(), (0, []), (1, []), (6, []))
    assert trial.proven


def test_one_failed_probe_of_several_fails_the_round() -> None:
    trial = rounds(begun(), (0, [GOOD]), (1, [GOOD, BAD]))
    assert trial.progress == "0 of 2 rounds passed"


def test_failure_at_the_end_of_the_time_is_no_time_out_yet() -> None:
    assert rounds(begun(), (10, [BAD])).fault is None


def test_time_out_keeps_the_failed_probes_only() -> None:
    trial = rounds(begun(), (10.1, [GOOD, BAD]))
    assert trial.fault == Fault("not well within 10 s", (BAD,))


def test_health_check_that_is_still_starting_holds_the_trial_up() -> None:
    trial = begun()
    for at in (0, 1, 9):
        trial.see_container(100 + at, replace(RUNNING, health="starting"))
        trial.see_round(100 + at, [GOOD])
    assert standing(trial) == ("0 of 2 rounds passed", False, False, None)
    trial.see_round(110.1, [GOOD])
    assert trial.fault == Fault("not well within 10 s; its Docker health check is still starting")


def test_health_check_that_became_healthy_lets_rounds_count() -> None:
    trial = begun(Terms(1, 10, 0))
    trial.see_container(101, replace(RUNNING, health="healthy"))
    trial.see_round(101, [])
    assert trial.proven


def test_failed_probe_while_steady_ends_the_trial() -> None:
    trial = rounds(begun(), (0, [GOOD]), (1, [GOOD]), (3.5, [BAD, GOOD]))
    summary = "well at first, then failed after 3.5 s of the 5 s that it is watched for"
    assert standing(trial) == ("steady, to be watched for 5 s", True, False, Fault(summary, (BAD,)))


@pytest.mark.parametrize(
    ("seen", "summary"),
    [
        (None, "the container was removed after 2.5 s"),
        (
            replace(RUNNING, status="exited", exit_code=137),
            "the container exited with code 137 after 2.5 s",
        ),
        (replace(RUNNING, status="dead"), "the container exited with code 0 after 2.5 s"),
        (
            replace(RUNNING, status="restarting", exit_code=1),
            "the container exited with code 1 after 2.5 s",
        ),
        (
            replace(RUNNING, restarts=3),
            "the container exited and was started again after 2.5 s",
        ),
        (
            replace(RUNNING, started_at="one o'clock"),
            "the container exited and was started again after 2.5 s",
        ),
        (
            replace(RUNNING, status="paused"),
            "the container is paused instead of running, after 2.5 s",
        ),
        (
            replace(RUNNING, health="unhealthy"),
            "its Docker health check says unhealthy after 2.5 s",
        ),
        (
            replace(RUNNING, health="unhealthy", health_output="no database"),
            "its Docker health check says unhealthy after 2.5 s: no database",
        ),
    ],
)
@pytest.mark.parametrize("passed", [0, 1, 2], ids=["at first", "starting", "steady"])
def test_container_that_is_not_well_ends_the_trial_at_once(
    seen: ContainerState | None, summary: str, passed: int
) -> None:
    trial = rounds(begun(), *[(at, [GOOD]) for at in range(passed)])
    trial.see_container(102.5, seen)
    assert (trial.over, trial.proven, trial.fault) == (True, False, Fault(summary))


def test_proven_container_that_exits_while_others_are_on_trial_is_no_longer_proven() -> None:
    trial = rounds(begun(), (0, [GOOD]), (1, [GOOD]), (6, [GOOD]))
    trial.see_container(107, RUNNING)
    assert (trial.proven, trial.over) == (True, True)
    trial.see_container(108, replace(RUNNING, status="exited", exit_code=1))
    assert (trial.proven, trial.over, trial.fault) == (
        False,
        True,
        Fault("the container exited with code 1 after 8.0 s"),
    )


def test_first_fault_is_kept() -> None:
    trial = begun()
    trial.see_container(101, None)
    trial.see_container(102, replace(RUNNING, status="exited"))
    trial.see_round(120, [BAD])
    assert trial.fault == Fault("the container was removed after 1.0 s")


def test_a_failure_while_others_are_on_trial_counts_against_a_proven_one() -> None:
    trial = rounds(begun(), (0, [GOOD]), (1, [GOOD]), (6, [GOOD]), (7, [BAD]))
    assert trial.fault == Fault(
        "well at first, then failed after 7.0 s of the 5 s that it is watched for", (BAD,)
    )


def test_restarts_before_the_trial_are_not_held_against_the_container() -> None:
    trial = begun()
    trial.see_container(101, RUNNING)
    assert trial.fault is None
