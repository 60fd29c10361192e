"""What a stack has been through: its releases, and between them what failed.

Releases come from the ledger, failed attempts from the engine's history of the stack, and why they
failed from the evidence that the gate leaves. The engine's history has no dependable key (its
`version` is 0 on file backends) and knows nothing of a run that was killed; times join the three.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

VERSION = 1
_WHOLE_SECONDS = timedelta(seconds=1)
"""The engine's times have no fractions: what ends within a second may seem to end before it."""


@dataclass(frozen=True)
class Release:
    """A release of the ledger.

    Args:
        entry: the ledger's entry.
        serves: whether it is the one that serves.
        served: for how long it has served, or did until the next one took over, in seconds.
    """

    entry: Mapping[str, Any]
    serves: bool
    served: float

    @property
    def time(self) -> datetime:
        return moment(self.entry["time"])

    @property
    def images(self) -> dict[str, str]:
        """Image by service; the containers of release commands are no services of their own."""
        return {
            name: service["image"]
            for name, service in sorted(self.entry["services"].items())
            if service.get("image") and not service.get("job_of")
        }


@dataclass(frozen=True)
class Attempt:
    """Something that did not become a release.

    Args:
        operation: `update`, `destroy`, `refresh`, or another word of the engine's.
        outcome: `failed`, or `unfinished`: killed, or still at work.
        started: when.
        ended: when it failed, if that is known.
        summary: why, in a line, if there is evidence.
        service: the service that failed, if it was one.
        evidence: path of the evidence.
        released: number of the release that it recorded before it failed, if it did.
    """

    operation: str
    outcome: str
    started: datetime
    ended: datetime | None = None
    summary: str | None = None
    service: str | None = None
    evidence: str | None = None
    released: int | None = None

    @property
    def time(self) -> datetime:
        return self.started


@dataclass(frozen=True)
class Evidence:
    """A file of evidence.

    Args:
        path: where it is, as it is shown.
        document: what it holds.
    """

    path: str
    document: Mapping[str, Any]

    @property
    def started(self) -> datetime:
        return moment(self.document["started"])

    @property
    def ended(self) -> datetime:
        """When it ended; its begin, where it never did."""
        return moment(self.document.get("ended") or self.document["started"])


def evidence(path: str, document: Any) -> Evidence | None:
    """A file of evidence from what it holds; None if that is no evidence."""
    if not isinstance(document, dict) or not isinstance(document.get("started"), str):
        return None
    return Evidence(path, document)


def moment(value: str | float) -> datetime:
    """A time in UTC, from ISO 8601 or from seconds since 1970; without a zone it is UTC."""
    if not isinstance(value, str):
        return datetime.fromtimestamp(value, UTC)
    found = datetime.fromisoformat(value)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def releases(ledger: Sequence[Mapping[str, Any]], now: datetime) -> list[Release]:
    """The releases of a ledger, newest first.

    Args:
        ledger: newest first; the first one serves.
        now: with a time zone.
    """
    found = []
    until = now
    for index, entry in enumerate(ledger):
        served = (until - moment(entry["time"])).total_seconds()
        # Clocks of two machines may differ by more than the time between two releases.
        found.append(Release(entry, index == 0, max(served, 0.0)))
        until = moment(entry["time"])
    return found


def attempts(runs: Iterable[Mapping[str, Any]], pieces: Iterable[Evidence]) -> list[Attempt]:
    """What failed, newest first, each with the evidence that there is of it.

    Args:
        runs: entries of `pulumi stack history --json`.
        pieces: the stack's evidence; that of releases which were verified is passed over.
    """
    left = [piece for piece in pieces if piece.document.get("outcome") != "verified"]
    found = []
    for run in runs:
        if run.get("result") != "failed":
            continue
        started = moment(run["startTime"])
        ended = moment(run["endTime"]) if run.get("endTime") else None
        piece = _closest(left, started, ended or started)
        if piece is not None:
            left.remove(piece)
        found.append(_attempt(str(run.get("kind", "update")), started, ended, piece))
    found += [_without_run(piece) for piece in left]
    return sorted(found, key=lambda attempt: attempt.started, reverse=True)


