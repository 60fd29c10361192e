from datetime import UTC, datetime

import pytest

from slipway.history import Attempt, Release, attempts, merge, releases
from slipway.history_table import span, table, without_release

from .support_gate import image
from .support_history import COMMIT, entry, piece, run

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
TEN = datetime(2026, 1, 5, 10, tzinfo=UTC)
DIGESTS = "web aaaaaaaaaaaa, worker bbbbbbbbbbbb"


def items() -> list[Release | Attempt]:
    git = {"commit": COMMIT, "branch": "main", "dirty": True}
    ledger = [
        entry(12, "11:00:00", actor="kim@build-1", git=git, rollback_of=10, hotfix="prices"),
        entry(11, "09:00:00", git={**git, "dirty": False}),
    ]
    runs = [
        run("failed", "10:00:00", "10:01:00"),
        run("failed", "10:10:00", "10:11:00", "destroy"),
        run("failed", "10:20:00", "10:21:00"),
    ]
    pieces = [piece("10:00:00", "10:00:50", "GET /health: status 500 instead of 200")]
    pieces.append(piece("10:30:00", None, None))
    return merge(releases(ledger, NOON), attempts(runs, pieces), None)


def test_table_has_a_line_an_entry_and_what_there_is_to_say_below() -> None:
    assert table(items(), 110).splitlines() == [
        "release     time (UTC)           served  commit    by           images",
        f"12          2026-01-05 11:00:00  1h 0m   1a2b3c4*  kim@build-1  {DIGESTS}",
        "         serves; rollback of 10; hotfix: prices",
        "unfinished  2026-01-05 10:30:00  -       -         -",
        "         killed, or still at work",
        "         10:30:00-unfinished.json",
        "failed      2026-01-05 10:20:00  -       -         -",
        "         no evidence",
        "failed      2026-01-05 10:10:00  -       -         -",
        "         pulumi destroy: no evidence",
        "failed      2026-01-05 10:00:00  -       -         -",
        "         web: GET /health: status 500 instead of 200",
        "         10:00:00-failed.json",
        f"11          2026-01-05 09:00:00  2h 0m   1a2b3c4   -            {DIGESTS}",
    ]


def test_images_are_wrapped_in_their_column_or_get_lines_of_their_own() -> None:
    release = [Release(entry(1, "09:00:00"), False, 5.0)]
    assert table(release, 76).splitlines()[1:] == [
        "1        2026-01-05 09:00:00  5s      -       -   web aaaaaaaaaaaa,",
        "                                                  worker bbbbbbbbbbbb",
    ]
    assert table(release, 60).splitlines() == [
        "release  time (UTC)           served  commit  by",
        "1        2026-01-05 09:00:00  5s      -       -",
        "         web aaaaaaaaaaaa, worker bbbbbbbbbbbb",
    ]


def test_path_is_never_torn_apart() -> None:
    path = ".slipway/evidence/shop-test/20260105T100000Z-failed.json"
    failed = Attempt("update", "failed", TEN, summary="gone " * 8, evidence=path)
    assert table([failed], 40).splitlines()[2:] == [
        "         gone gone gone gone gone gone",
        "         gone gone",
        f"         {path}",
    ]


def test_what_would_steer_a_terminal_is_left_out() -> None:
    failed = Attempt("update", "failed", TEN, summary="it\n said \x1b[31mno", service="web")
    assert table([failed], 80).splitlines()[2:] == ["         web: it said [31mno"]


def test_service_that_the_reason_names_is_not_named_twice() -> None:
    failed = Attempt("update", "failed", TEN, summary="service web: gone", service="web")
    assert table([failed], 80).splitlines()[2:] == ["         service web: gone"]


def test_attempt_that_failed_after_its_release_says_so() -> None:
    failed = Attempt("update", "failed", TEN, released=4)
    assert table([failed], 80).splitlines()[2:] == ["         after release 4 was recorded"]


def test_image_without_a_digest_is_shown_as_it_is() -> None:
    release = Release(entry(1, "09:00:00", services={"web": {"image": "busybox:1"}}), False, 5.0)
    assert table([release], 100).splitlines()[1].endswith("  web busybox:1")
    assert image("a").count("@") == 1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (42.4, "42s"),
        (60, "1m 0s"),
        (7512, "2h 5m"),
        (86400 * 3 + 4 * 3600, "3d 4h"),
        (86400 * 400, "400d 0h"),
        (3600 * 10, "10h 0m"),
    ],
)
def test_length_of_time_has_two_units(seconds: float, text: str) -> None:
    assert span(seconds) == text


# --- stacks without a release ---------------------------------------------------------------


def test_stack_that_never_had_a_release_says_what_to_run() -> None:
    assert without_release("test", None, []) == "stack test has no release; run scripts/deploy test"


def test_stack_whose_first_release_failed_says_why() -> None:
    failed = [
        Attempt("update", "failed", NOON, summary="status 500", service="web", evidence="a.json"),
        Attempt("update", "failed", TEN),
    ]
    assert without_release("test", None, failed).splitlines() == [
        "stack test has no release; run scripts/deploy test",
        "2 attempts failed, the last at 2026-01-05 12:00:00 UTC",
        "  web: status 500",
        "  a.json",
    ]


def test_destroyed_stack_says_when_and_what_failed_since() -> None:
    failed = [Attempt("update", "failed", NOON), Attempt("update", "failed", TEN)]
    destroyed = datetime(2026, 1, 5, 11, tzinfo=UTC)
    assert without_release("test", destroyed, failed).splitlines() == [
        "stack test was destroyed at 2026-01-05 11:00:00 UTC and has no release since; "
        "run scripts/deploy test",
        "1 attempt failed, the last at 2026-01-05 12:00:00 UTC",
    ]
