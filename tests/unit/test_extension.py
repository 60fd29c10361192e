from typing import Any

import pytest
from pydantic import ValidationError

from slipway.extension import Extension, Probe, Route

from .support import extension, probe


def problems(kind: Any, fields: object) -> list[tuple[str, str]]:
    """Where and what, for each problem."""
    with pytest.raises(ValidationError) as refusal:
        kind.model_validate(fields)
    return [(".".join(map(str, e["loc"])), e["msg"]) for e in refusal.value.errors()]


@pytest.mark.parametrize("kind", [Extension, Route, Probe])
def test_unknown_key_is_refused(kind: Any) -> None:
    assert ("surprise", "Extra inputs are not permitted") in problems(kind, {"surprise": 1})


# --- probes ---------------------------------------------------------------------------------


def test_probe_that_says_nothing_gets_what_a_page_should_do() -> None:
    assert Probe(path="/").model_dump(by_alias=True) == {
        "path": "/",
        "name": "",
        "method": "GET",
        "headers": {},
        "status": [200],
        "json": {},
        "text": None,
        "max_ms": None,
        "follow_redirects": False,
        "tcp": False,
    }


@pytest.mark.parametrize(("written", "codes"), [(204, [204]), ([200, 302], [200, 302])])
def test_status_is_a_code_or_several(written: object, codes: list[int]) -> None:
    assert probe(status=written).status == codes


@pytest.mark.parametrize("wrong", [[], 99, [200, 600], "ok"])
def test_status_that_no_answer_can_have_is_refused(wrong: object) -> None:
    assert problems(Probe, {"path": "/", "status": wrong})


def test_relative_probe_path_is_refused_with_the_right_one() -> None:
    assert problems(Probe, {"path": "health"}) == [
        ("path", 'Value error, "health" is not an absolute path; write /health')
    ]


@pytest.mark.parametrize(
    "fields", [{"method": "DELETE"}, {"text": ""}, {"max_ms": 0}, {"headers": []}]
)
def test_probe_that_cannot_pass_or_would_change_things_is_refused(fields: dict[str, Any]) -> None:
    assert [where for where, _ in problems(Probe, {"path": "/", **fields})] == list(fields)


def test_probe_is_called_by_its_name_or_by_what_it_asks() -> None:
    assert probe("/a", method="HEAD").title == "HEAD /a"
    assert probe("/a", name="landing page").title == "landing page"


def test_whole_numbers_of_an_answer_are_the_same_with_and_without_a_fraction() -> None:
    """The engine does not tell them apart, and a release comes back out of its state."""
    found = probe(json={"a": 1.0, "b": [{"c": -0.0}], "d": 0.5, "e": True})
    assert repr(found.json_values) == "{'a': 1, 'b': [{'c': 0}], 'd': 0.5, 'e': True}"


def test_probe_of_a_connection_needs_nothing_else() -> None:
    assert (Probe(tcp=True).title, Probe(tcp=True, name="accepts").title) == ("tcp", "accepts")


@pytest.mark.parametrize("more", [{"path": "/"}, {"status": 200}, {"text": "x"}])
def test_probe_of_a_connection_goes_with_no_other_key(more: dict[str, Any]) -> None:
    assert problems(Probe, {"tcp": True, **more}) == [
        ("", "Value error, tcp goes with no other key; remove tcp, or the others")
    ]


@pytest.mark.parametrize("fields", [{}, {"tcp": False}, {"path": ""}, {"name": "health"}])
def test_probe_of_nothing_is_refused(fields: dict[str, Any]) -> None:
    assert problems(Probe, fields) == [
        ("", "Value error, has no path; add path: /health, or tcp: true if nothing answers")
    ]


# --- routes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("port", [0, 65536, "http"])
def test_port_that_is_none_is_refused(port: object) -> None:
    assert [where for where, _ in problems(Route, {"port": port})] == ["port"]


