"""What is said of keys of a compose file that are not honoured, or whose value is wrong."""

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic_core import ErrorDetails

from slipway.key_lines import KeyLines
from slipway.type_words import UNION, example, known_keys, said_of_type
from slipway.unset_variables import no_value

_LATER = "Slipway does not honour it; remove it"
_REMEDIES = {
    "network_mode": "the proxy reaches services by the stack's own network; remove it",
    "privileged": "a release must not own its host; name what it needs under cap_add",
    "replicas": "one container a service and release is what one host gets; remove it",
    "reservations": "one host reserves nothing; use limits",
    "build.network": "builds use the engine's own network; remove it",
    "cache_from": "the engine's own build cache is used; remove it",
    "cache_to": "the engine's own build cache is used; remove it",
    "ssh": "keys of this machine stay on it; fetch private packages with a build secret",
    "dockerfile_inline": "write it into a Dockerfile, which is hashed with the source",
    "links": "services find each other by their names; for another name, use "
    "networks: {default: {aliases: […]}} on the service that is linked to",
    "mem_limit": "write deploy: {resources: {limits: {memory: …}}}",
    "restart": "a count would leave the live container stopped for good after some failures; write "
    "unless-stopped",
    "cpus": 'write deploy: {resources: {limits: {cpus: "…"}}}',
    "scale": "one container a service and release is what one host gets; remove it",
    "external_links": "use an external network",
    "develop": "it is for docker compose watch; move it to a compose.override.yaml",
}
_TYPES = ("_type", "_parsing")
"""Ends of errors that are about the type of a value."""
_KINDS = ("volume", "bind", "tmpfs")


def unknown_top_level(document: Mapping[str, Any], lines: KeyLines) -> Iterator[str]:
    """That keys beside the services are not honoured."""
    known = {"name", "services", "volumes", "networks", "secrets", "configs"}
    for key in document:
        if key not in known and not key.startswith("x-"):
            yield f"{lines.where(key)}: {_REMEDIES.get(key, _LATER)}"


def problem_with(detail: ErrorDetails, above: tuple[object, ...], lines: KeyLines) -> str:
    """What is wrong with a key of ours, or one that is not honoured.

    Args:
        detail: a validator's error.
        above: where what was validated stands.
        lines: of the compose file.
    """
    path = (*above, *_keys(detail["loc"]))
    where = lines.where(*path)
    key = str(path[-1])
    if detail["type"] == "extra_forbidden":
        if "x-slipway" in path:
            return f"{where}: no such key; there are {', '.join(known_keys(path))}"
        if get_close_matches(key, ["x-slipway"], cutoff=0.8):
            return f"{where}: no such key; did you mean x-slipway?"
        remedy = _REMEDIES.get(f"{path[-2]}.{key}") or _REMEDIES.get(key, _LATER)
        return f"{where}: {remedy}"
    if detail["type"] == "too_long" and isinstance(detail["input"], dict):
        within = next(iter(detail["input"]))
        return f"{lines.where(*path, within)}: {_REMEDIES.get(key, _LATER)}"
    if detail["type"] == "missing":
        return f"{where}: is missing; add it"
    if str(detail["input"]).startswith("on-failure:"):
        return f"{where}: {_REMEDIES[key]}"
    if detail["input"] is None and path[-2] == "environment":
        return f"{where}: {no_value(key, 'or remove it')}"
    message = said_of_type(detail)
    if "x-slipway" in path and detail["type"].endswith(_TYPES):
        such = example(path, detail["input"])
        message += f", such as {such}" if such else ""
    if key == "replicas":
        message = _REMEDIES[key]
    if isinstance(detail["input"], dict | list):  # Long, and may hold headers that are secret.
        return f"{where}: {message}"
    found = json.dumps(detail["input"], default=str)
    return f"{where}: {message}" + ("" if found in message else f" (found {found})")


def _keys(place: Sequence[int | str]) -> Iterator[int | str]:
    """A place without its parts that stand for a choice of types and not for a key.

    `volumes.0.bind.source` is `volumes.0.source` in the file.
    """
    before: int | str = ""
    for part in place:
        of_mount = part in _KINDS and isinstance(before, int)
        if not of_mount and part not in UNION:
            yield part
        before = part
