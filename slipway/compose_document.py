"""A copy of a compose file, from which is taken out what cannot be read."""

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from slipway.key_lines import KeyLines, line_of

KeyPath = list[str | int]
"""Where something stands: keys, and indices of lists."""

_MISSING = object()


class Document:
    """The documents of a compose file, of which later ones override earlier ones.

    Args:
        roots: the documents.
    """

    def __init__(self, roots: list[dict[str, Any]]) -> None:
        self._roots = roots
        self._taken: dict[tuple[str | int, ...], list[int]] = {}
        """Of lists, the indices in the file of what was taken out."""

    @property
    def text(self) -> str:
        """The copy, as the reader takes it."""
        return "\n---\n".join(json.dumps(root, default=str) for root in self._roots)

    def services(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Services by name; one of several documents comes several times."""
        for root in self._roots:
            found = root.get("services")
            for name, service in found.items() if isinstance(found, dict) else ():
                if isinstance(service, dict):
                    yield name, service

    def names(self) -> list[str]:
        """The names of all services."""
        found = (root.get("services") for root in self._roots)
        return list(dict.fromkeys(n for names in found if isinstance(names, dict) for n in names))

    def get(self, path: KeyPath) -> Any:
        """What stands at a path, or None."""
        for root in reversed(self._roots):
            found = _at(root, path)
            if found is not _MISSING:
                return found
        return None

    def delete(self, path: KeyPath) -> bool:
        """Take out what stands at a path; False if nothing does."""
        *above, last = path
        for root in reversed(self._roots):
            if _at(root, path) is not _MISSING:
                there = self.in_file(path)
                if isinstance(there[-1], int):
                    self._taken.setdefault(tuple(there[:-1]), []).append(there[-1])
                del _at(root, above)[last]
                return True
        return False

    def in_file(self, path: KeyPath) -> KeyPath:
        """A path as it is in the file, where nothing was taken out of lists."""
        there: KeyPath = []
        for part in path:
            if isinstance(part, int):
                for taken in sorted(self._taken.get(tuple(there), ())):
                    part += taken <= part
            there.append(part)
        return there

    def delete_item(self, path: KeyPath) -> bool:
        """Take out what stands at a path, or the whole item of a list in which it stands: what is
        left of a port or a mount would be wrong too.
        """
        index = next((n for n, part in enumerate(path) if isinstance(part, int)), None)
        if index is not None and self.get(path) is not None:
            return self.delete(path[: index + 1])
        return self.delete(path)

    def leave_out(self, name: str) -> None:
        """Take out a service, and what waits for it."""
        for root in self._roots:
            (root.get("services") or {}).pop(name, None)
        for _, service in self.services():
            take_entry(service, "depends_on", name)

    def extending(self, name: str) -> list[str]:
        """The services that begin as another one of the file."""
        return [other for other, service in self.services() if _base(service) == (None, name)]

    def extending_of(self, folder: Path, file: Path, name: str) -> list[str]:
        """The services that begin as a service of another file, or of a file behind that one."""
        return [
            user
            for user, service in self.services()
            for other, base in [_base(service)]
            if other is not None and _leads_to(folder / other, base, file, name)
        ]

    def without(self, path: KeyPath) -> "Document":
        """A copy in which something is not there; a service goes with what waits for it."""
        other = Document(copy.deepcopy(self._roots))
        if len(path) == 2 and path[0] == "services":
            other.leave_out(str(path[1]))
        else:
            other.delete(path)
        return other

    def include_of(self, path: str) -> KeyPath | None:
        """The entry of `include` that names a file."""
        for root in self._roots:
            for index, entry in enumerate(root.get("include") or []):
                if names_file(entry, path):
                    return ["include", index]
        return None

    def find(self, written: str, said: str) -> list[KeyPath]:
        """The paths in `services[web].healthcheck.interval`, or `services.web.ports.[].target`.

        Args:
            written: as the reader writes it; `[]` stands for any item of a list.
            said: the reader's words, in which the value of the item stands.
        """
        paths: list[KeyPath] = [[]]
        for part in re.findall(r"[^.\[\]]+|\[\]", written):
            if part != "[]":
                paths = [[*path, int(part) if part.isdigit() else part] for path in paths]
                continue
            lists = ((path, self.get(path)) for path in paths)
            paths = [
                [*path, index]
                for path, items in lists
                for index in range(len(items) if isinstance(items, list) else 0)
            ]
        if "[]" not in written:
            return paths
        return [p for p in paths if (value := self.get(p)) is not None and str(value) in said]


def _base(service: dict[str, Any]) -> tuple[str | None, str]:
    """File and service that a service extends; no file where it is the same one."""
    extends = service.get("extends")
    if not isinstance(extends, dict):
        return None, str(extends)
    file = extends.get("file")
    return None if file is None else str(file), str(extends.get("service"))


def _leads_to(other: Path, base: str, file: Path, name: str) -> bool:
    return base == name if other == file else file in KeyLines(other).files


def _at(node: Any, path: KeyPath) -> Any:
    for part in path:
        try:
            node = node[part]
        except (KeyError, IndexError, TypeError):
            return _MISSING
    return node


def as_list(value: Any) -> list[Any]:
    """A value as a list; nothing as an empty one."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def take_file(service: dict[str, Any], missing: str) -> bool:
    """Take a file out of a service's `env_file`; False if it does not stand there."""
    entries = as_list(service.get("env_file"))
    kept = [entry for entry in entries if not names_file(entry, missing)]
    if len(kept) == len(entries):
        return False
    service["env_file"] = kept
    return True


def take_entry(service: dict[str, Any], key: str, missing: str) -> bool:
    """Take an entry out of a list or mapping of a service; volumes begin with their source."""
    value = service.get(key)
    if isinstance(value, dict):
        return value.pop(missing, _MISSING) is not _MISSING
    kept = [entry for entry in as_list(value) if not _is(entry, missing)]
    if len(kept) == len(as_list(value)):
        return False
    service[key] = kept
    return True


def names_file(entry: Any, missing: str) -> bool:
    """Whether an entry, or its path, is that of a file, as far as it is written."""
    found = entry.get("path", "") if isinstance(entry, dict) else entry
    paths = [Path(str(path)).as_posix().removeprefix("./") for path in as_list(found) if path]
    return any(Path(missing).as_posix().endswith(path) for path in paths)


def _is(entry: Any, missing: str) -> bool:
    if isinstance(entry, dict):
        return str(entry.get("source")) == missing
    return str(entry).split(":", 1)[0] == missing


def env_files_elsewhere(lines: KeyLines, path: str) -> Iterator[tuple[Path, str, int | None]]:
    """File, service and line where files other than the compose file name an `env_file`."""
    for file, root in lines.documents:
        services = root.get("services") if isinstance(root, dict) and file != lines.file else None
        for name, service in services.items() if isinstance(services, dict) else ():
            entries = service.get("env_file") if isinstance(service, dict) else None
            for index, entry in enumerate(as_list(entries)):
                if names_file(entry, path):
                    at = line_of(entries, index) if isinstance(entries, list) else None
                    yield file, name, at or line_of(service, "env_file")
