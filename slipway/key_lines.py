"""Where a key stands in a YAML file, for messages."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError


class KeyLines:
    """Finds the line of a key in a compose file, and in the files that it includes or extends.

    Args:
        file: the compose file. It is read once a line is asked for.
    """

    def __init__(self, file: Path) -> None:
        self.file = file

    def of(self, path: Sequence[object]) -> int:
        """The line of the deepest part of `path` that stands in a file; 1 if none does.

        A value that comes from an anchor counts as standing where the anchor's does.
        """
        return self._place(path)[1]

    def where(self, *path: object) -> str:
        """`file:line a.b.c`, as messages begin."""
        file, line = self._place(path)
        return f"{file}:{line} {'.'.join(str(part) for part in path)}"

    def written(self, *path: object) -> Any:
        """What stands in the compose file under a path, as it is written; None if nothing does."""
        for root in self._own:
            node = _value(root, path)
            if node is not None:
                return node
        return None

    @property
    def files(self) -> list[Path]:
        """The compose file, and those that it includes or extends."""
        return list(dict.fromkeys([self.file, *(file for file, _ in self.documents)]))

    @cached_property
    def documents(self) -> list[tuple[Path, Any]]:
        """The documents of the compose file, and of those that it includes or extends."""
        return self._follow(lambda root: [*_included(root), *_extended(root)])

    @property
    def folders(self) -> list[Path]:
        """Where paths in these files may begin, beside each file's own folder."""
        named = [
            file.parent / str(entry["project_directory"])
            for file, root in self.documents
            for entry in _value(root, ("include",)) or ()
            if isinstance(entry, dict) and "project_directory" in entry
        ]
        return list(dict.fromkeys([self.file.parent, *named]))

    def _place(self, path: Sequence[object]) -> tuple[Path, int]:
        best, place = 0, (self.file, 1)
        for file, root, within in self._candidates(path):
            depth, line = _deepest(root, within)
            if depth > best:
                best, place = depth, (file, line)
        return place

    def _candidates(self, path: Sequence[object]) -> Iterator[tuple[Path, Any, Sequence[object]]]:
        for file, root in self._roots:
            yield file, root, path
        extends = self._extends.get(path[1]) if len(path) > 2 and path[0] == "services" else None
        if extends is not None:
            file = self._beside(extends["file"])
            for root in _documents(file):
                yield file, root, ("services", extends.get("service"), *path[2:])

    @cached_property
    def _own(self) -> list[Any]:
        return _documents(self.file)

    @cached_property
    def _roots(self) -> list[tuple[Path, Any]]:
        """All documents by file; what stands in one goes before what stands in later ones."""
        return self._follow(_included)

    def _follow(self, named: Callable[[Any], list[str]]) -> list[tuple[Path, Any]]:
        """The file's documents, and those of the files that are named in them."""
        found = [(self.file, root) for root in self._own]
        seen = {self.file}
        for file, root in found:  # It grows: an included file may include others.
            for name in named(root):
                other = file.parent / name
                if other not in seen:
                    seen.add(other)
                    found += [(other, document) for document in _documents(other)]
        return found

    @cached_property
    def _extends(self) -> dict[object, Any]:
        services = self.written("services")
        named = services.items() if isinstance(services, dict) else ()
        found = {name: _value(service, ("extends",)) for name, service in named}
        return {
            name: {"file": self.file.name, **extends}
            for name, extends in found.items()
            if isinstance(extends, dict)
        }

    def _beside(self, path: object) -> Path:
        return self.file.parent / str(path)


def _documents(file: Path) -> list[Any]:
    """A file's documents, the last one first: it overrides the others."""
    try:
        return list(YAML().load_all(file.read_text()))[::-1]
    except (OSError, ValueError, YAMLError):
        return []


def _included(root: Any) -> list[str]:
    entries = _value(root, ("include",))
    paths: list[str] = []
    for entry in entries if isinstance(entries, list) else []:
        found = entry.get("path") if isinstance(entry, dict) else entry
        paths += [str(path) for path in (found if isinstance(found, list) else [found])]
    return paths


def _extended(root: Any) -> list[str]:
    services = _value(root, ("services",))
    named = services.values() if isinstance(services, dict) else ()
    files = (_value(service, ("extends", "file")) for service in named)
    return [str(file) for file in files if file is not None]


def _value(node: Any, path: Sequence[object]) -> Any:
    for part in path:
        try:
            node = node[part]
        except (KeyError, IndexError, TypeError):
            return None
    return node


def _deepest(root: Any, path: Sequence[object]) -> tuple[int, int]:
    """How many parts of a path stand in a document, and the line of the last of them."""
    node, line = root, 1
    for depth, part in enumerate(path):
        found = line_of(node, part)
        if found is None:
            return depth, line
        line = found
        node = node[part]
    return len(path), line


def line_of(node: Any, part: object) -> int | None:
    """The line on which an entry of a mapping or list stands; None if it has none."""
    find = "key" if isinstance(node, dict) else "item"
    try:
        position = getattr(node.lc, find)(part)
        return int(position[0]) + 1
    except (AttributeError, KeyError, IndexError, TypeError):
        pass
    # A merged key (`<<: *anchor`) has no position of its own in this mapping.
    for merged in getattr(node, "merge", []):
        found = line_of(merged, part)
        if found is not None:
            return found
    return None
