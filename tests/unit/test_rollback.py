from typing import Any

import pytest

from slipway.errors import ConfigError
from slipway.rollback import Entry, choose, differences, missing_images, missing_values

from .support_gate import image


def service(letter: str = "a", **record: Any) -> dict[str, Any]:
    return {"image": image(letter), "record": record}


def entry(number: int, **services: dict[str, Any]) -> dict[str, Any]:
    """A release; of one service, whose image has the number's letter, unless others are given."""
    found = services or {"web": service("abcdef"[number])}
    return {"number": number, "project": {"name": "shop"}, "services": found}


FOUR = [entry(4), entry(3), entry(2), entry(1)]
AGAIN = [entry(4, web=service("c")), entry(3), entry(2), entry(1)]
"""Release 4 is release 2 again."""


def there(entry: Entry) -> str | None:
    return None


def gone(*numbers: int) -> Any:
    return lambda entry: "the image of web is gone" if entry["number"] in numbers else None


def refused(ledger: list[Any], number: int | None, obstacle: Any = there) -> str:
    with pytest.raises(ConfigError) as caught:
        choose(ledger, number, obstacle)
    (problem,) = caught.value.problems
    return problem


# --- which release ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ledger", "number", "chosen"),
    [(FOUR, None, 3), (FOUR, 1, 1), (AGAIN, None, 3), (AGAIN[:1] + AGAIN[2:], None, 1)],
    ids=["the one before", "a named one", "the one before that differs", "over one that is same"],
)
def test_release_to_go_back_to(ledger: list[Any], number: int | None, chosen: int) -> None:
    assert choose(ledger, number, there)["number"] == chosen


def test_named_release_can_be_had_though_others_cannot() -> None:
    assert choose(FOUR, 2, gone(3, 1))["number"] == 2


@pytest.mark.parametrize(
    ("ledger", "number", "obstacle", "problem"),
    [
        ([], None, there, "the stack has no release yet; run scripts/deploy first"),
        (
            FOUR[:1], None, there,
            "there is no release before 4 that differs from it: nothing to undo",
        ),
        (
            FOUR, 9, there,
            "there is no release 9 in the ledger; these can be had: 3, 2, 1",
        ),
        (FOUR, 4, there, "release 4 serves already; these can be had: 3, 2, 1"),
        (
            AGAIN, 2, there,
            "release 2 is what serves already, as release 4: the same images with the same "
            "settings; these can be had: 3, 1",
        ),
        (
            FOUR, 2, gone(2),
            "release 2 cannot be had: the image of web is gone; these can be had: 3, 1",
        ),
        (
            FOUR, None, gone(3),
            "release 3 cannot be had: the image of web is gone; these can be had: 2, 1",
        ),
        (
            FOUR, None, gone(3, 2, 1),
            "release 3 cannot be had: the image of web is gone; no other release can be had",
        ),
    ],
    ids=["no release", "nothing before", "unknown", "serves", "same", "gone", "newest gone", "all"],
)  # fmt: skip
def test_refusal_names_what_can_be_had(
    ledger: list[Any], number: int | None, obstacle: Any, problem: str
) -> None:
    assert refused(ledger, number, obstacle) == problem


# --- whether it can be had -------------------------------------------------------------------


def test_images_that_are_gone_are_told_by_service_but_not_those_of_jobs() -> None:
    job = {**service("c"), "job_of": "web"}
    found = entry(1, web=service("a"), worker=service("b"), migrate=job)
    assert missing_images(found, lambda name: True) is None
    assert missing_images(found, lambda name: name == image("a")) == (
        f"the image of worker is gone ({image('b')})"
    )
    assert missing_images(found, lambda name: False) == (
        f"the image of web is gone ({image('a')}); the image of worker is gone ({image('b')})"
    )


def test_values_that_the_state_does_not_keep_any_more_are_counted_and_not_named() -> None:
    found = entry(1, web=service(environment={"A": "${kept:1}", "B": "${kept:2}", "C": "${NAME}"}))
    assert missing_values(found, frozenset({"kept:1", "kept:2"})) is None
    assert missing_values(found, frozenset({"kept:2"})) == (
        "1 of the values that its settings refer to are not in the state any more"
    )


# --- what it changes -------------------------------------------------------------------------


def test_differences_are_told_by_service_without_values() -> None:
    live = entry(
        2,
        web=service("b", environment={"A": "new", "B": "same", "C": "1"}, service={"init": True}),
        cache=service("c"),
        worker=service("d", files=[{"path": "/etc/x", "text": "new"}]),
    )
    target = entry(
        1,
        web=service("a", environment={"A": "old", "B": "same", "D": "1"}),
        worker=service("d", files=[{"path": "/etc/x", "text": "old"}]),
        beat=service("e"),
    )
    assert differences(target, live) == [
        "beat: comes back, shop@sha256:eeeeeeeeeeee",
        "cache: is taken away",
        "web: image shop@sha256:bbbbbbbbbbbb → shop@sha256:aaaaaaaaaaaa",
        "web: environment A as it was then",
        "web: environment C is taken away",
        "web: environment D comes back",
        "web: init is taken away",
        "worker: mounted files",
    ]


def test_releases_that_differ_in_nothing_that_is_recorded_say_so() -> None:
    same = service("a")
    assert differences(entry(1, web=same), entry(2, web=same)) == [
        "nothing but the value of secrets"
    ]
