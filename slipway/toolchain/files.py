"""Writing files so that a killed process never leaves half of one."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Replace a file's content at once, with the given permissions from its first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def link(path: Path, target: Path) -> None:
    """Make `path` a symbolic link to `target`, at once, whatever it was before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    temporary.symlink_to(target)
    temporary.replace(path)


def read_variables(path: Path) -> dict[str, str]:
    """The NAME=value lines of a file; empty when there is no such file."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}


def write_variables(path: Path, variables: Mapping[str, str]) -> None:
    """Write NAME=value lines, sorted."""
    write(path, "".join(f"{name}={value}\n" for name, value in sorted(variables.items())))
