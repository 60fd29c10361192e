"""Pinning images: each tag in a compose file and its Dockerfiles gets the digest it has now.

Files are changed as text, at the place where the image stands, so that comments, quotes and order
stay as they are.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from slipway.dockerfile import base_images
from slipway.errors import ConfigError
from slipway.reference import ImageReference, parse_reference

LookUp = Callable[[ImageReference], str | None]


@dataclass(frozen=True)
class Finding:
    """An image that is not pinned.

    Args:
        file: where it stands.
        line: its line, from 1.
        image: the image as written.
        editable: whether the text of that line holds it as it is.
    """

    file: Path
    line: int
    image: str
    editable: bool = True


@dataclass(frozen=True)
class Edit:
    """A line of a file, with an image pinned."""

    finding: Finding
    pinned: str

    def __str__(self) -> str:
        return f"{self.finding.file}:{self.finding.line} {self.finding.image} -> {self.pinned}"


def find_unpinned(compose_file: Path) -> list[Finding]:
    """The images that a compose file and its Dockerfiles name without a digest.

    Raises:
        ConfigError: a file is missing or cannot be read.
    """
    try:
        document = YAML().load(compose_file.read_text())
    except (OSError, YAMLError) as error:
        raise ConfigError([f"{compose_file}: cannot be read: {error}"]) from error
    findings: dict[tuple[Path, int, str], Finding] = {}
    for service in ((document or {}).get("services") or {}).values():
        for finding in _in_service(compose_file, service or {}):
            findings[finding.file, finding.line, finding.image] = finding
    return list(findings.values())


def _in_service(compose_file: Path, service: Mapping[str, Any]) -> Iterator[Finding]:
    build = service.get("build")
    image = service.get("image")
    if isinstance(image, str) and build is None and not _pinned(image):
        line = service.lc.value("image")[0] + 1  # type: ignore[attr-defined]  # ruamel's node
        yield Finding(compose_file, line, image, editable="$" not in image)
    if build is None:
        return
    settings = {"context": build} if isinstance(build, str) else build
    context = compose_file.parent / str(settings.get("context", "."))
    dockerfile = context / str(settings.get("dockerfile", "Dockerfile"))
    arguments = _arguments(settings.get("args"))
    for finding in _in_dockerfile(dockerfile, arguments):
        passed = [name for name, value in arguments.items() if value == finding.image]
        if finding.editable or not passed:
            yield finding
        else:  # The compose file passes the image as a build argument.
            yield Finding(
                compose_file, _line_of_argument(settings["args"], passed[0]), finding.image
            )


def _line_of_argument(args: Any, name: str) -> int:
    if isinstance(args, list):
        index = next(n for n, item in enumerate(args) if str(item).partition("=")[0] == name)
        return int(args.lc.item(index)[0]) + 1  # type: ignore[attr-defined]  # ruamel's node
    return int(args.lc.value(name)[0]) + 1


def _arguments(args: Any) -> dict[str, str | None]:
    if isinstance(args, list):
        pairs = (str(item).partition("=") for item in args)
        return {name: value if sign else None for name, sign, value in pairs}
    return {
        str(name): None if value is None else str(value) for name, value in (args or {}).items()
    }


def _in_dockerfile(dockerfile: Path, args: Mapping[str, str | None]) -> Iterator[Finding]:
    try:
        text = dockerfile.read_text()
    except OSError as error:
        raise ConfigError([f"{dockerfile}: cannot be read: {error}"]) from error
    lines = text.splitlines()
    for base in base_images(text, args):
        if not base.image or "$" in base.image or _pinned(base.image):
            continue
        at = base.line
        if base.text != base.image:  # It came from an ARG: that is the line to change.
            at = _argument_line(lines, base.image) or base.line
        yield Finding(dockerfile, at, base.image, editable=base.image in lines[at - 1])


def _argument_line(lines: list[str], image: str) -> int | None:
    argument = re.compile(rf"\s*ARG\s+\w+=[\"']?{re.escape(image)}[\"']?\s*$", re.IGNORECASE)
    return next((n for n, line in enumerate(lines, 1) if argument.match(line)), None)


def _pinned(image: str) -> bool:
    return "@sha256:" in image


def plan_edits(findings: list[Finding], look_up: LookUp) -> list[Edit]:
    """The edits that pin what was found.

    Raises:
        ConfigError: an image does not exist, or does not stand literally in its file; nothing is
            edited then.
    """
    edits, problems = [], []
    for finding in findings:
        where = f"{finding.file}:{finding.line} {finding.image}"
        if not finding.editable:
            problems.append(f"{where}: is put together from variables; pin it where they are set")
            continue
        digest = look_up(parse_reference(finding.image))
        if digest is None:
            problems.append(f"{where}: its registry has no such image; correct the name or the tag")
            continue
        edits.append(Edit(finding, f"{finding.image}@{digest}"))
    if problems:
        raise ConfigError(problems)
    return edits


def carry_out(edits: list[Edit]) -> None:
    """Write the edits; a file is replaced as a whole, so that none is ever half written."""
    for file in sorted({edit.finding.file for edit in edits}):
        lines = file.read_text().splitlines(keepends=True)
        for edit in edits:
            if edit.finding.file == file:
                index = edit.finding.line - 1
                unpinned = re.compile(re.escape(edit.finding.image) + r"(?![\w.@/-])")
                lines[index] = unpinned.sub(edit.pinned, lines[index], count=1)
        unfinished = file.with_name(f".{file.name}.pinning")
        unfinished.write_text("".join(lines))
        unfinished.chmod(file.stat().st_mode & 0o7777)
        os.replace(unfinished, file)
