"""scripts/preview: what a pull request would change in each stack, as a comment for it."""

import os
from contextlib import chdir
from pathlib import Path
from typing import Annotated

import typer

from slipway.commands.edge import errors_shown
from slipway.commands.explain import explained
from slipway.commands.locks import ROOT
from slipway.commands.run import Run, require_stack, say, stacks
from slipway.errors import ConfigError, UserError
from slipway.preview.comment import comment
from slipway.preview.course import preview_stack
from slipway.preview.model import StackPreview
from slipway.redact import Redactor

_FAILED = 1
_PASSPHRASE = "PULUMI_CONFIG_PASSPHRASE"  # noqa: S105  (the name of a variable)


def preview(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[STACK]...", help="default: all of stacks/")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="file to write; default: standard output")
    ] = None,
) -> None:
    """Preview stacks, and write the comment that tells what would change and why."""
    with errors_shown():
        wanted = list(dict.fromkeys(names or stacks()))
        for stack in wanted:
            require_stack(stack)
        if not wanted:
            raise ConfigError(["there is no stack in stacks/; scripts/init writes their files"])
        previews = [_preview(stack) for stack in wanted]
        _write(comment(previews), output)
    failed = [one.stack for one in previews if one.failed]
    if failed:
        say(f"no complete preview of {', '.join(failed)}")
        raise SystemExit(_FAILED)


def _preview(stack: str) -> StackPreview:
    """A preview that is there whatever happens: what is wrong with one stack is not for others."""
    say(f"previewing {stack}")
    always = Redactor([os.environ.get(_PASSPHRASE, "")])
    try:
        run = Run(stack)
        secrets = run.redactor()
        # The paths of the configuration start here.
        with chdir(ROOT):
            found = preview_stack(
                stack, run.engine, lambda: explained(run.engine), lambda t: secrets(always(t))
            )
    except UserError as error:
        found = StackPreview(stack, error=always(str(error)))
    if found.error or found.unexplained:
        say(str(found.error or found.unexplained))
    return found


def _write(text: str, output: Path | None) -> None:
    if output is None:
        print(text, end="")
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError([f"{output}: cannot be written: {error.strerror}"]) from None


if __name__ == "__main__":
    typer.run(preview)
