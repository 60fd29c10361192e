"""Pinning images: each tag in a compose file and its Dockerfiles gets the digest it has now.

Files are changed as text, at the place where the image stands, so that comments, quotes and order
stay as they are.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from slipway.dockerfile import BaseImage, base_images
from slipway.errors import ConfigError, RegistryError
from slipway.init.variables import Values, dotenv, unset_variables
from slipway.key_lines import KeyLines
from slipway.reference import ImageReference, parse_reference
from slipway.yaml_edit import read_text, replace_file

_PROVIDED = re.compile(r"\$\{?(SLIPWAY_\w+)(?:[:?-][^}]*)?\}?")

LookUp = Callable[[ImageReference], str | None]


@dataclass(frozen=True)
class Finding:
    """An image that is not pinned.

    Args:
        file: where it stands.
        line: its line, from 1.
        image: the image as written.
        column: where on the line to look for it, from 0.
        editable: whether the text of that line holds it as it is.
    """

    file: Path
    line: int
    image: str
    column: int = 0
    editable: bool = True


@dataclass(frozen=True)
class Edit:
    """A line of a file, with an image pinned."""

    finding: Finding
    pinned: str

    def __str__(self) -> str:
        return f"{self.finding.file}:{self.finding.line} {self.finding.image} -> {self.pinned}"


def find_unpinned(compose_file: Path, environ: Mapping[str, str] | None = None) -> list[Finding]:
    """The images that a compose file and its Dockerfiles name without a digest.

    Args:
        compose_file: the file.
        environ: process environment; has the images that bootstrap provides.

    Raises:
        ConfigError: a file is missing or cannot be read.
    """
    given = {k: v for k, v in (environ or {}).items() if k.startswith("SLIPWAY_")}
    values = Values({**dotenv(compose_file.parent / ".env"), **given})
    lines = KeyLines(compose_file)
    texts = {file: read_text(file) for file in lines.files}
    named = {file: _services(file, text) for file, text in texts.items()}
    services = [(file, service) for file, found in named.items() for service in found.values()]
    built = {str(service.get("image")) for _, service in services if service.get("build")}
    found = [
        finding
        for file, service in services
        # What a sibling builds has no digest yet.
        if service.get("build") or str(service.get("image")) not in built
        for finding in _in_service(lines, file, texts[file], service, values)
    ]
    return [f for f in dict.fromkeys(found) if not _provided(f.image, environ or {})]


def _provided(image: str, environ: Mapping[str, str]) -> bool:
    """Whether bootstrap provides an image, with its digest, by a variable."""
    variable = _PROVIDED.fullmatch(image)
    return variable is not None and _pinned(environ.get(variable[1], ""))


def _services(file: Path, text: str) -> dict[str, Mapping[str, Any]]:
    """The services, as far as an image may be looked for in them."""
    try:
        document = YAML().load(text)
    except YAMLError as error:
        raise ConfigError([f"{file}: cannot be read: {error}"]) from error
    root = _mapping(document, f"{file}:1", "services: {web: {image: …}}")
    services = _mapping(root.get("services"), _where(file, root, "services"), "web: {image: …}")
    found = {}
    for name, service in services.items():
        where = _where(file, services, name, f"services.{name}")
        found[name] = _mapping(service, where, f"{name}: {{image: …}}")
        build = found[name].get("build")
        if not isinstance(build, str):
            where = _where(file, found[name], "build", f"services.{name}.build")
            _mapping(build, where, "build: {context: .}")
    return found


def _mapping(node: Any, where: str, example: str) -> Mapping[str, Any]:
    if node is None or isinstance(node, Mapping):
        return node or {}
    kind = "a list" if isinstance(node, list) else "a single value"
    raise ConfigError([f"{where}: is {kind}, not a mapping; write {example}"])


def _where(file: Path, node: Any, key: str, path: str = "") -> str:
    line = _position(node, key)[0] if key in node else 1
    return f"{file}:{line} {path or key}"


def _in_service(
    lines: KeyLines, file: Path, text: str, service: Mapping[str, Any], values: Values
) -> Iterator[Finding]:
    build = service.get("build")
    image = service.get("image")
    if build is None:
        if isinstance(image, str) and not _pinned(image):
            yield _finding(file, text, image, *_position(service, "image"))
        return
    settings = {"context": build} if isinstance(build, str) else build
    dockerfile = _dockerfile(lines, file, service, values)
    if dockerfile is None:
        return
    instructions = read_text(dockerfile).replace("\r\n", "\n")
    arguments = _arguments(settings.get("args"), values)
    literal: list[Finding] = []
    for base in base_images(instructions, arguments):
        if not base.image or _pinned(base.image):
            continue
        passed = [name for name, value in arguments.items() if value == base.image]
        if base.text == base.image:
            literal.append(_next_on_line(dockerfile, instructions, base, literal))
            yield literal[-1]
        elif passed:  # It comes before a default in the Dockerfile.
            where = _argument_position(settings["args"], passed[0])
            yield _finding(file, text, base.image, *where)
        else:
            line = _default_line(instructions.splitlines(), base.image)
            place = _finding(dockerfile, instructions, base.image, line or base.line)
            yield place if line else replace(place, editable=False)


def _dockerfile(
    lines: KeyLines, file: Path, service: Mapping[str, Any], values: Values
) -> Path | None:
    """The Dockerfile of a service; None if it is not there, and may be elsewhere or nowhere."""
    build = service["build"]
    settings = {"context": build} if isinstance(build, str) else build
    if "dockerfile_inline" in settings:
        return None  # It is refused, and then written into a Dockerfile.
    path = []
    for key, usual in (("context", "."), ("dockerfile", "Dockerfile")):
        written = str(settings.get(key, usual))
        unset = unset_variables(written, values.known)
        if unset:
            node, at = (service, "build") if isinstance(build, str) else (build, key)
            where = _where(file, node, at, f"build.{key}")
            name = next(iter(unset))
            raise ConfigError(
                [
                    f"{where}: {name} has no value here, so that the Dockerfile is not found; "
                    f"give it a default, ${{{name}:-{usual}}}, or pin the images of the Dockerfile "
                    "by hand"
                ]
            )
        path.append(values.fill(written))
    # An included file may have the folder of the first one, or yet another, as its own.
    places = [folder / path[0] / path[1] for folder in (file.parent, *lines.folders)]
    there = next((place for place in places if place.is_file()), None)
    sure = file == lines.file and "extends" not in service and "://" not in path[0]
    return there or (places[0] if sure else None)


def _finding(file: Path, text: str, image: str, line: int, column: int = 0) -> Finding:
    there = text.splitlines()[line - 1][column:]
    editable = "$" not in image and _literally(image).search(there) is not None
    return Finding(file, line, image, column, editable)


def _next_on_line(file: Path, text: str, base: BaseImage, before: Sequence[Finding]) -> Finding:
    """The finding of an image that may stand on its line several times."""
    earlier = sum((found.line, found.image) == (base.line, base.image) for found in before)
    places = list(_literally(base.image).finditer(text.splitlines()[base.line - 1]))
    if earlier < len(places):
        return Finding(file, base.line, base.image, places[earlier].start())
    return Finding(file, base.line, base.image, editable=False)


def _literally(image: str) -> re.Pattern[str]:
    # Neither a part of another image, nor a key or an argument that is called like the image.
    return re.compile(rf"(?<![\w./:@-]){re.escape(image)}(?![\w./:@=-])")


def _position(node: Any, key: str) -> tuple[int, int]:
    """Line (from 1) and column (from 0) of a mapping's value, even if `<<: *anchor` brought it."""
    while True:
        try:
            line, column = node.lc.value(key)
            return line + 1, column
        except KeyError:
            node = next(merged for merged in node.merge if key in merged)


