"""Services of which never two containers run: the order of events, and the way back."""

from dataclasses import replace
from typing import Any

import pytest

from slipway import proving
from slipway.errors import HostError
from slipway.gate_plan import Candidate
from slipway.host import LABEL_SERVICE
from slipway.ingress import LiveRoute
from slipway.probes import Reply
from slipway.proxy import HELD

from .support_exchange import (
    BEFORE,
    Exchange,
    beat,
    crash,
    db,
    held,
    killed_after_its_switch,
    left_held,
    refused,
)
from .support_gate import INGRESS, InlineExecutor, image, web


@pytest.fixture(autouse=True)
def _probes_answer_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proving, "ThreadPoolExecutor", InlineExecutor)


# --- held services --------------------------------------------------------------------------


def test_requests_wait_while_a_held_service_is_exchanged() -> None:
    scene = Exchange([held()], live=BEFORE)
    assert scene.run() == [
        f"host: start {INGRESS}",
        "ingress: lease taken",
        "ingress: candidate web is web-2:8000",
        "says: holding requests for web",
        f"ingress: web=web-1:8000 => web={HELD}",
        "says: letting requests in flight on web-1:8000 finish",
        "says: stopping web-1: web never runs twice",
        "host: stop web-1 within 10 s",
        "says: proving web before any traffic goes there",
        "host: start web-2",
        "says: web: steady, to be watched for 0 s",
        "says: web is proven",
        f"ingress: web={HELD} => web=web-2:8000",
        "says: switched: new requests go to this release",
        "says: web: requests were held for 1.6 s",
        "says: letting requests in flight on web-1:8000 finish",
        "ingress: lease given back",
    ]
    assert scene.host.running == [INGRESS, "web-2"]


def test_failed_held_service_gives_its_place_back() -> None:
    scene = Exchange([held()], live=BEFORE)
    scene.clock.after(1.0, lambda: scene.host.crash("web-2", 3))
    assert refused(scene).splitlines()[-1] == "what served before still serves"
    assert scene.journal[8:] == [
        "says: proving web before any traffic goes there",
        "host: start web-2",
        "says: refused: web: the container exited with code 3 after 0.6 s",
        "says: starting web-1 again",
        "host: start web-1",
        "says: switching back to what served before",
        f"ingress: web={HELD} => web=web-1:8000",
        "says: web: requests were held for 1.0 s",
        "host: stop web-2 within 10 s",
        "ingress: lease given back",
    ]
    assert scene.ingress.route.upstreams == BEFORE
    assert scene.host.running == [INGRESS, "web-1"]


def test_failed_held_service_that_runs_is_stopped_before_the_old_one_starts() -> None:
    scene = Exchange([held(timeout=2.0)], live=BEFORE)
    scene.prober.replies["web-2"] = Reply(1.0, 500, "oops")
    refused(scene)
    stopped = scene.journal.index("host: stop web-2 within 10 s")
    assert scene.journal[stopped : stopped + 3] == [
        "host: stop web-2 within 10 s",
        "says: starting web-1 again",
        "host: start web-1",
    ]
    assert scene.host.running == [INGRESS, "web-1"]


def test_failure_after_the_switch_holds_requests_again_until_the_old_one_is_back() -> None:
    scene = Exchange([held()], live=BEFORE)
    scene.prober.public = Reply(1.0, 421, "wrong host")
    refused(scene)
    assert scene.journal[-12:] == [
        "says: refused: web: the public address did not answer well after the switch",
        "says: holding requests for web",
        f"ingress: web=web-2:8000 => web={HELD}",
        "says: letting requests in flight on web-2:8000 finish",
        "host: stop web-2 within 10 s",
        "says: starting web-1 again",
        "host: start web-1",
        "says: switching back to what served before",
        f"ingress: web={HELD} => web=web-1:8000",
        "says: web: requests were held for 0.4 s",
        "host: stop web-2 within 10 s",
        "ingress: lease given back",
    ]
    assert scene.ingress.route.upstreams == BEFORE
    assert scene.host.running == [INGRESS, "web-1"]


def test_requests_of_other_services_go_on_while_one_is_held() -> None:
    api = replace(web("api-1", "a"), service="api")
    scene = Exchange([api, held()], live={**BEFORE, "api": "api-1:8000"})
    assert f"ingress: api=api-1:8000, web=web-1:8000 => api=api-1:8000, web={HELD}" in scene.run()


