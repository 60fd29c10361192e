"""What a signal means during a deploy: the engine is asked to stop, and the driver goes on."""

import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruption:
    """Turns signals into requests to the engine, for the length of a block.

    The driver itself must not end by them: it would leave a release half-way, unverified and
    untold. The first signal lets the engine finish what it is doing, the second ends it at once;
    after either, the driver brings back what served before, unless the gate has let the release
    through. What asked for that does not stop it as well: CI systems send two signals, seconds
    apart. On the way back, the first further signal is only answered.

    Args:
        interrupt: asks what runs now to stop.
        say: takes a line for the user.
    """

    def __init__(self, interrupt: Callable[[], None], say: Callable[[str], None]) -> None:
        self._interrupt = interrupt
        self._say = say
        self._before: dict[signal.Signals, object] = {}
        self._on_the_way_back: int | None = None
        self.count = 0

    def bring_back(self) -> None:
        """What runs from now on is the way back."""
        self._on_the_way_back = 0

    def __enter__(self) -> Self:
        for one in _SIGNALS:
            self._before[one] = signal.signal(one, self._take)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for one, handler in self._before.items():
            signal.signal(one, handler)  # type: ignore[arg-type]  # what signal() gave itself

    def _take(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        name = signal.Signals(number).name
        if self._on_the_way_back is not None:
            self._on_the_way_back += 1
            if self._on_the_way_back == 1:
                self._say(f"{name}: what served before is being brought back; once more stops that")
                return
            self._say(f"{name}: stopping; what serves may be anything")
        elif self.count == 1:
            self._say(
                f"{name}: what runs now comes to its end, and a release that is not through the "
                "gate by then is undone; once more ends it at once"
            )
        elif self.count == 2:
            self._say(f"{name}: ending it; what served before is brought back")
        self._interrupt()
