"""scripts/pin: give each image of a compose file the digest that its tag has now."""

import os
from pathlib import Path
from typing import Annotated

import typer

from slipway.commands.edge import errors_shown
from slipway.host import registry_login
from slipway.pin import carry_out, find_unpinned, plan_edits
from slipway.registry import Registry


def pin(
    compose_file: Annotated[Path, typer.Argument(help="compose file whose images to pin")],
    check: Annotated[bool, typer.Option(help="only tell; exit 1 if any is not pinned")] = False,
) -> None:
    """Pin the images of a compose file and of its Dockerfiles by digest, keeping comments."""
    with errors_shown():
        findings = find_unpinned(compose_file, os.environ)
        if not findings:
            print("all images are pinned")
            return
        if check:
            for finding in findings:
                print(f"{finding.file}:{finding.line} {finding.image} is not pinned")
            raise SystemExit(1)
        with Registry(registry_login) as registry:
            edits = plan_edits(findings, registry.digest)
        carry_out(edits)
        for edit in edits:
            print(edit)


if __name__ == "__main__":
    typer.run(pin)
