"""The course of a preview: ask the engine what an update would do, and the source why."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from slipway.engine import Ended, OnEvent
from slipway.errors import UserError
from slipway.explain.model import Explanation
from slipway.preview.model import StackPreview, Step, redacted
from slipway.preview.steps import step_of
from slipway.progress import Follower, Kind, Line, Progress

_OPTIONS = ("--diff", "--color", "never")


class Previews(Protocol):
    """The engine, as a preview needs it: nothing of it changes anything."""

    def preview(
        self, on_event: OnEvent, environ: Mapping[str, str], options: Sequence[str] = ()
    ) -> Ended:
        """`pulumi preview`."""


def preview_stack(
    stack: str,
    engine: Previews,
    explain: Callable[[], Explanation],
    redact: Callable[[str], str],
) -> StackPreview:
    """What an update of a stack would do, without secrets; it fails as a value.

    Args:
        stack: its name.
        engine: for the stack.
        explain: tells which files and settings change what.
        redact: hides secrets.
    """
    steps: list[Step] = []
    told: list[Line] = []

    def show(progress: Progress, lines: Sequence[Line]) -> None:
        told.extend(lines)

    follower = Follower(show)

    def on_event(event: Mapping[str, Any]) -> None:
        follower(event)
        step = step_of(event)
        steps.extend([step] if step else [])

    ended = engine.preview(on_event, {}, _OPTIONS)
    if ended.code != 0:
        error = "\n".join(line.text for line in told if line.kind is Kind.ERROR)
        said = error or ended.errors.strip() or f"exit code {ended.code} and no message"
        return StackPreview(stack, error=redact(said))
    warnings = tuple(line.text for line in told if line.kind is Kind.WARNING)
    found = StackPreview(stack, None, tuple(steps), warnings, ended.output)
    return redacted(_explained(found, explain), redact)


def _explained(found: StackPreview, explain: Callable[[], Explanation]) -> StackPreview:
    try:
        return replace(found, explanation=explain())
    except UserError as error:
        return replace(found, unexplained=str(error))
