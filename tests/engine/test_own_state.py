import pulumi
import pytest

from components import own_state
from components.own_state import read_own_state
from slipway.state import StackState

from .support import World, declare

STATE = {
    "urn:pulumi:test::shop::slipway:docker:DockerStack$pulumi:index:Stash::shop-key": {
        "outputs": {"input": {"number": 1}}
    }
}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_state, "_PAUSES", (0.0, 0.0))


def read(world: World) -> StackState:
    found: list[StackState] = []
    declare(lambda: found.append(read_own_state()), world)
    return found[0]


def test_state_is_read_with_whole_numbers() -> None:
    assert read(World(STATE)).stash("shop-key") == {"number": 1}
    assert isinstance(read(World(STATE)).stash("shop-key")["number"], int)


def test_new_stack_has_an_empty_state() -> None:
    assert read(World()) == StackState()


def test_read_that_fails_for_an_instant_is_tried_again() -> None:
    world = World(STATE, failing_reads=2)

    assert read(world).stash("shop-key") == {"number": 1}
    assert len(world.calls) == 3


def test_state_that_cannot_be_read_is_told_with_what_to_do() -> None:
    with pytest.raises(pulumi.RunError) as refusal:
        read(World(STATE, failing_reads=3))

    assert str(refusal.value) == (
        "the state of stack organization/shop/test cannot be read (invoke of "
        "pulumi:pulumi:readStackResourceOutputs failed: no such file); check the backend with "
        "pulumi stack export, and run this again"
    )
