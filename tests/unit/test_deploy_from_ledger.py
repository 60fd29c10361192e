"""Deploys of what is in the ledger: a pin, or a release that is asked for; and of what may not be
promoted yet."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from slipway import deploy
from slipway.errors import ConfigError, HostError
from slipway.plan import ContainerPlan
from slipway.prepared import Prepared, Settings
from slipway.state import LiveFact, StackState

from .support_deploy import DIGEST, NOW, PASSWORD, STACK, World, bring_up, state_after
from .support_release import through_state

IMAGE = f"localhost:5000/shop@{DIGEST}"
IMAGES = {"web": IMAGE, "worker": IMAGE}
ONE = {"SLIPWAY_RELEASE": "1"}


def release(world: World, state: StackState | None = None, **more: Any) -> StackState:
    """The state once what is there now was released, as the next run reads it."""
    prepared = world.prepare(state, **more)
    # What is not of the release any more is deleted after it.
    for name in world.host.names:
        world.host.vanish(name)
    return StackState(through_keys(bring_up(world, prepared)))


def through_keys(state: StackState) -> dict[tuple[str, str], Any]:
    return {key: through_state(found) for key, found in state.outputs.items()}


def rotated(world: World, password: str = "rotated") -> Settings:
    return replace(world.settings, secrets={"DB_PASSWORD": password})


def identities(prepared: Prepared) -> list[tuple[str, str, str]]:
    return [(p.name, p.resource, p.revision) for p in prepared.containers]


def plan_of(prepared: Prepared, service: str) -> ContainerPlan:
    (found,) = [plan for plan in prepared.containers if plan.service.name == service]
    return found


def password_of(prepared: Prepared) -> str:
    return plan_of(prepared, "web").spec.environment["DATABASE_URL"]


# --- what cannot be had -----------------------------------------------------------------------


@pytest.mark.parametrize("asked", ["v3", "-1", "1.0", " 1", "²"])
def test_what_is_no_number_of_a_release_is_refused(world: World, asked: str) -> None:
    with pytest.raises(ConfigError) as refused:
        world.prepare(release(world), environ={"SLIPWAY_RELEASE": asked})
    assert refused.value.problems == (
        f"SLIPWAY_RELEASE: {asked!r} is no release's number; see scripts/history",
    )


@pytest.mark.parametrize("asked", ["2", "0"])
def test_release_that_there_is_not_is_refused(world: World, asked: str) -> None:
    with pytest.raises(ConfigError, match=f"no release {asked} in the ledger; there are: 1 "):
        world.prepare(release(world), environ={"SLIPWAY_RELEASE": asked})


def test_release_whose_secret_was_taken_away_is_refused_with_its_name(world: World) -> None:
    state = release(world)
    with pytest.raises(ConfigError, match=r"\nDB_PASSWORD has no value any more"):
        world.prepare(state, environ=ONE, settings=replace(world.settings, secrets={}))


def test_release_whose_kept_values_are_lost_is_refused(world: World) -> None:
    world.services["worker"]["environment"] = {"API_TOKEN": "literal"}
    state = release(world)
    left = {key: found for key, found in state.outputs.items() if "-kept-" not in key[1]}
    with pytest.raises(ConfigError, match="release 1 needs what the state has lost"):
        world.prepare(StackState(left), environ=ONE)


# --- a pin ------------------------------------------------------------------------------------


def test_pinned_stack_reads_nothing_of_its_source(world: World) -> None:
    first = world.prepare()
    state = release(world)
    world.read.clear()
    for name in ("compose.yaml", "Dockerfile"):
        (world.folder / name).unlink()
    said: list[str] = []
    pinned = world.prepare(state, settings=replace(world.settings, pin=1), said=said)
    assert world.read == []
    assert identities(pinned) == identities(first)
    assert pinned.attempt == first.attempt
    assert said == [
        "stack test is pinned at release 1 (slipway:pin): the source is not looked at, and nothing "
        "of it is released; to leave the pin: scripts/deploy test --leave-pin"
    ]


def test_release_that_is_asked_for_goes_before_the_pin_and_is_not_warned_of(world: World) -> None:
    state = release(world)
    world.services["worker"]["command"] = ["work", "harder"]
    state = release(world, state)
    said: list[str] = []
    settings = replace(world.settings, pin=1)
    found = world.prepare(state, settings=settings, environ={"SLIPWAY_RELEASE": "2"}, said=said)
    assert (found.restores, said) == (2, [])


def test_pin_holds_what_it_has_made(world: World) -> None:
    """Release 3 was made from 1, and is what the pin at 1 means from then on."""
    first = world.prepare()
    state = release(world)
    world.services["worker"]["command"] = ["work", "harder"]
    state = release(world, state)
    pinned = replace(world.settings, pin=1)
    state = release(world, state, settings=pinned)
    again = world.prepare(state, settings=pinned)
    assert again.restores == 3
    assert again.attempt == first.attempt
    assert again.ledger(IMAGES) == again.live.ledger
    assert [entry["number"] for entry in again.live.ledger] == [3, 2, 1]
    assert again.live.ledger[0]["rollback_of"] == 1


def test_pin_holds_though_the_secret_was_rotated_and_a_container_was_made_anew(
    world: World,
) -> None:
    state = release(world)
    pinned = replace(rotated(world), pin=1)
    world.host.vanish(plan_of(world.prepare(), "web").name)
    state = release(world, state, settings=pinned)
    again = world.prepare(state, settings=pinned)
    assert again.ledger(IMAGES) == again.live.ledger
    assert [(e["number"], e.get("rollback_of")) for e in again.live.ledger] == [(2, 1), (1, None)]


# --- what serves ------------------------------------------------------------------------------


def test_live_release_that_is_restored_changes_nothing(world: World) -> None:
    first = world.prepare()
    found = world.prepare(release(world), environ=ONE)
    assert identities(found) == identities(first)
    assert found.attempt == first.attempt
    assert found.ledger(IMAGES) == found.live.ledger
    assert found.project_record == first.project_record


def test_live_release_keeps_its_containers_though_a_secret_was_rotated(world: World) -> None:
    first = world.prepare()
    found = world.prepare(release(world), environ=ONE, settings=rotated(world))
    assert identities(found) == identities(first)
    assert found.attempt == first.attempt
    assert found.ledger(IMAGES) == found.live.ledger


def test_live_release_whose_container_is_gone_gets_one_with_today_s_secret(world: World) -> None:
    first = world.prepare()
    state = release(world)
    world.host.vanish(plan_of(first, "web").name)
    said: list[str] = []
    found = world.prepare(state, environ=ONE, settings=rotated(world), said=said)
    web, worker = found.containers
    gone = plan_of(first, "web").resource
    assert said == [f"the gate looks again: the container of {gone} is gone"]
    assert worker.name == plan_of(first, "worker").name
    assert web.revision == plan_of(world.prepare(settings=rotated(world)), "web").revision
    assert web.name == f"shop-test-web-{web.revision}"
    assert password_of(found) == "postgres://quotes:rotated@db/quotes"
    assert found.fingerprint != first.fingerprint
    (head, _) = found.ledger(IMAGES)
    assert (head["number"], head["rollback_of"]) == (2, 1)


def test_live_release_whose_container_is_gone_stays_that_release_with_the_same_secret(
    world: World,
) -> None:
    first = world.prepare()
    state = release(world)
    web = plan_of(first, "web")
    world.host.vanish(web.name)
    found = world.prepare(state, environ=ONE)
    assert plan_of(found, "web").name == f"{web.name}-2"
    assert found.fingerprint == first.fingerprint
    assert found.ledger(IMAGES) == found.live.ledger


# --- an older release -------------------------------------------------------------------------


def test_older_release_comes_back_as_it_was(world: World) -> None:
    first = world.prepare()
    state = release(world)
    world.services["worker"]["command"] = ["work", "harder"]
    world.services["web"]["x-slipway"]["probes"] = [{"path": "/other"}]
    state = release(world, state)
    found = world.prepare(state, environ=ONE)
    assert identities(found) == identities(first)
    assert found.fingerprint == first.fingerprint
    assert found.sites == first.sites
    ledger = found.ledger(IMAGES)
    assert [(e["number"], e.get("rollback_of")) for e in ledger] == [(3, 1), (2, None), (1, None)]
    assert {**ledger[0], "number": 1} == {**ledger[2], "rollback_of": 1}


def test_older_release_gets_today_s_secrets_and_the_literals_that_are_kept(world: World) -> None:
    world.services["worker"]["environment"] = {"API_TOKEN": "literal", "LEVEL": "info"}
    state = release(world)
    world.services["worker"]["environment"] = {"API_TOKEN": "another"}
    state = release(world, state, settings=rotated(world))
    found = world.prepare(state, environ=ONE, settings=rotated(world))
    assert password_of(found) == "postgres://quotes:rotated@db/quotes"
    environment = dict(plan_of(found, "worker").spec.environment)
    del environment["SLIPWAY_SOURCE_HASH"]
    assert environment == {"API_TOKEN": "literal", "LEVEL": "info"}


def test_release_command_of_an_older_release_stays_among_what_is_declared(world: World) -> None:
    world.services["web"]["x-slipway"]["release"] = "migrate"
    first = world.prepare()
    state = release(world)
    world.services["worker"]["command"] = ["work", "harder"]
    state = release(world, state)
    found = world.prepare(state, environ=ONE)
    assert [plan.service.name for plan in found.containers] == ["web-release", "web", "worker"]
    assert identities(found) == identities(first)


# --- what the state keeps ---------------------------------------------------------------------


def tokens(prepared: Prepared) -> list[str]:
    return sorted(prepared.kept.values())


def with_token(world: World, token: str) -> None:
    world.services["worker"]["environment"] = {"API_TOKEN": token}


def test_value_is_kept_for_as_long_as_a_release_of_the_ledger_needs_it(world: World) -> None:
    settings = replace(world.settings, keep_releases=2)
    state, kept = StackState(), []
    for token in ("token one", "token two", "token two", "token three", "token four"):
        with_token(world, token)
        kept.append(tokens(world.prepare(state, settings=settings)))
        state = release(world, state, settings=settings)
    assert kept == [
        ["token one"],
        ["token one", "token two"],
        ["token one", "token two"],
        ["token three", "token two"],
        ["token four", "token three"],
    ]


def test_value_of_an_older_release_is_kept_once_that_is_restored(world: World) -> None:
    settings = replace(world.settings, keep_releases=2)
    with_token(world, "token one")
    state = release(world, settings=settings)
    with_token(world, "token two")
    state = release(world, state, settings=settings)
    state = release(world, state, settings=settings, environ=ONE)
    found = world.prepare(state, settings=settings, environ={"SLIPWAY_RELEASE": "3"})
    assert tokens(found) == ["token one", "token two"]
    assert plan_of(found, "worker").spec.environment["API_TOKEN"] == "token one"


def test_value_that_the_state_has_lost_does_not_stop_a_deploy_of_the_source(world: World) -> None:
    with_token(world, "token one")
    state = release(world)
    left = {key: found for key, found in state.outputs.items() if "-kept-" not in key[1]}
    with_token(world, "token two")
    assert tokens(world.prepare(StackState(left))) == ["token two"]


def test_no_value_is_in_the_name_of_what_keeps_it(world: World) -> None:
    with_token(world, "token one")
    prepared = world.prepare()
    names = [deploy.kept_resource("quotes", name) for name in prepared.kept]
    assert all(name.startswith("quotes-kept-") for name in names)
    assert "token" not in repr(names)
    assert PASSWORD not in repr(sorted(state_after(prepared).outputs))


# --- promotion --------------------------------------------------------------------------------


def promote(
    world: World,
    promoted: LiveFact | None,
    *,
    preview: bool = False,
    environ: Mapping[str, str] | None = None,
    state: StackState | None = None,
    said: list[str] | None = None,
) -> Prepared:
    settings = replace(world.settings, promote_from="staging", min_soak=3600.0)
    return deploy.prepare(
        STACK, settings, environ or {}, state or StackState(),
        preview=preview, promoted=promoted, report=[].append, clock=lambda: NOW,
        warn=(said if said is not None else []).append,
    )  # fmt: skip


def served(seconds: float) -> LiveFact:
    services = {name: {"image": IMAGE} for name in IMAGES}
    time = (NOW - timedelta(seconds=seconds)).isoformat()
    return LiveFact([{"number": 1, "time": time, "services": services}])


@pytest.fixture
def built(world: World) -> World:
    """A world whose registry has the image of its source."""
    image: Any = world.prepare().containers[0].image
    world.tags[str(image.reference.tag)] = DIGEST
    return world


@pytest.mark.parametrize(
    ("promoted", "reason"),
    [
        (None, "has no verified release of these images"),
        (LiveFact(), "has no verified release of these images"),
        (served(60), "wait for 59m0s"),
    ],
)
def test_release_that_another_stack_has_not_verified_is_refused_before_the_host_is_asked(
    built: World, promoted: LiveFact | None, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_engine() -> None:
        raise HostError("no Docker engine answers")

    monkeypatch.setattr(deploy, "connect", no_engine)
    with pytest.raises(ConfigError, match=reason):
        promote(built, promoted)


def test_source_that_was_never_built_is_not_promoted(world: World) -> None:
    with pytest.raises(ConfigError, match=r"\nweb, worker: this source has never been built"):
        promote(world, served(9999))


def test_release_that_has_served_elsewhere_for_long_enough_is_promoted(built: World) -> None:
    assert promote(built, served(3600)).origin.hotfix is None


def test_preview_of_what_may_not_be_promoted_only_warns(built: World) -> None:
    said: list[str] = []
    promote(built, served(60), preview=True, said=said)
    (line,) = said
    assert line.startswith("this could not be released now: these images have served in stack")


def test_hotfix_is_promoted_and_told_in_the_ledger(built: World) -> None:
    found = promote(built, None, environ={"SLIPWAY_HOTFIX": "it burns"})
    assert found.ledger(IMAGES)[0]["hotfix"] == "it burns"


def test_rollback_needs_no_other_stack_s_word(built: World) -> None:
    state = release(built)
    assert promote(built, None, environ=ONE, state=state).restores == 1
