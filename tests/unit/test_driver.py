from typing import Any

import pytest

from slipway.driver import Ended, Exit
from slipway.errors import HostError
from slipway.verify import Check

from .support_driver import ILL, WELL, Stack, Update, export, make_stack, release

RUN = {"SLIPWAY_HOTFIX": "why", "SLIPWAY_RUN": "20260105T120000Z"}
BACK = {**RUN, "SLIPWAY_RELEASE": "1"}
OK = Ended(ok=True, changed=True, recorded=True)
IDLE = Ended(ok=True, changed=False, recorded=False)
REFUSED = Ended(ok=False, changed=False, recorded=False, errors="no such key")
FAILED = Ended(ok=False, changed=True, recorded=False, errors="web is bad", shown=True)
UNFINISHED = Ended(ok=False, changed=True, recorded=True, errors="canceled", shown=True)

FIRST = export(release(1))
SECOND = export(release(2), release(1))
THIRD = export(release(3, rollback_of=1), release(2), release(1))
TIDY = (
    "release 2 went through the gate; what came after it did not end: scripts/deploy test tidies up"
)
VERIFIED = "release 2 of test is verified"
UNDONE = "failed, and undone: release 1 of test serves, and is verified"
LOST = "FAILED, and the release before could not be brought back: stack test"
WHY = "why: web is bad"
NEXT = """\
next:
  scripts/doctor test             what is wrong, and what mends it
  scripts/deploy test             tries again; a release of the ledger: scripts/rollback test N"""


def ends(
    state: dict[str, Any],
    updates: list[Update],
    looks: list[list[Check]],
    code: Exit,
    said: list[str],
    id: str,
) -> Any:
    return pytest.param(state, updates, looks, code, said, id=id)


@pytest.mark.parametrize(
    ("state", "updates", "looks", "code", "said"),
    [
        ends(
            FIRST, [Update(OK, SECOND)], [[WELL]], Exit.VERIFIED, [str(WELL), VERIFIED],
            id="the release serves",
        ),
        ends(
            FIRST, [Update(OK, SECOND)], [[ILL], [ILL], [WELL]], Exit.VERIFIED,
            [str(WELL), VERIFIED], id="the release serves at the third look",
        ),
        ends(
            SECOND, [Update(IDLE)], [[WELL]], Exit.VERIFIED, [str(WELL), VERIFIED],
            id="nothing had to be done",
        ),
        ends(
            FIRST, [Update(UNFINISHED, SECOND)], [[WELL]], Exit.VERIFIED,
            [TIDY, str(WELL), VERIFIED], id="recorded, and then interrupted",
        ),
        ends(
            FIRST, [Update(FAILED, SECOND)], [[WELL]], Exit.VERIFIED,
            [TIDY, str(WELL), VERIFIED], id="recorded, though no event told of it",
        ),
        ends(
            FIRST, [Update(REFUSED)], [[WELL]], Exit.REFUSED,
            ["no such key", "refused: nothing of test was changed"], id="refused",
        ),
        ends(
            FIRST, [Update(REFUSED, SECOND)], [[WELL]], Exit.REFUSED,
            ["no such key", "refused: nothing of test was changed"],
            id="refused while another deploy released something",
        ),
        ends(
            FIRST, [Update(FAILED), Update(IDLE)], [[WELL]], Exit.UNDONE,
            ["rolling back to release 1", str(WELL), WHY, UNDONE], id="failed and undone",
        ),
        ends(
            FIRST, [Update(OK, SECOND), Update(OK, THIRD)], [[ILL], [ILL], [ILL], [WELL]],
            Exit.UNDONE,
            [
                str(ILL), "release 2 is recorded, but does not serve as it must",
                "rolling back to release 1", str(WELL), UNDONE,
            ],
            id="recorded, not verified, undone by another release",
        ),
        ends(
            FIRST, [Update(FAILED), Update(FAILED)], [[ILL]], Exit.BROKEN,
            [
                "rolling back to release 1", str(ILL),
                f"{LOST}\n  the state says that release 1 serves\n  {ILL}\n{WHY}\n{NEXT}",
            ],
            id="the way back fails",
        ),
        ends(
            FIRST, [Update(OK, SECOND), Update(FAILED)], [[ILL], [ILL], [ILL], [WELL]], Exit.BROKEN,
            [
                str(ILL), "release 2 is recorded, but does not serve as it must",
                "rolling back to release 1", str(WELL),
                f"{LOST}\n  the state says that release 2 serves\n"
                f"  all of it is as it should be\n{NEXT}",
            ],
            id="something else serves after the way back",
        ),
        ends(
            FIRST, [Update(FAILED), Update(FAILED, export())], [[WELL]], Exit.BROKEN,
            ["rolling back to release 1", f"{LOST}\n  the state has no release\n{WHY}\n{NEXT}"],
            id="the state has lost its release",
        ),
        ends(
            export(), [Update(REFUSED)], [[WELL]], Exit.REFUSED,
            ["no such key", "refused: nothing of test was changed"], id="first release refused",
        ),
        ends(
            export(), [Update(FAILED)], [[WELL]], Exit.UNDONE,
            [
                WHY,
                "failed: nothing serves, as there was no release before; mend what stands above, "
                "then run scripts/deploy test again"
            ],
            id="first release failed",
        ),
        ends(
            export(), [Update(OK, FIRST)], [[ILL]], Exit.BROKEN,
            [
                str(ILL), "release 1 is recorded, but does not serve as it must",
                f"{LOST}\n  the state says that release 1 serves\n  {ILL}\n{NEXT}",
            ],
            id="first release recorded, not verified",
        ),
        ends(
            export(), [Update(OK)], [[WELL]], Exit.BROKEN,
            [f"{LOST}\n  the state has no release\n{NEXT}"], id="success without a release",
        ),
    ],
)  # fmt: skip
def test_exit_code_and_last_words_tell_how_it_ended(
    monkeypatch: pytest.MonkeyPatch,
    state: dict[str, Any],
    updates: list[Update],
    looks: list[list[Check]],
    code: Exit,
    said: list[str],
) -> None:
    stack = make_stack(monkeypatch, state, *updates, looks=list(looks))
    assert stack.deploy() is code
    assert stack.said == ["deploying test", *said]
    asked = [(RUN, True), (BACK, False)][: len(updates)]
    assert stack.updates.asked == asked


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Stack:
    """A stack whose release fails, and is undone."""
    return make_stack(monkeypatch, FIRST, Update(FAILED), Update(IDLE))