def test_route_that_says_nothing_takes_every_request() -> None:
    assert Route(port=8000).model_dump() == {
        "port": 8000,
        "host": [],
        "path": "/",
        "internal": False,
    }


@pytest.mark.parametrize(
    ("written", "hosts"), [("a.example", ["a.example"]), (["a", "b"], ["a", "b"])]
)
def test_host_is_a_name_or_several(written: object, hosts: list[str]) -> None:
    assert Route.model_validate({"port": 1, "host": written}).host == hosts


def test_relative_path_of_a_route_is_refused_with_the_right_one() -> None:
    assert problems(Route, {"port": 1, "path": "api"}) == [
        ("path", 'Value error, "api" is not an absolute path; write /api')
    ]


# --- keys that go together ------------------------------------------------------------------


def test_probes_without_a_route_are_refused() -> None:
    assert problems(Extension, {"probes": [{"path": "/"}]}) == [
        ("", "Value error, probes need a route; add route: {port: <container port>}")
    ]


def test_singleton_with_a_route_is_refused_with_the_right_key() -> None:
    assert problems(Extension, {"singleton": True, "route": {"port": 1}}) == [
        ("", "Value error, a service with a route is no singleton; write overlap: false instead")
    ]


def test_hold_without_anything_to_hold_for_is_refused() -> None:
    assert problems(Extension, {"hold": "10s", "route": {"port": 1}}) == [
        ("", "Value error, hold needs overlap: false; add it, or remove hold")
    ]


@pytest.mark.parametrize(
    ("fields", "exclusive"),
    [
        ({}, False),
        ({"singleton": True}, True),
        ({"overlap": False}, True),
        ({"overlap": False, "hold": "10s", "route": {"port": 1}}, True),
    ],
)
def test_service_that_never_runs_twice_says_so_by_either_key(
    fields: dict[str, Any], exclusive: bool
) -> None:
    assert Extension.model_validate(fields).exclusive is exclusive


@pytest.mark.parametrize("command", ["migrate", ["migrate", "--noinput"]])
def test_release_command_is_a_text_or_a_list(command: object) -> None:
    assert Extension.model_validate({"release": command}).release == command


@pytest.mark.parametrize("command", ["", []])
def test_release_command_of_nothing_is_refused(command: object) -> None:
    assert problems(Extension, {"release": command})


def test_only_what_is_known_by_name_can_be_allowed() -> None:
    assert Extension.model_validate({"allow": ["docker.sock"]}).allow == ["docker.sock"]
    assert [where for where, _ in problems(Extension, {"allow": ["everything"]})] == ["allow.0"]


# --- durations ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "seconds"), [("1m30s", 90), ("250ms", 0.25), (5, 5), (0.5, 0.5)]
)
def test_durations_are_compose_notation_or_seconds(written: object, seconds: float) -> None:
    keys = ("timeout", "interval", "stable_for", "drain", "release_timeout", "hold")
    chosen = extension(overlap=False, **dict.fromkeys(keys, written))

    assert [getattr(chosen, key) for key in keys] == [seconds] * len(keys)


def test_durations_that_are_none_are_refused() -> None:
    fields = {"timeout": "soon", "drain": -1, "interval": "-1s", "stable_for": [5]}

    assert problems(Extension, fields) == [
        (
            "interval",
            'Value error, "-1s" is not a duration; write it like 15s, 1m30s or 250ms',
        ),
        ("timeout", 'Value error, "soon" is not a duration; write it like 15s, 1m30s or 250ms'),
        ("stable_for", "Input should be a valid number"),
        ("drain", "Input should be greater than or equal to 0"),
    ]


@pytest.mark.parametrize("endless", ["inf", float("inf"), float("nan")])
def test_durations_without_end_are_refused(endless: object) -> None:
    assert [where for where, _ in problems(Extension, {"timeout": endless})] == ["timeout"]


def test_two_services_share_no_default() -> None:
    assert Extension().probes is not Extension().probes
