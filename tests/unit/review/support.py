"""Services that are reviewed without a file: what is said of them stands in line 1."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from slipway.key_lines import KeyLines
from slipway.review import Finding, Subject
from slipway.services import Project

_NO_FILE = Path(os.devnull)

Rule = Callable[[Subject], Iterator[Finding]]


def subject(
    services: Mapping[str, Mapping[str, Any]],
    *,
    stack: str = "prod",
    complete: bool = True,
    whole: bool = True,
    **top: Any,
) -> Subject:
    """A subject whose services are given as the compose reader gives them."""
    named = {name: {"name": name, **service} for name, service in sorted(services.items())}
    project = {"name": "shop", "file": "compose.yaml", "services": named, **top}
    lines = KeyLines(_NO_FILE)
    return Subject(Project.model_validate(project), lines, stack, complete, whole=whole)


def said(rule: Rule, services: Mapping[str, Mapping[str, Any]], **more: Any) -> list[str]:
    """What a rule says of services: `refused` or `warned`, place and text."""
    return [
        ("refused " if finding.refused else "warned ") + finding.text.removeprefix(f"{_NO_FILE}:1 ")
        for finding in rule(subject(services, **more))
    ]


def built(folder: Path, dockerfile: str = "", **keys: Any) -> dict[str, Any]:
    """A service that is built in a folder, with this Dockerfile."""
    (folder / "Dockerfile").write_text(dockerfile)
    return {"build": {"context": str(folder)}, **keys}
