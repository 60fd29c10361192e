"""Who releases, and from what: for the ledger and the evidence."""

import getpass
import re
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

ACTOR = "SLIPWAY_ACTOR"
HOTFIX = "SLIPWAY_HOTFIX"
_TIMEOUT = 10.0
_SCP_LIKE = re.compile(r"(?:[\w.-]+@)?[\w.-]+:(?!//)[^@]+")
"""`git@host:path`, as git takes it beside URLs; its user is no secret."""

Git = Callable[[Sequence[str]], str | None]
"""Runs git with these arguments; gives what it printed, or None if it failed."""


@dataclass(frozen=True)
class GitState:
    """Where a folder stands in its repository.

    Args:
        commit: 40 digits.
        branch: its name; None where no branch is checked out.
        dirty: whether something in the folder differs from the commit.
        remote: address of the repository that it was cloned from; None without one.
        committed: when the commit was made, in UTC.
    """

    commit: str
    branch: str | None
    dirty: bool
    remote: str | None = None
    committed: str | None = None

    def recorded(self) -> dict[str, Any]:
        branch = {} if self.branch is None else {"branch": self.branch}
        return {"commit": self.commit, **branch, "dirty": self.dirty}


@dataclass(frozen=True)
class Origin:
    """Who releases, and from what.

    Args:
        actor: user and machine, or what SLIPWAY_ACTOR or the CI system names.
        git: None outside a repository.
        hotfix: why the rules of promotion do not hold for this release.
    """

    actor: str = ""
    git: GitState | None = None
    hotfix: str | None = None

    def recorded(self) -> dict[str, Any]:
        """As the ledger keeps it."""
        found = {
            "actor": self.actor,
            "git": self.git.recorded() if self.git else None,
            "hotfix": self.hotfix,
        }
        return {key: value for key, value in found.items() if value}


def read_origin(folder: Path, environ: Mapping[str, str]) -> Origin:
    """The origin of a release whose compose file is in `folder`."""
    return Origin(actor(environ), git_state(folder), environ.get(HOTFIX) or None)


def actor(environ: Mapping[str, str]) -> str:
    """Who releases."""
    named = environ.get(ACTOR) or environ.get("GITHUB_ACTOR") or environ.get("GITLAB_USER_LOGIN")
    if named:
        return named
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # An id without a name, as in some containers.
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


def git_state(folder: Path, git: Git | None = None) -> GitState | None:
    """Where a folder stands in its repository; None if it is in none, or git is not there."""
    run = git or git_in(folder)
    commit = run(["rev-parse", "--verify", "HEAD"])
    if commit is None:
        return None
    branch = run(["symbolic-ref", "--short", "-q", "HEAD"])
    changes = run(["status", "--porcelain", "--", "."])
    return GitState(
        commit.strip(),
        (branch or "").strip() or None,
        changes != "",
        public_address(run(["config", "--get", "remote.origin.url"]) or ""),
        _moment(run(["show", "-s", "--format=%ct", "HEAD"]) or ""),
    )


def public_address(remote: str) -> str | None:
    """A remote's address without an account; None for a folder, which is this machine's alone."""
    if _SCP_LIKE.fullmatch(remote.strip()):
        return remote.strip()
    parts = urlsplit(remote.strip())
    if not parts.scheme or not parts.hostname or parts.scheme == "file":
        return None
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def _moment(seconds: str) -> str | None:
    text = seconds.strip()
    return datetime.fromtimestamp(int(text), UTC).isoformat() if text.isdecimal() else None


def git_in(folder: Path) -> Git:
    """Runs git in a folder."""

    def git(arguments: Sequence[str]) -> str | None:
        try:
            ended = subprocess.run(
                ["git", "--no-optional-locks", "-C", str(folder), *arguments],
                capture_output=True, text=True, check=False, timeout=_TIMEOUT,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            return None
        return ended.stdout if ended.returncode == 0 else None

    return git
