"""`.dockerignore`, by Docker's own rules.

The rules are those of github.com/moby/patternmatcher (patterns) and of BuildKit's reader of the
file: a `#` counts as a comment only as the very first character of a line, patterns are cleaned
as paths, a leading `/` means nothing, the last pattern that matches wins, and a pattern that
matches a folder matches all below it.
"""

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_ESCAPED = frozenset(".+()|{}$^")
_SPECIAL = frozenset("*?[]\\")
_CLASS = re.compile(r"\[(?P<negated>\^?)(?P<members>(?:\\.|[^\\\]])+)\]", re.DOTALL)
_ESCAPE_OR_OPERATOR = re.compile(r"\\.|[\[&|~]", re.DOTALL)


@dataclass(frozen=True)
class Pattern:
    """One line of the file.

    Args:
        regex: matches whole paths from the context's root.
        include: whether the line began with `!`.
    """

    regex: re.Pattern[str]
    include: bool


def read_patterns(text: str) -> list[Pattern]:
    """The patterns of a `.dockerignore`.

    Raises:
        ValueError: a line is not a pattern; the message quotes it.
    """
    patterns = []
    for line in text.removeprefix("\ufeff").split("\n"):
        if line.startswith("#"):
            continue
        pattern = line.strip()
        include = pattern.startswith("!")
        if include:
            pattern = pattern[1:].strip()
            if not pattern:
                raise ValueError(f'"{line.strip()}" excludes nothing; name a path after the !')
        if pattern:
            patterns.append(Pattern(_compile(_clean(pattern), line), include))
    return patterns


def ignore_file(context: Path, dockerfile: str) -> Path | None:
    """The ignore file that Docker reads: the Dockerfile's own before the context's."""
    for candidate in (context / f"{dockerfile}.dockerignore", context / ".dockerignore"):
        if candidate.is_file():
            return candidate
    return None


def ignored(path: str, patterns: Iterable[Pattern]) -> bool:
    """Whether Docker leaves `path` (from the context's root, with `/`) out of the context."""
    steps = path.split("/")
    candidates = ["/".join(steps[:count]) for count in range(len(steps), 0, -1)]
    verdict = False
    for pattern in patterns:
        if pattern.include == verdict and any(pattern.regex.fullmatch(c) for c in candidates):
            verdict = not pattern.include
    return verdict


def _clean(pattern: str) -> str:
    cleaned = posixpath.normpath(pattern)
    if cleaned.startswith("//"):  # normpath keeps two leading slashes, Go's Clean does not.
        cleaned = cleaned[1:]
    return cleaned[1:] if len(cleaned) > 1 and cleaned.startswith("/") else cleaned


def _compile(pattern: str, line: str) -> re.Pattern[str]:
    if pattern.startswith("**") and pattern[2:3] != "/" and _SPECIAL.isdisjoint(pattern[2:]):
        # Docker compares the end of the path here: `**.pyc` matches `a/b.pyc`.
        return re.compile(".*" + re.escape(pattern[2:]), re.DOTALL)
    parts: list[str] = []
    position = 0
    while position < len(pattern):
        char = pattern[position]
        position += 1
        if char == "*" and pattern.startswith("*", position):
            position += 1
            if pattern.startswith("/", position):
                position += 1
            parts.append(".*" if position == len(pattern) else "(?:.*/)?")
        elif char == "*":
            parts.append("[^/]*")
        elif char == "?":
            parts.append("[^/]")
        elif char == "[":
            found = _CLASS.match(pattern, position - 1)
            if found is None:
                raise ValueError(f'"{line.strip()}" is not a pattern: a [ lacks its ]')
            parts.append(f"[{found['negated']}{_class_members(found['members'])}]")
            position = found.end()
        elif char == "\\":
            parts.append(re.escape(pattern[position : position + 1] or "\\"))
            position += 1
        elif char in _ESCAPED:
            parts.append(re.escape(char))
        else:
            parts.append(char)
    try:
        return re.compile("".join(parts), re.DOTALL)
    except re.error as error:
        raise ValueError(f'"{line.strip()}" is not a pattern: {error}') from error


def _class_members(text: str) -> str:
    # Docker's regular expressions take these as they are, Python's would see set operations.
    return _ESCAPE_OR_OPERATOR.sub(lambda m: m[0] if m[0][0] == "\\" else f"\\{m[0]}", text)
