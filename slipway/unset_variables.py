"""What is told of variables that a compose file uses and that have no value."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from slipway.errors import ConfigError
from slipway.key_lines import KeyLines

STACK = "<stack>"
"""Stands for the stack in a command, where a file is read for none in particular."""
_USE = re.compile(r"\$\$|\$\{?(\w+)")
_FOR_A_SHELL = ("command", "entrypoint", "healthcheck")


@contextmanager
def told_for(stack: str) -> Iterator[None]:
    """Name the stack in the commands that problems propose.

    Raises:
        ConfigError: the problems, with the stack's name.
    """
    try:
        yield
    except ConfigError as error:
        raise ConfigError([problem.replace(STACK, stack) for problem in error.problems]) from error


def variables_in(value: Any) -> set[str]:
    """The variables that are used in a text, or anywhere below a list or mapping."""
    if isinstance(value, dict):
        return {name for item in value.values() for name in variables_in(item)}
    if isinstance(value, list):
        return {name for item in value for name in variables_in(item)}
    if not isinstance(value, str):
        return set()
    return {use[1] for use in _USE.finditer(value) if use[1]}


def unset_variable(lines: KeyLines, name: str, reason: str = "") -> str:
    """That a variable has no value, with the place of its first use.

    Args:
        lines: of the compose file.
        name: of the variable.
        reason: why it must have one, if the file tells.
    """
    said = f" ({reason})" if reason else ""
    last = f"or give it a default: ${{{name}:-}}"
    if _is_for_a_shell(lines, name):
        last += f", or write $${name} if the shell in the container is to fill it in"
    return f"{_place(lines, name)} ${{{name}}}: {no_value(name, last, said)}"


def no_value(name: str, last: str, reason: str = "") -> str:
    """That a variable has no value, and where to give it one, or what else to do at last."""
    return (
        f"has no value{reason}; set it under slipway:variables, or with pulumi config set "
        f"--stack {STACK} --secret --path slipway:secrets.{name} <value>, {last}"
    )


def _place(lines: KeyLines, name: str) -> str:
    for file in dict.fromkeys([*lines.files, *_env_files(lines)]):
        line = _first_use(file, name)
        if line is not None:
            return f"{file}:{line}"
    return f"{lines.file}:1"


def _first_use(file: Path, name: str) -> int | None:
    try:
        text = file.read_text()
    except (OSError, ValueError):
        return None
    for number, line in enumerate(text.splitlines(), 1):
        if name in variables_in(line) and not line.lstrip().startswith("#"):
            return number
    return None


def _env_files(lines: KeyLines) -> Iterator[Path]:
    for service in _services(lines).values():
        entries = service.get("env_file") if isinstance(service, dict) else None
        for entry in entries if isinstance(entries, list) else [entries]:
            path = entry.get("path") if isinstance(entry, dict) else entry
            if path:
                yield lines.file.parent / str(path)
    yield lines.file.parent / ".env"


def _is_for_a_shell(lines: KeyLines, name: str) -> bool:
    return any(
        name in variables_in(service.get(key))
        for service in _services(lines).values()
        if isinstance(service, dict)
        for key in _FOR_A_SHELL
    )


def _services(lines: KeyLines) -> dict[str, Any]:
    services = lines.written("services")
    return services if isinstance(services, dict) else {}
