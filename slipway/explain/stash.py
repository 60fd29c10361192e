"""The inventories of all releases of the ledger, as the state keeps them.

Those of what is live stand there as a text, a line for each file: of a text with many lines, a
preview shows those that differ, and of a mapping with many keys it shows all. Beside it they are
packed for the program, with those of the ledger's other releases: a rollback has no source to look
at.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from slipway.canonical import canonical_json
from slipway.explain.inventory import Inventory, take
from slipway.image_plan import ImagePlan
from slipway.plan import ContainerPlan, identity_of
from slipway.prepared import Prepared

SHOWN = "files"
PACKED = "inventories"


@dataclass(frozen=True)
class Kept:
    """What the Stash keeps.

    Args:
        shown: what is live, for people.
        packed: all releases of the ledger, for the program.
    """

    shown: str
    packed: str


def stash_name(component: str) -> str:
    """Name of the Stash that keeps the inventories."""
    return f"{component}-files"


def kept(prepared: Prepared, value: Any) -> Kept:
    """What the Stash must keep once a release serves.

    Args:
        prepared: the release.
        value: the Stash's input in the state; None if there is none.
    """
    known = known_inventories(value)
    live = _live(prepared, known)
    known |= {one.source: one for one in live.values() if one.files}
    names = [plan.service.name for plan in prepared.containers]
    sources = _sources(prepared.ledger(dict.fromkeys(names, "")))
    return Kept(_shown(live), pack([known[s] for s in sorted(sources & known.keys())]))


def _live(prepared: Prepared, known: Mapping[str, Inventory]) -> dict[str, Inventory]:
    """The inventory of each image that is built, by the services that run it."""
    sharing: dict[str, list[ContainerPlan]] = {}
    for plan in prepared.containers:
        source = identity_of(plan.image)[1]
        if source is not None and plan.job_of is None:
            sharing.setdefault(source, []).append(plan)
    found = {}
    for source, plans in sharing.items():
        image, services = plans[0].image, ", ".join(sorted(p.service.name for p in plans))
        if isinstance(image, ImagePlan):
            found[services] = take(image.source, image.build.dockerfile, prepared.stack.key)
        else:
            # Without files where it was released before the state kept any.
            found[services] = known.get(source, Inventory(source))
    return found


def _sources(entries: Iterable[Mapping[str, Any]]) -> set[str]:
    found = (service.get("source_hash") for e in entries for service in e["services"].values())
    return {str(source) for source in found if source}


def _shown(live: Mapping[str, Inventory]) -> str:
    """A line for each file, from which it can be seen whose it is."""
    lines = []
    for services, one in sorted(live.items()):
        lines.append(f"{services}: source hash {one.source}")
        if not one.files:
            lines.append(f"{services}: files are not known, it was released before they were kept")
        for found in (one.recipe, one.files):
            lines += [f"{services}: {path} {what}" for path, what in sorted(found.items())]
    return "".join(line.replace("\n", "\\n") + "\n" for line in lines)


def pack(inventories: Iterable[Inventory]) -> str:
    """The inventories as one text, in which what is the same in several stands once.

    For each path and what stands there, the bits of a number tell in which of them it does.
    """
    there = sorted(inventories, key=lambda one: one.source)
    parts: dict[str, dict[str, dict[str, int]]] = {"recipe": {}, "files": {}}
    for place, one in enumerate(there):
        for part, lines in (("recipe", one.recipe), ("files", one.files)):
            for path, found in lines.items():
                bits = parts[part].setdefault(path, {})
                bits[found] = bits.get(found, 0) | 1 << place
    return canonical_json({"sources": [one.source for one in there], **parts}).decode()


def unpack(text: str) -> list[Inventory]:
    """The inventories in a text of `pack`.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: it is none.
    """
    packed = json.loads(text)

    def lines(part: str, place: int) -> dict[str, str]:
        found = packed[part].items()
        return {p: f for p, values in found for f, bits in values.items() if bits >> place & 1}

    return [
        Inventory(source, lines("recipe", place), lines("files", place))
        for place, source in enumerate(packed["sources"])
    ]


def known_inventories(value: Any) -> dict[str, Inventory]:
    """All inventories in the Stash's input, by source hash.

    Args:
        value: the input; None if there is no such Stash. What somebody has edited, or another
            version has written, may be unreadable; then none is known.
    """
    try:
        return {one.source: one for one in unpack(value[PACKED])}
    except (AttributeError, KeyError, TypeError, ValueError):
        return {}
