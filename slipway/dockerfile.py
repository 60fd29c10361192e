"""What a Dockerfile says: its stages, the external images it names, what it needs of a builder."""

import io
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dockerfile_parse import DockerfileParser

USUAL_PLATFORM = "linux/amd64"
VARIABLE = re.compile(
    r"\$(?:\{(?P<braced>\w+)(?:(?P<sign>:?[-+?])(?P<word>(?:[^{}]|\{[^{}]*\})*))?\}|(?P<bare>\w+))"
)
_DIRECTIVE = re.compile(r"#\s*(\w+)\s*=\s*(\S.*?)\s*$")
_SCRATCH = "scratch"
_HEREDOC = re.compile(r"\d*<<-?([^<]+)")
"""A whole word of a shell's line; within quotes or arithmetic, << begins nothing."""
_QUOTED = re.compile(r"'[^']*'|\"(?:\\.|[^\"\\])*\"")
_TAKES_HERE_DOCUMENTS = re.compile(r"\s*(?:RUN|COPY|ADD)\b", re.IGNORECASE)


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


@dataclass(frozen=True)
class Instruction:
    """An instruction: its name in capitals, what follows it, and its line, from 1."""

    name: str
    value: str
    line: int

    @property
    def words(self) -> list[str]:
        return self.value.split()


@dataclass(frozen=True)
class Stage:
    """A stage of a Dockerfile.

    Args:
        name: in small letters; empty if it has none.
        base: what it builds on, an image or a stage; `text` as written, empty if nothing is.
        instructions: those below its FROM.
    """

    name: str
    base: BaseImage
    instructions: tuple[Instruction, ...]


def stages(
    dockerfile: str, args: Mapping[str, str | None], platform: str = USUAL_PLATFORM
) -> list[Stage]:
    """The stages of a Dockerfile, in its order.

    Args:
        dockerfile: its text.
        args: build arguments; they fill ARGs that stand before the first FROM.
        platform: what is built for; gives TARGETARCH and its like.
    """
    values = _of_platform(platform, args)
    found: list[tuple[str, BaseImage, list[Instruction]]] = []
    for instruction in instructions(dockerfile):
        if instruction.name == "FROM":
            words = [word for word in instruction.words if not word.startswith("--")]
            text = "".join(words[:1])
            base = BaseImage(text, _substitute(text, values), instruction.line)
            found.append(("" if len(words) < 3 else words[2].lower(), base, []))
        elif found:
            found[-1][2].append(instruction)
        elif instruction.name == "ARG":
            values.update(_argument(instruction.value, args, values))
    return [Stage(name, base, tuple(below)) for name, base, below in found]


def base_images(
    dockerfile: str, args: Mapping[str, str | None], platform: str = USUAL_PLATFORM
) -> list[BaseImage]:
    """The images that FROM, COPY --from and RUN --mount=from= name, but for stages and `scratch`.

    Args:
        dockerfile: text of the Dockerfile.
        args: build arguments; they fill ARGs that stand before the first FROM.
        platform: what is built for; gives TARGETARCH and its like.
    """
    # The program that reads the Dockerfile is an image too.
    found = [frontend] if (frontend := _frontend(dockerfile)) else []
    names: set[str] = set()
    for index, stage in enumerate(stages(dockerfile, args, platform)):
        if stage.base.text:  # Without one, the build tells that it is missing.
            _add(found, names, stage.base)
        names.add(stage.name or str(index))
        for instruction in stage.instructions:
            if instruction.name in ("COPY", "RUN"):
                for text in _from_flags(instruction.words):
                    image = _substitute(text, {})
                    _add(found, names, BaseImage(text, image, instruction.line))
    return found


def _frontend(dockerfile: str) -> BaseImage | None:
    """What `# syntax=` names: it may stand below a shebang and other directives."""
    for number, line in enumerate(dockerfile.removeprefix("\ufeff").splitlines(), 1):
        if number == 1 and line.startswith("#!"):
            continue
        directive = _DIRECTIVE.match(line.strip())
        if directive is None:
            return None
        if directive[1].lower() == "syntax":
            image = directive[2].split()[0]
            return BaseImage(image, image, number)
    return None