def test_held_service_comes_last_so_that_nothing_else_fails_while_requests_wait() -> None:
    api = replace(web("api-2"), service="api")
    scene = Exchange([held(), api], live={**BEFORE, "api": "api-1:8000"})
    crash(scene, "api-2")
    refused(scene)
    assert "says: holding requests for web" not in scene.journal
    assert scene.host.running == ["api-1", INGRESS, "web-1"]


def test_first_release_of_a_held_service_holds_nothing() -> None:
    scene = Exchange([held()])
    assert [line for line in scene.run() if "hold" in line or "held" in line] == []


def test_held_service_that_did_not_change_is_left_alone() -> None:
    scene = Exchange([held("web-1", "a")], live=BEFORE)
    assert scene.run() == [
        f"host: start {INGRESS}",
        "ingress: lease taken",
        "ingress: candidate web is web-1:8000",
        "says: proving web before any traffic goes there",
        "says: web: steady, to be watched for 0 s",
        "says: web is proven",
        "says: the public address leads to this release already: nothing to switch",
        "ingress: lease given back",
    ]


@pytest.mark.parametrize(
    ("times", "waited"),
    [
        ({"drain": 30.0, "hold": 30.0}, 10.0),
        ({"drain": 30.0, "hold": 60.0}, 20.0),
        ({"drain": 4.0, "hold": 30.0}, 4.0),
    ],
)
def test_requests_in_flight_get_a_third_of_the_hold_at_most(
    times: dict[str, float], waited: float
) -> None:
    scene = Exchange([held(**times)], live=BEFORE)
    scene.ingress.requests["web-1:8000"] = 1
    stopped_at: list[float] = []
    stop = scene.host.stop

    def noted(name: str, grace: float) -> None:
        stopped_at.append(scene.clock.elapsed)
        stop(name, grace)

    scene.host.stop = noted  # type: ignore[method-assign]
    scene.run()
    assert stopped_at == [waited]
    assert "says: 1 still in flight on web-1:8000; its time to finish is over" in scene.journal


def test_held_service_whose_lease_is_lost_stops_nothing() -> None:
    scene = Exchange([held()], live=BEFORE)
    scene.ingress.lost = True
    assert "taken the route over" in refused(scene)
    assert scene.host.running == [INGRESS, "web-1"]


def test_old_one_that_cannot_be_stopped_means_that_the_new_one_never_starts() -> None:
    scene = Exchange([held()], live=BEFORE)
    scene.host.failing["stop web-1"] = HostError("Docker does not answer")
    with pytest.raises(HostError, match=r"^Docker does not answer$"):
        scene.run()
    assert "host: start web-2" not in scene.journal
    assert scene.ingress.route.upstreams == BEFORE
    assert scene.host.running == [INGRESS, "web-1"]


def test_old_one_that_cannot_be_started_again_is_told() -> None:
    scene = Exchange([held()], live=BEFORE)
    crash(scene, "web-2")
    scene.host.failing["start web-1"] = HostError("no space left")
    assert refused(scene).splitlines()[-1] == (
        "could not be undone: no space left; public traffic may go to the refused release: run "
        "pulumi up again with the source of the release before"
    )


def test_interrupted_exchange_brings_the_old_one_back() -> None:
    scene = Exchange([held()], live=BEFORE)

    def interrupt() -> None:
        raise KeyboardInterrupt

    scene.clock.after(1.0, interrupt)
    with pytest.raises(KeyboardInterrupt):
        scene.run()
    assert scene.ingress.route.upstreams == BEFORE
    assert scene.host.running == [INGRESS, "web-1"]


def test_singleton_that_gets_a_route_stops_first_and_comes_back_after_a_failure() -> None:
    scene = Exchange([held()], live={"web": "web-1"})
    crash(scene, "web-2")
    refused(scene)
    assert [line for line in scene.journal if line.startswith("host: st")][1:] == [
        "host: stop web-1 within 10 s",
        "host: start web-2",
        "host: start web-1",
        "host: stop web-2 within 10 s",
    ]
    assert scene.host.running == [INGRESS, "web-1"]


# --- the hold is a budget -------------------------------------------------------------------


def slow_to_stop(scene: Exchange, name: str, seconds: float) -> None:
    """Have a container take some seconds to stop, or all the grace that it gets."""
    stop = scene.host.stop

    def slow(container: str, grace: float) -> None:
        if container == name:
            scene.clock.sleep(min(seconds, grace))
        stop(container, grace)

    scene.host.stop = slow  # type: ignore[method-assign]


