import os
import signal

import pytest

from slipway.interruption import Interruption

FIRST = (
    "what runs now comes to its end, and a release that is not through the gate by then is undone; "
    "once more ends it at once"
)


class Asked:
    """What was asked of the engine, and said to the user, in order."""

    def __init__(self) -> None:
        self.journal: list[str] = []
        self.interruption = Interruption(
            lambda: self.journal.append("(asked)"), self.journal.append
        )

    def send(self, *signals: signal.Signals) -> None:
        for one in signals:
            os.kill(os.getpid(), one)


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.mark.parametrize("one", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_asks_the_engine_to_stop_and_ends_nothing_else(
    asked: Asked, one: signal.Signals
) -> None:
    with asked.interruption:
        asked.send(one)
    assert asked.journal == [f"{one.name}: {FIRST}", "(asked)"]
    assert asked.interruption.count == 1


def test_second_signal_ends_the_engine_at_once_and_later_ones_are_passed_on(asked: Asked) -> None:
    with asked.interruption:
        asked.send(signal.SIGINT, signal.SIGTERM, signal.SIGTERM)
    assert asked.journal == [
        f"SIGINT: {FIRST}",
        "(asked)",
        "SIGTERM: ending it; what served before is brought back",
        "(asked)",
        "(asked)",
    ]


def test_way_back_goes_on_at_the_first_further_signal(asked: Asked) -> None:
    with asked.interruption as interruption:
        asked.send(signal.SIGINT)
        interruption.bring_back()
        asked.journal.clear()
        asked.send(signal.SIGTERM)
        assert asked.journal == [
            "SIGTERM: what served before is being brought back; once more stops that"
        ]
        asked.send(signal.SIGTERM)
    assert asked.journal[1:] == ["SIGTERM: stopping; what serves may be anything", "(asked)"]


def test_signals_mean_afterwards_what_they_meant_before(asked: Asked) -> None:
    before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    with pytest.raises(ValueError, match="oh"), asked.interruption:
        raise ValueError("oh")
    after = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    assert after == before
