"""The login session: a signed cookie, valid for any process that knows the secret.

Nothing is stored on the server, so a user stays logged in while a release replaces another.
"""

import os
import secrets
from pathlib import Path

from itsdangerous import BadSignature, URLSafeTimedSerializer

COOKIE = "quotes_session"
MAX_AGE_SECONDS = 12 * 60 * 60


class Sessions:
    """Signs and reads the session cookie."""

    def __init__(self, secret: str) -> None:
        self._serializer = URLSafeTimedSerializer(secret, salt="quotes-session")

    def sign(self, user: str) -> str:
        return self._serializer.dumps(user)

    def user(self, cookie: str | None) -> str | None:
        """The user that the cookie was signed for; None when it is missing, forged or too old."""
        if not cookie:
            return None
        try:
            user = self._serializer.loads(cookie, max_age=MAX_AGE_SECONDS)
        except BadSignature:
            return None
        return user if isinstance(user, str) else None


def kept_secret(path: Path) -> str:
    """Read the secret from `path`; generate it first if it is missing.

    Several processes may start at once on an empty volume: each writes a draft of its own, and the
    one that links its draft first wins. The file is complete from the moment it can be seen.
    """
    if not path.exists():
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(48))
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text()