def started_at(scene: Exchange, name: str) -> float:
    """When a container was started, in seconds since the gate began."""
    found = scene.host.container(name)
    assert found is not None
    return round(float(found.started_at.removeprefix("started at ")) - 100.0, 1)


def test_old_one_is_back_before_the_hold_is_over_whatever_took_the_time() -> None:
    scene = Exchange([held(hold=30.0)], live=BEFORE)
    scene.ingress.requests["web-1:8000"] = 1
    slow_to_stop(scene, "web-1", 8.0)
    scene.prober.replies["web-2"] = Reply(1.0, 502, "starting", by_proxy=True)
    report = refused(scene).splitlines()
    assert report[0] == (
        "the release of shop-test was refused: service web: not proven within 4.5 s: that was "
        "left of three quarters of x-slipway.hold once the old one had stopped, and the last "
        "quarter is for the old one to come back; if it is slow to start, raise x-slipway.hold"
    )
    assert "probe “GET /health”: expected status 200, found status 502" in report[3]
    assert report[-1] == "what served before still serves"
    assert "says: web: requests were held for 22.6 s" in scene.journal
    assert started_at(scene, "web-1") == 22.6


def test_stability_window_counts_against_the_hold() -> None:
    scene = Exchange([replace(held(hold=30.0), stable_for=20.0)], live=BEFORE)
    scene.prober.replies["web-2"] = Reply(1.0, 502, "starting", by_proxy=True)
    scene.clock.after(10.0, lambda: scene.prober.replies.clear())
    assert "not proven within 22.1 s" in refused(scene)
    assert "says: web: requests were held for 22.6 s" in scene.journal


def test_new_one_never_starts_when_the_old_one_has_used_its_time_up() -> None:
    scene = Exchange([replace(held(hold=20.0), stable_for=3.0, grace=15.0)], live=BEFORE)
    slow_to_stop(scene, "web-1", 15.0)
    assert refused(scene).splitlines()[0] == (
        "the release of shop-test was refused: service web: no time to prove it: once the old one "
        "had stopped, 0.0 s are left of hold: 20 s; raise x-slipway.hold, or have the application "
        "stop faster"
    )
    assert "host: start web-2" not in scene.journal
    assert scene.ingress.route.upstreams == BEFORE
    assert scene.host.running == [INGRESS, "web-1"]


def test_old_one_s_grace_ends_with_the_hold() -> None:
    scene = Exchange([replace(held(hold=20.0), grace=60.0)], live=BEFORE)
    refused_or_not = scene.run()
    assert "host: stop web-1 within 19.6 s" in refused_or_not


def test_slow_first_release_of_a_held_service_is_not_cut_short_by_its_hold() -> None:
    scene = Exchange([held(hold=5.0, timeout=60.0)])
    scene.prober.replies["web-2"] = Reply(1.0, 503, "warming up")
    scene.clock.after(20.0, lambda: scene.prober.replies.clear())
    scene.run()
    assert scene.ingress.route.upstreams == {"web": "web-2:8000"}


def test_nothing_is_held_for_one_that_gets_its_requests_already() -> None:
    scene = Exchange([held("web-1", "a")], live=BEFORE)
    scene.host.add("web-2", image("b"), running=True)
    scene.label("web-2", "web")
    scene.run()
    assert [line for line in scene.journal if "=>" in line or "hold" in line] == []
    assert scene.host.running == [INGRESS, "web-1"]


def two_held() -> tuple[Exchange, Candidate, Candidate]:
    """Two services that are exchanged one after the other."""
    one, two = held(), held("api-2")
    two = replace(two, service="api")
    return Exchange([two, one], live={**BEFORE, "api": "api-1:8000"}), two, one


def test_requests_of_a_held_service_do_not_wait_for_the_next_one_s_exchange() -> None:
    scene, *_ = two_held()
    assert [line for line in scene.run() if "=>" in line or "were held" in line] == [
        f"ingress: api=api-1:8000, web=web-1:8000 => api={HELD}, web=web-1:8000",
        f"ingress: api={HELD}, web=web-1:8000 => api=api-2:8000, web=web-1:8000",
        "says: api: requests were held for 1.6 s",
        f"ingress: api=api-2:8000, web=web-1:8000 => api=api-2:8000, web={HELD}",
        f"ingress: api=api-2:8000, web={HELD} => api=api-2:8000, web=web-2:8000",
        "says: web: requests were held for 1.6 s",
    ]
    assert scene.host.running == ["api-2", INGRESS, "web-2"]


