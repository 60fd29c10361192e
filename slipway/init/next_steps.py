"""What to do once init is done, in the order in which it must be done."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from slipway.yaml_edit import parse, read_text, text_of, value_of

EXAMPLE = "quotes"
"""The project's name as it comes with the example."""


@dataclass(frozen=True)
class Naming:
    """The project's name, where it is the example's still.

    Args:
        wanted: what it should be called, after the app.
        released: stacks that have something under the example's name; None if it is not known.
    """

    wanted: str
    released: tuple[str, ...] | None


@dataclass(frozen=True)
class Step:
    """A command, and why."""

    command: str
    why: str = ""


def naming(root: Path, state: Path | None, project: str) -> Naming | None:
    """How the project is to be named; None if it has a name of its own.

    Args:
        root: the checkout.
        state: folder of the checkout's own backend; None where another one is used.
        project: the compose project's name.

    Raises:
        ConfigError: `Pulumi.yaml` cannot be read.
    """
    file = root / "Pulumi.yaml"
    if not file.is_file() or project == EXAMPLE:
        return None
    if text_of(value_of(parse(file, read_text(file)), "name")) != EXAMPLE:
        return None
    return Naming(project, None if state is None else tuple(_released(state)))


def _released(state: Path) -> list[str]:
    """The stacks of the example's name that have resources."""
    files = sorted((state / ".pulumi/stacks" / EXAMPLE).glob("*.json"))
    return [file.stem for file in files if _has_resources(file)]


def _has_resources(file: Path) -> bool:
    try:
        latest = json.loads(file.read_text("utf-8"))["checkpoint"]["latest"]
    except (OSError, ValueError, KeyError, TypeError):
        return True  # What cannot be read is not to be lost.
    return bool((latest or {}).get("resources"))


def next_steps(file: Path, stack: str, named: Naming | None, *, secret: bool) -> list[Step]:
    """The commands that lead to the first deploy, in order.

    Args:
        file: the compose file.
        stack: the stack that is deployed first.
        named: what is to be said of the project's name.
        secret: whether a literal one stands in the file.
    """
    steps = []
    if named is not None and not named.released:
        only = ", if no stack has a release yet" if named.released is None else ""
        why = f"the project has the example's name still; with a release it is fixed{only}"
        steps.append(Step(f"sed -i 's/^name: {EXAMPLE}$/name: {named.wanted}/' Pulumi.yaml", why))
    if secret:
        why = "moves the secrets of the file into the stacks' configuration"
        steps.append(Step(f"scripts/secrets {shlex.quote(str(file))}", why))
    return [*steps, Step(f"scripts/deploy {stack}")]


def shown(steps: Sequence[Step], named: Naming | None) -> list[str]:
    """The lines that tell the steps."""
    if len(steps) == 1:
        lines = [f"next: {steps[0].command}"]
    else:
        lines = ["next, in this order:"]
        for step in steps:
            lines += [f"  # {step.why}"] if step.why else []
            lines.append(f"  {step.command}")
    if named is not None and named.released:
        stacks = ", ".join(named.released)
        lines.append(
            f"(Pulumi.yaml has the example's name still, and its stacks with it: {stacks}. It may "
            "stay; to change it, pulumi destroy these first, or their releases are out of reach)"
        )
    return lines
