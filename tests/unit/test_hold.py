import pytest

from slipway.extension import Extension
from slipway.hold import Hold, held_stable_for


def test_three_quarters_of_a_hold_are_for_the_exchange() -> None:
    assert Hold(40.0, began=100.0).proven_by == 130.0


@pytest.mark.parametrize(("wanted", "found"), [(30.0, 10.0), (4.0, 4.0)])
def test_a_third_of_a_hold_is_for_requests_in_flight(wanted: float, found: float) -> None:
    assert Hold(30.0, began=0.0).draining(wanted) == found


@pytest.mark.parametrize(
    ("wanted", "now", "found"), [(10.0, 105.0, 10.0), (60.0, 105.0, 25.0), (60.0, 140.0, 1.0)]
)
def test_container_gets_what_is_left_of_the_hold_to_stop(
    wanted: float, now: float, found: float
) -> None:
    assert Hold(30.0, began=100.0).grace(wanted, now) == found


@pytest.mark.parametrize(
    ("chosen", "stack", "found"), [(None, 15.0, 3.0), (None, 1.0, 1.0), ("8s", 1.0, 8.0)]
)
def test_held_candidate_is_watched_for_three_seconds_unless_the_file_says_otherwise(
    chosen: str | None, stack: float, found: float
) -> None:
    fields = {} if chosen is None else {"stable_for": chosen}
    assert held_stable_for(Extension.model_validate(fields), stack) == found
