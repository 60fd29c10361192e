"""A stack's own state, as the program reads it at its start.

The engine gives the outputs of all resources by URN. Values are plain, numbers are floats.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from slipway.canonical import integers

STASH = "pulumi:index:Stash"
CONTAINER = "docker:index/container:Container"
NETWORK = "docker:index/network:Network"
VOLUME = "docker:index/volume:Volume"
REMOTE_IMAGE = "docker:index/remoteImage:RemoteImage"

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  it says that a value is one
"""How an export marks a value, and that it is a secret; of Pulumi's own making."""


@dataclass(frozen=True)
class StackState:
    """The resources of one stack, by type and name.

    Args:
        outputs: outputs of a resource, by its type and name.
    """

    outputs: Mapping[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)

    def stash(self, name: str) -> Any:
        """The input of a Stash (its output keeps the first value for ever); None if it is new."""
        return self.outputs.get((STASH, name), {}).get("input")

    def has(self, kind: str, name: str) -> bool:
        return (kind, name) in self.outputs

    def named(self, kind: str) -> dict[str, Mapping[str, Any]]:
        """Outputs of all resources of a type, by name."""
        return {name: found for (type_, name), found in self.outputs.items() if type_ == kind}

    def incarnation(self, base: str, kind: str, is_lost: Callable[[str], bool]) -> str:
        """A resource's name: `base`, or `base-2` and so on where what it names was lost before."""
        numbered = re.compile(re.escape(base) + r"(?:-(\d+))?")
        matches = (numbered.fullmatch(name) for name in self.named(kind))
        numbers = [int(match[1] or 1) for match in matches if match]
        if not numbers:
            return base
        latest = base if max(numbers) == 1 else f"{base}-{max(numbers)}"
        return f"{base}-{max(numbers) + 1}" if is_lost(latest) else latest


def revealed(value: Any) -> Any:
    """The value with its secrets, out of an export that has them in plain text."""
    if isinstance(value, Mapping):
        if value.get(_SIGNATURE) == _SECRET:
            return integers(json.loads(value["plaintext"]))
        return {key: revealed(item) for key, item in value.items()}
    return [revealed(item) for item in value] if isinstance(value, list) else value


def parse_state(outputs: Mapping[str, Any]) -> StackState:
    """The state from the answer of `pulumi:pulumi:readStackResourceOutputs`."""
    found = {}
    for urn, resource in outputs.items():
        *_, types, name = urn.split("::", 3)
        found[types.rsplit("$", 1)[-1], name] = integers(resource.get("outputs") or {})
    return StackState(found)


@dataclass(frozen=True)
class LiveFact:
    """What the Stash `live` holds: the release that serves.

    Args:
        ledger: releases, newest first; the first one serves.
        containers: name, id and, where it takes public traffic, upstream of each service's
            container.
    """

    ledger: list[dict[str, Any]] = field(default_factory=list)
    containers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def upstreams(self) -> dict[str, str]:
        """container:port by service, of those that take requests."""
        return {
            service: container["upstream"]
            for service, container in self.containers.items()
            if container.get("upstream")
        }

    @property
    def serving(self) -> dict[str, Mapping[str, str]]:
        """The containers that should run, by service: all but the jobs, which have run."""
        return {
            service: container
            for service, container in self.containers.items()
            if container.get("role") != "job"
        }

    @property
    def names(self) -> frozenset[str]:
        return frozenset(container["name"] for container in self.containers.values())


def live_fact(value: Any) -> LiveFact:
    """The fact in a Stash's input; an empty one for a stack without a release."""
    if not value:
        return LiveFact()
    ledger = sorted(value["ledger"].values(), key=lambda entry: -int(entry["number"]))
    return LiveFact(ledger, dict(value["containers"]))
