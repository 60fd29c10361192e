"""Texts of others in Markdown, where they must stay texts: no markup, no link, no mention.

A backslash keeps markup away, but no mention: those are found in what is rendered, except in code.
"""

import re

_BACKTICKS = re.compile(r"`+")
_SAFE = re.compile(
    r"[A-Za-z0-9 ,;('’“”…→–\u00c0-\u024f]"
    r"|(?<!\d)\.(?!\S)|(?<!\d)\)|:(?!\S)|(?<=[a-z]{3})-(?=[a-z])"
)
"""What is neither markup nor part of an address, a list's number, an emoji or a reference."""
JOINER = "&#8288;"
"""Nothing to see, and the end of what a host takes for a name or a number."""
_CALLING = "@#:-"
_CUT = 160
_SHORTEST_FENCE = 3


def cleaned(text: str) -> str:
    """The text in one line, without what steers a terminal or turns the direction of writing."""
    return "".join(c if c.isprintable() else " " if c in "\t\n\r" else "�" for c in text)


def code(text: str, longest: int = _CUT) -> str:
    """The text as a code span.

    Args:
        text: of anyone's.
        longest: how many characters of it are shown.
    """
    shown = cleaned(text).strip()
    if len(shown) > longest:
        shown = f"{shown[:longest].rstrip()}…"
    if not shown:
        return "(empty)"
    ticks = "`" * (_longest_run(shown) + 1)
    # A backtick at an end would count as one of the delimiter's.
    beside = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{ticks}{beside}{shown}{beside}{ticks}"


def plain(text: str) -> str:
    """The text as running text: what could be markup is written as the number of its character."""
    line, shown = " ".join(cleaned(text).split()), []
    for position, character in enumerate(line):
        # Matched in the line, where what stands around counts.
        safe = _SAFE.match(line, position)
        joiner = "" if safe or character not in _CALLING else JOINER
        shown.append(character if safe else f"&#{ord(character)};{joiner}")
    return "".join(shown)


def fenced(text: str, language: str = "text") -> str:
    """The lines in a block whose fence is longer than any run of backticks in it.

    Args:
        text: lines, of anyone's.
        language: how the block is coloured.
    """
    fence = "`" * max(_longest_run(text) + 1, _SHORTEST_FENCE)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in _BACKTICKS.findall(text)), default=0)
