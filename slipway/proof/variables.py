"""Variables in a Dockerfile's instructions, as far as their values are known."""

import re
import shlex
from collections.abc import Mapping
from contextlib import suppress

from slipway.dockerfile import VARIABLE

Values = Mapping[str, str | None]
"""By name; None where there is a variable, and only the builder knows its value."""

_OF_THE_BUILDER = ("BUILDPLATFORM", "BUILDOS", "BUILDARCH", "BUILDVARIANT")
_ESCAPED = "\0"


def platform_values(platform: str) -> dict[str, str | None]:
    """The variables that BuildKit sets before a Dockerfile's first line."""
    system, _, rest = platform.partition("/")
    machine, _, variant = rest.partition("/")
    target: dict[str, str | None] = {
        "TARGETPLATFORM": platform,
        "TARGETOS": system,
        "TARGETARCH": machine,
        "TARGETVARIANT": variant,
    }
    return {**target, **dict.fromkeys(_OF_THE_BUILDER)}


def expand(text: str, values: Values, *, complete: bool) -> str | None:
    """A text with its variables filled in; None if that needs a value that is not known.

    Args:
        text: of an instruction.
        values: what is known.
        complete: whether a variable without a value there has none; else the base image may have
            set it.
    """
    unknown = False

    def value(match: re.Match[str]) -> str:
        nonlocal unknown
        name = match["braced"] or match["bare"]
        found = values.get(name)
        if found is None and (name in values or not complete):
            unknown = True
            return ""
        sign = match["sign"] or ""
        given = bool(found) if sign.startswith(":") else found is not None
        if sign.endswith("-"):
            return found or "" if given else str(match["word"])
        if sign.endswith("+"):
            return str(match["word"]) if given else ""
        return found or ""

    filled = VARIABLE.sub(value, text.replace("\\$", _ESCAPED))
    if unknown or "$" in filled:
        return None
    return filled.replace(_ESCAPED, "$")


def assignments(text: str) -> list[tuple[str, str | None]]:
    """The names and values of an ARG or ENV: `A=1 B="x y"`, `A`."""
    words = text.split()
    with suppress(ValueError):
        words = shlex.split(text)
    pairs = (word.partition("=") for word in words)
    return [(name, value if sign else None) for name, sign, value in pairs]


def environment(text: str) -> list[tuple[str, str | None]]:
    """The names and values of an ENV, which may also be written `A x y`."""
    name, _, value = text.strip().partition(" ")
    return assignments(text) if "=" in name else [(name, value.strip())]
