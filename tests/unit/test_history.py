from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from slipway.history import (
    Attempt,
    Release,
    attempts,
    document,
    evidence,
    horizon,
    last_destroy,
    merge,
    moment,
    releases,
)

from .support_gate import image
from .support_history import COMMIT, at, entry, piece, run

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def clock(text: str) -> datetime:
    return datetime.fromisoformat(at(text))


# --- times ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-05T12:00:00.000Z",
        "2026-01-05T12:00:00",
        "2026-01-05T14:00:00+02:00",
        1767614400,
        1767614400.0,
    ],
)
def test_every_form_of_a_time_becomes_utc(value: str | float) -> None:
    assert (moment(value), moment(value).utcoffset()) == (NOON, timedelta(0))


# --- releases -------------------------------------------------------------------------------


def test_release_serves_until_the_next_one_and_the_newest_until_now() -> None:
    ledger = [entry(2, "11:00:00"), entry(1, "09:30:00")]
    assert releases(ledger, NOON) == [
        Release(ledger[0], True, 3600.0),
        Release(ledger[1], False, 5400.0),
    ]


def test_now_may_be_of_any_zone() -> None:
    now = NOON.astimezone(timezone(timedelta(hours=-5)))
    assert releases([entry(1, "11:00:00")], now)[0].served == 3600.0


def test_release_never_serves_for_less_than_no_time() -> None:
    assert [r.served for r in releases([entry(1, "13:00:00")], NOON)] == [0.0]


def test_images_are_those_of_services_and_not_of_their_release_commands() -> None:
    services = {
        "web-release": {"image": image("a"), "job_of": "web"},
        "worker": {"image": image("b")},
        "web": {"image": image("a")},
        "none": {},
    }
    found = Release({"services": services}, True, 0.0).images
    assert list(found.items()) == [("web", image("a")), ("worker", image("b"))]


# --- what failed ----------------------------------------------------------------------------


def test_only_what_failed_is_an_attempt_and_the_newest_comes_first() -> None:
    runs = [
        run("succeeded", "10:00:00", "10:01:00"),
        run("failed", "09:00:00", "09:01:00"),
        run("in-progress", "08:00:00", "08:01:00"),
        run("failed", "09:30:00", "09:31:00", "destroy"),
    ]
    assert attempts(runs, []) == [
        Attempt("destroy", "failed", clock("09:30:00"), clock("09:31:00")),
        Attempt("update", "failed", clock("09:00:00"), clock("09:01:00")),
    ]


def test_run_without_an_end_is_an_attempt_all_the_same() -> None:
    begun = {"kind": "update", "result": "failed", "startTime": 1767614400}
    assert attempts([begun], []) == [Attempt("update", "failed", NOON)]


@pytest.mark.parametrize(
    ("started", "ended"),
    [
        ("09:00:00", "09:00:59"),  # inside
        ("08:59:50", "09:00:40"),  # what wraps the engine's run began a little earlier
        ("09:00:30", "09:01:20"),
        ("09:01:00.700000", "09:01:00.900000"),  # the engine's times are cut to the second
    ],
)
def test_evidence_whose_time_meets_the_runs_says_why(started: str, ended: str) -> None:
    found = piece(started, ended, "status 500")
    assert attempts([run("failed", "09:00:00", "09:01:00")], [found]) == [
        Attempt(
            "update", "failed", clock("09:00:00"), clock("09:01:00"),
            "status 500", "web", found.path,
        )
    ]  # fmt: skip


def test_evidence_of_another_time_is_an_attempt_of_its_own() -> None:
    found = attempts(
        [run("failed", "09:00:00", "09:01:00")],
        [piece("09:01:02", "09:02:00", "status 500"), piece("08:00:00", "08:59:59", "status 404")],
    )
    assert [(a.started, a.summary) for a in found] == [
        (clock("09:01:02"), "status 500"),
        (clock("09:00:00"), None),
        (clock("08:00:00"), "status 404"),
    ]


def test_each_run_gets_the_evidence_that_began_closest_to_it_and_none_is_told_twice() -> None:
    runs = [run("failed", "09:01:00", "09:02:00"), run("failed", "09:00:00", "09:01:00")]
    pieces = [
        piece("09:00:01", "09:00:59", "first"),
        piece("09:01:00.500000", "09:01:30", "second"),
    ]
    for order in (pieces, pieces[::-1]):
        assert [a.summary for a in attempts(runs, order)] == ["second", "first"]


