from typing import Any

import pytest

from slipway.progress import Follower, Kind, Line, Phase, Progress, advance

from .support_progress import (
    CACHE,
    GATE,
    IMAGE,
    KEY,
    LIVE,
    PROVIDER,
    PUSHED,
    URN,
    WEB,
    Event,
    after,
    begins,
    ends,
    fails,
    recorded,
    says,
    told,
)


def info(text: str) -> Line:
    return Line(Kind.INFO, text)


def error(text: str) -> Line:
    return Line(Kind.ERROR, text)


def phase(text: str) -> Line:
    return Line(Kind.PHASE, text)


READING = phase("reading the project and its state")
IMAGES = phase("building and pushing images")
CONTAINERS = phase("making containers")
PROVING = phase("proving the release")
CLEAN_UP = phase("removing what served before")
PROVEN = [
    info("proving web before any traffic goes there"),
    info("web: steady, to be watched for 2 s"),
    info("web is proven"),
    info("proving worker before any traffic goes there"),
    info("worker: steady, to be watched for 2 s"),
    info("worker is proven"),
    info("switched: new requests go to this release"),
]

# --- recorded -------------------------------------------------------------------------------


def facts(progress: Progress) -> dict[str, Any]:
    names = ("phase", "done", "changed", "recorded", "failed", "ended")
    return {name: getattr(progress, name) for name in names}


def test_first_release_is_told_phase_by_phase() -> None:
    progress, lines = told(*recorded("first_release"))
    assert lines == [READING, CONTAINERS, PROVING, *PROVEN]
    assert facts(progress) == {
        "phase": Phase.GATE,
        "done": 16,
        "changed": True,
        "recorded": True,
        "failed": False,
        "ended": True,
    }
    assert progress.busy == ()


def test_release_of_a_new_source_builds_and_removes_what_served() -> None:
    progress, lines = told(*recorded("second_release"))
    drained = "letting requests in flight on shop-test-web-d3e0da0db748:8000 finish"
    assert lines == [READING, IMAGES, CONTAINERS, PROVING, *PROVEN, info(drained), CLEAN_UP]
    assert facts(progress) == {
        "phase": Phase.CLEAN_UP,
        "done": 21,
        "changed": True,
        "recorded": True,
        "failed": False,
        "ended": True,
    }


def test_refused_release_shows_its_report_once_and_is_not_recorded() -> None:
    progress, lines = told(*recorded("refused_release"))
    assert lines[:4] == [READING, IMAGES, CONTAINERS, PROVING]
    assert lines[4:6] == [
        PROVEN[0],
        info("refused: web: the container exited with code 1 after 0.6 s"),
    ]
    [report] = lines[6:]
    assert report.kind is Kind.ERROR
    assert report.text.splitlines() == [
        "the release of shop-test was refused: service web: the container exited with code 1 "
        "after 0.6 s",
        "container: shop-test-web-bd48f7f5ea8e, restarting, restarted by Docker (2), last exit "
        "code 1",
        "image: localhost:5000/quotes@sha256:"
        "90299344ab00bf75a048251b06ce39445bb20cb6401ff22147c696fb727d7b9a",
        "end of its log:",
        "  | no",
        "  | no",
        "next: the container is kept (docker logs shop-test-web-bd48f7f5ea8e); mend the source "
        "and run pulumi up again",
        "what served before still serves",
    ]
    assert facts(progress) == {
        "phase": Phase.GATE,
        "done": 14,
        "changed": True,
        "recorded": False,
        "failed": True,
        "ended": True,
    }


def test_every_beginning_of_a_recording_has_a_status() -> None:
    follower = Follower(lambda progress, lines: None)
    phases = []
    for event in recorded("second_release"):
        follower(event)
        phases.append(follower.progress.phase)
    order = list(Phase)
    assert phases == sorted(phases, key=order.index)
    assert set(phases) == set(order)


