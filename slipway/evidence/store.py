"""Where evidence is kept: `<folder>/<stack>/<run>-release-7.json`, and beside it a page to read."""

import os
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from slipway.evidence.markdown import as_markdown
from slipway.evidence.model import RUN_FORMAT, Evidence

FOLDER = Path(".slipway/evidence")
"""From the project's folder, in which the program runs."""
KEEP = 200
"""Reports of a stack that are kept."""
_PRIVATE_FOLDER = 0o700
_PRIVATE_FILE = 0o600


class Store:
    """The evidence of one stack.

    Args:
        folder: of all stacks.
        stack: the stack's name.
        keep: reports that are kept.
    """

    def __init__(self, folder: Path, stack: str, keep: int = KEEP) -> None:
        self._folder = folder / stack
        self._keep = keep

    def begin(self, evidence: Evidence) -> None:
        """Keep what is known so far: all that is left of a run that is killed.

        Raises:
            OSError: it cannot be written.
        """
        self._write(self._unfinished(evidence), evidence.as_json())

    def finish(self, evidence: Evidence) -> Path:
        """Keep a report; gives the page.

        Raises:
            OSError: it cannot be written.
        """
        name = "failed" if evidence.outcome != "verified" else f"release-{evidence.release}"
        base = f"{evidence.run}-{name}"
        count = 1
        while self._file(base, count).exists():  # An undone release and what undid it.
            count += 1
        file = self._file(base, count)
        page = file.with_suffix(".md")
        # What has its JSON counts as finished, so that comes last.
        self._write(page, as_markdown(evidence))
        self._write(file, evidence.as_json())
        self._unfinished(evidence).unlink(missing_ok=True)
        self._prune()
        return page

    def list(self, unreadable: Callable[[Path], None] = lambda file: None) -> list[Evidence]:
        """All reports, newest first.

        Args:
            unreadable: takes the path of what is no report, or one of a later version.
        """
        found = []
        for file in self._newest_first():
            try:
                found.append(Evidence.model_validate_json(file.read_bytes()))
            except (OSError, ValidationError):
                unreadable(file)
        return found

    def find(
        self,
        started: datetime,
        ended: datetime,
        unreadable: Callable[[Path], None] = lambda file: None,
    ) -> Sequence[Evidence]:
        """The reports of runs that began in a window, newest first.

        Args:
            started: the window's begin, with a time zone; in whole seconds, as runs are named.
            ended: its end, which belongs to it.
            unreadable: as of `list`.
        """
        first, last = (time.astimezone(UTC).strftime(RUN_FORMAT) for time in (started, ended))
        return [found for found in self.list(unreadable) if first <= found.run <= last]

    def _newest_first(self) -> Sequence[Path]:
        return sorted(self._folder.glob("*.json"), key=_age, reverse=True)

    def _file(self, base: str, count: int) -> Path:
        return self._folder / f"{base}{'' if count == 1 else f'-{count}'}.json"

    def _unfinished(self, evidence: Evidence) -> Path:
        return self._folder / f"{evidence.run}-unfinished.json"

    def _write(self, file: Path, text: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=_PRIVATE_FOLDER)
        part = file.with_suffix(".part")
        try:
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE_FILE)
            with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
                opened.write(text)
            os.replace(part, file)
        finally:  # A full disk must not be filled further by halves.
            part.unlink(missing_ok=True)

    def _prune(self) -> None:
        for old in self._newest_first()[self._keep :]:
            old.unlink(missing_ok=True)
            old.with_suffix(".md").unlink(missing_ok=True)


def _age(file: Path) -> list[str | int]:
    """What orders files by time: of one run, release-9 comes before release-9-2 and release-10."""
    parts = re.split(r"([0-9]+)", file.stem)
    return [int(part) if place % 2 else part for place, part in enumerate(parts)]