def test_run_that_was_killed_is_known_by_its_evidence() -> None:
    found = piece("09:00:00", None, None)
    assert attempts([], [found]) == [
        Attempt("update", "unfinished", clock("09:00:00"), evidence=found.path)
    ]


def test_evidence_of_a_verified_release_is_no_attempt() -> None:
    verified = piece("09:00:00", "09:00:30", None, outcome="verified")
    assert attempts([run("failed", "09:00:00", "09:01:00")], [verified]) == [
        Attempt("update", "failed", clock("09:00:00"), clock("09:01:00"))
    ]


@pytest.mark.parametrize("found", [None, [], {}, {"started": None}, {"started": 5}])
def test_what_does_not_say_when_it_began_is_no_evidence(found: Any) -> None:
    assert evidence("a.json", found) is None


# --- the two together -----------------------------------------------------------------------


def test_last_destroy_is_the_last_that_succeeded() -> None:
    runs = [
        run("failed", "11:00:00", "11:01:00", "destroy"),
        run("succeeded", "10:00:00", "10:01:00", "destroy"),
        run("succeeded", "10:30:00", "10:31:00"),
        run("succeeded", "09:00:00", "09:01:00", "destroy"),
    ]
    assert (last_destroy(runs), last_destroy([])) == (clock("10:01:00"), None)


@pytest.mark.parametrize(
    ("numbers", "limit", "since"),
    [
        ([2, 1], None, None),  # what failed before the first release belongs to it
        ([2, 1], 2, None),
        ([2, 1], 5, None),
        ([2, 1], 1, "02:00:00"),
        ([9, 8], None, "08:00:00"),  # older ones are forgotten, and so are their attempts
        ([], None, None),
    ],
)
def test_attempts_are_shown_as_far_back_as_releases(
    numbers: list[int], limit: int | None, since: str | None
) -> None:
    ledger = [entry(number, f"{number:02}:00:00") for number in numbers]
    assert horizon(ledger, limit) == (clock(since) if since else None)


def test_releases_and_attempts_are_merged_by_time() -> None:
    found = releases([entry(2, "11:00:00"), entry(1, "09:00:00")], NOON)
    early, late = (Attempt("update", "failed", clock(t)) for t in ("08:00:00", "10:00:00"))
    assert merge(found, [late, early], None) == [found[0], late, found[1], early]
    assert merge(found, [late, early], clock("09:00:00")) == [found[0], late, found[1]]


def test_run_that_failed_after_its_release_was_recorded_says_so() -> None:
    found = releases([entry(2, "11:00:30"), entry(1, "09:00:00")], NOON)
    failed = attempts([run("failed", "11:00:00", "11:01:00")], [])
    items = merge(found, failed, None)
    assert [item.released for item in items if isinstance(item, Attempt)] == [2]


def test_document_has_every_key_that_there_is_and_no_null() -> None:
    git = {"commit": COMMIT, "branch": "main", "dirty": True}
    ledger = [
        entry(2, "11:00:00", actor="kim@build-1", git=git, rollback_of=1, hotfix="prices"),
        entry(1, "09:00:00"),
    ]
    failed = attempts(
        [run("failed", "10:00:00", "10:01:00"), run("failed", "10:10:00", "10:11:00", "refresh")],
        [piece("10:00:01", "10:00:59", "status 500")],
    )
    images = {"web": image("a"), "worker": image("b")}
    assert document("test", merge(releases(ledger, NOON), failed, None)) == {
        "version": 1,
        "stack": "test",
        "entries": [
            {
                "kind": "release",
                "number": 2,
                "time": at("11:00:00"),
                "actor": "kim@build-1",
                "git": git,
                "rollback_of": 1,
                "hotfix": "prices",
                "serves": True,
                "served_seconds": 3600,
                "images": images,
            },
            {
                "kind": "attempt",
                "operation": "refresh",
                "outcome": "failed",
                "started": at("10:10:00"),
                "ended": at("10:11:00"),
            },
            {
                "kind": "attempt",
                "operation": "update",
                "outcome": "failed",
                "started": at("10:00:00"),
                "ended": at("10:01:00"),
                "summary": "status 500",
                "service": "web",
                "evidence": "10:00:01-failed.json",
            },
            {
                "kind": "release",
                "number": 1,
                "time": at("09:00:00"),
                "serves": False,
                "served_seconds": 7200,
                "images": images,
            },
        ],
    }