def test_held_service_that_was_switched_to_already_comes_back_when_the_next_one_fails() -> None:
    scene, *_ = two_held()
    crash(scene, "web-2")
    assert refused(scene).splitlines()[-1] == "what served before still serves"
    assert scene.ingress.route.upstreams == {**BEFORE, "api": "api-1:8000"}
    assert scene.host.running == ["api-1", INGRESS, "web-1"]
    back = scene.journal.index("says: holding requests for api", 10)
    assert scene.journal[back : back + 6] == [
        "says: holding requests for api",
        f"ingress: api=api-2:8000, web={HELD} => api={HELD}, web={HELD}",
        "says: letting requests in flight on api-2:8000 finish",
        "host: stop api-2 within 10 s",
        "says: starting api-1 again",
        "host: start api-1",
    ]


def test_release_after_one_that_was_killed_between_two_exchanges_passes() -> None:
    for letter in "ac":
        names = {"a": ("api-1", "web-1"), "c": ("api-3", "web-3")}[letter]
        candidates = [
            replace(held(names[0], letter), service="api"),
            held(names[1], letter),
        ]
        scene = Exchange(candidates, live={**BEFORE, "api": "api-1:8000"})
        for name, service in (("api-2", "api"), ("web-2", "web")):
            scene.host.add(name, image("b"), running=name == "api-2")
            scene.label(name, service)
        scene.host.crash("api-1", 143)
        scene.host.crash("web-1", 143)
        scene.ingress.route = LiveRoute("releases/left", {"api": "api-2:8000", "web": HELD})
        scene.run()
        assert scene.ingress.route.upstreams == {c.service: c.upstream for c in candidates}
        assert scene.host.running == sorted([*names, INGRESS])


def test_requests_stay_held_and_it_is_told_when_the_ingress_does_not_answer_any_more() -> None:
    scene = Exchange([held()], live=BEFORE)

    def both_die() -> None:
        scene.host.crash("web-2")
        scene.ingress.failing["live"] = HostError("no answer")

    scene.host.on_start["web-2"] = both_die
    assert refused(scene).splitlines()[-1].startswith("could not be undone: no answer; ")


# --- gates that were killed -----------------------------------------------------------------


def test_release_after_a_killed_gate_ends_the_holding() -> None:
    scene = left_held(Exchange([held()], live=BEFORE))
    assert f"ingress: web={HELD} => web=web-2:8000" in scene.run()
    assert scene.host.running == [INGRESS, "web-2"]


def test_failed_release_after_a_killed_gate_brings_back_what_the_state_calls_live() -> None:
    scene = left_held(Exchange([held()], live=BEFORE))
    crash(scene, "web-2")
    assert refused(scene).splitlines()[-1] == "what served before still serves"
    assert scene.journal[-8:] == [
        "says: refused: web: the container exited with code 3 after 0.0 s",
        "says: starting web-1 again",
        "host: start web-1",
        "says: switching back to what served before",
        f"ingress: web={HELD} => web=web-1:8000",
        "says: web: requests were held for 0.0 s",
        "host: stop web-2 within 10 s",
        "ingress: lease given back",
    ]
    assert scene.host.running == [INGRESS, "web-1"]


def test_return_to_the_old_source_after_a_killed_gate_starts_the_old_one() -> None:
    scene = left_held(Exchange([held("web-1", "a")], live=BEFORE))
    scene.host.add("web-2", image("b"), running=True)
    scene.label("web-2", "web")
    scene.run()
    assert scene.ingress.route.upstreams == BEFORE
    assert scene.host.running == [INGRESS, "web-1"]


def test_failed_return_to_the_old_source_after_a_killed_gate_starts_the_old_one_too() -> None:
    """Another service fails before it is the held one's turn."""
    api = replace(web("api-2"), service="api")
    live = {**BEFORE, "api": "api-1:8000"}
    scene = left_held(Exchange([held("web-1", "a"), api], live=live))
    scene.host.add("web-2", image("b"), running=True)
    scene.label("web-2", "web")
    crash(scene, "api-2")
    assert refused(scene).splitlines()[-1] == "what served before still serves"
    assert scene.ingress.route.upstreams == live
    assert scene.host.running == ["api-1", INGRESS, "web-1"]


