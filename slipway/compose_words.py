"""The complaints of Compose's reader in words that say what to write instead."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.parser import ParserError

NO_SUCH_KEY = "no such key in Compose; correct its spelling, or remove it"
_TOP_LEVEL = ("name", "services", "volumes", "networks", "secrets", "configs", "include")
_TEXTS = "a text or a list of texts"
_NAMED = "names with their values, or a list of NAME=value"
_NAMES = "a list of names, or names with their settings"
_EXPECTED = {
    **dict.fromkeys(("command", "entrypoint", "test", "tmpfs", "dns"), _TEXTS),
    **dict.fromkeys(("environment", "labels", "args"), _NAMED),
    **dict.fromkeys(("depends_on", "networks"), _NAMES),
    "build": "a folder, or context with other keys below it",
    "env_file": "a path or a list of paths",
    "extra_hosts": "a list of name=address",
    "healthcheck": "test with other keys below it",
    "ports": 'a list such as ["127.0.0.1:5432:5432"]',
    "volumes": "a list such as [data:/data]",
}
_ENTRIES = {
    **dict.fromkeys(("environment", "labels", "args", "annotations", "sysctls"), "NAME=value"),
    "env_file": "app.env, or {path: app.env}",
    "expose": "a port",
    "ports": '"127.0.0.1:5432:5432"',
    "volumes": "data:/data",
}
"""What an item of a list must be."""
_KINDS = {
    "array": "a list",
    "mapping": "a mapping (key: value)",
    "object": "a mapping (key: value)",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "empty",
}
_CASTS = (
    ("invalid boolean", "true or false"),
    ("strconv.Atoi", "a whole number"),
    ("strconv.ParseInt", "a whole number"),
    ("strconv.ParseFloat", "a number"),
)
_DURATION = re.compile(r'time: .*duration "(?P<found>[^"]*)"')
_QUANTITY = re.compile(r"\s*(\d+)\s*(ms|[smh])")
_PORT = re.compile(r"[Ii]nvalid (?:hostPort|containerPort|port)\w*: (.+)")
_TOO_LARGE = re.compile(r"exceeds maximum|excessive aliasing|too (?:large|deep)", re.IGNORECASE)
_OTHER = re.compile(r"failed to (?:read|parse) (\S+): ")
_LINE = re.compile(r"line (\d+)")


def said_of(path: Sequence[object], said: str, written: Any) -> str:
    """What the reader says of a key, in words that say what to write.

    Args:
        path: of the key.
        said: the reader's words.
        written: what stands in the file there.
    """
    said = " ".join(said.split()).rstrip(".;")
    if said == "false schema":
        return NO_SUCH_KEY
    if said.startswith(("must be a", "unexpected type", "unsupported expose")):
        return _wrong_type(path, said, written)
    if duration := _DURATION.match(said):
        return _not_a_duration(duration["found"])
    if "failed to cast" in said:
        wanted = next((words for sign, words in _CASTS if sign in said), "of another type")
        return f"must be {wanted} (found {_found(said)})"
    if port := _PORT.search(said):
        return f'"{port[1]}" is not a port; write it like "127.0.0.1:5432:5432"'
    if said.startswith("invalid size"):
        return f"{_found(said)} is not a size; write it like 512m or 2g"
    if said.startswith("You may need to escape"):
        text = said.rsplit("; ", 1)[-1]
        return f'"{text}" is no use of a variable; write ${{NAME}}, or $$ for a plain $'
    if said.startswith("is missing"):
        what = said.removeprefix("is missing").removeprefix(" a ").strip() or "path"
        return f"has no {what}; write it like {_ENTRIES.get(str(path[-2]), 'the others')}"
    if said == "invalid empty volume spec":
        return "is empty; write it like data:/data"
    return said


def unknown_key(above: Sequence[object], key: str) -> str:
    """That there is no such key below a path."""
    if list(above) == ["services"]:
        return "no name of a service; write it with letters, digits, - and _ only"
    if not above:
        near = get_close_matches(key, _TOP_LEVEL, 1)
        if near:
            return f"no such key in Compose; did you mean {near[0]}?"
    return NO_SUCH_KEY


def _wrong_type(path: Sequence[object], said: str, written: Any) -> str:
    names = [str(part) for part in path if not isinstance(part, int)]
    key = names[-1] if names else ""
    if key == "volumes" and isinstance(path[-1], int):
        return "must be a text such as data:/data, or type, source and target below it"
    if said == "must be a string" and isinstance(written, int | float):
        if key.endswith(("period", "interval", "timeout")):
            return f"a duration has a unit; write it like {written}s"
        if key not in _EXPECTED:
            return f'must be a text; put it in quotes: "{str(written).lower()}"'
    if key in _EXPECTED and not isinstance(path[-1], int):
        return f"must be {_EXPECTED[key]}"
    if said.startswith("un"):
        return f"must be {_ENTRIES.get(key, 'a text')}"
    kinds = [_KINDS.get(kind, kind) for kind in re.findall(r"\w+", said.split(" a", 1)[1])]
    return f"must be {' or '.join(k for k in kinds if k not in ('n', 'or', 'and'))}"


def _not_a_duration(found: str) -> str:
    quantity = _QUANTITY.match(found)
    like = f"{quantity[1]}{quantity[2]}" if quantity else "15s, 1m30s or 250ms"
    return f'"{found}" is not a duration; write it like {like}'


def _found(said: str) -> str:
    quoted = re.search(r"[\"'](.*?)[\"']", said)
    return f'"{quoted[1] if quoted else said.rsplit(": ", 1)[-1]}"'


def too_large(file: Path, complaint: str) -> str | None:
    """That a file is larger than the reader takes; None if that is not what it complains of."""
    if not _TOO_LARGE.search(complaint):
        return None
    reason = " ".join(complaint.rsplit(": ", 1)[-1].split())
    return f"{file}:1 cannot be read: {reason}; move long lists, such as variables, to an env_file"


def unreadable(file: Path, complaint: str) -> str:
    """Why nothing can be read of a file, or of one that belongs to it."""
    other = _OTHER.search(complaint)
    if other and other[1] != str(file) and Path(other[1]).is_file():
        return unread_file(Path(other[1]), complaint)
    text = file.read_text("utf-8", "replace")
    try:
        documents = [d for d in YAML(typ="safe").load_all(text) if d is not None]
    except YAMLError as error:
        return _no_yaml(file, text, complaint, lines=_lines_of(error))
    if not documents:
        return f"{file}:1 services: the file is empty; begin it with services:"
    if not isinstance(documents[0], dict):
        kind = "a list" if isinstance(documents[0], list) else "a text"
        return f"{file}:1 services: the file must begin with services:, and is {kind}"
    if not any(isinstance(d, dict) and "services" in d for d in documents):
        return f"{file}:1 services: is missing; write the services below it by their names"
    if not any(isinstance(d.get("services"), dict) for d in documents if isinstance(d, dict)):
        return f"{file}:1 services: must hold services by their names, such as web: {{build: .}}"
    return f"{file}: {' '.join(complaint.split())}"


def unread_file(file: Path, complaint: str) -> str:
    """Why a file of variables, or an included one, cannot be read."""
    text = file.read_text("utf-8", "replace")
    return _no_yaml(file, text, complaint, "cannot be read")


def _lines_of(error: YAMLError) -> list[int]:
    """Where what could not be parsed begins, and where it went wrong; none if that is not told.

    The reader's own numbers of such lines are one too small.
    """
    marks = [error.context_mark, error.problem_mark] if isinstance(error, ParserError) else []
    return [mark.line + 1 for mark in marks if mark is not None]


def _no_yaml(
    file: Path,
    text: str,
    complaint: str,
    what: str = "is no valid YAML",
    lines: Sequence[int] = (),
) -> str:
    rows = text.splitlines()
    twice = re.search(r'line (\d+): mapping key "([^"]*)" already defined at line (\d+)', complaint)
    if twice:
        return (
            f"{file}:{twice[1]} {twice[2]}: stands on line {twice[3]} already; remove one of them"
        )
    numbers = list(lines) or [int(number) for number in _LINE.findall(complaint)]
    number = min(numbers[-1], len(rows) or 1) if numbers else 1
    row = rows[number - 1] if rows else ""
    return f"{file}:{number} {what}: {_syntax(complaint, row, numbers)}"


def _syntax(complaint: str, row: str, numbers: Sequence[int]) -> str:
    if "\t" in row[: len(row) - len(row.lstrip())]:
        return "it is indented with a tab; use spaces"
    if "cannot start any token" in complaint:
        sign = re.search(r":\s+([%@`|>])", row)
        begins = f"a value cannot begin with {sign[1]}" if sign else "a value begins with a sign"
        return f"{begins}; put it in quotes"
    anchor = re.search(r"unknown anchor '([^']+)'", complaint)
    if anchor:
        return f"no &{anchor[1]} stands above; correct *{anchor[1]}, or add the anchor"
    if "mapping values are not allowed" in complaint:
        return "a colon and a space begin a value; put the text in quotes"
    if "unterminated quoted value" in complaint:  # The value itself may be a secret.
        return "a quote is not closed"
    if "unexpected end of stream" in complaint and "quoted" in complaint:
        return f"the quote of line {numbers[0]} is not closed"
    if "',' or ']'" in complaint or "',' or '}'" in complaint:
        return f"the bracket of line {numbers[0]} is not closed, or a comma is missing"
    if "did not find expected '-' indicator" in complaint:
        return (
            "the list that is above goes on here without a -; begin the line with - where it is "
            "one more entry, or give it the indentation of what it belongs to"
        )
    if "did not find expected key" in complaint:
        return "its indentation fits no line above; give keys of one mapping the same"
    return " ".join(complaint.rsplit(": ", 1)[-1].split())
