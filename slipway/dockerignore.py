"""`.dockerignore`, by Docker's own rules.

The rules are those of BuildKit's reader of the file, of github.com/moby/patternmatcher (what a
pattern is) and of github.com/tonistiigi/fsutil (how the folders are walked): a `#` counts as a
comment only as the very first character of a line, patterns are cleaned as paths, a leading `/`
means nothing, the last pattern that matches wins, and a pattern that matches a folder matches all
below it. Where these rules are odd, they are odd here too: what counts is what Docker sends.
"""

import os
import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from slipway.go_expression import compile_go

_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680"
    + "".join(map(chr, range(0x2000, 0x200B)))
    + ("\u2028\u2029\u202f\u205f\u3000")
)
"""What Go takes for space; Python takes some control characters for it too."""
_LITERAL_IN_GO = frozenset(".+()$")
_SPECIAL = frozenset("*?[]\\")
_LINKS = 40
"""So many links are followed, one after the other, as the kernel does."""
_NEVER = r"(?!)"
_MEMBER = r"(?:\\.|[^\\\]-])"
_SYNTAX = re.compile(rf"(?:\\.|\[\^?+(?:{_MEMBER}(?:-{_MEMBER})?+)++\]|[^\\\[])*+", re.DOTALL)


@dataclass(frozen=True)
class Pattern:
    """One line of the file.

    Args:
        text: the line, cleaned, without its `!`.
        regex: what the beginning of a path from the context's root must match.
        include: whether the line began with `!`.
    """

    text: str
    regex: re.Pattern[str]
    include: bool


class Verdict(NamedTuple):
    """What the rules say of a path.

    Args:
        ignored: whether Docker leaves it out.
        matched: which patterns, by their order, matched it or a folder above it.
    """

    ignored: bool
    matched: Sequence[bool]


@dataclass(frozen=True)
class IgnoreRules:
    """The lines of an ignore file, in their order.

    Folders are walked from the root downwards, and what is said of a folder counts for what lies
    in it:

        docs = rules.look("docs", rules.at_root)
        if not docs.ignored or rules.may_keep_below("docs"):
            guide = rules.look("docs/guide.md", docs)
    """

    patterns: tuple[Pattern, ...] = ()

    @property
    def at_root(self) -> Verdict:
        """What is said of the context itself."""
        return Verdict(False, (False,) * len(self.patterns))

    def look(self, path: str, above: Verdict) -> Verdict:
        """What is said of `path`.

        Args:
            path: from the context's root, with `/`.
            above: what is said of its folder.
        """
        if not self._any.match(path):
            return above
        ignored, matched = False, list(above.matched)
        for number, pattern in enumerate(self.patterns):
            # A pattern that changes nothing here is not asked, and then does not count for what
            # lies below either: after `a/b`, `!a` does not bring back `a/b`.
            if not matched[number] and pattern.include == ignored:
                matched[number] = pattern.regex.match(path) is not None
            if matched[number]:
                ignored = not pattern.include
        return Verdict(ignored, matched)

    @cached_property
    def _any(self) -> re.Pattern[str]:
        """All patterns in one: most files match none, and this is asked of each."""
        sources = [f"(?:{pattern.regex.pattern})" for pattern in self.patterns]
        return re.compile("|".join(sources) or _NEVER, re.ASCII)

    def may_keep_below(self, folder: str) -> bool:
        """Whether Docker looks into a folder that is left out."""
        if self._kept_places is None:
            return True
        return any(place.startswith(f"{folder}/") for place in self._kept_places)

    @cached_property
    def _kept_places(self) -> tuple[str, ...] | None:
        """Where the lines with `!` point; None if one of them may point anywhere."""
        places = [
            pattern.text.removesuffix("/**").removesuffix("/*")
            for pattern in self.patterns
            if pattern.include
        ]
        if any(not _SPECIAL.isdisjoint(place) or "^" in place for place in places):
            return None
        return tuple(f"{place}/" for place in places)

    def ignored(self, path: str) -> bool:
        """Whether Docker leaves `path` out, where all above it are folders."""
        steps = path.split("/")
        said = self.at_root
        for count in range(1, len(steps) + 1):
            if said.ignored and not self.may_keep_below("/".join(steps[: count - 1])):
                return True
            said = self.look("/".join(steps[:count]), said)
        return said.ignored


