"""Labels as the Docker provider wants them."""

from collections.abc import Callable, Mapping
from typing import TypeVar

Label = TypeVar("Label")


def labels(pairs: Mapping[str, str], kind: Callable[..., Label]) -> list[Label]:
    """The labels as resources' arguments of one kind, sorted so that no preview differs."""
    return [kind(label=key, value=value) for key, value in sorted(pairs.items())]
