"""Folders that `x-slipway.proof.files` names, and that are not there."""

from collections.abc import Mapping

from slipway.image_plan import Image, ImagePlan
from slipway.key_lines import KeyLines
from slipway.proof.patterns import below
from slipway.services import Project


def unmapped(project: Project, lines: KeyLines, images: Mapping[str, Image]) -> list[str]:
    """What is wrong with the folders that services map, one line each.

    Args:
        project: the compose project.
        lines: finds lines for messages.
        images: by service.
    """
    problems = []
    for name, service in sorted(project.services.items()):
        image = images.get(name)
        for source in service.extension.proof.files:
            where = lines.where("services", name, "x-slipway", "proof", "files", source)
            if service.build is None:
                problems.append(f"{where}: the service has no build to compare with; remove it")
            elif isinstance(image, ImagePlan) and not _has(image, source):
                problems.append(
                    f"{where}: there is nothing of that name in the build context "
                    f"{image.build.context}, or .dockerignore leaves it out; correct the path"
                )
    return problems


def _has(image: ImagePlan, source: str) -> bool:
    paths = {entry.path for entry in image.source.entries}
    return not source or source in paths or bool(below(paths, source))
