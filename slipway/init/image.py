"""What a Dockerfile says of the image that it makes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from slipway.built_image import built_image, stages_of, words_of
from slipway.conventions import collects_static


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
        user: who its processes run as; empty where no stage of the Dockerfile says.
    """

    base: str = ""
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    health: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    collects_static: bool = False
    copied: tuple[tuple[str, str], ...] = ()
    user: str = ""


def image_facts(
    dockerfile: Path, target: str | None = None, arguments: Mapping[str, str] | None = None
) -> ImageFacts:
    """What a Dockerfile says of the image of its last stage, or of `target`.

    Nothing, if there is no Dockerfile that can be read.
    """
    try:
        text = dockerfile.read_text("utf-8", "replace")
    except OSError:
        return ImageFacts()
    chain = stages_of(text, target, arguments)
    if not chain:
        return ImageFacts()
    image = built_image(text, target, arguments)
    facts = ImageFacts(
        base=chain[0].base.image or chain[0].base.text,
        entrypoint=image.entrypoint or (),
        command=image.command or (),
        health=(image.health or ()) if image.checked else (),
    )
    for stage in chain:
        for instruction in stage.instructions:
            facts = _with(facts, instruction.name, instruction.value)
    return facts


def _with(facts: ImageFacts, name: str, value: str) -> ImageFacts:
    match name:
        case "EXPOSE":
            ports = (word.partition("/")[0] for word in value.split())
            return replace(facts, ports=(*facts.ports, *(int(p) for p in ports if p.isdigit())))
        case "USER":
            return replace(facts, user=value.strip())
        case "RUN" if collects_static(["sh", "-c", value]):
            return replace(facts, collects_static=True)
        case "COPY" if "--from=" not in value:
            *sources, target = [w for w in words_of(value) if not w.startswith("--")] or [""]
            return replace(facts, copied=(*facts.copied, *((s, target) for s in sources)))
    return facts
