"""Which commits lie between the release that serves and the source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slipway.explain.model import Commit
from slipway.origin import Git

_MOST = 50
_FIELDS = "%m%x1f%H%x1f%an%x1f%s"


@dataclass(frozen=True)
class Between:
    """What git says of a folder.

    Args:
        commits: newest first.
        notes: what is not known, or is in no commit.
    """

    commits: tuple[Commit, ...] = ()
    notes: tuple[str, ...] = ()


def recorded_git(ledger: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Where what serves came from; of a rollback, where the release came from that it restored.

    Args:
        ledger: newest first.
    """
    by_number = {entry["number"]: entry for entry in ledger}
    entry = ledger[0] if ledger else None
    while entry is not None and "rollback_of" in entry:
        # What was checked out when somebody rolled back says nothing of what was restored.
        entry = by_number.get(entry["rollback_of"])
    return entry.get("git") if entry is not None else None


def between(recorded: Mapping[str, Any] | None, folders: Sequence[str], git: Git) -> Between:
    """The commits that touch folders.

    Args:
        recorded: what the ledger says of the release that serves.
        folders: absolute paths.
        git: runs git in one of them.
    """
    if git(["rev-parse", "--verify", "HEAD"]) is None:
        return Between()
    notes = []
    if git(["status", "--porcelain", "--", *folders]):
        notes.append("there are changes that are in no commit")
    commit = str((recorded or {}).get("commit", ""))
    if not recorded or not commit:
        return Between((), (*notes, "the commit of the release that serves is not known"))
    if recorded.get("dirty"):
        notes.append("what serves was released with changes that were in no commit")
    options = ["--left-right", f"--max-count={_MOST}", f"--format={_FIELDS}"]
    found = git(["log", *options, f"{commit}...HEAD", "--", *folders])
    if found is None:
        unknown = f"commit {commit[:12]} of the release that serves is not in this clone; git fetch"
        return Between((), (*notes, unknown))
    return Between(tuple(map(_commit, found.splitlines())), tuple(notes))


def _commit(line: str) -> Commit:
    side, id_, author, subject = (_printable(part) for part in line.split("\x1f", 3))
    return Commit(id_, author, subject, side == "<")


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())