def _argument_position(args: Any, name: str) -> tuple[int, int]:
    if not isinstance(args, list):
        return _position(args, name)
    index = next(n for n, item in enumerate(args) if str(item).partition("=")[0] == name)
    line, column = args.lc.item(index)  # type: ignore[attr-defined]  # ruamel's node
    return line + 1, column


def _arguments(args: Any, values: Values) -> dict[str, str | None]:
    if isinstance(args, list):
        pairs = (str(item).partition("=") for item in args)
        found = {name: value if sign else None for name, sign, value in pairs}
    else:
        found = {str(n): None if v is None else str(v) for n, v in (args or {}).items()}
    # Without a value, it is that of the variable of the same name.
    return {n: values.known.get(n) if v is None else v for n, v in found.items()}


def _default_line(lines: list[str], image: str) -> int | None:
    argument = re.compile(rf"\s*ARG\s+\w+=[\"']?{re.escape(image)}[\"']?\s*$", re.IGNORECASE)
    return next((n for n, line in enumerate(lines, 1) if argument.match(line)), None)


def _pinned(image: str) -> bool:
    return "@sha256:" in image


def plan_edits(findings: list[Finding], look_up: LookUp) -> list[Edit]:
    """The edits that pin what was found.

    Raises:
        ConfigError: an image does not exist, or does not stand literally in its file; nothing is
            edited then.
        RegistryError: a registry does not answer for an image.
    """
    edits, problems = [], []
    for finding in findings:
        try:
            edits.append(Edit(finding, f"{finding.image}@{_digest(finding, look_up)}"))
        except ConfigError as error:
            problems += [f"{_place(finding)}: {problem}" for problem in error.problems]
        except RegistryError as error:
            raise RegistryError(f"{_place(finding)}: {error}") from error
    if problems:
        raise ConfigError(problems)
    return edits


def _place(finding: Finding) -> str:
    return f"{finding.file}:{finding.line} {finding.image}"


def _digest(finding: Finding, look_up: LookUp) -> str:
    if "$" in finding.image:
        raise ConfigError(["holds a variable; pin the image where the variable is set"])
    if not finding.editable:
        raise ConfigError(
            [
                "does not stand on this line in one piece; pin it by hand where its variables are "
                "set or its line goes on"
            ]
        )
    digest = look_up(parse_reference(finding.image))
    if digest is None:
        raise ConfigError(["its registry has no such image; correct the name or the tag"])
    return digest


def carry_out(edits: list[Edit]) -> None:
    """Write the edits; a file is replaced as a whole, so that none is ever half written."""
    for file in sorted({edit.finding.file for edit in edits}):
        lines = read_text(file).splitlines(keepends=True)
        # From right to left, since an edit moves what stands behind it.
        for edit in sorted(edits, key=lambda edit: -edit.finding.column):
            if edit.finding.file == file:
                _pin_on_line(lines, edit)
        replace_file(file, "".join(lines))


def _pin_on_line(lines: list[str], edit: Edit) -> None:
    index, column = edit.finding.line - 1, edit.finding.column
    head, tail = lines[index][:column], lines[index][column:]
    lines[index] = head + _literally(edit.finding.image).sub(edit.pinned, tail, count=1)
