"""Null values in what the state keeps: the engine drops them, so something else stands for them."""

from collections.abc import Mapping
from typing import Any

_NONE = {"$none": ""}


def without_none(value: Any) -> Any:
    """The value with a mark in the place of each null."""
    if isinstance(value, Mapping):
        return {key: without_none(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_none(item) for item in value]
    return dict(_NONE) if value is None else value


def with_none(value: Any) -> Any:
    """The value with a null in the place of each mark."""
    if isinstance(value, Mapping):
        return None if value == _NONE else {k: with_none(item) for k, item in value.items()}
    return [with_none(item) for item in value] if isinstance(value, list) else value
