from typing import Any

import pytest

from slipway.review import holding

from .support import said

BUILD = {"context": "/nowhere"}


def held(grace: str = "10s", **extension: Any) -> dict[str, Any]:
    """A service whose requests wait while it is exchanged."""
    keys = {"route": {"port": 8000}, "overlap": False, **extension}
    return {"build": BUILD, "stop_grace_period": grace, "x-slipway": keys}


def test_hold_that_is_shorter_than_what_it_is_for_is_refused() -> None:
    assert said(holding.short_holds, {"web": held("30s")}) == [
        "refused services.web.x-slipway.hold: requests wait for 30 s at most while the service is "
        "exchanged, but the old container may take 30 s to stop (stop_grace_period), and the new "
        "one is watched for 3 s (stable_for); write a hold of more than 33s, with time for the new "
        "one to start, or shorten the others"
    ]


@pytest.mark.parametrize(
    ("service", "refused"),
    [
        (held(), 0),
        (held("27s"), 0),
        (held("30s", hold="60s"), 0),
        (held("10s", stable_for="20s"), 0),
        (held("10s", stable_for="21s"), 1),
        (held("10s", hold="5s"), 1),
        (held("10s", hold="11s", stable_for="0s"), 0),
    ],
)
def test_grace_and_stability_window_must_fit_into_the_hold(
    service: dict[str, Any], refused: int
) -> None:
    assert len(said(holding.short_holds, {"web": service})) == refused


def test_service_of_which_two_may_run_holds_nothing() -> None:
    keys = {"route": {"port": 8000}}
    service = {"build": BUILD, "stop_grace_period": "90s", "x-slipway": keys}
    assert said(holding.short_holds, {"web": service}) == []
