"""What a Dockerfile builds on: the external images it names."""

import io
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dockerfile_parse import DockerfileParser

_VARIABLE = re.compile(
    r"\$(?:\{(?P<braced>\w+)(?::(?P<sign>[-+])(?P<word>[^}]*))?\}|(?P<bare>\w+))"
)
_SYNTAX = re.compile(r"#\s*syntax\s*=\s*(\S+)", re.IGNORECASE)
_SCRATCH = "scratch"


@dataclass(frozen=True)
class BaseImage:
    """An external image that a Dockerfile names.

    Args:
        text: the name as written.
        image: the name with build arguments filled in; empty where an argument has no value.
        line: its line, from 1.
    """

    text: str
    image: str
    line: int


def base_images(dockerfile: str, args: Mapping[str, str | None]) -> list[BaseImage]:
    """The images that FROM, COPY --from and RUN --mount=from= name, but for stages and `scratch`.

    Args:
        dockerfile: text of the Dockerfile.
        args: build arguments; they fill ARGs that stand before the first FROM.
    """
    parser = DockerfileParser(fileobj=io.BytesIO(dockerfile.encode()))
    values: dict[str, str] = {}
    stages: set[str] = set()
    found: list[BaseImage] = []
    directive = _SYNTAX.match(dockerfile)
    if directive:
        # The program that reads the Dockerfile is an image too.
        found.append(BaseImage(directive[1], directive[1], 1))
    for instruction in parser.structure:
        words = instruction["value"].split()
        line = instruction["startline"] + 1
        match instruction["instruction"]:
            case "ARG" if not stages:
                values.update(_argument(instruction["value"], args, values))
            case "FROM":
                names = [word for word in words if not word.startswith("--")]
                _add(found, stages, names[0], values, line)
                stages.add(str(len(stages)) if len(names) < 3 else names[2].lower())
            case "COPY" | "RUN":
                for image in _from_flags(words):
                    _add(found, stages, image, {}, line)
    return found


def _from_flags(words: Sequence[str]) -> Iterator[str]:
    """The images of an instruction's own flags, which come before anything else."""
    for flag in itertools.takewhile(lambda word: word.startswith("--"), words):
        name, _, value = flag.partition("=")
        options = value.split(",") if name == "--mount" else [flag.removeprefix("--")]
        yield from (o.removeprefix("from=") for o in options if o.startswith("from="))


def _add(
    found: list[BaseImage], stages: set[str], text: str, values: Mapping[str, str], line: int
) -> None:
    image = _substitute(text, values)
    if image.lower() not in stages and image != _SCRATCH and not image.isdigit():
        found.append(BaseImage(text, image, line))


def _argument(
    value: str, args: Mapping[str, str | None], known: Mapping[str, str]
) -> dict[str, str]:
    arguments = {}
    for word in value.split():
        name, given, default = word.partition("=")
        passed = args.get(name)
        if passed is not None:
            arguments[name] = passed
        elif given:
            arguments[name] = _substitute(default.strip("\"'"), known)
    return arguments


def _substitute(text: str, values: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        known = values.get(match["braced"] or match["bare"], "")
        if match["sign"] == "-":
            return known or match["word"]
        if match["sign"] == "+":
            return match["word"] if known else ""
        return known

    return _VARIABLE.sub(value, text)
