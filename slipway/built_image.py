"""What an image that is built here has by its Dockerfile: what it starts with, its health check,
its volumes.

An image has what the stages below its own say, as far as its own does not say otherwise.
"""

import json
import re
import shlex
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from slipway.dockerfile import USUAL_PLATFORM, Stage, stages
from slipway.services import Build

_SHELL = ("/bin/sh", "-c")
_LONGEST = 1 << 20


@dataclass(frozen=True)
class BuiltImage:
    """An image, as far as its Dockerfile says; for what is None, its external base has the word.

    Args:
        entrypoint: what it starts with, as Docker runs it.
        command: arguments of that, or all of it where there is no entrypoint.
        health: its health check as Docker takes it: CMD, CMD-SHELL or NONE comes first.
        volumes: the folders that it declares as volumes.
        shell: what runs the lines that are not lists.
    """

    entrypoint: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    health: tuple[str, ...] | None = None
    volumes: tuple[str, ...] = ()
    shell: tuple[str, ...] = _SHELL

    @property
    def checked(self) -> bool:
        """Whether it has a health check that is on."""
        return self.health not in (None, ("NONE",))


def read_built_image(build: Build) -> BuiltImage:
    """The image of a build; one of which nothing is known if there is no Dockerfile to read."""
    try:
        text = Path(build.context, build.dockerfile).read_text("utf-8", "replace")[:_LONGEST]
    except OSError:
        return BuiltImage()
    return built_image(text, build.target, build.args, *build.platforms[:1])


def built_image(
    dockerfile: str,
    target: str | None = None,
    args: Mapping[str, str | None] | None = None,
    platform: str = USUAL_PLATFORM,
) -> BuiltImage:
    """The image of a Dockerfile.

    Args:
        dockerfile: its text.
        target: the stage whose image it is, default the last.
        args: build arguments; a stage may be chosen by one.
        platform: what it is for; a stage may be chosen by that too.
    """
    image = BuiltImage()
    for stage in stages_of(dockerfile, target, args, platform):
        image = _with(image, stage)
    return image


def stages_of(
    dockerfile: str,
    target: str | None = None,
    args: Mapping[str, str | None] | None = None,
    platform: str = USUAL_PLATFORM,
) -> list[Stage]:
    """The stages that an image is made of, the one on an external image first, its own last.

    Args:
        dockerfile: its text.
        target: the last of them, default the Dockerfile's last.
        args: build arguments.
        platform: what the image is for.
    """
    found = stages(dockerfile, args or {}, platform)
    wanted = (target or "").lower()
    index = _last_named(found, wanted) if wanted else -1
    index = len(found) - 1 if index < 0 else index
    chain: list[Stage] = []
    while index >= 0:
        chain.insert(0, found[index])
        # A stage is only known below itself.
        index = _last_named(found[:index], found[index].base.image.lower())
    return chain


def _last_named(found: list[Stage], name: str) -> int:
    return next((n for n in range(len(found) - 1, -1, -1) if found[n].name == name != ""), -1)


def _with(image: BuiltImage, stage: Stage) -> BuiltImage:
    names = set()
    for instruction in stage.instructions:
        value = instruction.value.strip()
        match instruction.name:
            case "SHELL":
                image = replace(image, shell=_listed(value) or image.shell)
            case "CMD":
                image = replace(image, command=_started(value, image.shell))
            case "ENTRYPOINT":
                # What a stage below gave as arguments were those of another program.
                command = image.command if "CMD" in names else ()
                image = replace(image, entrypoint=_started(value, image.shell), command=command)
            case "HEALTHCHECK":
                image = replace(image, health=_health(value))
            case "VOLUME":
                folders = (word.rstrip("/") for word in words_of(value) if "$" not in word)
                image = replace(image, volumes=(*image.volumes, *folders))
        names.add(instruction.name)
    return image


def _listed(value: str) -> tuple[str, ...] | None:
    """The words of a list in JSON's notation; None if it is none, and so a line for a shell."""
    with suppress(ValueError):
        words = json.loads(value)
        if isinstance(words, list) and all(isinstance(word, str) for word in words):
            return tuple(words)
    return None


def _started(value: str, shell: tuple[str, ...]) -> tuple[str, ...]:
    words = _listed(value)
    return (*shell, value) if words is None else words


def _health(value: str) -> tuple[str, ...]:
    command = re.sub(r"^(?:--\S+\s+)*", "", value)
    kind, line = command[:4].strip().upper(), command[3:].strip()
    if kind != "CMD":
        return ("NONE",)
    words = _listed(line)
    return ("CMD-SHELL", line) if words is None else ("CMD", *words)


def words_of(value: str) -> tuple[str, ...]:
    """The words of an instruction that is no command: a list's, or those between blanks."""
    words = _listed(value)
    if words is not None:
        return words
    with suppress(ValueError):
        return tuple(shlex.split(value))
    return tuple(value.split())