def test_first_release_after_a_killed_one_never_runs_twice_either() -> None:
    scene = Exchange([held()])
    scene.host.add("web-0", image("d"), running=True)
    scene.label("web-0", "web")
    scene.run()
    assert scene.journal.index("host: stop web-0 within 10 s") < scene.journal.index(
        "host: start web-2"
    )
    assert scene.host.running == [INGRESS, "web-2"]


def test_what_a_killed_gate_switched_to_is_never_stopped_for_what_the_state_has() -> None:
    scene = killed_after_its_switch(held())
    scene.prober.replies["web-2"] = Reply(1.0, 500, "oops")
    refused(scene)
    assert scene.ingress.route.upstreams == {"web": "web-2:8000"}
    assert scene.host.running == [INGRESS, "web-2"]


def test_what_a_killed_gate_switched_to_comes_back_after_a_failure() -> None:
    scene = killed_after_its_switch(held("web-3", "c"))
    crash(scene, "web-3")
    assert refused(scene).splitlines()[-1] == "what served before still serves"
    assert scene.ingress.route.upstreams == {"web": "web-2:8000"}
    assert scene.host.running == [INGRESS, "web-2"]


@pytest.mark.parametrize(
    "source", [held("web-3", "c"), held("web-1", "a"), held()], ids=["third", "old", "same"]
)
def test_release_after_one_that_was_killed_after_its_switch_passes(source: Candidate) -> None:
    scene = killed_after_its_switch(source)
    scene.run()
    assert scene.ingress.route.upstreams == {"web": source.upstream}
    assert scene.host.running == [INGRESS, source.container]


def test_second_release_passes_when_the_first_was_killed_after_its_switch() -> None:
    """The state has no release at all."""
    scene = Exchange([held()])
    scene.host.add("web-1", image("a"), running=True)
    scene.label("web-1", "web")
    scene.ingress.route = LiveRoute("releases/killed", BEFORE)
    scene.run()
    assert scene.ingress.route.upstreams == {"web": "web-2:8000"}
    assert scene.host.running == [INGRESS, "web-2"]


# --- singletons -----------------------------------------------------------------------------


def test_singleton_stops_before_its_successor_starts() -> None:
    scene = Exchange([beat()], live={"beat": "beat-1"})
    assert scene.run() == [
        f"host: start {INGRESS}",
        "ingress: lease taken",
        "says: stopping beat-1: beat never runs twice",
        "host: stop beat-1 within 10 s",
        "says: proving beat before any traffic goes there",
        "host: start beat-2",
        "says: beat: steady, to be watched for 0 s",
        "says: beat is proven",
        "says: the public address leads to this release already: nothing to switch",
        "ingress: lease given back",
    ]


def test_singleton_that_docker_restarts_is_stopped_too() -> None:
    scene = Exchange([beat()], live={"beat": "beat-1"})
    scene.host.change("beat-1", status="restarting")
    assert "host: stop beat-1 within 10 s" in scene.run()


def test_failed_singleton_gives_its_place_back() -> None:
    scene = Exchange([beat()], live={"beat": "beat-1"})
    crash(scene, "beat-2")
    refused(scene)
    assert scene.journal[-5:] == [
        "says: refused: beat: the container exited with code 3 after 0.0 s",
        "says: starting beat-1 again",
        "host: start beat-1",
        "host: stop beat-2 within 10 s",
        "ingress: lease given back",
    ]
    assert scene.host.running == ["beat-1", INGRESS]


def test_singletons_of_other_stacks_and_services_are_left_alone() -> None:
    scene = Exchange([beat()], live={"beat": "beat-1"})
    scene.host.add("clock-1", image("c"), running=True)
    scene.label("clock-1", "clock")
    scene.host.add("theirs", image("c"), running=True, labels={LABEL_SERVICE: "beat"})
    scene.run()
    assert scene.host.running == ["beat-2", "clock-1", INGRESS, "theirs"]


def test_failure_of_a_held_service_brings_the_singletons_back_too() -> None:
    scene = Exchange([beat(), held()], live={"beat": "beat-1", **BEFORE})
    crash(scene, "web-2")
    refused(scene)
    assert scene.host.running == ["beat-1", INGRESS, "web-1"]


