"""Copies of containers' logs, taken before a deploy may remove the containers."""

import gzip
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from slipway.errors import HostError
from slipway.host import Host
from slipway.redact import Redactor

KEEP = 20
"""Deploys of which the logs are kept, by stack."""
_PRIVATE = 0o700


class LogBackup:
    """The logs of one deploy, in `<folder>/<stack>/<run>/`.

    Args:
        folder: where all stacks' are.
        stack: the stack.
        run: UTC time of the deploy; the order of these names is that of their times.
        redact: hides secrets in what is kept.
    """

    def __init__(self, folder: Path, stack: str, run: str, redact: Redactor) -> None:
        self._stack_folder = folder / stack
        self.folder = self._stack_folder / run
        self._redact = redact

    def save(self, host: Host, containers: Iterable[str]) -> list[str]:
        """Keep the logs of containers; one that is gone is left out.

        Args:
            host: the engine.
            containers: their names.

        Returns:
            what could not be kept, a line each: a full disk is no reason not to deploy.
        """
        problems = []
        for container in sorted(containers):
            try:
                self._save(host, container, self.folder / f"{container}.log.gz")
            except (OSError, HostError) as error:
                problems.append(f"the log of {container} could not be kept: {error}")
        return problems

    def _save(self, host: Host, container: str, file: Path) -> None:
        if host.container(container) is None:
            return
        file.parent.mkdir(parents=True, exist_ok=True, mode=_PRIVATE)
        part = file.with_suffix(".part")
        try:
            with gzip.open(part, "wt", encoding="utf-8") as kept:
                for line in host.log_lines(container):
                    kept.write(self._redact(line))
            os.replace(part, file)
        finally:
            part.unlink(missing_ok=True)

    def prune(self, keep: int = KEEP) -> None:
        """Remove all but the newest deploys' logs of this stack."""
        for old in _newest_first(self._stack_folder)[keep:]:
            shutil.rmtree(old, ignore_errors=True)


def _newest_first(folder: Path) -> list[Path]:
    found: Iterable[Path] = folder.iterdir() if folder.is_dir() else ()
    return sorted((entry for entry in found if entry.is_dir()), reverse=True)
