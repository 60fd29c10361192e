from itertools import count

import pytest

from slipway.errors import InternalError
from slipway.toolchain.plan import Finding, Step, carry_out, check, missing, present


class Thing:
    """A step's result."""

    def __init__(self, there: bool = False, works: bool = True) -> None:
        self.there = there
        self.works = works

    def step(self, name: str) -> Step:
        return Step(name, self.look, self.make)

    def look(self) -> Finding:
        return present("here") if self.there else missing("not here")

    def make(self) -> None:
        self.there = self.works


def test_only_what_is_missing_is_done_and_timed() -> None:
    said: list[str] = []
    ticks = count(0, 3.2)
    steps = [Thing(there=True).step("one"), Thing().step("two")]
    carry_out(steps, said.append, lambda: next(ticks))
    assert said == [
        "[1/2] one: already there (here)",
        "[2/2] two: not here",
        "    done in 3.2 s (here)",
    ]


def test_a_step_is_believed_only_when_its_result_is_there() -> None:
    with pytest.raises(InternalError, match="two: set up without an error, yet still missing"):
        carry_out([Thing(works=False).step("two")], lambda line: None)


def test_check_tells_all_and_changes_nothing() -> None:
    said: list[str] = []
    lacking = Thing()
    assert not check([Thing(there=True).step("one"), lacking.step("two")], said.append)
    assert said == ["ok       one: here", "missing  two: not here"]
    assert not lacking.there
