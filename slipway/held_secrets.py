"""Secrets that running containers hold, though the configuration has others by now.

After a rotation, what serves was made with the old value and may print it; only the state still
knows it.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from slipway.blueprint import own_services
from slipway.state import CONTAINER, STASH, live_fact
from slipway.verify import state_of

_LIVE = "-live"
_PARTS = re.compile(r"(\$\$|\$\{[^}]+\})")


def held_secrets(export: Mapping[str, Any]) -> list[str]:
    """The values of all references in the environment of what serves.

    Args:
        export: the state, with secrets in plain text.
    """
    state = state_of(export)
    facts = [name for name in state.named(STASH) if name.endswith(_LIVE)]
    live = live_fact(state.stash(facts[0])) if facts else None
    if live is None or not live.ledger:
        return []
    environments = {
        str(container.get("name")): _environment(container.get("envs"))
        for container in state.named(CONTAINER).values()
    }
    found: set[str] = set()
    for service, entry in own_services(live.ledger[0]).items():
        actual = environments.get(live.containers.get(service, {}).get("name", ""), {})
        for name, written in entry.get("record", {}).get("environment", {}).items():
            found |= _values(str(written), actual.get(name, ""))
    return sorted(found)


def _environment(envs: Any) -> dict[str, str]:
    """Variables of a container, out of `NAME=value` texts that the state may keep as a secret."""
    if isinstance(envs, Mapping):
        envs = json.loads(envs.get("plaintext") or "[]")
    listed: Sequence[Any] = envs if isinstance(envs, list) else ()
    return {name: value for name, _, value in (str(one).partition("=") for one in listed)}


def _values(written: str, actual: str) -> set[str]:
    """What stands in `actual` where `written` has references."""
    parts = _PARTS.split(written)
    references = [part for part in parts if part.startswith("${")]
    if not references or not actual:
        return set()
    pattern = "".join("(.*)" if part in references else _literal(part) for part in parts)
    match = re.fullmatch(pattern, actual, re.DOTALL)
    return {value for value in match.groups() if value} if match else {actual}


def _literal(part: str) -> str:
    return re.escape("$" if part == "$$" else part)
