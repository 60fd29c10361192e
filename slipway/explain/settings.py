"""Differences between two records of the ledger, key by key, with no secret in them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from slipway.blueprint import KEPT
from slipway.canonical import integers
from slipway.explain.model import Change
from slipway.none_values import with_none
from slipway.secret_references import references, resolve

HIDDEN = "(hidden)"
_FILE = "mounted file "


def differing(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    """The keys whose values differ."""
    keys = sorted(before.keys() | after.keys())
    return tuple(
        Change(key, before.get(key), after.get(key))
        for key in keys
        if before.get(key) != after.get(key)
    )


def settings_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """What differs between two records of a service.

    Args:
        before: what the ledger keeps (`slipway.blueprint.Record.content`).
        after: the same of the source.
    """
    return _changes(_of_service(before), _of_service(after))


def project_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """What differs between two records of a project's volumes and networks."""
    return _changes(dict(_leaves(before)), dict(_leaves(after)))


def _of_service(record: Mapping[str, Any]) -> dict[str, Any]:
    plain = with_none(integers(dict(record)))
    found = dict(_leaves(plain.pop("service", {})))
    for file in plain.pop("files", []):
        found[f"{_FILE}{file['path']}"] = file
    return found | dict(_leaves(plain))


def _leaves(value: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        name = f"{above}.{key}" if above else str(key)
        if isinstance(item, Mapping) and item:
            yield from _leaves(item, name)
        else:
            yield name, item


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    keys = sorted(key for key in before.keys() | after.keys() if _differs(key, before, after))
    return tuple(Change(_named(key), _shown(key, before), _shown(key, after)) for key in keys)


def _differs(key: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    if key in before and key in after:
        return bool(before[key] != after[key])
    found, other = (before, after) if key in before else (after, before)
    # What was empty and has something in it now is told by what is in it.
    return found[key] != {} or not any(one.startswith(f"{key}.") for one in other)


def _named(key: str) -> str:
    return str(readable(key))


def _shown(key: str, values: Mapping[str, Any]) -> str | None:
    """A value as people read it; of a mounted file, that it is there."""
    if key not in values:
        return None
    if key.startswith(_FILE):
        return HIDDEN
    value = readable(values[key])
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def readable(value: Any) -> Any:
    """A value of a record for people: secrets by their names, `(hidden)` where they have none."""
    names = references(value)
    shown = {name: HIDDEN if name.startswith(KEPT) else f"${{{name}}}" for name in names}
    return resolve(value, shown)
