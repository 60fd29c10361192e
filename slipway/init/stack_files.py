"""A compose file's stack files: one for a test stack, one for production."""

import os
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from pathlib import Path

from slipway.yaml_edit import parse, read_text, text_of, value_of

NextFree = Callable[[int, Container[int]], int | None]
"""Gives the first free port from one on, but for those that are spoken for."""

_FIRST_PORTS = {"test": 8001, "prod": 8000}
_TEXT = """\
config:
  slipway:compose: {compose}
  slipway:port: "{port}"
  # Only this machine may ask it; remove the line to listen on all of its addresses.
  slipway:bind: 127.0.0.1
"""
_TEST = "  slipway:stableFor: 3s\n"


@dataclass(frozen=True)
class StackFile:
    """A stack file that is proposed.

    Args:
        path: where it is to be.
        text: what is to stand in it.
        exists: whether a file is there already, which stays as it is.
    """

    path: Path
    text: str
    exists: bool


def stack_files(
    root: Path, folder: Path, compose_file: Path, project: str, next_free: NextFree
) -> list[StackFile]:
    """The stack files that a compose file lacks; none if a stack releases it already.

    Args:
        root: the checkout, from which the path of the compose file is given.
        folder: where stack files are.
        compose_file: the compose file.
        project: its project's name, with which the names of the stacks begin.
        next_free: finds a port that nobody has.

    Raises:
        ConfigError: a stack file cannot be read.
    """
    others = {path: _config(path) for path in sorted(folder.glob("Pulumi.*.yaml"))}
    if any(_releases(root, config, compose_file) for config in others.values()):
        return []
    taken = {int(config["port"]) for config in others.values() if config["port"].isdigit()}
    found = []
    for stage, first in _FIRST_PORTS.items():
        port = next_free(first, taken) or first
        taken.add(port)
        compose = Path(os.path.relpath(compose_file.resolve(), root.resolve())).as_posix()
        text = _TEXT.format(compose=compose, port=port) + (_TEST if stage == "test" else "")
        path = folder / f"Pulumi.{project}-{stage}.yaml"
        found.append(StackFile(path, text, path.exists()))
    return found


def _config(path: Path) -> dict[str, str]:
    config = value_of(parse(path, read_text(path)), "config")
    return {key: text_of(value_of(config, f"slipway:{key}")) or "" for key in ("compose", "port")}


def _releases(root: Path, config: Mapping[str, str], compose_file: Path) -> bool:
    named = config["compose"] or "compose.yaml"
    return (root / named).resolve() == compose_file.resolve()
