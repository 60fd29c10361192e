"""Showing how far an update has come: alive on a terminal, line by line elsewhere."""

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Protocol, Self, TextIO

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from slipway.progress import Kind, Line, Progress

_STYLES = {Kind.WARNING: "bold yellow", Kind.ERROR: "bold red"}
_WORDS = {Kind.WARNING: "warning: ", Kind.ERROR: "error: "}
_PER_SECOND = 8
_FRAMES = Spinner("dots").frames


class Display(Protocol):
    """Where progress is shown. Use it as a context, which puts the terminal in order at its end."""

    def update(self, progress: Progress, lines: Sequence[Line]) -> None:
        """Show lines, and the progress from now on."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


def display(stream: TextIO, environ: Mapping[str, str], clock: Callable[[], float]) -> Display:
    """The display that fits: alive on a terminal, plain elsewhere.

    Args:
        stream: where to write.
        environ: a NO_COLOR or CI that is not empty, and a TERM that says dumb, ask for the plain
            one.
        clock: seconds, from any point in time.
    """
    plain = environ.get("NO_COLOR") or environ.get("CI") or environ.get("TERM") == "dumb"
    if plain or not stream.isatty():
        return PlainDisplay(stream, clock)
    return LiveDisplay(Console(file=stream, highlight=False), clock)


class PlainDisplay:
    """Lines with the seconds since the begin before them: `[ 12.3 s] web is proven`.

    Args:
        stream: where to write.
        clock: seconds, from any point in time.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float]) -> None:
        self._stream = stream
        self._clock = clock
        self._began = clock()

    def update(self, progress: Progress, lines: Sequence[Line]) -> None:
        for line in lines:
            prefix = f"[{self._clock() - self._began:5.1f} s] "
            first, *rest = (_WORDS.get(line.kind, "") + line.text).splitlines()
            block = [prefix + first, *(" " * len(prefix) + more for more in rest)]
            self._stream.write("\n".join(block) + "\n")
        self._stream.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stream.flush()


class LiveDisplay:
    """Lines that scroll by, and below them one that lives: spinner, phase, time, resources.

    Args:
        console: terminal to draw on.
        clock: seconds, from any point in time.
    """

    def __init__(self, console: Console, clock: Callable[[], float]) -> None:
        self._console = console
        self._clock = clock
        self._began = clock()
        self._progress = Progress()
        # It is drawn anew between events too: its time goes on.
        self._live = Live(
            console=console,
            get_renderable=self._status,
            refresh_per_second=_PER_SECOND,
            transient=True,
        )

    def update(self, progress: Progress, lines: Sequence[Line]) -> None:
        self._progress = progress
        for line in lines:
            # The live line says the phase.
            if line.kind is not Kind.PHASE:
                text = Text(_WORDS.get(line.kind, ""), style=_STYLES.get(line.kind, ""))
                self._console.print(Text.assemble(text, line.text), soft_wrap=True)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._live.__exit__(kind, error, traceback)

    def _status(self) -> Text:
        seconds = self._clock() - self._began
        frame = _FRAMES[int(seconds * _PER_SECOND) % len(_FRAMES)]
        return Text(f"{frame} {self._progress.status(seconds)}", no_wrap=True, overflow="ellipsis")
