"""Where a key stands in a YAML file, for messages."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError


class KeyLines:
    """Finds the line of a key in a YAML file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            self._root: Any = YAML().load(file.read_text())
        except YAMLError:
            self._root = None

    def of(self, path: Sequence[object]) -> int:
        """The line of the deepest part of `path` that stands in the file; 1 if none does.

        A value that comes from an anchor counts as standing where the anchor's does.
        """
        node, line = self._root, 1
        for part in path:
            found = _line_of(node, part)
            if found is None:
                break
            line = found
            node = node[part]
        return line

    def where(self, *path: object) -> str:
        """`file:line a.b.c`, as messages begin."""
        return f"{self.file}:{self.of(path)} {'.'.join(str(part) for part in path)}"

    def written(self, *path: object) -> Any:
        """What stands in the file under a path, as it is written; None if nothing does."""
        node = self._root
        for part in path:
            try:
                node = node[part]
            except (KeyError, IndexError, TypeError):
                return None
        return node


def _line_of(node: Any, part: object) -> int | None:
    find = "key" if isinstance(node, dict) else "item"
    try:
        position = getattr(node.lc, find)(part)
        return int(position[0]) + 1
    except (AttributeError, KeyError, IndexError, TypeError):
        pass
    # A merged key (`<<: *anchor`) has no position of its own in this mapping.
    for merged in getattr(node, "merge", []):
        found = _line_of(merged, part)
        if found is not None:
            return found
    return None
