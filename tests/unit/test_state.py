import json

import pytest

from slipway.state import CONTAINER, STASH, LiveFact, StackState, live_fact, parse_state, revealed

URN = "urn:pulumi:test::shop::"
NESTED = "slipway:docker:DockerStack$slipway:docker:Gate$"


def test_resources_are_found_by_their_own_type_and_name() -> None:
    state = parse_state(
        {
            f"{URN}pulumi:pulumi:Stack::shop-test": {"outputs": {"address": "http://a"}},
            f"{URN}{NESTED}{STASH}::shop-live": {"outputs": {"input": {"n": 1.0}, "output": 2.0}},
            f"{URN}{CONTAINER}::shop-web::with::colons": {"outputs": {"id": "1"}},
            f"{URN}slipway:docker:DockerStack::shop": {},
            f"{URN}slipway:docker:DockerStack$docker:index/volume:Volume::v": {"outputs": None},
        }
    )
    assert state == StackState(
        {
            ("pulumi:pulumi:Stack", "shop-test"): {"address": "http://a"},
            (STASH, "shop-live"): {"input": {"n": 1}, "output": 2},
            (CONTAINER, "shop-web::with::colons"): {"id": "1"},
            ("slipway:docker:DockerStack", "shop"): {},
            ("docker:index/volume:Volume", "v"): {},
        }
    )


def test_whole_numbers_are_integers_again_so_that_no_preview_differs() -> None:
    outputs = {f"{URN}{STASH}::s": {"outputs": {"input": [1.0, {"port": 8000.0, "wait": 1.5}]}}}
    stash = parse_state(outputs).stash("s")
    assert repr(stash) == "[1, {'port': 8000, 'wait': 1.5}]"


def test_stash_gives_its_input_because_its_output_never_changes() -> None:
    state = StackState({(STASH, "s"): {"input": "new", "output": "first"}})
    assert (state.stash("s"), state.stash("other")) == ("new", None)


def test_resources_of_a_type_are_found_by_name() -> None:
    state = StackState({(CONTAINER, "a"): {"id": "1"}, (CONTAINER, "b"): {}, (STASH, "a"): {}})
    assert state.named(CONTAINER) == {"a": {"id": "1"}, "b": {}}
    assert [state.has(CONTAINER, "a"), state.has(STASH, "b")] == [True, False]


def test_new_stack_has_no_fact() -> None:
    assert live_fact(None) == live_fact({}) == LiveFact([], {})
    assert live_fact(None).names == frozenset()


def test_fact_names_the_containers_that_serve() -> None:
    containers = {"web": {"name": "web-1", "id": "1"}, "worker": {"name": "worker-1", "id": "2"}}
    value = {
        "attempt": "x",
        "ledger": {"1": {"number": 1}},
        "containers": containers,
        "ingress": "3",
    }
    assert live_fact(value) == LiveFact([{"number": 1}], containers)
    assert live_fact(value).names == {"web-1", "worker-1"}


def test_fact_tells_who_takes_requests_and_who_should_run() -> None:
    containers = {
        "web": {"name": "web-1", "id": "1", "upstream": "web-1:8000", "role": "routed"},
        "web-release": {"name": "job-1", "id": "2", "upstream": None, "role": "job"},
        "worker": {"name": "worker-1", "id": "3", "role": "worker"},
        "old": {"name": "old-1", "id": "4"},
    }
    fact = LiveFact([], containers)
    assert fact.upstreams == {"web": "web-1:8000"}
    assert sorted(fact.serving) == ["old", "web", "worker"]
    assert fact.names == {"web-1", "job-1", "worker-1", "old-1"}


@pytest.mark.parametrize(
    ("names", "lost", "incarnation"),
    [
        ([], [], "web"),
        (["web"], [], "web"),
        (["web"], ["web"], "web-2"),
        (["web", "web-2"], ["web"], "web-2"),
        (["web-9", "web-10"], ["web-10"], "web-11"),
        (["web-x", "webb", "web-2-3"], ["web"], "web"),
    ],
)
def test_resource_that_was_lost_gets_the_next_name(
    names: list[str], lost: list[str], incarnation: str
) -> None:
    state = StackState({(CONTAINER, name): {} for name in names} | {(STASH, "web-7"): {}})
    assert state.incarnation("web", CONTAINER, lost.__contains__) == incarnation


def test_secrets_of_an_export_are_values_again() -> None:
    marks = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
    whole = {**marks, "plaintext": json.dumps({"count": 2.0})}
    assert revealed({"a": [{**marks, "plaintext": '"text"'}, 1], "b": whole}) == {
        "a": ["text", 1],
        "b": {"count": 2},
    }