def test_restore_asks_for_a_release_of_the_ledger_with_the_users_options(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stack = make_stack(monkeypatch, SECOND, Update(OK, THIRD))
    assert stack.driver().restore(1, "rolling back") is Exit.VERIFIED
    assert stack.updates.asked == [(BACK, True)]
    assert stack.said[-1] == "release 3 of test is verified"


def test_failed_restore_brings_back_what_served(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = make_stack(monkeypatch, SECOND, Update(FAILED), Update(IDLE))
    assert stack.driver().restore(1, "rolling back") is Exit.UNDONE
    assert stack.updates.asked == [(BACK, True), ({**RUN, "SLIPWAY_RELEASE": "2"}, False)]


def test_what_failed_first_and_what_was_seen_last_are_kept_for_the_evidence(
    failing: Stack,
) -> None:
    driver = failing.driver()
    driver.deploy("deploying test")
    assert (driver.errors, driver.checks) == ("web is bad", [WELL])


def test_logs_are_kept_before_each_update_but_not_the_proxys(failing: Stack) -> None:
    failing.deploy()
    assert failing.backup.saved == [["shop-test-web-1"], ["shop-test-web-1"]]
    assert failing.backup.pruned == 2


def test_logs_that_cannot_be_kept_are_told_and_keep_nothing_from_going_on(failing: Stack) -> None:
    failing.backup.problems = ["the log of shop-test-web-1 could not be kept: disk full"]
    assert failing.deploy() is Exit.UNDONE
    assert failing.said[1] == "warning: the log of shop-test-web-1 could not be kept: disk full"


def test_what_asked_for_an_end_is_told_when_the_way_back_begins(failing: Stack) -> None:
    failing.deploy()
    assert failing.undone == 1


def test_end_that_is_asked_for_before_the_update_changes_nothing(failing: Stack) -> None:
    failing.interrupted = True
    assert failing.deploy() is Exit.REFUSED
    assert failing.updates.asked == []


def test_host_that_cannot_be_reached_is_no_verified_release(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unreachable() -> Any:
        raise HostError("no Docker engine answers")

    stack = make_stack(monkeypatch, FIRST, Update(OK, SECOND), Update(FAILED), connect=unreachable)
    assert stack.deploy() is Exit.BROKEN
    assert stack.said[1] == "warning: no Docker engine answers"
    assert "FAILED host: no Docker engine answers" in stack.said


def test_state_that_cannot_be_read_afterwards_is_not_called_unchanged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stack = make_stack(monkeypatch, FIRST, Update(OK, SECOND))
    stack.updates.unreadable = [True] * 3
    assert stack.deploy() is Exit.BROKEN
    assert stack.said[-1] == (
        "FAILED, and what serves is not known: stack test\n"
        f"  the state of stack test cannot be read: gone\n{NEXT}"
    )
    assert stack.slept == [1.0, 1.0]


def test_state_that_can_be_read_at_the_second_try_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = make_stack(monkeypatch, FIRST, Update(OK, SECOND))
    stack.updates.unreadable = [True]
    assert stack.deploy() is Exit.VERIFIED