def test_singleton_comes_back_though_the_ingress_no_longer_answers() -> None:
    scene = Exchange([beat()], live={"beat": "beat-1"})

    def both_die() -> None:
        scene.host.crash("beat-2")
        scene.ingress.failing["live"] = HostError("no answer")

    scene.host.on_start["beat-2"] = both_die
    refused(scene)
    assert scene.host.running == ["beat-1", INGRESS]


def test_singleton_that_a_killed_gate_started_gives_its_place_back() -> None:
    """The release has the old one again, and another service fails."""
    scene = Exchange([beat("beat-1", "a"), web()], live={"beat": "beat-1", **BEFORE})
    scene.host.crash("beat-1", 143)
    scene.host.add("beat-2", image("b"), running=True)
    scene.label("beat-2", "beat")
    crash(scene, "web-2")
    refused(scene)
    assert scene.host.running == ["beat-1", INGRESS, "web-1"]


# --- backing services -----------------------------------------------------------------------


def test_backing_service_is_exchanged_before_anything_else_starts() -> None:
    scene = Exchange([web(), db()], live={"db": "db-1", **BEFORE})
    assert scene.run()[2:10] == [
        "ingress: candidate web is web-2:8000",
        "says: stopping db-1: db never runs twice",
        "host: stop db-1 within 10 s",
        "says: proving db before any traffic goes there",
        "host: start db-2",
        "says: db: steady, to be watched for 0 s",
        "says: db is proven",
        "says: proving web before any traffic goes there",
    ]
    assert scene.host.running == ["db-2", INGRESS, "web-1", "web-2"]


def test_backing_service_comes_back_when_anything_after_it_fails() -> None:
    scene = Exchange([web(), db()], live={"db": "db-1", **BEFORE})
    crash(scene, "web-2")
    refused(scene)
    assert scene.journal[-6:] == [
        "host: stop db-2 within 10 s",
        "says: starting db-1 again",
        "host: start db-1",
        "host: stop web-2 within 10 s",
        "host: stop db-2 within 10 s",
        "ingress: lease given back",
    ]
    assert scene.host.running == ["db-1", INGRESS, "web-1"]


def test_backing_service_that_did_not_change_is_not_touched_by_a_failure() -> None:
    scene = Exchange([web(), db("db-1", "a")], live={"db": "db-1", **BEFORE})
    crash(scene, "web-2")
    refused(scene)
    assert [line for line in scene.journal if "db-1" in line] == []


def test_backing_service_that_was_down_is_left_started() -> None:
    scene = Exchange([web(), db("db-1", "a")], live={"db": "db-1", **BEFORE})
    scene.host.crash("db-1", 137)
    scene.run()
    assert scene.host.running == ["db-1", INGRESS, "web-1", "web-2"]


def test_candidate_gets_its_own_grace_to_stop_for_what_was_there_before() -> None:
    scene = Exchange([replace(beat(), grace=90.0)], live={"beat": "beat-1"})
    crash(scene, "beat-2")
    refused(scene)
    assert [line for line in scene.journal if line.startswith("host: stop")] == [
        "host: stop beat-1 within 90 s",
        "host: stop beat-2 within 90 s",
    ]


# --- watched on -----------------------------------------------------------------------------


def watched(**more: Any) -> Candidate:
    """A held service that is watched for 12 s more once its requests need not wait."""
    return replace(held(**more), watched_after=12.0)


def test_held_service_that_crashes_after_its_requests_have_waited_gives_its_place_back() -> None:
    scene = Exchange([watched()], live=BEFORE)
    scene.clock.after(9.0, lambda: scene.host.crash("web-2", 3))
    report = refused(scene)
    assert "service web: the container exited with code 3 after" in report
    assert report.splitlines()[-1] == "what served before still serves"
    assert "says: watching web for 12 s more: there is a way back till then" in scene.journal
    assert scene.ingress.route.upstreams == BEFORE
    assert scene.host.running == [INGRESS, "web-1"]


def test_held_service_that_is_well_passes_after_its_whole_time() -> None:
    scene = Exchange([watched()], live=BEFORE)
    scene.run()
    assert scene.clock.elapsed > 12.0
    assert scene.host.running == [INGRESS, "web-2"]


def test_held_service_that_did_not_change_is_not_watched_on() -> None:
    scene = Exchange([watched(name="web-1", letter="a")], live=BEFORE)
    scene.run()
    assert scene.clock.elapsed < 12.0
