"""scripts/init: make a compose file ready for Slipway, and tell what is left to do."""

import difflib
import os
from collections.abc import Container, Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from slipway.commands.edge import errors_shown
from slipway.errors import ConfigError, HostError
from slipway.host import connect, registry_login
from slipway.init.next_steps import naming, next_steps, shown
from slipway.init.outline import Outline, outline
from slipway.init.pinning import plan_pins
from slipway.init.proposals import propose
from slipway.init.remarks import Remark, remarks
from slipway.init.source import Sources
from slipway.init.stack_files import StackFile, stack_files
from slipway.init.writing import write
from slipway.literal_secrets import literal_secrets
from slipway.pin import carry_out, find_unpinned
from slipway.public_port import next_free
from slipway.registry import Registry
from slipway.toolchain.environment import uses_own_state
from slipway.toolchain.places import Places
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
        stacks = stack_files(ROOT, ROOT / stacks_dir, file, found.name, _next_free)
        named = naming(ROOT, _own_state(), found.name) if stacks else None
        left = [_without_place(found, name) for name in without_place]
        left += [
            remark
            for remark in remarks(outline(file, text), proposals, sources)
            if remark.key.partition(".x-slipway")[0] not in without_place
        ]
        if dry_run:
            _show(found, text, stacks)
        else:
            _write(found, text, stacks)
        problems = _pin(file, dry_run=dry_run)
        _tell(file, left, problems, stacks)
        if any(stack.path.exists() for stack in stacks):
            first = stacks[0].path.stem.removeprefix("Pulumi.")
            secret = bool(literal_secrets(found.file, found.text))
            steps = next_steps(file, first, named, secret=secret)
            print("\n" + "\n".join(shown(steps, named)))


def _next_free(first: int, taken: Container[int]) -> int | None:
    """A free port of the Docker host; of this machine, where no engine answers yet."""
    try:
        host = connect()
    except HostError:
        return next_free(first, None, taken)
    with closing(host):
        return next_free(first, host, taken)


def _own_state() -> Path | None:
    """The folder of the checkout's own backend; None if another one is used."""
    places = Places.of(ROOT, os.environ)
    return places.state if uses_own_state(places, os.environ) else None


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


def _pin(file: Path, *, dry_run: bool) -> list[str]:
    """Pin what can be pinned; gives what cannot be."""
    try:
        findings = find_unpinned(file, os.environ)
    except ConfigError as error:
        return list(error.problems)
    if not findings:
        return []
    with Registry(registry_login) as registry:
        pinning = plan_pins(findings, registry.digest)
    if not dry_run:
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


if __name__ == "__main__":
    typer.run(init)
