"""The engine as the driver needs it, with its progress shown to whoever listens."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from slipway.commands.locks import put_in_order
from slipway.driver import Ended
from slipway.engine import Engine
from slipway.errors import UserError
from slipway.progress import Follower, Kind, Line, Progress
from slipway.progress_display import Display

_PREFIX = re.compile(r"^error: ", re.MULTILINE)


class Lasting:
    """A display that goes silent when its terminal or pipe is closed: the deploy goes on."""

    def __init__(self, drawn: Display) -> None:
        self._drawn = drawn
        self._closed = False

    def update(self, progress: Progress, lines: Sequence[Line]) -> None:
        if self._closed:
            return
        try:
            self._drawn.update(progress, lines)
        except OSError:
            self._closed = True


class Sayer:
    """Takes lines while a display is on."""

    def __init__(self, shown: Lasting) -> None:
        self._shown = shown

    def __call__(self, text: str) -> None:
        self._shown.update(Progress(), [Line(Kind.INFO, text)])


class EngineUpdates:
    """The engine as the driver needs it, with its progress shown."""

    def __init__(self, engine: Engine, shown: Lasting, options: Sequence[str]) -> None:
        self._engine = engine
        self._shown = shown
        self._options = options

    def update(self, environ: Mapping[str, str], options: bool) -> Ended:
        told: list[str] = []

        def show(progress: Progress, lines: Sequence[Line]) -> None:
            told.extend(line.text for line in lines if line.kind is Kind.ERROR)
            self._shown.update(progress, lines)

        follower = Follower(show)
        ended = self._engine.update(follower, environ, self._options if options else ())
        killed = ended.code < 0
        if killed:
            # It had no time to take its lock away, which would refuse the way back.
            with suppress(UserError):
                put_in_order(self._engine.stack, Sayer(self._shown))
        return Ended(
            ok=ended.code == 0,
            changed=follower.progress.changed or killed,
            recorded=follower.progress.recorded,
            # What the engine never began to do, such as a locked stack, is in no event.
            errors="\n".join(told) or _PREFIX.sub("", ended.errors.strip()),
            shown=bool(told),
        )

    def export(self) -> dict[str, Any]:
        return self._engine.export()
