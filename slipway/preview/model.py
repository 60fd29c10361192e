"""A preview of a stack, as values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar

from slipway.explain.model import Explanation

_T = TypeVar("_T")


class Operation(StrEnum):
    """What becomes of a resource."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"


@dataclass(frozen=True)
class Step:
    """A resource that an update would change.

    Args:
        operation: what becomes of it.
        type: such as `docker:index/container:Container`.
        name: its name in the program.
        kept: whether what it stands for stays where it is when it is deleted.
    """

    operation: Operation
    type: str
    name: str
    kept: bool = False


@dataclass(frozen=True)
class StackPreview:
    """What an update of a stack would do.

    Args:
        stack: its name.
        explanation: which files and settings change what; None where it cannot be told.
        steps: the resources that would change, in the engine's order.
        warnings: what the engine and the program warn of.
        diff: the engine's own text.
        error: why there is no preview; None where there is one.
        unexplained: why there is no explanation beside a preview.
    """

    stack: str
    explanation: Explanation | None = None
    steps: tuple[Step, ...] = ()
    warnings: tuple[str, ...] = ()
    diff: str = ""
    error: str | None = None
    unexplained: str | None = None

    @property
    def failed(self) -> bool:
        """Whether a part of it is not there."""
        return self.error is not None or self.unexplained is not None


def redacted(value: _T, redact: Callable[[str], str]) -> _T:
    """The value with each of its texts redacted, however deep it stands.

    Args:
        value: texts, tuples, mappings and dataclasses of such.
        redact: hides secrets.
    """
    found: Any = value
    if type(value) is str:  # The words of an enumeration are our own.
        found = redact(str(value))
    elif isinstance(value, tuple):
        found = tuple(redacted(item, redact) for item in value)
    elif isinstance(value, Mapping):
        found = {redact(str(key)): redacted(item, redact) for key, item in value.items()}
    elif is_dataclass(value) and not isinstance(value, type):
        parts = {field.name: getattr(value, field.name) for field in fields(value)}
        found = replace(value, **{name: redacted(part, redact) for name, part in parts.items()})
    return found  # type: ignore[no-any-return]  # What it was is what it is.
