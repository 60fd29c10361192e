"""Promotion: what a stack releases must have served in another stack first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slipway.blueprint import own_services
from slipway.durations import format_duration


@dataclass(frozen=True)
class Rule:
    """A stack's rule of promotion.

    Args:
        stack: the stack that releases.
        source: the stack in which the release must have been verified.
        soak: seconds for which it must have served there.
    """

    stack: str
    source: str
    soak: float


def obstacle(
    rule: Rule,
    digests: Mapping[str, str | None],
    ledger: Sequence[Mapping[str, Any]],
    now: datetime,
) -> str | None:
    """Why a release may not be promoted yet, and what to do; None if it may.

    Args:
        rule: the stack's rule.
        digests: by service, of the release; None where the image is not built yet.
        ledger: of the stack that is promoted from, newest release first.
        now: with a time zone.
    """
    override = f"or, in an emergency: scripts/deploy {rule.stack} --hotfix 'why'"
    new = sorted(name for name, digest in digests.items() if digest is None)
    if new:
        return (
            f"{', '.join(new)}: this source has never been built, so stack {rule.source} cannot "
            f"have verified it; run scripts/deploy {rule.source} first, {override}"
        )
    served = 0.0
    until = now
    verified = False
    for entry in ledger:
        begun = datetime.fromisoformat(entry["time"])
        if _digests(entry) == dict(digests):
            verified = True
            # The clock of whoever released there may be ahead of this one.
            served += max((until - begun).total_seconds(), 0.0)
        until = begun
    if not verified:
        return (
            f"stack {rule.source} has no verified release of these images "
            f"({_differing(digests, ledger)}); run scripts/deploy {rule.source} first, {override}"
        )
    if served >= rule.soak:
        return None
    left = rule.soak - served
    return (
        f"these images have served in stack {rule.source} for {_shown(served)}, and "
        f"slipway:minSoak asks for {_shown(rule.soak)}; wait for {_shown(left)}, {override}"
    )


def _digests(entry: Mapping[str, Any]) -> dict[str, str]:
    services = own_services(entry).items()
    return {name: str(found["image"]).rpartition("@")[2] for name, found in services}


def _differing(digests: Mapping[str, str | None], ledger: Sequence[Mapping[str, Any]]) -> str:
    newest = _digests(ledger[0]) if ledger else {}
    names = digests.keys() | newest.keys()
    differing = sorted(name for name in names if digests.get(name) != newest.get(name))
    return f"it serves others of {', '.join(differing)}" if newest else "it has no release at all"


def _shown(seconds: float) -> str:
    return format_duration(float(max(round(seconds), 1)))