def _from_flags(words: Sequence[str]) -> Iterator[str]:
    """The images of an instruction's own flags, which come before anything else."""
    for flag in itertools.takewhile(lambda word: word.startswith("--"), words):
        name, _, value = flag.partition("=")
        options = value.split(",") if name == "--mount" else [flag.removeprefix("--")]
        yield from (o.removeprefix("from=") for o in options if o.startswith("from="))


def _add(found: list[BaseImage], stages: set[str], base: BaseImage) -> None:
    image = base.image
    if image.lower() not in stages and image != _SCRATCH and not image.isdigit():
        found.append(base)


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
        known = values.get(match["braced"] or match["bare"])
        sign = match["sign"] or ""
        given = bool(known) if sign.startswith(":") else known is not None
        if sign.endswith("-"):
            return known or "" if given else _substitute(match["word"], values)
        if sign.endswith("+"):
            return _substitute(match["word"], values) if given else ""
        return known or ""

    return VARIABLE.sub(value, text)


def _of_platform(platform: str, args: Mapping[str, str | None]) -> dict[str, str]:
    """The arguments that BuildKit gives of itself, as far as they follow from the platform."""
    system, architecture, variant = [*platform.split("/"), "", ""][:3]
    given = {
        "TARGETPLATFORM": platform,
        "TARGETOS": system,
        "TARGETARCH": architecture,
        "TARGETVARIANT": variant,
    }
    return {name: args.get(name) or value for name, value in given.items()}


@dataclass(frozen=True)
class Need:
    """Something in a build that not every engine can do.

    Args:
        feature: what.
        line: where, from 1.
        engine: the first Docker Engine whose own BuildKit can, as major and minor version.
    """

    feature: str
    line: int
    engine: tuple[int, int]


def builder_needs(dockerfile: str) -> list[Need]:
    """What a Dockerfile needs that older engines lack; nothing if it names its own frontend.

    The versions are those of https://docs.docker.com/build/buildkit/dockerfile-release-notes/:
    Engine 23.0 has frontend 1.5, Engine 20.10 has 1.2.
    """
    if _frontend(dockerfile):
        return []
    found = []
    for instruction in instructions(dockerfile):
        line, name, value = instruction.line, instruction.name, instruction.value
        if name in ("RUN", "COPY") and _here_documents(value):
            found.append(Need(f"a here-document in {name}", line, (23, 0)))
        if name in ("COPY", "ADD") and re.match(r"(?:--\S+\s+)*--link\b", value):
            found.append(Need(f"{name} --link", line, (23, 0)))
        if name == "ADD" and re.match(r"(?:--\S+\s+)*--checksum=", value):
            found.append(Need("ADD --checksum", line, (23, 0)))
    return found


def instructions(dockerfile: str) -> list[Instruction]:
    """The instructions of a Dockerfile, in its order; what here-documents hold is none."""
    text = _without_here_documents(dockerfile).encode()
    found: list[dict[str, Any]] = DockerfileParser(fileobj=io.BytesIO(text)).structure
    return [
        Instruction(i["instruction"], i["value"], i["startline"] + 1)
        for i in found
        if i["instruction"] != "COMMENT"
    ]


def _without_here_documents(dockerfile: str) -> str:
    """The text with the bodies of here-documents blank, so that lines keep their numbers.

    A body begins below the last line of its instruction, which may go on over several.
    """
    kept: list[str] = []
    ends: list[str] = []
    begun = ""
    for line in dockerfile.removeprefix("\ufeff").split("\n"):
        if ends:
            kept.append("")
            if line.rstrip("\r").lstrip("\t") == ends[0]:
                del ends[0]
            continue
        kept.append(line)
        if begun and (not line.strip() or line.lstrip().startswith("#")):
            continue  # Neither ends an instruction that goes on.
        begun += line.rstrip()
        if begun.endswith("\\"):
            begun = begun[:-1]
            continue
        if _TAKES_HERE_DOCUMENTS.match(begun):
            ends = _here_documents(begun)
        begun = ""
    return "\n".join(kept)


def _here_documents(instruction: str) -> list[str]:
    """The words that end the here-documents of an instruction."""
    words = _QUOTED.sub(_without_blanks, instruction).split()
    found = (_HEREDOC.fullmatch(word) for word in words)
    return [re.sub(r"[\"'\\]", "", match[1]) for match in found if match]


def _without_blanks(quoted: re.Match[str]) -> str:
    return re.sub(r"\s", "_", quoted[0])
