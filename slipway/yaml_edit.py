"""Changing YAML files as text, at the place of a value, so that comments, quotes and order stay.

`parse` gives the nodes as they stand in the text, with anchors and merges (`<<`) to be followed by
`entries`; a node's `start_mark.index` and `end_mark.index` part the text.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from slipway.errors import ConfigError

_MERGE = "tag:yaml.org,2002:merge"


@dataclass(frozen=True)
class Splice:
    """A part of a text, from `start` up to `end`, that becomes another one."""

    start: int
    end: int
    text: str


def splice(text: str, splices: Iterable[Splice]) -> str:
    """The text with its parts replaced; parts must not overlap.

    >>> splice("a: b", [Splice(3, 4, "c"), Splice(0, 0, "# why\\n")])
    '# why\\na: c'
    """
    # From the end, since a replacement moves what stands behind it.
    for part in sorted(splices, key=lambda part: (-part.start, -part.end)):
        text = text[: part.start] + part.text + text[part.end :]
    return text


def read_text(file: Path) -> str:
    """The text of a file, its ends of lines as they are.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            return stream.read()
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError([f"{file}:{line} is not UTF-8 text; save it as UTF-8"]) from error
    except OSError as error:
        raise ConfigError([f"{file}: cannot be read: {error}"]) from error


def replace_file(file: Path, text: str) -> None:
    """Give a file another text, as a whole, so that it is never half written; a link stays one."""
    target = file.resolve()
    unfinished = target.with_name(f".{target.name}.unfinished")
    unfinished.write_text(text, "utf-8", newline="")
    if target.exists():
        unfinished.chmod(target.stat().st_mode & 0o7777)
    os.replace(unfinished, target)


def parse(file: Path, text: str) -> Node | None:
    """The node at a YAML text's root; None if the text is empty.

    Args:
        file: for messages.
        text: what is to be parsed.

    Raises:
        ConfigError: it is no YAML.
    """
    try:
        node: Node | None = YAML(typ="safe", pure=True).compose(text)
    except YAMLError as error:
        raise ConfigError([_second_document(file, error) or _invalid(file, error)]) from error
    return node


def _invalid(file: Path, error: YAMLError) -> str:
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return f"{file}: is no valid YAML: {' '.join(str(error).split())}"
    return f"{file}:{error.problem_mark.line + 1} is no valid YAML: {error.problem}"


def _second_document(file: Path, error: YAMLError) -> str | None:
    if not isinstance(error, MarkedYAMLError) or "another document" not in str(error.problem):
        return None
    line = error.problem_mark.line + 1
    return f"{file}:{line} ---: a second YAML document begins here; merge it into the first"


def entries(node: Node | None) -> dict[str, tuple[ScalarNode, Node]]:
    """A mapping's keys and values, its own before merged ones; nothing if it is no mapping."""
    if not isinstance(node, MappingNode):
        return {}
    own = {k.value: (k, v) for k, v in node.value if k.tag != _MERGE and _is_scalar(k)}
    merged = [v for k, v in node.value if k.tag == _MERGE]
    for source in merged:
        # Of several (`<<: [*a, *b]`), the first that has a key is taken.
        for mapping in source.value if isinstance(source, SequenceNode) else [source]:
            own = {**own, **{k: v for k, v in entries(mapping).items() if k not in own}}
    return own


def _is_scalar(node: Node) -> bool:
    return isinstance(node, ScalarNode)


def items(node: Node | None) -> list[Node]:
    """A list's items; nothing if it is no list."""
    return list(node.value) if isinstance(node, SequenceNode) else []


def value_of(node: Node | None, *path: str) -> Node | None:
    """What stands under a path of keys; None if nothing does."""
    for key in path:
        found = entries(node).get(key)
        if found is None:
            return None
        node = found[1]
    return node


def text_of(node: Node | None) -> str | None:
    """What a scalar says, as a string; None if it is null or no scalar."""
    if not isinstance(node, ScalarNode) or node.tag == "tag:yaml.org,2002:null":
        return None
    return str(node.value)


def line_of(node: Node) -> int:
    """The line on which a node begins, from 1."""
    return int(node.start_mark.line) + 1


def in_flow(root: Node | None) -> Iterator[int]:
    """The ids of all nodes that stand within brackets or braces."""
    seen: set[int] = set()

    def walk(node: Node, inside: bool) -> Iterator[int]:
        # The first meeting is where an anchor is set, and that is where its text stands.
        if id(node) in seen:
            return
        seen.add(id(node))
        if inside:
            yield id(node)
        if isinstance(node, MappingNode | SequenceNode):
            for child in node.value:
                for part in child if isinstance(child, tuple) else (child,):
                    yield from walk(part, inside or bool(node.flow_style))

    return walk(root, False) if root is not None else iter(())
