"""Which files the sources of a COPY mean."""

import posixpath
import re
from collections.abc import Iterable

_WILD = re.compile(r"[*?\[\\]")
_TOKEN = re.compile(r"\\(?P<escaped>.)|\[(?P<class>\^?\]?[^\]]*)\]|(?P<sign>[*?])|(?P<plain>.)")


def selected(paths: Iterable[str], source: str) -> list[tuple[str, bool]]:
    """What a source means: paths, and whether each is a file; else it is a folder.

    Args:
        paths: of all files, from the root, without a leading slash.
        source: as a COPY has it, with variables filled in.
    """
    paths = paths if isinstance(paths, (set, frozenset, dict)) else set(paths)
    wanted = cleaned(source)
    if not _WILD.search(wanted):
        return [(wanted, wanted in paths)]
    depth, pattern = wanted.count("/") + 1, go_match(wanted)
    steps = (path.split("/") for path in paths)
    heads = {"/".join(step[:depth]) for step in steps if len(step) >= depth}
    return [(head, head in paths) for head in sorted(heads) if pattern.fullmatch(head)]


def below(paths: Iterable[str], folder: str) -> list[str]:
    """The paths below a folder; all of them where it is the root."""
    start = f"{folder}/" if folder else ""
    return [path for path in paths if path.startswith(start)]


def cleaned(path: str) -> str:
    """A path from the root, without slashes around it; nothing lies above the root."""
    return posixpath.normpath(f"/{path}").lstrip("/")


def go_match(pattern: str) -> re.Pattern[str]:
    """A pattern of Go's `filepath.Match`, in which no sign stands for a slash."""

    def part(token: re.Match[str]) -> str:
        if token["sign"]:
            return "[^/]*" if token["sign"] == "*" else "[^/]"
        if token["class"] is not None:
            return f"[{token['class'].replace('[', chr(92) + '[')}]"
        return re.escape(token["escaped"] or token["plain"])

    try:
        return re.compile("".join(part(token) for token in _TOKEN.finditer(pattern)), re.DOTALL)
    except re.error:
        return re.compile(re.escape(pattern))
