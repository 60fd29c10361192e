"""Secrets by reference: values in which `${NAME}` stands where a secret stood, and back.

A dollar sign that was in a text is doubled, as Compose writes it, so that nothing else is taken for
a reference.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from slipway.errors import ConfigError

_REFERENCE = re.compile(r"\$(?:\$|\{([^}]+)\})")


def doubled(text: str) -> str:
    """A text without references, in which none is seen."""
    return text.replace("$", "$$")


def refer(value: Any, names: Mapping[str, str], between: Callable[[str], str] = doubled) -> Any:
    """The value with each secret in its texts replaced by a reference to it.

    Args:
        value: mappings, lists and scalars; keys of mappings stay.
        names: the name of each secret's reference, by the secret. Where one secret is part of
            another, the longer one counts.
        between: what becomes of the texts between secrets; default: they stay.
    """
    secrets = sorted((s for s in names if s), key=lambda s: (-len(s), s))
    pattern = re.compile("|".join(re.escape(secret) for secret in secrets)) if secrets else None

    def text(found: str) -> str:
        parts, position = [], 0
        for match in pattern.finditer(found) if pattern else ():
            parts.append(between(found[position : match.start()]))
            parts.append(f"${{{names[match[0]]}}}")
            position = match.end()
        return "".join([*parts, between(found[position:])])

    return _texts(value, text)


def resolve(value: Any, values: Mapping[str, str]) -> Any:
    """The value with each reference replaced by what it refers to.

    Raises:
        ConfigError: names of references that have no value, one problem each.
    """
    missing = sorted(references(value) - values.keys())
    if missing:
        raise ConfigError(
            [
                f"{name} has no value any more; run pulumi config set --stack <stack> --secret "
                f"--path slipway:secrets.{name} <value>"
                for name in missing
            ]
        )

    def text(found: str) -> str:
        return _REFERENCE.sub(lambda m: values[m[1]] if m[1] else "$", found)

    return _texts(value, text)


def references(value: Any) -> set[str]:
    """The names that a value refers to."""
    names: set[str] = set()

    def text(found: str) -> str:
        names.update(match[1] for match in _REFERENCE.finditer(found) if match[1])
        return found

    _texts(value, text)
    return names


def _texts(value: Any, change: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _texts(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_texts(item, change) for item in value]
    return change(value) if isinstance(value, str) else value
