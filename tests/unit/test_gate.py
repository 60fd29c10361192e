import threading

import pytest

from slipway import proving
from slipway.errors import GateError, HostError
from slipway.ingress import LiveRoute
from slipway.probes import Reply
from slipway.proxy import KEY_HEADER

from .support_gate import INGRESS, InlineExecutor, Scene, image, web, worker

BEFORE = {"web": "web-1:8000"}
BOTH_BEFORE = {"web": "web-1:8000", "worker": "worker-1"}
NEXT = "next: the container is kept (docker logs web-2); mend the source and run pulumi up again"
STILL = "what served before still serves"
TAKEN = "another gate has taken over in the meantime: what serves is its to say"


@pytest.fixture(autouse=True)
def _probes_answer_at_once(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "real_threads" not in request.fixturenames:
        monkeypatch.setattr(proving, "ThreadPoolExecutor", InlineExecutor)


@pytest.fixture
def real_threads() -> None:
    """Asks for the gate's own threads."""


def refused(scene: Scene) -> str:
    with pytest.raises(GateError) as caught:
        scene.run()
    return str(caught.value)


# --- releases that pass ---------------------------------------------------------------------


def test_first_release_is_proven_then_switched_to() -> None:
    scene = Scene([web()])
    assert scene.run() == [
        f"host: start {INGRESS}",
        "ingress: lease taken",
        "ingress: candidate web is web-2:8000",
        "says: proving web before any traffic goes there",
        "host: start web-2",
        "says: web: steady, to be watched for 2 s",
        "says: web is proven",
        "ingress: no route => web=web-2:8000",
        "says: switched: new requests go to this release",
        "ingress: lease given back",
    ]


def test_probes_ask_the_candidate_until_stable_then_the_public_address() -> None:
    scene = Scene([web(stable_for=2.0)])
    scene.run()
    assert scene.prober.asked == [
        (0.0, "candidate", "/health"),
        (0.8, "candidate", "/health"),  # the second success: steady, and that from the first on
        (1.6, "candidate", "/health"),
        (2.4, "candidate", "/health"),  # well for two seconds: proven
        (2.8, "public", "/health"),
        (3.0, "public", "/health"),
    ]


def test_next_release_takes_over_and_the_old_container_is_left_to_the_engine() -> None:
    scene = Scene([web()], live=BEFORE)
    assert scene.run()[-4:] == [
        "ingress: web=web-1:8000 => web=web-2:8000",
        "says: switched: new requests go to this release",
        "says: letting requests in flight on web-1:8000 finish",
        "ingress: lease given back",
    ]
    assert scene.host.running == [INGRESS, "web-1", "web-2"]


def test_nothing_is_switched_when_the_route_is_right_already() -> None:
    scene = Scene([web("web-1", "a")], live=BEFORE)
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
    assert scene.ingress.route == LiveRoute("releases/before", BEFORE)


def test_sites_that_changed_alone_are_switched_to() -> None:
    scene = Scene([web("web-1", "a")], live=BEFORE, table="new-sites")
    scene.ingress.route = LiveRoute("releases/before", BEFORE, "old-sites")
    assert "says: switched: new requests go to this release" in scene.run()
    assert scene.ingress.route == LiveRoute("releases/now", BEFORE, "new-sites")


def test_sites_of_a_release_that_fails_after_the_switch_are_left_again() -> None:
    scene = Scene([web("web-1", "a")], live=BEFORE, table="new-sites")
    scene.ingress.route = LiveRoute("releases/before", BEFORE, "old-sites")
    scene.prober.public = Reply(1.0, 500, "oops")
    assert refused(scene).splitlines()[-1] == "what served before still serves"
    assert scene.ingress.route == LiveRoute("releases/before, again", BEFORE, "old-sites")
    assert scene.host.running == [INGRESS, "web-1"]


def test_live_container_that_had_stopped_is_watched_like_a_new_one() -> None:
    scene = Scene([web("web-1", "a", stable_for=7.0)], live=BEFORE)
    scene.host.crash("web-1")
    assert "says: web: steady, to be watched for 7 s" in scene.run()


def test_workers_start_only_after_the_routed_ones_are_proven() -> None:
    scene = Scene([worker(), web()], live=BOTH_BEFORE)
    assert scene.run() == [
        f"host: start {INGRESS}",
        "ingress: lease taken",
        "ingress: candidate web is web-2:8000",
        "says: proving web before any traffic goes there",
        "host: start web-2",
        "says: web: steady, to be watched for 2 s",
        "says: web is proven",
        "says: proving worker before any traffic goes there",
        "host: start worker-2",
        "says: worker: steady, to be watched for 2 s",
        "says: worker is proven",
        "ingress: web=web-1:8000 => web=web-2:8000",
        "says: switched: new requests go to this release",
        "says: letting requests in flight on web-1:8000 finish",
        "ingress: lease given back",
    ]


def test_candidate_that_is_slow_to_start_may_fail_probes_within_its_time_out() -> None:
    scene = Scene([web(timeout=10.0)], live=BEFORE)
    scene.prober.replies["web-2"] = Reply(1.0, 503, "warming up")
    scene.clock.after(5.0, lambda: scene.prober.replies.clear())
    scene.run()
    assert scene.ingress.route.upstreams == {"web": "web-2:8000"}


# --- releases that fail before the switch ---------------------------------------------------


def test_candidate_that_exits_is_refused_with_its_log() -> None:
    scene = Scene([web()], live=BEFORE)
    scene.host.logs["web-2"] = "Traceback\nKeyError: 'DATABASE_URL'"
    scene.clock.after(0.4, lambda: scene.host.crash("web-2", 3))
    assert refused(scene) == "\n".join(
        [
            "the release of shop-test was refused: service web: the container exited with code 3 "
            "after 0.4 s",
            "container: web-2, exited with exit code 3",
            f"image: {image('b')}",
            "end of its log:",
            "  | Traceback",
            "  | KeyError: 'DATABASE_URL'",
            NEXT,
            STILL,
        ]
    )


def test_failed_gate_leaves_the_old_release_serving() -> None:
    scene = Scene([web()], live=BEFORE)
    scene.clock.after(0.4, lambda: scene.host.crash("web-2", 3))
    refused(scene)
    assert scene.journal == [
        f"host: start {INGRESS}",
        "ingress: lease taken",
        "ingress: candidate web is web-2:8000",
        "says: proving web before any traffic goes there",
        "host: start web-2",
        "says: refused: web: the container exited with code 3 after 0.4 s",
        "host: stop web-2 within 10 s",
        "ingress: lease given back",
    ]
    assert scene.ingress.route == LiveRoute("releases/before", BEFORE)
    assert scene.host.running == [INGRESS, "web-1"]
    assert scene.host.names == [INGRESS, "web-1", "web-2"]


def test_first_release_that_fails_says_that_nothing_serves_yet() -> None:
    scene = Scene([web()])
    scene.clock.after(0.4, lambda: scene.host.crash("web-2", 3))
    assert refused(scene).splitlines()[-1] == "nothing serves: there was no release before"


def test_failed_release_of_a_stack_whose_proxy_led_nowhere_says_so() -> None:
    scene = Scene([web()], live=BEFORE)
    scene.ingress.route = LiveRoute()
    scene.clock.after(0.4, lambda: scene.host.crash("web-2", 3))
    assert refused(scene).splitlines()[-1] == "nothing serves: the proxy led nowhere before"


def test_candidate_that_its_restart_policy_started_again_is_refused() -> None:
    scene = Scene([web()], live=BEFORE)
    scene.clock.after(1.0, lambda: scene.host.change("web-2", restarts=1, started_at="later"))
    assert refused(scene) == "\n".join(
        [
            "the release of shop-test was refused: service web: the container exited and was "
            "started again after 1.0 s",
            "container: web-2, running, restarted by Docker (1)",
            f"image: {image('b')}",
            "its log is empty",
            NEXT,
            STILL,
        ]
    )


def test_unhealthy_candidate_is_refused_with_what_its_health_check_said() -> None:
    scene = Scene([web()], live=BEFORE)
    scene.clock.after(
        1.2,
        lambda: scene.host.change("web-2", health="unhealthy", health_output="no such table: user"),
    )
    assert refused(scene).splitlines()[0] == (
        "the release of shop-test was refused: service web: its Docker health check says "
        "unhealthy after 1.2 s: no such table: user"
    )


def test_container_with_another_image_than_the_release_is_refused_before_any_probe() -> None:
    scene = Scene([web()], live=BEFORE)
    scene.host.digests["image-of-web-2"] = [image("c")]
    assert refused(scene).splitlines()[0] == (
        "the release of shop-test was refused: service web: it runs "
        f"{image('c')} instead of {image('b')}"
    )
    assert scene.prober.asked == []
    assert scene.host.running == [INGRESS, "web-1"]


def test_image_without_any_name_is_told_by_its_id() -> None:
    scene = Scene([web()], live=BEFORE)
    scene.host.digests["image-of-web-2"] = []
    assert refused(scene).splitlines()[0] == (
        "the release of shop-test was refused: service web: it runs image-of-web-2 instead of "
        f"{image('b')}"
    )


def test_candidate_that_is_gone_after_its_start_is_refused() -> None:
    scene = Scene([web()], live=BEFORE)
    scene.host.on_start["web-2"] = lambda: scene.host.vanish("web-2")
    with pytest.raises(GateError, match="service web: the container is gone\ncontainer: web-2\n"):
        scene.run()


def test_probe_that_never_passes_ends_in_a_time_out_with_the_last_verdict() -> None:
    scene = Scene([web(timeout=4.0)], live=BEFORE)
    scene.prober.replies["web-2"] = Reply(1.0, 503, "warming up")
    scene.clock.after(3.0, lambda: scene.prober.replies.update({"web-2": Reply(1.0, 500, "oops")}))
    assert refused(scene) == "\n".join(
        [
            "the release of shop-test was refused: service web: not well within 4 s",
            "container: web-2, running",
            f"image: {image('b')}",
            "probe “GET /health”: expected status 200, found status 500",
            "body: oops",
            "its log is empty",
            NEXT,
            STILL,
        ]
    )
    assert scene.clock.elapsed == 4.2


def test_candidate_that_fails_in_the_stability_window_is_refused() -> None:
    scene = Scene([web(stable_for=10.0)], live=BEFORE)
    scene.clock.after(3.0, lambda: scene.prober.replies.update({"web-2": Reply(1.0, 500, "oops")}))
    assert refused(scene).splitlines()[0] == (
        "the release of shop-test was refused: service web: well at first, then failed after "
        "3.2 s of the 10 s that it is watched for"
    )
    assert scene.ingress.route == LiveRoute("releases/before", BEFORE)


def test_worker_that_exits_means_no_switch_and_stops_the_routed_candidate_too() -> None:
    scene = Scene([web(), worker()], live=BOTH_BEFORE)
    scene.host.on_start["worker-2"] = lambda: scene.host.crash("worker-2", 1)
    assert refused(scene).splitlines()[0] == (
        "the release of shop-test was refused: service worker: the container exited with code 1 "
        "after 0.0 s"
    )
    assert scene.ingress.route.route == "releases/before"
    assert scene.host.running == [INGRESS, "web-1", "worker-1"]


def test_worker_is_never_started_when_the_routed_candidate_fails() -> None:
    scene = Scene([web(), worker()], live=BOTH_BEFORE)
    scene.clock.after(0.4, lambda: scene.host.crash("web-2"))
    refused(scene)
    assert "host: start worker-2" not in scene.journal


def test_routed_candidate_that_exits_while_workers_are_proven_is_not_switched_to() -> None:
    scene = Scene([web(probes=[]), worker()], live=BOTH_BEFORE)
    scene.host.on_start["worker-2"] = lambda: scene.clock.after(
        scene.clock.elapsed + 1.0, lambda: scene.host.crash("web-2", 9)
    )
    assert (
        refused(scene)
        .splitlines()[0]
        .startswith(
            "the release of shop-test was refused: service web: the container exited with code 9"
        )
    )
    assert scene.ingress.route.route == "releases/before"
    assert scene.host.running == [INGRESS, "web-1", "worker-1"]


def test_live_containers_of_an_unchanged_service_survive_another_service_s_failure() -> None:
    scene = Scene([web(), worker("worker-1", "a")], live=BOTH_BEFORE)
    scene.clock.after(0.4, lambda: scene.host.crash("web-2"))
    refused(scene)
    assert scene.host.running == [INGRESS, "web-1", "worker-1"]


def test_candidate_that_the_route_leads_to_already_is_never_stopped() -> None:
    """A gate that was killed after its switch: the state does not know yet what serves."""
    scene = Scene([web()], live=BEFORE)
    scene.host.change("web-2", status="running", started_at="earlier")
    scene.ingress.route = LiveRoute("releases/killed", {"web": "web-2:8000"})
    scene.prober.replies["web-2"] = Reply(1.0, 500, "oops")
    refused(scene)
    assert scene.host.running == [INGRESS, "web-1", "web-2"]
    assert scene.ingress.route.route == "releases/killed"


def test_crash_is_seen_while_a_probe_still_waits_for_its_answer(real_threads: None) -> None:
    scene = Scene([web()], live=BEFORE)
    answered = threading.Event()
    ask, tail = scene.prober.probe, scene.host.log_tail

    def slow(probe, headers, upstream):
        assert answered.wait(10)
        return ask(probe, headers, upstream)

    def report_begins(name, lines):
        answered.set()
        return tail(name, lines)

    scene.prober.probe, scene.host.log_tail = slow, report_begins
    scene.clock.after(0.4, lambda: scene.host.crash("web-2", 3))
    assert "the container exited with code 3 after 0.4 s" in refused(scene)


# --- failures at and after the switch -------------------------------------------------------


def test_failure_after_the_switch_is_switched_back_and_the_candidate_stopped() -> None:
    scene = Scene([web(), worker()], live=BOTH_BEFORE)
    scene.prober.public = Reply(1.0, 421, "wrong host")
    assert refused(scene) == "\n".join(
        [
            "the release of shop-test was refused: service web: the public address did not answer "
            "well after the switch",
            "container: web-2, running",
            f"image: {image('b')}",
            "probe “GET /health”: expected status 200, found status 421",
            "body: wrong host",
            "its log is empty",
            NEXT,
            STILL,
        ]
    )
    assert scene.journal[-9:] == [
        "ingress: web=web-1:8000 => web=web-2:8000",
        "says: switched: new requests go to this release",
        "says: refused: web: the public address did not answer well after the switch",
        "says: switching back to what served before",
        "ingress: web=web-2:8000 => web=web-1:8000",
        "says: letting requests in flight on web-2:8000 finish",
        "host: stop web-2 within 10 s",
        "host: stop worker-2 within 10 s",
        "ingress: lease given back",
    ]
    assert scene.host.running == [INGRESS, "web-1", "worker-1"]


def test_crash_right_after_the_switch_is_seen_before_the_public_address_tells() -> None:
    scene = Scene([web()], live=BEFORE)
    scene.ingress.on_switch.append(lambda: scene.host.crash("web-2", 9))
    assert "service web: the container exited with code 9" in refused(scene)
    switched = scene.journal.index("says: switched: new requests go to this release")
    assert scene.journal[switched + 2] == "says: switching back to what served before"


def test_switching_back_does_not_wait_for_a_probe_under_way(real_threads: None) -> None:
    scene = Scene([web()], live=BEFORE)
    scene.prober.public = Reply(1.0, 421, "wrong host")
    switched, back, answered = threading.Event(), threading.Event(), threading.Event()
    ask, swap = scene.prober.probe, scene.ingress.set
    in_time: list[bool] = []

    def slow(probe, headers, upstream="the application"):
        if switched.is_set() and headers.get(KEY_HEADER):
            in_time.append(back.wait(10))
            answered.set()
        return ask(probe, headers, upstream)

    def note(route: LiveRoute) -> None:
        swap(route)
        (back if switched.is_set() else switched).set()
        scene.clock.sleep(1.0)  # The next round is due.

    scene.prober.probe, scene.ingress.set = slow, note
    assert "the public address did not answer well after the switch" in refused(scene)
    assert answered.wait(10)
    assert in_time == [True]


def test_first_release_that_fails_after_the_switch_leaves_no_route() -> None:
    scene = Scene([web()])
    scene.prober.public = Reply(1.0, error="Connection refused")
    refused(scene)
    assert scene.ingress.route == LiveRoute()
    assert scene.host.running == [INGRESS]


def test_lost_lease_means_no_switch() -> None:
    scene = Scene([web()], live=BEFORE)
    scene.ingress.lost = True
    assert refused(scene).splitlines() == ["another deploy has taken the route over", TAKEN]
    assert scene.ingress.route == LiveRoute("releases/before", BEFORE)
    assert "web-1" in scene.host.running


def test_route_that_another_gate_moved_is_left_alone_with_its_containers() -> None:
    scene = Scene([web()], live=BEFORE)
    theirs = LiveRoute("releases/theirs", {"web": "web-2:8000"})

    def take_over() -> None:
        scene.ingress.lost = True
        scene.ingress.route = theirs

    scene.clock.after(1.0, take_over)
    assert refused(scene).splitlines() == ["another deploy has taken the route over", TAKEN]
    assert scene.ingress.route == theirs
    assert scene.host.running == [INGRESS, "web-1", "web-2"]


def test_switch_that_failed_after_it_was_done_is_undone_before_the_candidate_stops() -> None:
    scene = Scene([web()], live=BEFORE)
    scene.ingress.failing["switch, after it was done"] = HostError("the answer never came")
    with pytest.raises(HostError, match=r"^the answer never came$"):
        scene.run()
    assert scene.journal[-6:] == [
        "says: switching back to what served before",
        "ingress: web=web-2:8000 => web=web-1:8000",
        "says: letting requests in flight on web-2:8000 finish",
        "host: stop web-2 within 10 s",
        f"says: {STILL}",
        "ingress: lease given back",
    ]


def test_workers_are_stopped_when_the_switch_fails() -> None:
    scene = Scene([web(), worker()], live=BOTH_BEFORE)
    scene.ingress.failing["switch"] = HostError("the volume is full")
    with pytest.raises(HostError, match=r"^the volume is full$"):
        scene.run()
    assert scene.host.running == [INGRESS, "web-1", "worker-1"]


def test_error_while_undoing_does_not_hide_the_first_one() -> None:
    scene = Scene([web()], live=BEFORE, secrets=["correct horse"])
    scene.prober.public = Reply(1.0, 500, "first failure")
    scene.ingress.failing["switch_back"] = HostError("second failure: correct horse")
    report = refused(scene)
    assert "body: first failure" in report
    assert report.splitlines()[-1] == (
        "could not be undone: second failure: [secret]; public traffic may go to the refused "
        "release: run pulumi up again with the source of the release before"
    )


def test_candidates_are_stopped_though_the_ingress_no_longer_answers() -> None:
    scene = Scene([web(), worker()], live=BOTH_BEFORE)

    def ingress_dies() -> None:
        scene.ingress.failing["live"] = HostError("no answer")
        scene.host.crash("worker-2")

    scene.host.on_start["worker-2"] = ingress_dies
    assert "service worker: the container exited" in refused(scene)
    assert scene.host.running == [INGRESS, "web-1", "worker-1"]


def test_bug_while_undoing_does_not_hide_the_first_error() -> None:
    scene = Scene([web()], live=BEFORE)
    scene.clock.after(0.4, lambda: scene.host.crash("web-2"))
    scene.host.failing["stop web-2"] = ValueError("not expected")
    assert "the container exited" in refused(scene)
    assert "says: web-2 runs on: not expected" in scene.journal


def test_candidate_that_still_has_the_route_is_not_stopped_when_switching_back_failed() -> None:
    scene = Scene([web()], live=BEFORE)
    scene.prober.public = Reply(1.0, 500, "oops")
    scene.ingress.failing["switch_back"] = HostError("no")
    refused(scene)
    assert scene.ingress.route.upstreams == {"web": "web-2:8000"}
    assert scene.host.running == [INGRESS, "web-1", "web-2"]


def test_error_of_the_host_while_proving_stops_the_candidates_too() -> None:
    scene = Scene([web(), worker()], live=BOTH_BEFORE)
    scene.host.failing["start worker-2"] = HostError("no space left")
    with pytest.raises(HostError, match=r"^no space left$"):
        scene.run()
    assert scene.host.running == [INGRESS, "web-1", "worker-1"]


def test_interrupted_gate_stops_its_candidates() -> None:
    scene = Scene([web()], live=BEFORE)

    def interrupt() -> None:
        raise KeyboardInterrupt

    scene.clock.after(1.0, interrupt)
    with pytest.raises(KeyboardInterrupt):
        scene.run()
    assert scene.host.running == [INGRESS, "web-1"]


def test_no_candidate_starts_while_another_gate_has_the_lease() -> None:
    scene = Scene([web()], live=BEFORE)
    scene.ingress.failing["lease"] = GateError("another deploy of this stack is at the gate")
    assert refused(scene) == "another deploy of this stack is at the gate"
    assert scene.journal == [f"host: start {INGRESS}"]


# --- draining -------------------------------------------------------------------------------


def test_drain_waits_until_no_request_is_in_flight() -> None:
    scene = Scene([web(drain=30.0)], live=BEFORE)
    scene.ingress.requests["web-1:8000"] = 2
    scene.clock.after(14.0, lambda: scene.ingress.requests.clear())
    scene.run()
    assert scene.clock.elapsed == 14.4
    assert scene.journal[-2:] == [
        "says: letting requests in flight on web-1:8000 finish",
        "ingress: lease given back",
    ]


def test_one_look_without_requests_is_not_enough_to_end_the_drain() -> None:
    scene = Scene([web(drain=30.0)], live=BEFORE)
    # A request that looked the old upstream up before the switch is counted a moment later.
    scene.clock.after(3.4, lambda: scene.ingress.requests.update({"web-1:8000": 1}))
    scene.clock.after(9.0, lambda: scene.ingress.requests.clear())
    scene.run()
    assert scene.clock.elapsed == 9.4


def test_drain_gives_up_at_its_limit_and_the_release_still_passes() -> None:
    scene = Scene([web(drain=5.0)], live=BEFORE)
    scene.ingress.requests["web-1:8000"] = 1
    assert scene.run()[-3:] == [
        "says: letting requests in flight on web-1:8000 finish",
        "says: 1 still in flight on web-1:8000; its time to finish is over",
        "ingress: lease given back",
    ]
    assert scene.clock.elapsed == 8.2


def test_ingress_that_does_not_tell_its_requests_gets_the_whole_drain_and_fails_nothing() -> None:
    """The new release serves by now: failing here would tell the state otherwise."""
    scene = Scene([web(drain=5.0)], live=BEFORE)
    scene.ingress.failing["in_flight"] = HostError("no answer")
    assert scene.run()[-3:] == [
        "says: letting requests in flight on web-1:8000 finish",
        "says: an unknown number still in flight on web-1:8000; its time to finish is over",
        "ingress: lease given back",
    ]
    assert scene.clock.elapsed == 8.2


def draining() -> Scene:
    """A release that has been switched to 3.6 s ago, and whose old container is still busy."""
    scene = Scene([web(drain=30.0), worker()], live=BOTH_BEFORE)
    scene.ingress.requests["web-1:8000"] = 1
    return scene


@pytest.mark.parametrize("name", ["web-2", "worker-2"])
def test_candidate_that_crashes_while_the_old_one_drains_is_undone_at_once(name: str) -> None:
    scene = draining()
    scene.clock.after(10.0, lambda: scene.host.crash(name, 137))
    report = refused(scene)
    service = name.removesuffix("-2")
    assert f"service {service}: the container exited with code 137 after" in report
    assert report.splitlines()[-1] == STILL
    assert scene.ingress.route.upstreams == BEFORE
    assert scene.host.running == [INGRESS, "web-1", "worker-1"]
    assert scene.clock.elapsed < 12.0


def test_candidate_that_stops_answering_while_the_old_one_drains_is_undone() -> None:
    scene = draining()
    scene.clock.after(10.0, lambda: scene.prober.replies.update({"web-2": Reply(1.0, 500, "oops")}))
    assert "service web: well at first, then failed after" in refused(scene)
    assert scene.ingress.route.upstreams == BEFORE


def test_candidate_that_crashes_just_before_the_gate_ends_is_undone() -> None:
    """Nothing is drained, so that nothing is watched meanwhile."""
    scene = Scene([web(), worker()])
    ask = scene.prober.probe

    def crash_after_the_last(probe, headers, upstream="the application"):
        verdict = ask(probe, headers, upstream)
        if scene.prober.asked[-1][1] == "public":
            scene.host.crash("worker-2", 1)
        return verdict

    scene.prober.probe = crash_after_the_last
    assert "service worker: the container exited with code 1" in refused(scene)
    assert scene.ingress.route == LiveRoute()
    assert scene.host.running == [INGRESS]


def test_engine_that_does_not_answer_for_a_moment_while_draining_fails_nothing() -> None:
    scene = draining()
    find = scene.host.container

    def container(name):
        if 9.0 <= scene.clock.elapsed < 12.0:
            raise HostError("Docker does not answer")
        return find(name)

    scene.host.container = container
    scene.clock.after(14.0, lambda: scene.ingress.requests.clear())
    scene.run()
    assert scene.ingress.route.upstreams == {"web": "web-2:8000"}


@pytest.mark.parametrize("error", [ValueError("a bug"), KeyboardInterrupt()])
def test_anything_that_ends_the_drain_undoes_the_switch(error: BaseException) -> None:
    scene = draining()
    scene.ingress.failing["in_flight"] = error
    find = scene.ingress.in_flight

    def in_flight(upstream):
        if upstream == "web-2:8000":
            return 0
        return find(upstream)

    scene.ingress.in_flight = in_flight
    with pytest.raises(type(error)):
        scene.run()
    assert scene.ingress.route.upstreams == BEFORE
    assert scene.host.running == [INGRESS, "web-1", "worker-1"]


# --- leftovers ------------------------------------------------------------------------------


def test_leftovers_of_this_stack_are_removed_after_success() -> None:
    scene = Scene([web()], live=BEFORE, orphans=("id-of-web-0",))
    scene.host.add("web-0", image("d"), running=True)
    scene.host.add("web-of-another-stack", image("d"), running=True, labels={})
    assert scene.run()[-3:] == [
        "says: removing web-0, left over by a run that was killed",
        "host: remove id-of-web-0",
        "ingress: lease given back",
    ]
    assert scene.host.names == [INGRESS, "web-1", "web-2", "web-of-another-stack"]


def test_leftovers_stay_after_a_failure() -> None:
    scene = Scene([web()], live=BEFORE, orphans=("id-of-web-0",))
    scene.host.add("web-0", image("d"))
    scene.clock.after(0.4, lambda: scene.host.crash("web-2"))
    refused(scene)
    assert scene.host.names == [INGRESS, "web-0", "web-1", "web-2"]


def test_containers_that_came_since_the_program_began_are_another_run_s() -> None:
    scene = Scene([web()], live=BEFORE)
    scene.host.add("web-0", image("d"))
    scene.run()
    assert "web-0" in scene.host.names


def test_leftovers_are_not_removed_without_the_lease() -> None:
    scene = Scene([web()], live=BEFORE, orphans=("id-of-web-0",))
    scene.host.add("web-0", image("d"))
    scene.clock.after(4.0, lambda: setattr(scene.ingress, "lost", True))
    scene.ingress.requests["web-1:8000"] = 1
    scene.run()
    assert "web-0" in scene.host.names


def test_nothing_to_switch_is_refused_when_another_gate_has_taken_over() -> None:
    scene = Scene([web("web-1", "a")], live=BEFORE)
    scene.ingress.lost = True
    with pytest.raises(GateError, match="taken the route over"):
        scene.run()


def test_what_a_killed_run_left_undrained_is_drained() -> None:
    scene = Scene([web()], live=BEFORE)
    scene.ingress.route = LiveRoute("releases/now", {"web": "web-2:8000"})
    scene.ingress.requests["web-1:8000"] = 1
    scene.clock.after(6.0, lambda: scene.ingress.requests.clear())
    assert "says: letting requests in flight on web-1:8000 finish" in scene.run()


def test_routed_service_without_probes_must_be_reached_after_the_switch() -> None:
    scene = Scene([web(probes=[])], live=BEFORE)
    scene.prober.public = Reply(1.0, 502, "")
    assert "found status 502" in refused(scene)
    assert scene.ingress.route.upstreams == {"web": "web-1:8000"}


@pytest.mark.parametrize("kind", [HostError, ValueError])
def test_leftover_that_cannot_be_removed_does_not_fail_a_release_that_serves(
    kind: type[Exception],
) -> None:
    scene = Scene([web()], live=BEFORE, orphans=("id-of-web-0",))
    scene.host.add("web-0", image("d"))
    scene.host.failing["remove"] = kind("Docker could not remove a container")
    assert scene.run()[-2:] == [
        "says: leftovers stay for now: Docker could not remove a container",
        "ingress: lease given back",
    ]


# --- the report -----------------------------------------------------------------------------


def test_report_of_a_failure_shows_no_secret() -> None:
    scene = Scene([web()], live=BEFORE, secrets=["correct horse"])
    scene.host.logs["web-2"] = (
        "cannot log in with correct horse\npostgres://quotes:hunter2@db/quotes\nAPI_KEY=abcdef"
    )
    scene.clock.after(0.4, lambda: scene.host.crash("web-2"))
    lines = refused(scene).splitlines()
    assert lines[3:7] == [
        "end of its log:",
        "  | cannot log in with [secret]",
        "  | postgres://quotes:[secret]@db/quotes",
        "  | API_KEY=[secret]",
    ]


def test_line_that_tells_of_a_failure_at_once_shows_no_secret() -> None:
    scene = Scene([web()], live=BEFORE, secrets=["correct horse"])
    said = {"health": "unhealthy", "health_output": "no login with correct horse"}
    scene.clock.after(0.4, lambda: scene.host.change("web-2", **said))
    refused(scene)
    assert scene.journal[-3] == (
        "says: refused: web: its Docker health check says unhealthy after 0.4 s: no login with "
        "[secret]"
    )


def test_report_shows_the_end_of_a_long_log() -> None:
    scene = Scene([web()], live=BEFORE)
    scene.host.logs["web-2"] = "\n".join(f"line {n}" for n in range(100))
    scene.clock.after(0.4, lambda: scene.host.crash("web-2"))
    shown = [line for line in refused(scene).splitlines() if line.startswith("  | ")]
    assert shown == [f"  | line {n}" for n in range(40, 100)]