def read_rules(text: str) -> IgnoreRules:
    """The rules of an ignore file.

    Raises:
        ValueError: a line is not a pattern; the message quotes it.
    """
    patterns = []
    for line in text.removeprefix("\ufeff").split("\n"):
        pattern = "" if line.startswith("#") else _cleaned(line)
        if not pattern:
            continue
        # Only now: cleaning brings a `!` to the front of `/!a`, and Docker takes that for one.
        include = pattern.startswith("!")
        if pattern == "!":
            raise ValueError(f'"{line.strip()}" excludes nothing; name a path after the !')
        try:
            cleaned = pattern.removeprefix("!")
            patterns.append(Pattern(cleaned, _compile(cleaned), include))
        except ValueError as error:
            raise ValueError(f'"{line.strip()}" is not a pattern: {error}') from error
    return IgnoreRules(tuple(patterns))


def _cleaned(line: str) -> str:
    """The pattern of a line, cleaned twice: by the reader, then by the matcher."""
    pattern = line.strip(_SPACE)
    sign = "!" if pattern.startswith("!") else ""
    pattern = pattern.removeprefix("!").strip(_SPACE)
    if pattern:
        pattern = _clean_path(pattern)
        pattern = pattern[1:] if len(pattern) > 1 and pattern.startswith("/") else pattern
    pattern = f"{sign}{pattern}".strip(_SPACE)
    return _clean_path(pattern) if pattern else ""


def _clean_path(path: str) -> str:
    cleaned = posixpath.normpath(path)
    # normpath keeps two leading slashes, Go's Clean does not.
    return cleaned[1:] if cleaned.startswith("//") else cleaned


def _compile(pattern: str) -> re.Pattern[str]:
    """Docker's four ways to compare: a name, its beginning, its end, or an expression."""
    _refuse_wrong_syntax(pattern)
    if _SPECIAL.isdisjoint(pattern):
        return re.compile(rf"{re.escape(pattern)}\Z")
    if pattern.startswith("**") and _SPECIAL.isdisjoint(pattern[2:]):
        # `**.pyc` matches `a/b.pyc`, and `**/a` only whole names.
        before = "(?s:.*/)?" if pattern[2:3] == "/" else "(?s:.*)"
        return re.compile(rf"{before}{re.escape(pattern[2:].removeprefix('/'))}\Z")
    if pattern.endswith("**") and _SPECIAL.isdisjoint(pattern[:-2]):
        return re.compile(re.escape(pattern[:-2]))
    expression = _expression(pattern)
    compiled = compile_go(expression)
    if "|" not in expression:
        return compiled
    # What stands behind a `|` may begin anywhere.
    return re.compile(rf"(?s:.*?)(?:{compiled.pattern})", re.ASCII)


def _refuse_wrong_syntax(pattern: str) -> None:
    found = _SYNTAX.match(pattern)
    wrong = pattern[found.end() if found else 0 :]
    if wrong.startswith("\\"):
        raise ValueError("nothing follows the backslash at its end")
    if wrong:
        raise ValueError(f"{wrong} begins no class of characters; write \\[ for a [ itself")


def _expression(pattern: str) -> str:
    """The regular expression that Docker makes of a pattern, character by character."""
    parts, position = ["^"], 0
    while position < len(pattern):
        char = pattern[position]
        position += 1
        if char == "*" and pattern.startswith("*", position):
            position += 2 if pattern.startswith("/", position + 1) else 1
            parts.append(".*" if position == len(pattern) else "(.*/)?")
        elif char == "*":
            parts.append("[^/]*")
        elif char == "?":
            parts.append("[^/]")
        elif char == "\\":
            parts.append(f"\\{pattern[position]}")
            position += 1
        else:
            # It forgets `{`, `|` and `}`, and leaves the insides of brackets to Go.
            parts.append(f"\\{char}" if char in _LITERAL_IN_GO else char)
    return "".join(parts) + "$"


def ignore_file(context: Path, dockerfile: str) -> Path | None:
    """The ignore file that Docker reads: the Dockerfile's own before the context's."""
    own = context / f"{dockerfile}.dockerignore"
    return _seen_in(own.parent, own) or _seen_in(context, context / ".dockerignore")


def _seen_in(root: Path, file: Path) -> Path | None:
    """The file behind a link, if any, as Docker sees it, for which nothing lies outside `root`."""
    for _ in range(_LINKS):
        if not file.is_symlink():
            return file if file.is_file() else None
        target = Path("/", file.parent.relative_to(root), os.readlink(file))
        file = root / os.path.normpath(target).lstrip("/")
    return None
