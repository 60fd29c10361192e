"""What an image is built from, as the state keeps it: a short hash for each file.

The hashes are keyed: of a small file with a secret, or of a build argument, the content could be
found by trying out what it may be.
"""

import heapq
import stat
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slipway.build_context import Entry
from slipway.canonical import SHORT, keyed_digest
from slipway.redact import holds_secret
from slipway.reference import parse_reference
from slipway.source_hash import Source

MOST_LINES = 300
"""Of so many files and folders each is listed; of more, folders are listed as one."""
_BELOW = "/**"
_ROOT = "**"
_FOLDED = " files "


@dataclass(frozen=True)
class Inventory:
    """What an image is built from.

    Args:
        source: the source hash.
        recipe: all that is no file, by its key: `args.VERSION`, `from python:3.11`, `target`.
        files: type, mode and short hash by path. A folder ends with `/`, and all that is below one
            that is listed as one with `/**`.
    """

    source: str
    recipe: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def folded(self) -> frozenset[str]:
        """The folders that are listed as one; the context itself is the empty one."""
        return frozenset(
            path.removesuffix(_ROOT).removesuffix("/")
            for path, found in self.files.items()
            if path.endswith(_ROOT) and _FOLDED in found
        )


def take(
    source: Source, dockerfile: str, key: str, folded: Iterable[str] | None = None
) -> Inventory:
    """The inventory of a source.

    Args:
        source: what an image is built from.
        dockerfile: path of its Dockerfile, from the context.
        key: the stack's random key.
        folded: folders to list as one, so that it can be compared with another inventory; default:
            as many as must be for `MOST_LINES`.
    """
    beside = [
        entry._replace(path=f"{name}:/{entry.path}")
        for name, entries in sorted(source.beside.items())
        for entry in entries
    ]
    entries = sorted([*source.entries, *beside])
    chosen = choose_folded(entries) if folded is None else frozenset(folded)
    return Inventory(
        source.hash, _recipe(source.head, dockerfile, key), _listed(entries, chosen, key)
    )


def choose_folded(entries: Sequence[Entry], most: int = MOST_LINES) -> frozenset[str]:
    """The folders to list as one, so that few enough lines are left.

    The folders with the fewest entries are opened first: so those with source are listed file by
    file, and those with thousands of images are not.

    Args:
        entries: files, folders and links.
        most: lines that may be left, but for one more for each folder that is listed as one.
    """
    if len(entries) <= most:
        return frozenset()
    sizes = Counter(_folder(entry.path) for entry in entries)
    if sizes[""] > most:
        return frozenset({""})
    inside: dict[str, list[str]] = {}
    for folder in sizes.keys() - {""}:
        inside.setdefault(_folder(folder), []).append(folder)
    lines, closed = sizes[""], [(sizes[folder], folder) for folder in inside.get("", [])]
    heapq.heapify(closed)
    while closed and lines + closed[0][0] <= most:
        size, folder = heapq.heappop(closed)
        lines += size
        for below in inside.get(folder, []):
            heapq.heappush(closed, (sizes[below], below))
    return frozenset(folder for _, folder in closed)


def _listed(entries: Iterable[Entry], folded: frozenset[str], key: str) -> dict[str, str]:
    places: dict[str, str | None] = {"": "" if "" in folded else None}
    below: dict[str, list[Entry]] = {}
    files: dict[str, str] = {}
    for entry in entries:
        place = _place(_folder(entry.path), folded, places)
        if place is not None:
            below.setdefault(place, []).append(entry)
        else:
            mark = "/" if stat.S_ISDIR(int(entry.mode, 8)) else ""
            files[f"{entry.path}{mark}"] = _line(entry, key)
    for folder, inside in below.items():
        count = sum(not stat.S_ISDIR(int(entry.mode, 8)) for entry in inside)
        name = f"{folder}{_BELOW}" if folder else _ROOT
        files[name] = f"{count}{_FOLDED}{keyed_digest(key, inside)[:SHORT]}"
    return files


def _place(folder: str, folded: frozenset[str], known: dict[str, str | None]) -> str | None:
    """The folder that is listed as one, in which this one is; None if there is none."""
    if folder not in known:
        above = _place(_folder(folder), folded, known)
        known[folder] = folder if above is None and folder in folded else above
    return known[folder]


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _line(entry: Entry, key: str) -> str:
    mode = int(entry.mode, 8)
    permissions = f"{stat.S_IMODE(mode):o}"
    if stat.S_ISREG(mode):
        return f"{permissions} {_short(key, entry.content)}"
    if stat.S_ISLNK(mode):
        return f"link {_short(key, entry.target)}"
    return f"{'folder' if stat.S_ISDIR(mode) else 'special'} {permissions}"


def _recipe(head: Mapping[str, Any], dockerfile: str, key: str) -> dict[str, str]:
    """All that is no file; a context that is a folder is listed among the files."""
    found = {
        **{f"args.{n}": _argument(n, value, key) for n, value in head.get("args", {}).items()},
        **{f"labels.{n}": str(value) for n, value in head.get("labels", {}).items()},
        **{
            f"additional_contexts.{name}": place if "://" in place else "a folder"
            for name, place in head.get("contexts", {}).items()
        },
        "dockerfile": f"{dockerfile} {_short(key, head.get('dockerfile'))}",
        "secrets": ", ".join(head.get("secrets", [])) or None,
        "target": head.get("target"),
        "platform": head.get("platform"),
    }
    bases: dict[str, list[str]] = {}
    for name, digest in sorted(head.get("bases", {}).items()):
        image = parse_reference(name)
        bases.setdefault(f"from {image.name}:{image.tag or 'latest'}", []).append(digest)
    found |= {name: ", ".join(digests) for name, digests in bases.items()}
    return {name: value for name, value in sorted(found.items()) if value is not None}


def _argument(name: str, value: str | None, key: str) -> str:
    if value is None:
        return "(no value)"
    return f"(hidden) {_short(key, value)}" if holds_secret(name, value) else value


def _short(key: str, value: Any) -> str:
    return keyed_digest(key, value)[:SHORT]
