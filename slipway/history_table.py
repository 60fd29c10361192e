"""A stack's history in words: a table, or why there is none."""

import textwrap
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from slipway.history import Attempt, Release

_HEAD = ("release", "time (UTC)", "served", "commit", "by", "images")
_GAP = "  "
_INDENT = "         "
_NARROWEST = 24
"""Columns that the images need at least; on a narrower terminal they get lines of their own."""
_TIED = "\N{NO-BREAK SPACE}"
_SHORT_DIGEST = 12
_SHORT_COMMIT = 7

Row = tuple[Sequence[str], Sequence[str]]
"""The cells of a line, the last of them wrapped, and the lines below it."""


def table(items: Iterable[Release | Attempt], width: int) -> str:
    """The history, newest first, an entry on a line with what there is to say of it below.

    Args:
        items: `slipway.history.merge`.
        width: columns of the terminal.
    """
    rows: list[Row] = [(_HEAD, ())]
    rows += [_release(item) if isinstance(item, Release) else _attempt(item) for item in items]
    lengths = [max(len(cells[i]) for cells, _ in rows) for i in range(len(_HEAD) - 1)]
    return "\n".join(line for row in rows for line in _lines(row, lengths, width))


def without_release(stack: str, destroyed: datetime | None, failed: Sequence[Attempt]) -> str:
    """What to say of a stack that has no release.

    Args:
        stack: its name.
        destroyed: when it was destroyed last.
        failed: attempts, newest first.
    """
    lines = [f"stack {stack} has no release; run scripts/deploy {stack}"]
    if destroyed is not None:
        lines = [
            f"stack {stack} was destroyed at {_time(destroyed)} UTC and has no release since; "
            f"run scripts/deploy {stack}"
        ]
        failed = [attempt for attempt in failed if attempt.started >= destroyed]
    if failed:
        count = "1 attempt" if len(failed) == 1 else f"{len(failed)} attempts"
        lines.append(f"{count} failed, the last at {_time(failed[0].started)} UTC")
        lines += [f"  {text}" for text in (_why(failed[0]), failed[0].evidence) if text]
    return "\n".join(lines)


def span(seconds: float) -> str:
    """A length of time in its two largest units: `3d 4h`, `2h 5m`, `42s`."""
    whole = timedelta(seconds=round(seconds))
    hours, rest = divmod(whole.seconds, 3600)
    parts = zip((whole.days, hours, rest // 60, rest % 60), "dhms", strict=True)
    texts = [f"{number}{unit}" for number, unit in parts]
    first = next((i for i, text in enumerate(texts) if not text.startswith("0")), len(texts) - 1)
    return " ".join(texts[first : first + 2])


def _time(time: datetime) -> str:
    """A time as people read it, in UTC."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _why(attempt: Attempt) -> str | None:
    """Why an attempt failed, in a line; None if nobody knows."""
    if attempt.summary is None:
        return None
    # The text may quote an application's log: what would steer a terminal is left out.
    words = " ".join(attempt.summary.split())
    summary = "".join(letter for letter in words if letter.isprintable())
    named = attempt.service is None or attempt.service in summary
    return summary if named else f"{attempt.service}: {summary}"


def _release(release: Release) -> Row:
    entry = release.entry
    git = entry.get("git")
    commit = "-"
    if git:
        commit = git["commit"][:_SHORT_COMMIT] + ("*" if git.get("dirty") else "")
    images = [f"{name}{_TIED}{_short(image)}" for name, image in release.images.items()]
    cells = (
        str(entry["number"]), _time(release.time), span(release.served),
        commit, str(entry.get("actor", "-")), ", ".join(images),
    )  # fmt: skip
    notes = ["serves"] if release.serves else []
    if entry.get("rollback_of") is not None:
        notes.append(f"rollback of {entry['rollback_of']}")
    if entry.get("hotfix"):
        notes.append(f"hotfix: {entry['hotfix']}")
    return cells, ["; ".join(notes)] if notes else []


def _attempt(attempt: Attempt) -> Row:
    cells = (attempt.outcome, _time(attempt.time), "-", "-", "-", "")
    unknown = "killed, or still at work" if attempt.outcome == "unfinished" else "no evidence"
    if attempt.released is not None:
        unknown = f"after release {attempt.released} was recorded"
    said = _why(attempt) or unknown
    if attempt.operation != "update":
        said = f"pulumi {attempt.operation}: {said}"
    return cells, [text for text in (said, attempt.evidence) if text]


def _lines(row: Row, lengths: Sequence[int], width: int) -> list[str]:
    cells, notes = row
    head = _GAP.join(cell.ljust(length) for cell, length in zip(cells, lengths, strict=False))
    images, left = cells[-1], width - len(head) - len(_GAP)
    if left >= _NARROWEST:
        first, *rest = _wrapped(images, left) or [""]
        margin = " " * (len(head) + len(_GAP))
        found = [f"{head}{_GAP}{first}".rstrip(), *(margin + line for line in rest)]
    else:
        found = [head.rstrip(), *(_below(images, width) if cells is not _HEAD else ())]
    return found + [line for note in notes for line in _below(note, width)]


def _below(text: str, width: int) -> list[str]:
    return [_INDENT + line for line in _wrapped(text, max(width - len(_INDENT), _NARROWEST))]


def _wrapped(text: str, width: int) -> list[str]:
    # Paths and digests are to be copied: they are never torn apart.
    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    return [line.replace(_TIED, " ") for line in lines]


def _short(image: str) -> str:
    """The first digits of an image's digest; its tag, or all of it, where it has none."""
    _, at, digest = image.rpartition("@")
    return digest.removeprefix("sha256:")[:_SHORT_DIGEST] if at else image
