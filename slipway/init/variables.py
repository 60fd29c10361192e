"""Variables in a compose file: filling them in, and those without a value."""

import re
from collections.abc import Mapping
from pathlib import Path

_VARIABLE = re.compile(
    r"\$(?:\$|\{(?P<braced>\w+)(?:(?P<sign>:?[-?+])(?P<word>[^{}]*(?:\{[^{}]*\}[^{}]*)*))?\}"
    r"|(?P<bare>[A-Za-z_]\w*))"
)


class Values:
    """Fills variables in, roughly as Compose does."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self.known = known

    def fill(self, text: str | None) -> str:
        """The text with its variables filled in; empty for none."""

        def value(match: re.Match[str]) -> str:
            name = match["braced"] or match["bare"]
            if name is None:
                return "$"
            known = self.known.get(name, "")
            if match["sign"] in ("-", ":-"):
                return known or self.fill(match["word"])
            return known

        return _VARIABLE.sub(value, text or "")


def dotenv(file: Path) -> dict[str, str]:
    """The values in a `.env` file; none if there is no such file."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    pairs = (line.strip().removeprefix("export ").partition("=") for line in lines)
    return {
        name.strip(): value.strip().strip("\"'")
        for name, sign, value in pairs
        if sign and not name.startswith("#")
    }


def unset_variables(text: str, known: Mapping[str, str]) -> dict[str, int]:
    """Variables without a value or a default, with the line that uses them first.

    Bootstrap gives those that begin with `SLIPWAY_` their values.
    """
    unset: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#"):
            continue
        for match in _VARIABLE.finditer(line):
            name = match["braced"] or match["bare"]
            has_default = (match["sign"] or "").strip(":") in ("-", "+")
            given = has_default or name in known or str(name).startswith("SLIPWAY_")
            if name and not given:
                unset.setdefault(name, number)
    return unset