# --- phases ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([begins("create", KEY)], Phase.READING),
        ([begins("same", WEB), begins("same", LIVE)], Phase.READING),
        ([begins("create", IMAGE)], Phase.IMAGES),
        ([begins("create", IMAGE), ends("create", IMAGE), begins("create", PUSHED)], Phase.IMAGES),
        # What needs no image is made while one is built.
        ([begins("create", IMAGE), begins("create", CACHE)], Phase.IMAGES),
        ([begins("create", CACHE), begins("create", IMAGE)], Phase.IMAGES),
        ([begins("create", IMAGE), ends("create", IMAGE), begins("create", WEB)], Phase.CONTAINERS),
        ([begins("create", IMAGE), fails("create", IMAGE), begins("create", WEB)],
         Phase.CONTAINERS),
        ([begins("delete-replaced", WEB), begins("create", WEB)], Phase.CONTAINERS),
        ([begins("create", LIVE)], Phase.GATE),
        ([begins("update", LIVE)], Phase.GATE),
        ([begins("update", LIVE), fails("update", LIVE)], Phase.GATE),
        ([begins("update", LIVE), ends("update", LIVE), begins("delete", WEB)], Phase.CLEAN_UP),
        ([ends("same", LIVE), begins("delete", WEB), begins("delete", CACHE)], Phase.CLEAN_UP),
        ([ends("same", LIVE)], Phase.READING),
    ],
)  # fmt: skip
def test_phase_is_that_of_what_has_begun(events: list[Event], found: Phase) -> None:
    assert after(*events).phase is found


def test_phase_is_named_once_even_if_it_comes_again() -> None:
    events = [begins("create", urn) for urn in (CACHE, IMAGE)]
    _, lines = told(*events, ends("create", IMAGE), begins("create", WEB))
    assert lines == [CONTAINERS, IMAGES]


@pytest.mark.parametrize(
    ("seconds", "count", "text"),
    [
        (0, 0, "reading the project and its state  0:00  0 resources done"),
        (9.99, 1, "reading the project and its state  0:09  1 resource done"),
        (65, 12, "reading the project and its state  1:05  12 resources done"),
        (3661, 2, "reading the project and its state  61:01  2 resources done"),
    ],
)
def test_status_has_phase_time_and_resources(seconds: float, count: int, text: str) -> None:
    finished = frozenset(f"{URN}x:y:Z::{number}" for number in range(count))
    assert Progress(finished=finished).status(seconds) == text


def test_resource_is_done_once_however_many_steps_it_takes() -> None:
    steps = [ends(op, WEB) for op in ("create-replacement", "replace", "delete-replaced")]
    assert after(*steps).done == 1


def test_what_is_being_changed_is_known() -> None:
    progress = after(begins("create", WEB), begins("create", CACHE), begins("create", WEB))
    assert progress.busy == (CACHE, WEB)
    assert after(begins("create", WEB), begins("create", CACHE), ends("create", WEB)).busy == (
        CACHE,
    )
    assert after(begins("create", WEB), fails("create", WEB)).busy == ()


# --- what changed, what was recorded --------------------------------------------------------


@pytest.mark.parametrize(
    "op", ["create", "update", "delete", "replace", "create-replacement", "delete-replaced"]
)
def test_change_counts_from_its_begin(op: str) -> None:
    assert after(begins(op, KEY)).changed


@pytest.mark.parametrize("op", ["same", "read", "read-replacement", "refresh"])
def test_what_is_only_looked_at_is_no_change(op: str) -> None:
    assert not after(begins(op, WEB), ends(op, WEB)).changed


@pytest.mark.parametrize("urn", [GATE, PROVIDER, "urn:pulumi:test::shop::slipway:a:B::shop"])
def test_component_and_provider_are_no_change(urn: str) -> None:
    assert not after(begins("create", urn), ends("create", urn)).changed


def test_preview_changes_and_records_nothing() -> None:
    steps = [f("create", LIVE, planning=True) for f in (begins, ends)]
    assert after(*steps) == Progress()


@pytest.mark.parametrize("op", ["create", "update"])
def test_release_is_recorded_once_its_fact_is_written(op: str) -> None:
    assert not after(begins(op, LIVE)).recorded
    assert after(begins(op, LIVE), ends(op, LIVE)).recorded


@pytest.mark.parametrize(
    "events",
    [
        [begins("update", LIVE), fails("update", LIVE)],
        [begins("same", LIVE), ends("same", LIVE)],
        [begins("delete", LIVE), ends("delete", LIVE)],
        [ends("create", KEY)],
        [ends("create", WEB.replace("web-1", "live"))],
    ],
)
def test_nothing_else_records_a_release(events: list[Event]) -> None:
    assert not after(*events).recorded


