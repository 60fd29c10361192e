"""scripts/secrets: move the literal secrets of a compose file into the stacks' configuration."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from slipway.commands.edge import errors_shown
from slipway.errors import ConfigError, HostError
from slipway.literal_secrets import (
    FOUND_IN_BUILD,
    Finding,
    build_secrets,
    literal_secrets,
    references,
    variable_names,
)
from slipway.redact import Redactor
from slipway.yaml_edit import entries, parse, read_text, replace_file, splice, text_of, value_of

ROOT = Path(__file__).absolute().parents[2]


def secrets(
    compose_file: Annotated[Path, typer.Argument(help="compose file to take secrets out of")],
    stack: Annotated[
        list[str] | None,
        typer.Option(help="stack that is to keep them; default: all that release this file"),
    ] = None,
    check: Annotated[bool, typer.Option(help="only tell; exit 1 if there are any")] = False,
) -> None:
    """Keep a compose file's literal secrets as Pulumi secrets, with ${NAME} in their place."""
    with errors_shown():
        text = read_text(compose_file)
        names = variable_names(literal_secrets(compose_file, text), text)
        kept = build_secrets(compose_file, text)
        for found in kept:
            place = f"{found.file}:{found.line} {found.service}.build.args.{found.key}"
            print(f"{place}: {FOUND_IN_BUILD}")
        if check and (names or kept):
            for finding in names:
                print(f"{_place(finding)} is a literal secret")
            raise SystemExit(1)
        if not names:
            print("no literal secrets" + (" that could be moved" if kept else ""))
            return
        for name in stack or _stacks_of(compose_file):
            _store(name, names)
        if read_text(compose_file) != text:
            raise ConfigError([f"{compose_file}: was changed in the meantime; run this again"])
        replace_file(compose_file, splice(text, references(names)))
        for finding, variable in names.items():
            print(f"{_place(finding)} -> ${{{variable}}}")


def _place(finding: Finding) -> str:
    return f"{finding.file}:{finding.line} {finding.service}.{finding.key}"


def _stack_file(stack: str) -> Path:
    return ROOT / "stacks" / f"Pulumi.{stack}.yaml"


def _stacks_of(compose_file: Path) -> list[str]:
    """The stacks that release a compose file."""
    stacks = []
    for file in sorted(ROOT.glob("stacks/Pulumi.*.yaml")):
        config = value_of(parse(file, read_text(file)), "config", "slipway:compose")
        if (ROOT / (text_of(config) or "compose.yaml")).resolve() == compose_file.resolve():
            stacks.append(file.name.removeprefix("Pulumi.").removesuffix(".yaml"))
    if not stacks:
        raise ConfigError(
            [f"{compose_file}: no file in stacks/ releases it; name the stacks with --stack"]
        )
    return stacks


def _store(stack: str, names: Mapping[Finding, str]) -> None:
    """Keep each secret in a stack; a stack may have its own value already, which stays."""
    file = _stack_file(stack)
    root = parse(file, read_text(file)) if file.is_file() else None
    kept = entries(value_of(root, "config", "slipway:secrets"))
    values = {name: finding.value.get_secret_value() for finding, name in names.items()}
    for name, value in sorted(values.items()):
        if name in kept:
            print(f"{stack} has a slipway:secrets.{name} already; it stays")
            continue
        _set(stack, name, value)
        print(f"{stack} keeps slipway:secrets.{name}")


def _set(stack: str, name: str, value: str) -> None:
    command = ["pulumi", "config", "set", "--secret", "--stack", stack, "--path"]
    # Of what it reads, Pulumi takes one end of line away.
    ended = _run([*command, f"slipway:secrets.{name}"], f"{value}\n")
    if ended.returncode != 0:
        reason = Redactor([value])(re.sub(r"\s+", " ", ended.stderr).strip())
        raise HostError(
            f"stack {stack} could not keep slipway:secrets.{name}: {reason}; "
            "the compose file is as it was. scripts/bootstrap makes a stack that is new"
        )


def _run(command: Sequence[str], entered: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, input=entered, cwd=ROOT, capture_output=True, text=True, check=False
    )


if __name__ == "__main__":
    typer.run(secrets)