def last_destroy(runs: Iterable[Mapping[str, Any]]) -> datetime | None:
    """When the stack was destroyed last."""
    ends = [
        moment(run.get("endTime") or run["startTime"])
        for run in runs
        if run.get("kind") == "destroy" and run.get("result") == "succeeded"
    ]
    return max(ends, default=None)


def horizon(ledger: Sequence[Mapping[str, Any]], limit: int | None) -> datetime | None:
    """Time before which nothing is shown: the oldest shown release's, unless it was the first."""
    shown = ledger[:limit]
    if not shown or shown[-1]["number"] == 1:
        return None
    return moment(shown[-1]["time"])


def merge(
    found: Sequence[Release], failed: Sequence[Attempt], since: datetime | None
) -> list[Release | Attempt]:
    """Releases and attempts in one list, newest first.

    Args:
        found: the releases to show.
        failed: attempts; those before `since` are left out.
        since: None for all.
    """
    kept = [
        dataclasses.replace(attempt, released=_released(attempt, found))
        for attempt in failed
        if since is None or attempt.started >= since
    ]
    return sorted([*found, *kept], key=lambda item: item.time, reverse=True)


def document(stack: str, items: Iterable[Release | Attempt]) -> dict[str, Any]:
    """The history as JSON holds it: absent keys, never null."""
    entries = [_release(item) if isinstance(item, Release) else _plain(item) for item in items]
    return {"version": VERSION, "stack": stack, "entries": entries}


def _closest(pieces: Iterable[Evidence], started: datetime, ended: datetime) -> Evidence | None:
    """The evidence whose time meets a run's; of several, the one that began closest to it."""
    meeting = [
        piece
        for piece in pieces
        if piece.started <= ended + _WHOLE_SECONDS and piece.ended >= started
    ]
    return min(meeting, key=lambda piece: abs(piece.started - started), default=None)


def _released(attempt: Attempt, found: Iterable[Release]) -> int | None:
    """The release that a run recorded, before it failed at removing what had served."""
    if attempt.ended is None:
        return None
    until = attempt.ended + _WHOLE_SECONDS
    inside = (int(r.entry["number"]) for r in found if attempt.started <= r.time <= until)
    return next(inside, None)


def _attempt(
    operation: str, started: datetime, ended: datetime | None, piece: Evidence | None
) -> Attempt:
    if piece is None:
        return Attempt(operation, "failed", started, ended)
    failure = piece.document.get("failure") or {}
    return Attempt(
        operation, "failed", started, ended,
        failure.get("summary"), failure.get("service"), piece.path,
    )  # fmt: skip


def _without_run(piece: Evidence) -> Attempt:
    """An attempt that the engine has no record of, because it was killed or is still at work."""
    failure = piece.document.get("failure") or {}
    ended = moment(piece.document["ended"]) if piece.document.get("ended") else None
    return Attempt(
        "update", str(piece.document.get("outcome")), piece.started, ended,
        failure.get("summary"), failure.get("service"), piece.path,
    )  # fmt: skip


def _release(release: Release) -> dict[str, Any]:
    entry = release.entry
    kept = ("actor", "git", "rollback_of", "hotfix")
    return {
        "kind": "release",
        "number": entry["number"],
        "time": release.time.isoformat(),
        **{key: entry[key] for key in kept if entry.get(key) is not None},
        "serves": release.serves,
        "served_seconds": round(release.served),
        "images": release.images,
    }


def _plain(attempt: Attempt) -> dict[str, Any]:
    found = {
        "kind": "attempt",
        "operation": attempt.operation,
        "outcome": attempt.outcome,
        "started": attempt.started.isoformat(),
        "ended": attempt.ended.isoformat() if attempt.ended else None,
        "summary": attempt.summary,
        "service": attempt.service,
        "evidence": attempt.evidence,
        "released": attempt.released,
    }
    return {key: value for key, value in found.items() if value is not None}
