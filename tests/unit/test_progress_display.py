import io
from collections.abc import Callable, Iterable

import pytest
from rich.console import Console

from slipway.progress import Kind, Line, Phase, Progress
from slipway.progress_display import LiveDisplay, PlainDisplay, display

LINES = [
    Line(Kind.PHASE, "making containers"),
    Line(Kind.INFO, "[bold]web[/bold] :wave: is proven"),
    Line(Kind.WARNING, "slow"),
    Line(Kind.ERROR, "refused\n  | why\nnext"),
]


def clock(times: Iterable[float]) -> Callable[[], float]:
    left = list(times)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environ", "stream", "kind"),
    [
        ({"TERM": "xterm"}, Terminal(), LiveDisplay),
        ({"TERM": "xterm", "NO_COLOR": "", "CI": ""}, Terminal(), LiveDisplay),
        ({"TERM": "xterm", "NO_COLOR": "1"}, Terminal(), PlainDisplay),
        ({"TERM": "xterm", "CI": "true"}, Terminal(), PlainDisplay),
        ({"TERM": "dumb"}, Terminal(), PlainDisplay),
        ({"TERM": "xterm"}, io.StringIO(), PlainDisplay),
    ],
)
def test_display_is_alive_only_on_a_terminal_that_may_be_drawn_on(
    environ: dict[str, str], stream: io.StringIO, kind: type[object]
) -> None:
    assert type(display(stream, environ, lambda: 0.0)) is kind


def test_plain_lines_have_the_seconds_since_the_begin() -> None:
    out = io.StringIO()
    with PlainDisplay(out, clock([100.0, 100.04, 112.34, 1234.5])) as shown:
        shown.update(Progress(), LINES[:1])
        shown.update(Progress(), [])
        shown.update(Progress(), LINES[1:])
    assert out.getvalue().splitlines() == [
        "[  0.0 s] making containers",
        "[ 12.3 s] [bold]web[/bold] :wave: is proven",
        "[1134.5 s] warning: slow",
        "[1134.5 s] error: refused",
        "             | why",
        "           next",
    ]


def alive(times: Iterable[float], *updates: tuple[Progress, list[Line]], width: int = 60) -> str:
    out = io.StringIO()
    console = Console(
        file=out, force_terminal=True, color_system=None, width=width, highlight=False
    )
    with LiveDisplay(console, clock(times)) as shown:
        for progress, lines in updates:
            shown.update(progress, lines)
    return out.getvalue()


def test_live_display_scrolls_lines_and_leaves_phases_to_its_status() -> None:
    drawn = alive([0.0, 65.0], (Progress(phase=Phase.CONTAINERS), LINES))
    for text in ("[bold]web[/bold] :wave: is proven", "warning: slow", "error: refused"):
        assert f"{text}\n" in drawn
    assert "  | why\nnext\n" in drawn
    assert "making containers  1:05  0 resources done" in drawn


def test_long_lines_are_not_torn_apart_and_the_status_stays_one_line() -> None:
    progress = Progress(phase=Phase.GATE, finished=frozenset(["a"]))
    path = "/".join(["folder"] * 20)
    drawn = alive([0.0, 5.0], (progress, [Line(Kind.INFO, path)]), width=30)
    assert path in drawn
    assert "⠋ proving the release  0:05  …\n" in drawn


def test_live_display_takes_its_status_away_even_if_something_fails() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, color_system=None, width=60)
    with pytest.raises(ValueError, match="oh"), LiveDisplay(console, lambda: 0.0):
        raise ValueError("oh")
    assert out.getvalue().endswith("\x1b[2K")
    assert "\x1b[?25h" in out.getvalue()  # the cursor is shown again
