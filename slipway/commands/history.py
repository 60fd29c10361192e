"""scripts/history: a stack's releases, and what failed between them."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from slipway import history as view
from slipway.commands.edge import errors_shown
from slipway.errors import ConfigError, HostError, UserError
from slipway.history_table import table, without_release
from slipway.verify import parse_export

ROOT = Path(__file__).absolute().parents[2]
_STACK_NOT_FOUND = 6
"""The CLI's exit code for it, which its makers promise to keep."""
_PAGE = 100
_WIDTH = 100
"""Columns, where there is no terminal to ask."""


def history(
    stack: Annotated[str, typer.Argument(help="stack to look at")],
    as_json: Annotated[bool, typer.Option("--json", help="for programs: a JSON document")] = False,
    limit: Annotated[int | None, typer.Option(help="newest releases to show", min=1)] = None,
) -> None:
    """Show a stack's releases, newest first, and between them the attempts that failed."""
    with errors_shown():
        items = _items(stack, limit)
    if as_json:
        print(json.dumps(view.document(stack, items), indent=2))
    else:
        print(table(items, shutil.get_terminal_size((_WIDTH, 24)).columns))


def _items(stack: str, limit: int | None) -> list[view.Release | view.Attempt]:
    export = json.loads(_pulumi(stack, "export"))
    try:
        ledger = parse_export(stack, export).live.ledger
    except ConfigError:
        ledger = []
    since = view.horizon(ledger, limit)
    runs = list(_runs(stack, since))
    failed = view.attempts(runs, _evidence(stack))
    destroyed = view.last_destroy(runs)
    if not ledger:
        raise UserError(without_release(stack, destroyed, failed))
    found = view.releases(ledger, datetime.now(UTC))[:limit]
    return view.merge(found, failed, since or destroyed)


def _runs(stack: str, since: datetime | None) -> Iterator[Mapping[str, Any]]:
    """The engine's history, newest first, as far back as it is needed."""
    page = 0
    while True:
        page += 1
        answer = _pulumi(
            stack, "history", "--json", "--show-secrets=false", "--full-dates",
            "--page", str(page), "--page-size", str(_PAGE),
        )  # fmt: skip
        found = json.loads(answer)
        yield from found
        if len(found) < _PAGE or (since and view.moment(found[-1]["startTime"]) < since):
            return


def _evidence(stack: str) -> Iterator[view.Evidence]:
    """The stack's evidence; a file that is none is told of and left out."""
    folder = ROOT / ".slipway" / "evidence" / stack.rsplit("/", 1)[-1]
    for file in sorted(folder.glob("*.json")):
        path = str(file.relative_to(ROOT))
        try:
            found = view.evidence(path, json.loads(file.read_bytes()))
        except (OSError, ValueError):
            found = None
        if found is None:
            print(f"slipway: {path} is no evidence that can be read; left out", file=sys.stderr)
        else:
            yield found


def _pulumi(stack: str, verb: str, *options: str) -> str:
    command = ["pulumi", "stack", verb, *options, "--stack", stack]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if answer.returncode == _STACK_NOT_FOUND:
        files = sorted((ROOT / "stacks").glob("Pulumi.*.yaml"))
        names = ", ".join(file.name.split(".", 1)[1].removesuffix(".yaml") for file in files)
        raise HostError(
            f"the backend knows no stack {stack}; stacks/ has files for: {names or 'none'}; "
            "pulumi stack ls lists those that are there"
        )
    if answer.returncode != 0:
        raise HostError(f"the state of {stack} cannot be read: {answer.stderr.strip()}")
    return answer.stdout


if __name__ == "__main__":
    typer.run(history)
