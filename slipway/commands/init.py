"""scripts/init: make a compose file ready for Slipway, and tell what is left to do."""

import difflib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from slipway.commands.edge import errors_shown
from slipway.errors import ConfigError
from slipway.host import registry_login
from slipway.init.outline import Outline, outline
from slipway.init.pinning import plan_pins
from slipway.init.proposals import propose
from slipway.init.remarks import Remark, remarks
from slipway.init.source import Sources
from slipway.init.stack_files import StackFile, stack_files
from slipway.init.writing import write
from slipway.pin import Finding, carry_out, find_unpinned
from slipway.registry import Registry
from slipway.yaml_edit import read_text, replace_file

ROOT = Path(__file__).absolute().parents[2]
_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")


def init(
    folder: Annotated[Path, typer.Argument(help="folder with the compose file, or the file")],
    stacks_dir: Annotated[Path, typer.Option(help="where stack files go")] = Path("stacks"),
    dry_run: Annotated[bool, typer.Option(help="only show what would change")] = False,
) -> None:
    """Write x-slipway into a compose file, pin its images, and write stack files for it."""
    with errors_shown():
        found = outline(file := _compose_file(folder), read_text(file))
        sources = Sources()
        proposals = propose(found, sources)
        text, without_place = write(found, proposals)
        stacks = stack_files(ROOT, ROOT / stacks_dir, file, found.name)
        left = [_without_place(found, name) for name in without_place]
        left += [
            remark
            for remark in remarks(outline(file, text), proposals, sources)
            if remark.key.partition(".x-slipway")[0] not in without_place
        ]
        if dry_run:
            _show(found, text, stacks)
            problems = [f"{f.file}:{f.line} {f.image}: is not pinned" for f in _unpinned(file)]
        else:
            _write(found, text, stacks)
            problems = _pin(file)
    _tell(file, left, problems, stacks)


def _compose_file(folder: Path) -> Path:
    if folder.is_file():
        return folder
    for name in _NAMES:
        if (folder / name).is_file():
            return folder / name
    raise ConfigError([f"{folder}: has none of {', '.join(_NAMES)}; name the compose file itself"])


def _without_place(found: Outline, name: str) -> Remark:
    service = next(service for service in found.services if service.name == name)
    return Remark(
        service.line(""),
        name,
        "has no keys of its own, so that x-slipway cannot be written; replace *alias by "
        "{<<: *alias} and run this again",
    )


def _show(found: Outline, text: str, stacks: Sequence[StackFile]) -> None:
    changes = [(found.file, found.text, text)]
    changes += [(stack.path, "", stack.text) for stack in stacks if not stack.exists]
    for path, old, new in changes:
        names = (str(path) if old else "/dev/null", str(path))
        lines = old.splitlines(keepends=True), new.splitlines(keepends=True)
        print("".join(difflib.unified_diff(*lines, *names)), end="")


def _write(found: Outline, text: str, stacks: Sequence[StackFile]) -> None:
    if text != found.text:
        replace_file(found.file, text)
        print(f"{found.file}: x-slipway was added")
    for stack in stacks:
        if not stack.exists:
            stack.path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(stack.path, stack.text)
            print(f"{stack.path}: was written")


def _unpinned(file: Path) -> list[Finding]:
    try:
        return find_unpinned(file, os.environ)
    except ConfigError:  # A Dockerfile is missing; it is told when the images are to be pinned.
        return []


def _pin(file: Path) -> list[str]:
    try:
        findings = find_unpinned(file, os.environ)
    except ConfigError as error:
        return list(error.problems)
    if not findings:
        return []
    with Registry(registry_login) as registry:
        pinning = plan_pins(findings, registry.digest)
    carry_out(list(pinning.edits))
    for edit in pinning.edits:
        print(edit)
    return list(pinning.problems)


def _tell(
    file: Path, left: Sequence[Remark], problems: Sequence[str], stacks: Sequence[StackFile]
) -> None:
    for stack in stacks:
        if stack.exists:
            print(
                f"{stack.path}: is there already and stays; for this file it would be\n{stack.text}"
            )
    told = [f"{file}:{remark.line} {remark.key}: {remark.text}" for remark in sorted(left)]
    told += problems
    if told:
        print(f"\n{len(told)} left for you:")
        print("\n".join(f"- {line}" for line in told))
    else:
        print("nothing is left to decide")
    if any(stack.path.exists() for stack in stacks):
        first = stacks[0].path.stem.removeprefix("Pulumi.")
        print(f"\nnext: scripts/deploy {first}")


if __name__ == "__main__":
    typer.run(init)
