"""Keeping secrets out of everything that people read."""

import re
from collections.abc import Iterable

HIDDEN = "[secret]"
SHORTEST = 4
"""Shorter values (a port, `1`, `on`) are in so much text that hiding them would hide the text."""

_URL_PASSWORD = re.compile(
    # Greedy: a password may hold @ and /, and ends before the last @ of the word.
    r"(?P<head>[a-z][a-z0-9+.-]*://[^\s:/@'\"]*:)(?P<password>[^\s'\"]+)(?=@)",
    re.IGNORECASE,
)
_BEARER = re.compile(r"(?P<head>\b(?:Bearer|Basic)\s+)[A-Za-z0-9._~+/=-]{8,}")
_NAMED = (
    r"(?P<head>\b[A-Z0-9_]*(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_KEY|DSN)[A-Z0-9_]*"
    r"['\"]?\s*[=:]\s*['\"]?)"
)
_VALUE = r"(?:\[secret\]|[^\s'\",;)}\]])+"
_NO_VALUE = r"(?!\{[\w.-]+: |\[[\w.-]+(?:, [\w.-]+)*\](?=[\s,;)}]|$)|…|<[a-z ]+>|-\})"
"""What a remedy has instead: `secrets: {token: {file: …}}`, `secrets: [token]`, `${TOKEN:-}`."""
_ASSIGNMENT = re.compile(_NAMED + _VALUE, re.IGNORECASE)
_ASSIGNMENT_IN_MESSAGE = re.compile(_NAMED + _NO_VALUE + _VALUE, re.IGNORECASE)
_PLACED = re.compile(r".+?:\d+ .*?: ")
_SECRET_NAME = re.compile(
    r"PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|DSN|CREDENTIAL"
    r"|(?:^|_)(?:KEY|PASS|PWD|AUTH)(?:_|$)",
    re.IGNORECASE,
)


def looks_secret(name: str) -> bool:
    """Whether a variable of this name usually holds a secret."""
    return _SECRET_NAME.search(name) is not None


def holds_secret(name: str, value: str) -> bool:
    """Whether a variable usually holds a secret, by its name or by a password in its value."""
    return looks_secret(name) or _URL_PASSWORD.search(value) is not None


def url_passwords(text: str) -> list[str]:
    """The passwords of the URLs in a text."""
    return [match["password"] for match in _URL_PASSWORD.finditer(text)]


class Redactor:
    """Replaces known secrets, and what looks like one, by `[secret]`.

    Args:
        secrets: the values to hide. Values of fewer than four characters are not looked for.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        values = {line for value in secrets for line in (value, *value.splitlines())}
        # Longest first: one secret may be part of another.
        self._values = sorted((v for v in values if len(v) >= SHORTEST), key=lambda v: (-len(v), v))

    def message(self, text: str) -> str:
        """A message about a place, `file:line a.b: what is wrong`, with secrets replaced.

        Its key is no assignment, even where it is called SECRET_KEY, nor is what it proposes.
        """
        placed = _PLACED.match(text)
        head, said = (placed[0], text[placed.end() :]) if placed else ("", text)
        return self._known(head) + self._hidden(said, _ASSIGNMENT_IN_MESSAGE)

    def __call__(self, text: str) -> str:
        """The text with secrets replaced."""
        return self._hidden(text, _ASSIGNMENT)

    def _hidden(self, text: str, assignment: re.Pattern[str]) -> str:
        text = self._known(text)
        text = _URL_PASSWORD.sub(rf"\g<head>{HIDDEN}", text)
        text = _BEARER.sub(rf"\g<head>{HIDDEN}", text)
        return assignment.sub(rf"\g<head>{HIDDEN}", text)

    def _known(self, text: str) -> str:
        for value in self._values:
            text = text.replace(value, HIDDEN)
        return text
