"""Writing proposals into a compose file's text, so that every line of the user's stays."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from slipway.init.outline import Outline, ServiceOutline
from slipway.init.proposals import Entry, Proposals
from slipway.yaml_edit import Splice, entries, splice

_PLAIN = re.compile(r"[A-Za-z/][\w/.@&-]*(?: [\w/.@&-]+)*")
_NOT_TEXT = re.compile(r"(?:true|false|yes|no|on|off|null|none|y|n)", re.IGNORECASE)


def write(outline: Outline, proposals: Proposals) -> tuple[str, list[str]]:
    """The text of the compose file with what is proposed.

    Returns:
        The text, and the services that have no place of their own to write into.
    """
    writer = _Writer(outline.text)
    without_place = []
    for service in outline.services:
        override = _override(service, outline, proposals.entries)
        found: Sequence[Entry] | None = proposals.entries.get(service.name, override)
        if found is None:
            continue
        if _is_alias(service):
            without_place.append(service.name)
        else:
            writer.add(service, found)
    return writer.text(), without_place


def _is_alias(service: ServiceOutline) -> bool:
    before = service.node.start_mark.index < service.key.start_mark.index
    return before or not isinstance(service.node, MappingNode)


def _override(
    service: ServiceOutline, outline: Outline, found: Mapping[str, Sequence[Entry]]
) -> Sequence[Entry] | None:
    """Nothing, written out, for a service that would get another one's keys by `<<`."""
    merged = set(_merged(service.node))
    for other in outline.services:
        if other.name in found and id(other.node) in merged and not service.has_extension:
            why = f"Not what << would bring from {other.name}."
            return [Entry("", None, (why,))]
    return None


def _merged(node: Node) -> Iterator[int]:
    pairs = node.value if isinstance(node, MappingNode) else []
    for key, value in pairs:
        if key.value == "<<":
            for source in value.value if isinstance(value, SequenceNode) else [value]:
                yield id(source)
                yield from _merged(source)


class _Writer:
    def __init__(self, text: str) -> None:
        self._text = text
        self._end = "\r\n" if "\r\n" in text else "\n"
        self._splices: list[Splice] = []

    def text(self) -> str:
        return splice(self._text, self._splices)

    def add(self, service: ServiceOutline, found: Sequence[Entry]) -> None:
        if isinstance(service.node, MappingNode) and service.node.flow_style:
            self._within_braces(service, found)
        else:
            self._below(service, found)

    def _within_braces(self, service: ServiceOutline, found: Sequence[Entry]) -> None:
        start = self._text.rfind("\n", 0, service.key.start_mark.index) + 1
        line = self._text[start:]
        indent = line[: len(line) - len(line.lstrip())]
        comments = "".join(f"{indent}# {w}{self._end}" for e in found for w in e.why)
        self._splices.append(Splice(start, start, comments))
        brace = service.node.end_mark.index - 1
        inside = self._text[service.node.start_mark.index : brace].rstrip()
        comma = {",": " ", "{": ""}.get(inside[-1:], ", ")
        value = {entry.key: entry.value for entry in found if entry.key}
        end = len(self._text[:brace].rstrip())
        self._splices.append(Splice(end, end, f"{comma}x-slipway: {flow(value)}"))

    def _below(self, service: ServiceOutline, found: Sequence[Entry]) -> None:
        column = service.key.start_mark.column
        child = min(key.start_mark.column for key, _ in _own(service.node))
        start = service.key.start_mark.index
        end = self._end_of_body(start, column, child, _free_until(service.node, start))
        lines = block(found, child, max(child - column, 1))
        text = "".join(f"{line}{self._end}" for line in lines)
        if not self._text[:end].endswith("\n"):
            text = self._end + text.removesuffix(self._end)
        self._splices.append(Splice(end, end, text))

    def _end_of_body(self, start: int, column: int, child: int, free: int) -> int:
        """Where the last line that belongs to a service ends.

        Args:
            start: where its key begins.
            column: the key's.
            child: the column of the keys below it.
            free: until where lines belong to it whatever their indentation.
        """
        position = end = self._next_line(start)
        while position < len(self._text):
            after = self._next_line(position)
            line = self._text[position:after]
            indent = len(line) - len(line.lstrip(" "))
            # A comment may stand anywhere; one that is indented like the service's keys is its own.
            comment = line.lstrip().startswith("#")
            if position < free:
                end = after
            elif line.strip() and not comment and indent <= column:
                break
            elif line.strip() and indent >= (child if comment else column + 1):
                end = after
            position = after
        return end

    def _next_line(self, position: int) -> int:
        found = self._text.find("\n", position)
        return len(self._text) if found < 0 else found + 1


def _free_until(node: Node, start: int) -> int:
    """Where the last value ends that brackets or quotes hold together, and not its indentation."""
    if node.start_mark.index < start:  # An alias: its value stands above.
        return start
    if isinstance(node, ScalarNode):
        return int(node.end_mark.index) if node.style in ("'", '"') else start
    if isinstance(node, MappingNode | SequenceNode) and node.flow_style:
        return int(node.end_mark.index)
    below = [n for pair in node.value for n in (pair if isinstance(pair, tuple) else (pair,))]
    return max((_free_until(n, start) for n in below), default=start)


def _own(node: Node) -> list[tuple[Node, Node]]:
    return list(node.value) if isinstance(node, MappingNode) else list(entries(node).values())


def block(found: Sequence[Entry], indent: int, step: int) -> list[str]:
    """The lines of `x-slipway` with what is found for a service."""
    if not found[0].key:
        return [" " * indent + line for line in (f"# {found[0].why[0]}", "x-slipway: {}")]
    inner = " " * (indent + step)
    lines = [" " * indent + "x-slipway:"]
    for entry in found:
        lines += [f"{inner}# {reason}" for reason in entry.why]
        if entry.key == "probes" and isinstance(entry.value, list):
            lines.append(f"{inner}probes:")
            for probe in entry.value:
                pairs = [f"{key}: {flow(value)}" for key, value in probe.items()]
                lines.append(f"{inner}{' ' * step}- {pairs[0]}")
                lines += [f"{inner}{' ' * step}  {pair}" for pair in pairs[1:]]
        else:
            lines.append(f"{inner}{entry.key}: {flow(entry.value)}")
    return lines


def flow(value: object) -> str:
    """A value on one line of YAML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and not _NOT_TEXT.fullmatch(value):
        return value
    return json.dumps(value, ensure_ascii=False)
