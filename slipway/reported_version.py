"""The version that an application tells of itself."""

import json

_FIELD = "version"


def reported_version(body: str) -> str | None:
    """The version that an answer in JSON names at its top level; None if it names none."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    found = answer.get(_FIELD) if isinstance(answer, dict) else None
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return None
    return str(found)
