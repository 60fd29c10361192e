"""Which release a rollback goes to, and whether it can be had."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from slipway.blueprint import kept_names, own_services, same_release
from slipway.errors import ConfigError

Entry = Mapping[str, Any]
Obstacle = Callable[[Entry], str | None]
"""Says why a release cannot be had; None if it can."""


def choose(ledger: Sequence[Entry], number: int | None, obstacle: Obstacle) -> Entry:
    """The release to go back to.

    Args:
        ledger: newest first; the first one serves.
        number: which one; default is the newest before the live one that differs from it in more
            than the value of a secret.
        obstacle: says why a release cannot be had.

    Raises:
        ConfigError: there is none, it serves already, or it cannot be had; with those that can.
    """
    if not ledger:
        raise ConfigError(["the stack has no release yet; run scripts/deploy first"])
    live, older = ledger[0], ledger[1:]
    there = [entry for entry in older if not same_release(entry, live)]
    if number is None:
        return _newest(live, there, obstacle)
    chosen = next((entry for entry in ledger if entry["number"] == number), None)
    can_be_had = _listed([entry for entry in there if obstacle(entry) is None])
    if chosen is None:
        raise ConfigError([f"there is no release {number} in the ledger; {can_be_had}"])
    if chosen is live:
        raise ConfigError([f"release {number} serves already; {can_be_had}"])
    if same_release(chosen, live):
        raise ConfigError(
            [
                f"release {number} is what serves already, as release {live['number']}: the same "
                f"images with the same settings; {can_be_had}"
            ]
        )
    problem = obstacle(chosen)
    if problem is not None:
        raise ConfigError([f"release {number} cannot be had: {problem}; {can_be_had}"])
    return chosen


def _newest(live: Entry, there: Sequence[Entry], obstacle: Obstacle) -> Entry:
    if not there:
        raise ConfigError(
            [f"there is no release before {live['number']} that differs from it: nothing to undo"]
        )
    problem = obstacle(there[0])
    if problem is None:
        return there[0]
    # Not quietly an older one: who undoes a release expects the one before.
    can_be_had = _listed([entry for entry in there if obstacle(entry) is None])
    raise ConfigError([f"release {there[0]['number']} cannot be had: {problem}; {can_be_had}"])


def _listed(entries: Sequence[Entry]) -> str:
    if not entries:
        return "no other release can be had"
    return "these can be had: " + ", ".join(str(entry["number"]) for entry in entries)


def missing_images(entry: Entry, is_there: Callable[[str], bool]) -> str | None:
    """Which images of a release are gone; None if none is.

    Args:
        entry: the release.
        is_there: whether an image, `repository@sha256:…`, is on the host or in its registry.
    """
    services = own_services(entry).items()
    gone = sorted(name for name, found in services if not is_there(str(found["image"])))
    if not gone:
        return None
    images = own_services(entry)
    return "; ".join(f"the image of {name} is gone ({images[name]['image']})" for name in gone)


def missing_values(entry: Entry, names: frozenset[str]) -> str | None:
    """Which values that the state should keep for a release are gone; None if none is."""
    gone = kept_names(entry) - names
    if not gone:
        return None
    return f"{len(gone)} of the values that its settings refer to are not in the state any more"


def differences(target: Entry, live: Entry) -> list[str]:
    """What a rollback changes, a line each."""
    old, new = own_services(live), own_services(target)
    lines = []
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            lines.append(f"{name}: is taken away")
        elif name not in old:
            lines.append(f"{name}: comes back, {_short(new[name]['image'])}")
        else:
            lines += [f"{name}: {line}" for line in _service(old[name], new[name])]
    return lines or ["nothing but the value of secrets"]


def _service(old: Entry, new: Entry) -> list[str]:
    lines = []
    if old["image"] != new["image"]:
        lines.append(f"image {_short(old['image'])} → {_short(new['image'])}")
    before, after = old.get("record", {}), new.get("record", {})
    for part in ("environment", "service"):
        lines += _keys(part, before.get(part, {}), after.get(part, {}))
    if before.get("files") != after.get("files"):
        lines.append("mounted files")
    return lines


def _keys(part: str, before: Entry, after: Entry) -> list[str]:
    keys = sorted(k for k in before.keys() | after.keys() if before.get(k) != after.get(k))
    named = [f"environment {key}" if part == "environment" else key for key in keys]
    return [f"{name} {_change(key, before, after)}" for name, key in zip(named, keys, strict=True)]


def _change(key: str, before: Entry, after: Entry) -> str:
    if key not in before:
        return "comes back"
    return "is taken away" if key not in after else "as it was then"


def _short(image: str) -> str:
    name, _, digest = image.partition("@")
    return f"{name.rpartition('/')[2]}@{digest[:19]}"
