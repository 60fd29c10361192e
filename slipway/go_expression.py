r"""Go's regular expressions as Python's, as far as lines of a `.dockerignore` can become them.

Docker makes an expression of each pattern and lets through whatever the pattern has in it: of
`*|b`, of `[[:digit:]]*` or of `a\d` it keeps what Go reads there, which Python reads otherwise.
"""

import re

_SETS = {
    "d": "0-9",
    "D": "\\x00-/:-\U0010ffff",
    "s": r"\t\n\f\r ",
    "S": "\\x00-\\x08\\x0b\\x0e-\\x1f!-\U0010ffff",
    "w": "0-9A-Za-z_",
    "W": "\\x00-/:-@\\[-\\^`{-\U0010ffff",
}
_NAMED_SETS = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7f",
    "blank": r"\t ",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_CONTROLS = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_PLACES = {"A": r"\A", "z": r"\Z", "b": r"\b", "B": r"\B"}
_REPETITION = re.compile(r"\{(?:0|[1-9]\d*)(?:,(?:0|[1-9]\d*)?)?\}", re.ASCII)
_NAMED = re.compile(r"\[:(.*?):\]", re.DOTALL)


def compile_go(expression: str) -> re.Pattern[str]:
    """The expression as Go would read it, to be searched for.

    Args:
        expression: without flags, named groups and comments.

    Raises:
        ValueError: Go would refuse it, or it has one of the few parts that are not known here.
    """
    parts, position = [], 0
    while position < len(expression):
        part, position = _part(expression, position)
        parts.append(part)
    try:
        return re.compile("".join(parts), re.ASCII)
    except re.error as error:
        raise ValueError(error.msg) from error  # without the place, which is in our translation


def _part(text: str, position: int) -> tuple[str, int]:
    char = text[position]
    if char == "[":
        return _class(text, position + 1)
    if char == "\\":
        return _escape(text[position + 1]), position + 2
    if char == "{":
        found = _REPETITION.match(text, position)
        return (found[0], found.end()) if found else (r"\{", position + 1)
    if char == "^":
        return "(?:^)", position + 1  # Go repeats even this.
    if char == "$":
        return r"\Z", position + 1
    return (char if char in ".*?()|" else re.escape(char)), position + 1


def _escape(char: str) -> str:
    if char in _PLACES:
        return _PLACES[char]
    return f"[{_SETS[char]}]" if char in _SETS else re.escape(_escaped(char))


def _escaped(char: str) -> str:
    """The character that is meant by an escaped one."""
    if char in _CONTROLS:
        return _CONTROLS[char]
    if char.isalnum() or not char.isascii():
        raise ValueError(f"a backslash must not stand before {char}; leave it out")
    return char


def _class(text: str, position: int) -> tuple[str, int]:
    """What stands between brackets; `position` is behind the first."""
    members = ["["]
    if text.startswith("^", position):
        members.append("^")
        position += 1
    first = position
    while not text.startswith("]", position) or position == first:
        named = _NAMED.match(text, position)
        if named:
            if named[1] not in _NAMED_SETS:
                raise ValueError(f"{named[0]} is not known; list the characters instead")
            members.append(_NAMED_SETS[named[1]])
            position = named.end()
        elif text[position : position + 1] == "\\" and text[position + 1] in _SETS:
            members.append(_SETS[text[position + 1]])
            position += 2
        else:
            member, position = _range(text, position)
            members.append(member)
    return "".join(members) + "]", position + 1


def _range(text: str, position: int) -> tuple[str, int]:
    low, position = _member(text, position)
    if not text.startswith("-", position) or text.startswith("-]", position):
        return re.escape(low), position
    high, position = _member(text, position + 1)
    if high < low:
        raise ValueError(f"the range {low}-{high} is empty")
    return f"{re.escape(low)}-{re.escape(high)}", position


def _member(text: str, position: int) -> tuple[str, int]:
    char = text[position : position + 1]
    if not char:
        raise ValueError("a [ lacks its ]")
    if char == "\\":
        return _escaped(text[position + 1]), position + 2
    return char, position + 1
