from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.declared import Declared, find_release, restored
from slipway.errors import ConfigError
from slipway.image_plan import ReleasedImage
from slipway.reference import parse_reference
from slipway.state import CONTAINER, LiveFact, StackState

from .support import DIGEST
from .support_release import POSTGRES, Source, plans_of, prepared_of, released, secret

OLD, NEW = {"ALPHA": "hunter2"}, {"ALPHA": "rotated"}
HASH = "1" * 64
SHOP = Source(
    {
        "db": {"image": POSTGRES, "environment": {"POSTGRES_PASSWORD": secret("ALPHA")}},
        "web": {
            "build": {"context": f"/src/{HASH}"},
            "environment": {"DB_PASSWORD": secret("ALPHA"), "API_TOKEN": "literal"},
            "x-slipway": {"route": {"port": 8000}, "release": "migrate"},
        },
    },
    beside={"volumes": {"data": {}}, "networks": {"back": {"internal": True}}},
    alone=frozenset({"web"}),
)


def ledger(*numbers: int, **rollbacks: int) -> LiveFact:
    """Releases by number, newest first; `_5=3`: release 5 was made from 3."""
    made = {int(name.strip("_")): found for name, found in rollbacks.items()}
    return LiveFact(
        [{"number": n, **({"rollback_of": made[n]} if n in made else {})} for n in numbers]
    )


def shop() -> tuple[Declared, LiveFact, dict[str, str]]:
    """The release from its source, what serves once it is released, and what is kept for it."""
    declared = SHOP.declared(OLD)
    prepared = prepared_of(declared)
    return declared, released(prepared, declared), prepared.kept


def state_of(live: LiveFact) -> StackState:
    """A state that has the containers which serve."""
    found = {c["name"]: c for c in live.containers.values()}
    return StackState(
        {
            (CONTAINER, name.replace("shop-test-", "shop-")): {"name": name, "id": c["id"]}
            for name, c in found.items()
        }
    )


# --- which release ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("live", "there"),
    [(ledger(), "none"), (ledger(9, 8), "9, 8"), (ledger(9, 8, _9=5), "9, 8")],
)
def test_release_that_the_ledger_has_not_is_refused_with_those_that_it_has(
    live: LiveFact, there: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        find_release(7, live)
    assert refused.value.problems == (
        f"there is no release 7 in the ledger; there are: {there} (scripts/history)",
    )


@pytest.mark.parametrize(
    ("number", "live", "found"),
    [
        (9, ledger(9, 8, 7), 9),
        (8, ledger(9, 8, 7), 8),
        # What serves was made from it: a pin holds what it has made.
        (7, ledger(9, 8, 7, _9=7), 9),
        # So it is where the ledger has the release no more, …
        (3, ledger(9, 8, _9=3), 9),
        # … but not where another serves by now.
        (7, ledger(9, 8, 7, _8=7), 7),
    ],
)
def test_release_is_the_one_that_serves_if_that_was_made_from_it(
    number: int, live: LiveFact, found: int
) -> None:
    assert find_release(number, live) is next(e for e in live.ledger if e["number"] == found)


@given(st.lists(st.integers(1, 30), min_size=1, unique=True), st.integers(1, 30), st.data())
def test_release_is_found_by_its_number_or_not_at_all(
    numbers: list[int], number: int, data: st.DataObject
) -> None:
    live = ledger(*sorted(numbers, reverse=True))
    made = data.draw(st.none() | st.integers(1, 30))
    head = live.ledger[0]
    if made is not None:
        head["rollback_of"] = made
    if number in numbers or number == made:
        found = find_release(number, live)
        assert number in (found["number"], found.get("rollback_of"))
        assert found is head or number not in (head["number"], made)
    else:
        with pytest.raises(ConfigError):
            find_release(number, live)


# --- what comes back --------------------------------------------------------------------------


def test_release_whose_secret_is_gone_is_refused() -> None:
    _, live, kept = shop()
    with pytest.raises(ConfigError) as refused:
        restored(1, live, {}, {})
    (lost,) = kept
    assert refused.value.problems == (
        "ALPHA has no value any more; run pulumi config set --stack <stack> --secret --path "
        "slipway:secrets.ALPHA <value>",
        f"release 1 needs what the state has lost ({lost}), and no configuration has; release its "
        "source again",
    )


def test_release_is_declared_from_the_ledger_alone() -> None:
    source, live, kept = shop()
    found = restored(1, live, OLD, kept)
    image = ReleasedImage(parse_reference(f"localhost:5000/shop@{DIGEST}"), HASH)
    assert found.project.file == "release 1"
    assert found.lines.where("services", "web", "image") == "release 1 services.web.image"
    assert found.images == {"db": parse_reference(POSTGRES), "web": image}
    assert found.records == {n: replace(r, kept={}) for n, r in source.records.items()}
    assert found.alone == {"web"}
    assert found.entry is live.ledger[0]
    assert found.beside.content is live.ledger[0]["project"]
    assert found.beside == source.beside


def test_what_belongs_to_a_service_belongs_to_its_release_command_too() -> None:
    _, live, kept = shop()
    found = restored(1, live, OLD, kept)
    assert found.job_of == {"web-release": "web"}
    assert found.with_jobs({"db": 1, "web": 2}) == {"db": 1, "web": 2, "web-release": 2}
    assert found.with_jobs({"db": 1}) == {"db": 1}


# --- containers of what serves ----------------------------------------------------------------


def names(plans: Any) -> dict[str, str]:
    return {plan.service.name: plan.name for plan in plans}


def test_release_that_serves_knows_its_containers_and_an_older_one_has_none() -> None:
    _, live, kept = shop()
    serving = {name: found["name"] for name, found in live.containers.items()}
    assert restored(1, live, OLD, kept).serving == serving
    older = replace(live, ledger=[{**live.ledger[0], "number": 2}, live.ledger[0]])
    assert restored(1, older, OLD, kept).serving == {}


def test_containers_that_serve_stay_though_a_secret_was_rotated() -> None:
    source, live, kept = shop()
    plans = plans_of(restored(1, live, NEW, kept), state_of(live))
    first = plans_of(source)
    assert [(p.service.name, p.name, p.resource, p.revision) for p in plans] == [
        (p.service.name, p.name, p.resource, p.revision) for p in first
    ]


def test_container_that_is_gone_is_made_anew_with_today_s_secret() -> None:
    source, live, kept = shop()
    gone = frozenset({name.replace("-test-", "-") for name in [live.containers["web"]["name"]]})
    again = names(plans_of(restored(1, live, NEW, kept), state_of(live), gone))
    first, today = names(plans_of(source)), names(plans_of(SHOP.declared(NEW)))
    assert again == {**first, "web": today["web"]}
    assert today["web"] != first["web"]


def test_container_that_is_gone_is_numbered_where_no_secret_was_rotated() -> None:
    source, live, kept = shop()
    gone = frozenset({live.containers["web"]["name"].replace("-test-", "-")})
    again = names(plans_of(restored(1, live, OLD, kept), state_of(live), gone))
    first = names(plans_of(source))
    assert again == {**first, "web": f"{first['web']}-2"}


def test_container_that_the_state_has_lost_is_made_anew() -> None:
    _, live, kept = shop()
    again = names(plans_of(restored(1, live, NEW, kept), StackState()))
    assert again == names(plans_of(SHOP.declared(NEW)))
