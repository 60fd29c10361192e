"""What a service starts with, as far as compose file, Dockerfile and its scripts tell."""

import re
from pathlib import Path

from slipway.built_image import BuiltImage, read_built_image
from slipway.services import Service

_LONGEST = 1 << 16
_OUTSIDE_WORDS = re.compile(r"[\s;&|()<>\"']+")
_NAME = re.compile(r"[\w.-]*\w[\w.-]*")
"""Of a file; a word of a shell's line may hold signs that would match other names."""


def start_command(service: Service) -> list[str]:
    """The words of a service's entrypoint and command; the Dockerfile's where the file has none."""
    image = read_built_image(service.build) if service.build else BuiltImage()
    entrypoint, command = image.entrypoint or (), image.command or ()
    if service.entrypoint:
        command = ()  # As Docker has it: the image's goes with the image's entrypoint.
    return [
        *(entrypoint if service.entrypoint is None else service.entrypoint),
        *(command if service.command is None else service.command),
    ]


def start_script(service: Service) -> str:
    """The text of the scripts of the build context that a service starts with; may be empty."""
    if service.build is None:
        return ""
    context = Path(service.build.context)
    words = [
        word
        for line in start_command(service)
        for word in _OUTSIDE_WORDS.split(line)
        if word.endswith(".sh") or "/" in word
    ]
    names = {Path(word).name for word in words if _NAME.fullmatch(Path(word).name)}
    found = [
        [text for file in sorted(context.rglob(name)) if (text := _script(file))]
        for name in sorted(names)
    ]
    return "\n".join(texts[0] for texts in found if texts)


def _script(file: Path) -> str:
    text = _text(file)
    return text if file.suffix == ".sh" or text.startswith("#!") else ""


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace")[:_LONGEST]
    except OSError:
        return ""
