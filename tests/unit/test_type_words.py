from typing import Any

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from slipway.extension import Extension
from slipway.type_words import example, said_of_type

ROUTE = {"port": 8000}
DURATION = "must be a duration such as 15s"


def said(fields: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        Extension.model_validate(fields)
    return [said_of_type(detail) for detail in caught.value.errors()]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"overlap": "no way"}, "must be true or false"),
        ({"singleton": []}, "must be true or false"),
        ({"successes": "x"}, "must be a whole number"),
        ({"successes": 1.5}, "must be a whole number"),
        ({"successes": 0}, "must be 1 or more"),
        ({"stable_for": [5]}, DURATION),
        ({"release_timeout": {}}, DURATION),
        ({"drain": -1}, "must be 0 or more"),
        ({"timeout": float("inf")}, "must be a number that is not endless"),
        ({"timeout": "soon"}, '"soon" is not a duration; write it like 15s, 1m30s or 250ms'),
        ({"route": []}, "must be a mapping (key: value)"),
        ({"route": {"port": 65536}}, "must be 65535 or less"),
        ({"route": {**ROUTE, "path": 1}}, "must be a text"),
        ({"route": {**ROUTE, "host": 1}}, "must be a list"),
        ({"route": ROUTE, "probes": {}}, "must be a list"),
        ({"route": ROUTE, "probes": [{"path": "/", "text": ""}]}, "must not be empty"),
        ({"route": ROUTE, "probes": [{"path": "/", "json": 1}]}, "must be a mapping (key: value)"),
        ({"allow": ["everything"]}, "must be docker.sock or root"),
    ],
)
def test_every_complaint_says_what_to_write(fields: Any, words: str) -> None:
    assert said(fields) == [words]


def test_choice_of_types_is_told_alike_for_each_of_them() -> None:
    assert set(said({"release": 5})) == {"must be a text or a list of texts"}


def test_no_complaint_speaks_the_language_of_a_library() -> None:
    wrong: list[Any] = ["x y", 0, 1.5, [], {}, [{}], -1, {"a": 1}]
    for name, field in Extension.model_fields.items():
        for value in wrong:
            try:
                Extension.model_validate({field.alias or name: value})
            except ValidationError as error:
                told = [said_of_type(d) for d in error.errors() if d["type"] not in ELSEWHERE]
                assert [t for t in told if "Input" in t or "String" in t or "valid" in t] == []


@pytest.mark.parametrize(
    ("path", "value", "written"),
    [
        (("x-slipway",), "web", "x-slipway: {route: {port: 8000}, probes: [{path: /health}]}"),
        (("x-slipway", "route"), 9000, "route: {port: 9000}"),
        (("x-slipway", "route"), "9000", "route: {port: 9000}"),
        (("x-slipway", "route"), True, "route: {port: 8000}"),
        (("x-slipway", "probes"), "/up", "probes: [{path: /up}]"),
        (("x-slipway", "probes"), "up, or not", "probes: [{path: /health}]"),
        (("x-slipway", "probes", 0), "/up?full", "{path: /health}"),
        (("x-slipway", "probes", 0, "status"), "2xx", "status: [200, 204]"),
        (("x-slipway", "probes", 0, "status", 0), "2xx", ""),
        (("x-slipway", "stable_for"), [5], ""),
    ],
)
def test_example_has_the_value_where_it_fits(
    path: tuple[object, ...], value: Any, written: str
) -> None:
    assert example(path, value) == written


@pytest.mark.parametrize(
    "path",
    [(key,) for key in ("route", "probes", "allow", "release")]
    + [("route", "host"), ("route", "port")]
    + [("probes", 0, key) for key in ("headers", "json", "status")],
)
def test_example_is_taken(path: tuple[str | int, ...]) -> None:
    value: Any = YAML(typ="safe").load(example(path, None))
    if "route" in path[:-1]:
        value = {"route": {"port": 1, **value}}
    elif 0 in path:
        value = {"probes": [{"path": "/", **value}], "route": ROUTE}
    Extension.model_validate({"route": ROUTE, **value})


ELSEWHERE = ("extra_forbidden", "missing")
"""Told with the keys that there are: `slipway.compose`."""
