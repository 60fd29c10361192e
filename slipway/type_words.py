"""What is wrong with a value, or a key, of ours, in words that say what to write."""

import re
from collections.abc import Sequence
from typing import Any

from pydantic_core import ErrorDetails

from slipway.extension import Extension
from slipway.values import Model

UNION = ("str", "list[str]")
"""Parts of a place that stand for a choice of types and not for a key."""
_DURATION = re.compile(
    r"(?:.*_)?(?:timeout|interval|period|drain|hold|for)|stableFor|minSoak|imageRetention"
)
_TEXT = "must be a text"
_WORDS = {
    "bool": "must be true or false",
    "dict": "must be a mapping (key: value)",
    "finite": "must be a number that is not endless",
    "int": "must be a whole number",
    "list": "must be a list",
    "mapping": "must be a mapping (key: value)",
    "model": "must be a mapping (key: value)",
    "string": _TEXT,
}
_BOUNDS = {
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be {ge} or more",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be {le} or less",
    "literal_error": "must be {expected}",
    "string_pattern_mismatch": "must look like {pattern}",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
}

_EXAMPLES = {
    "x-slipway": ("x-slipway: {route: {port: ", "8000", "}, probes: [{path: /health}]}"),
    "route": ("route: {port: ", "8000", "}"),
    "port": ("port: ", "8000", ""),
    "host": ("host: [", "shop.example.com", "]"),
    "probes": ("probes: [{path: ", "/health", "}]"),
    "probes item": ("{path: ", "/health", "}"),
    "headers": ("headers: {", "Host: shop.example.com", "}"),
    "json": ("json: {", "status: ok", "}"),
    "status": ("status: [200, ", "204", "]"),
    "allow": ("allow: [", "docker.sock", "]"),
    "release": ("release: ", "python manage.py migrate", ""),
}
_FITS = {"8000": re.compile(r"\d+"), "/health": re.compile(r"/[\w./-]*")}
"""Values that may stand in the place of the usual one."""


def said_of_type(detail: ErrorDetails) -> str:
    """What a validator's error says, without its own words for types."""
    kind, place = detail["type"], [str(part) for part in detail["loc"]]
    if place and place[-1] in UNION:
        return f"{_TEXT} or a list of texts"
    if kind in _BOUNDS:
        return _BOUNDS[kind].format_map(detail.get("ctx", {})).replace("'", "")
    first = kind.partition("_")[0]
    if first == "float":
        return f"must be {'a duration such as 15s' if _is_duration(place) else 'a number'}"
    return _WORDS.get(first) or detail["msg"].removeprefix("Value error, ")


def example(path: Sequence[object], value: Any) -> str:
    """What may be written under a key below `x-slipway`, with the value if it fits; else nothing.

    Args:
        path: of the key; the last part of an item of a list is its index.
        value: what stands there.
    """
    key = str(path[-1]) if isinstance(path[-1], str) else f"{path[-2]} item"
    begin, usual, end = _EXAMPLES.get(key, ("", "", ""))
    fits = isinstance(value, int | str) and not isinstance(value, bool) and _FITS.get(usual)
    return begin + (str(value) if fits and fits.fullmatch(str(value)) else usual) + end


def _is_duration(place: list[str]) -> bool:
    return bool(place) and _DURATION.fullmatch(place[-1]) is not None


def known_keys(path: Sequence[object]) -> list[str]:
    """The keys that there are beside the last one of a path below `x-slipway`."""
    model: Any = Extension
    for part in path[path.index("x-slipway") + 1 : -1]:
        names = {field.alias or name: field for name, field in model.model_fields.items()}
        model = _model_in(names[str(part)].annotation) if part in names else model
    return sorted(field.alias or name for name, field in model.model_fields.items())


def _model_in(annotation: Any) -> Any:
    """The model in `list[Probe]` or `Route | None`."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return annotation
    inner = (_model_in(part) for part in getattr(annotation, "__args__", ()))
    return next((model for model in inner if model is not None), None)
