"""A way to the build context that is new for each source.

BuildKit keeps what it was sent under the context's path, and does not ask again for a file whose
size, mode and time are the same. An edit that keeps all three (a restored archive, a tool that sets
times) would be built with the old content, under the name of the new. Under a path of its own, each
source is sent whole.
"""

import os
from pathlib import Path

from slipway.canonical import SHORT
from slipway.image_plan import ImagePlan, relative_context

FOLDER = Path(".slipway/contexts")
_KEPT = 50


def context_for(plan: ImagePlan, base: Path) -> str:
    """The context as the build is given it, as seen from the program's folder.

    A Dockerfile outside of its context is found by the context's own path only.

    Args:
        plan: of the image.
        base: the program's folder.
    """
    outside = os.path.normpath(plan.build.dockerfile).startswith(os.pardir)
    if outside or os.path.isabs(plan.build.dockerfile):
        return relative_context(plan.build, base)
    return str(FOLDER / plan.source.hash[:SHORT])


def link_context(plan: ImagePlan, base: Path) -> None:
    """Make the way, if it is not the context's own path.

    Args:
        plan: of the image.
        base: the program's folder.
    """
    context = context_for(plan, base)
    if context == relative_context(plan.build, base):
        return
    folder = base / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    target = os.path.relpath(plan.build.context, folder)
    part = folder / f"{plan.source.hash[:SHORT]}.part"
    part.unlink(missing_ok=True)
    part.symlink_to(target)
    os.replace(part, base / context)
    links = sorted(folder.iterdir(), key=lambda link: link.lstat().st_mtime, reverse=True)
    for old in links[_KEPT:]:
        old.unlink(missing_ok=True)