# --- words ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("web is proven\n", "web is proven"),
        ("<{%fg 4%}><{%bold%}>web<{%reset%}> is proven\n", "web is proven"),
        ("\x1b[1;31mweb\x1b[0m is proven", "web is proven"),
        ("\x1b]0;title\x07web\x1b]8;;http://a\x1b\\ is\x00 proven\x9b", "web is proven"),
        ("one\n\n  two  \n\n", "one\n  two"),
        ("10 %\r20 %", "10 %\n20 %"),
        ("[red]no markup[/red] of a {%kind%}", "[red]no markup[/red] of a {%kind%}"),
    ],
)
def test_words_come_without_what_steers_a_terminal(message: str, text: str) -> None:
    assert told(says(message))[1] == [info(text)]


@pytest.mark.parametrize("severity", ["info", "info#err"])
def test_same_line_is_never_shown_twice(severity: str) -> None:
    _, lines = told(says("a", severity), says("b"), says("a\n", severity), says("b"))
    assert lines == [info("a"), info("b")]


def test_warning_and_line_of_the_same_words_are_two() -> None:
    assert told(says("a"), says("a", "warning"))[1] == [info("a"), Line(Kind.WARNING, "a")]


@pytest.mark.parametrize(
    "event",
    [
        says("of the engine", "debug"),
        says("50 %", ephemeral=True),
        says("\n"),
        {"startDebuggingEvent": {}},
        {"sequence": 1, "timestamp": 1},
        {"somethingNewEvent": {"a": 1}},
    ],
)
def test_what_says_nothing_here_is_passed_over(event: Event) -> None:
    assert told(event) == (Progress(), [])


@pytest.mark.parametrize(
    ("urn", "message", "text"),
    [
        (LIVE, 'before hook "shop-gate" failed: refused\n  why\n', "refused\n  why"),
        (WEB, "no such image\n", "shop-web-1: no such image"),
        (GATE, "2 problems:\n  a\n", "2 problems:\n  a"),
        ("urn:pulumi:test::shop::pulumi:pulumi:Stack::shop-test", "no\n", "no"),
        (None, "2 problems:\n  a\n", "2 problems:\n  a"),
    ],
)
def test_error_is_a_block_that_names_its_resource(urn: str | None, message: str, text: str) -> None:
    progress, lines = told(says(message, "error", urn=urn, prefix="error: "))
    assert (lines, progress.failed) == ([error(text)], True)


@pytest.mark.parametrize(
    "closing",
    [
        "update failed\n",
        "an unhandled error occurred: program exited with non-zero exit code: 1\n",
    ],
)
def test_engines_closing_words_are_shown_only_if_nothing_else_was(closing: str) -> None:
    assert told(says("why", "error"), says(closing, "error"))[1] == [error("why")]
    assert told(says("why"), says(closing, "error"))[1] == [info("why"), error(closing.strip())]


def test_error_after_an_error_is_shown() -> None:
    events = [says(text, "error") for text in ("one", "two", "the update failed")]
    assert told(*events)[1] == [error("one"), error("two"), error("the update failed")]


@pytest.mark.parametrize(("level", "kind"), [("mandatory", Kind.ERROR), ("advisory", Kind.WARNING)])
def test_policy_is_told_by_its_level(level: str, kind: Kind) -> None:
    said = {"policyName": "no-root", "message": "<{%reset%}>as root\n", "enforcementLevel": level}
    progress, lines = told({"policyEvent": said})
    assert lines == [Line(kind, "policy no-root: as root")]
    assert progress.failed is (kind is Kind.ERROR)


def test_what_the_cli_says_is_a_line() -> None:
    assert told({"stdoutEvent": {"message": "a hint\n", "color": "never"}})[1] == [info("a hint")]


# --- the end --------------------------------------------------------------------------------


@pytest.mark.parametrize(("result", "failed"), [("failed", True), ("succeeded", False)])
def test_summary_tells_how_it_ended(result: str, failed: bool) -> None:
    summary = {"maybeCorrupt": False, "durationSeconds": 2, "result": result}
    progress = after({"summaryEvent": summary}, {"cancelEvent": {}})
    assert (progress.failed, progress.ended) == (failed, True)


def test_failed_step_is_a_failure_even_without_words() -> None:
    assert after(fails("create", WEB)).failed


def test_follower_hands_on_each_progress_with_its_lines() -> None:
    seen: list[tuple[Progress, list[Line]]] = []
    follower = Follower(lambda progress, lines: seen.append((progress, list(lines))))
    events = [says("a"), begins("create", LIVE)]
    for event in events:
        follower(event)
    first = advance(Progress(), events[0])
    assert seen == [first, advance(first[0], events[1])]
    assert follower.progress == seen[-1][0]
