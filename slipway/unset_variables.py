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
OTHER_ELSEWHERE = "has another value on every machine"
_USE = re.compile(r"\$\$|\$\{?(\w+)")
_LITERAL = re.compile(r"'[^']*'")
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
    last = f"or give it a default: ${{{name}:-}}{_or_for_a_shell(lines, name)}"
    return f"{_place(lines, name)} ${{{name}}}: {no_value(name, last, said)}"


def machines_variable(lines: KeyLines, name: str) -> str:
    """That a variable's value is this machine's, with the place of its first use."""
    return (
        f"{_place(lines, name)} ${{{name}}}: {OTHER_ELSEWHERE}; write out what is meant, or use a "
        "variable of another name, with its value under slipway:variables"
        + _or_for_a_shell(lines, name)
    )


def no_value(name: str, last: str, reason: str = "") -> str:
    """That a variable has no value, and where to give it one, or what else to do at last."""
    return (
        f"has no value{reason}; set it under slipway:variables, or with pulumi config set "
        f"--stack {STACK} --secret --path slipway:secrets.{name} <value>, {last}"
    )


def used_variables(lines: KeyLines) -> set[str]:
    """The variables that are used in the compose file, or in files that are read with it."""
    used = variables_in([root for _, root in lines.documents])
    return used.union(*(names for file in env_files(lines) for _, names in _uses(file, _LITERAL)))


def _place(lines: KeyLines, name: str) -> str:
    uses = [
        *((file, _uses(file)) for file in lines.files),
        *((file, _uses(file, _LITERAL)) for file in env_files(lines)),
    ]
    for file, found in uses:
        for line, names in found:
            if name in names:
                return f"{file}:{line}"
    return f"{lines.file}:1"


def _uses(file: Path, literal: re.Pattern[str] | None = None) -> Iterator[tuple[int, set[str]]]:
    """The lines of a file with the variables that they use, outside of what is literal."""
    try:
        text = file.read_text("utf-8")
    except (OSError, ValueError):
        return
    for number, line in enumerate(text.splitlines(), 1):
        if not line.lstrip().startswith("#"):
            yield number, variables_in(literal.sub("", line) if literal else line)


def env_files(lines: KeyLines) -> Iterator[Path]:
    """The files of variables that a compose file names, and its `.env`, whether there or not."""
    for service in _services(lines).values():
        entries = service.get("env_file") if isinstance(service, dict) else None
        for entry in entries if isinstance(entries, list) else [entries]:
            path = entry.get("path") if isinstance(entry, dict) else entry
            if path:
                yield lines.file.parent / str(path)
    yield lines.file.parent / ".env"


def _or_for_a_shell(lines: KeyLines, name: str) -> str:
    """What else to write, if a command or health check uses the variable."""
    for service in _services(lines).values():
        for key in _FOR_A_SHELL if isinstance(service, dict) else ():
            if name in variables_in(service.get(key)):
                return f", or write $${name} if the shell in the container is to fill it in"
    return ""


def _services(lines: KeyLines) -> dict[str, Any]:
    services = lines.written("services")
    return services if isinstance(services, dict) else {}
