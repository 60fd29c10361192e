"""What a Dockerfile says of the image that it makes."""

import io
import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dockerfile_parse import DockerfileParser

from slipway.conventions import collects_static
from slipway.dockerfile import base_images


@dataclass(frozen=True)
class ImageFacts:
    """An image that is built.

    Args:
        base: the external image below it.
        entrypoint: what it starts with.
        command: arguments of that.
        health: its health check, as Docker takes it.
        ports: the ports that it exposes.
        collects_static: whether the build gathers Django's static files.
        copied: the folders of the context that it copies, and where to.
    """

    base: str = ""
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    health: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    collects_static: bool = False
    copied: tuple[tuple[str, str], ...] = ()


@dataclass
class _Stage:
    name: str
    base: str
    instructions: list[tuple[str, str]]


def image_facts(
    dockerfile: Path, target: str | None = None, arguments: Mapping[str, str] | None = None
) -> ImageFacts:
    """What a Dockerfile says of the image of its last stage, or of `target`.

    Nothing, if there is no Dockerfile that can be read.
    """
    try:
        text = dockerfile.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ImageFacts()
    stages = list(_stages(text))
    chain = list(_chain(stages, target))
    if not chain:
        return ImageFacts()
    written = chain[-1].base
    filled = {base.text: base.image for base in base_images(text, dict(arguments or {}))}
    facts = ImageFacts(base=filled.get(written, written))
    for stage in reversed(chain):
        for name, value in stage.instructions:
            facts = _with(facts, name, value)
    return facts


def _stages(text: str) -> Iterator[_Stage]:
    structure: list[dict[str, Any]] = DockerfileParser(fileobj=io.BytesIO(text.encode())).structure
    stage: _Stage | None = None
    for found in structure:
        name, value = str(found["instruction"]), str(found["value"])
        if name == "FROM":
            if stage:
                yield stage
            words = [word for word in value.split() if not word.startswith("--")]
            stage = _Stage(words[2].lower() if len(words) > 2 else "", words[0], [])
        elif stage:
            stage.instructions.append((name, value))
    if stage:
        yield stage


def _chain(stages: Sequence[_Stage], target: str | None) -> Iterator[_Stage]:
    """A stage and those that it builds on, up to an external image."""
    wanted = (target or "").lower()
    index = next((n for n, s in enumerate(stages) if wanted and s.name == wanted), len(stages) - 1)
    while index >= 0:
        yield stages[index]
        base = stages[index].base.lower()
        index = next((n for n in range(index - 1, -1, -1) if stages[n].name == base), -1)


def _with(facts: ImageFacts, name: str, value: str) -> ImageFacts:
    match name:
        case "ENTRYPOINT":
            return replace(facts, entrypoint=_words(value), command=())
        case "CMD":
            return replace(facts, command=_words(value))
        case "HEALTHCHECK":
            return replace(facts, health=_health(value))
        case "EXPOSE":
            ports = (word.partition("/")[0] for word in value.split())
            return replace(facts, ports=(*facts.ports, *(int(p) for p in ports if p.isdigit())))
        case "RUN" if collects_static(["sh", "-c", value]):
            return replace(facts, collects_static=True)
        case "COPY" if "--from=" not in value:
            *sources, target = [w for w in _words(value, "") if not w.startswith("--")] or [""]
            return replace(facts, copied=(*facts.copied, *((s, target) for s in sources)))
    return facts


def _words(value: str, shell: str = "sh") -> tuple[str, ...]:
    """An instruction's words: a list as it is, a line as what its shell is given."""
    with suppress(ValueError):
        if value.startswith("["):
            return tuple(str(word) for word in json.loads(value))
        if not shell:
            return tuple(shlex.split(value))
    return (shell, "-c", value) if shell else tuple(value.split())


def _health(value: str) -> tuple[str, ...]:
    command = re.sub(r"^(?:--\S+\s+)*", "", value)
    if not command.upper().startswith("CMD"):
        return ()
    words = _words(command[3:].strip())
    return ("CMD-SHELL", words[2]) if words[:2] == ("sh", "-c") else ("CMD", *words)
