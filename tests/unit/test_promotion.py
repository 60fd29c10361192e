from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.promotion import Rule, obstacle

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OVERRIDE = "or, in an emergency: scripts/deploy prod --hotfix 'why'"


def entry(age: float, **digests: str) -> dict[str, Any]:
    """A release that began to serve so many seconds ago."""
    services: dict[str, Any] = {
        name: {"image": f"localhost:5000/shop@{digest}"} for name, digest in digests.items()
    }
    return {"time": (NOW - timedelta(seconds=age)).isoformat(), "services": services}


def judge(
    digests: Mapping[str, str | None], *ledger: Mapping[str, Any], soak: float = 3600.0
) -> str | None:
    return obstacle(Rule("prod", "staging", soak), digests, ledger, NOW)


# --- what was not verified ------------------------------------------------------------------


def test_source_that_was_never_built_is_named_and_refused() -> None:
    digests = {"worker": None, "web": None, "db": A}
    assert judge(digests, entry(7200, web=A, worker=A, db=A)) == (
        "web, worker: this source has never been built, so stack staging cannot have verified it; "
        f"run scripts/deploy staging first, {OVERRIDE}"
    )


def test_stack_without_a_release_has_verified_nothing() -> None:
    assert judge({"web": A}, soak=0.0) == (
        "stack staging has no verified release of these images (it has no release at all); "
        f"run scripts/deploy staging first, {OVERRIDE}"
    )


@pytest.mark.parametrize(
    ("digests", "named"),
    [
        ({"web": B, "worker": A}, "web"),
        ({"web": B, "worker": C}, "web, worker"),
        ({"web": A}, "worker"),
        ({"web": A, "worker": A, "beat": A}, "beat"),
    ],
)
def test_services_that_were_verified_with_other_images_are_named(
    digests: dict[str, str | None], named: str
) -> None:
    assert judge(digests, entry(7200, web=A, worker=A), soak=0.0) == (
        f"stack staging has no verified release of these images (it serves others of {named}); "
        f"run scripts/deploy staging first, {OVERRIDE}"
    )


def test_images_that_were_never_verified_together_are_not_verified() -> None:
    ledger = [entry(7200, web=A, worker=B), entry(9999, web=B, worker=A)]
    assert judge({"web": A, "worker": A}, *ledger, soak=0.0) is not None


# --- for how long ---------------------------------------------------------------------------


def test_release_that_has_not_served_long_enough_is_told_how_long_to_wait() -> None:
    assert judge({"web": A}, entry(600, web=A)) == (
        "these images have served in stack staging for 10m0s, and slipway:minSoak asks for 1h0m0s; "
        f"wait for 50m0s, {OVERRIDE}"
    )


def test_release_that_has_just_begun_to_serve_has_served_for_an_instant() -> None:
    assert judge({"web": A}, entry(0, web=A), soak=1.0) == (
        "these images have served in stack staging for 1s, and slipway:minSoak asks for 1s; "
        f"wait for 1s, {OVERRIDE}"
    )


@pytest.mark.parametrize("age", [3600, 3601, 999_999])
def test_release_that_has_served_for_the_whole_time_may_go_on(age: float) -> None:
    assert judge({"web": A}, entry(age, web=A)) is None


def test_without_a_time_to_serve_it_is_enough_to_be_verified() -> None:
    assert judge({"web": A}, entry(0, web=A), soak=0.0) is None


def test_release_that_others_followed_counts_for_as_long_as_it_served() -> None:
    served_long, too_short = entry(7000, web=A), entry(4000, web=A)
    assert judge({"web": A}, entry(3000, web=B), served_long) is None
    assert judge({"web": A}, entry(3000, web=B), too_short) is not None


def test_time_of_all_releases_with_these_images_counts_together() -> None:
    """Such as of one with other settings, or of one that was rolled back and came again."""
    ledger = [
        entry(1000, web=A),
        entry(1500, web=A),  # with another setting
        entry(3000, web=B),
        entry(5100, web=A),
    ]
    # 1000 + 500 + 2100
    assert judge({"web": A}, *ledger, soak=3600.0) is None
    assert judge({"web": A}, *ledger, soak=3601.0) == (
        "these images have served in stack staging for 1h0m0s, and slipway:minSoak asks for "
        f"1h0m1s; wait for 1s, {OVERRIDE}"
    )


def test_clock_that_is_ahead_elsewhere_takes_nothing_away() -> None:
    ahead = entry(-500, web=A)
    assert judge({"web": A}, ahead, soak=0.0) is None
    assert judge({"web": A}, ahead, entry(5000, web=A), entry(5100, web=B)) is None


def test_times_of_other_zones_are_the_same_instants() -> None:
    found = entry(3600, web=A)
    found["time"] = "2026-03-01T13:00:00+02:00"
    assert judge({"web": A}, found) is None


def test_jobs_that_run_release_commands_are_no_services_of_their_own() -> None:
    found = entry(7200, web=A)
    found["services"]["web-release"] = {"image": f"localhost:5000/shop@{A}", "job_of": "web"}
    assert judge({"web": A}, found) is None


@given(
    st.lists(st.tuples(st.integers(1, 9999), st.sampled_from([A, B])), min_size=1, max_size=8),
    st.integers(0, 20000),
)
def test_release_may_go_on_once_its_images_have_served_for_long_enough(
    steps: Sequence[tuple[int, str]], soak: int
) -> None:
    """Each release of the ledger with the seconds for which it served."""
    ages = [sum(lasted for lasted, _ in steps[: i + 1]) for i in range(len(steps))]
    ledger = [entry(age, web=image) for age, (_, image) in zip(ages, steps, strict=True)]
    served = sum(lasted for lasted, image in steps if image == A)
    allowed = served >= soak and any(image == A for _, image in steps)
    assert (judge({"web": A}, *ledger, soak=float(soak)) is None) == allowed
