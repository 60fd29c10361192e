import pytest

from slipway.errors import (
    ConfigError,
    GateError,
    HostError,
    InternalError,
    RegistryError,
    SlipwayError,
    UserError,
)


def test_all_problems_are_told_together() -> None:
    assert str(ConfigError(["a: wrong"])) == "1 problem; nothing was changed:\na: wrong"
    assert str(ConfigError(["a", "b"])) == "2 problems; nothing was changed:\na\nb"
    assert ConfigError(["a", "b"]).problems == ("a", "b")


@pytest.mark.parametrize("kind", [HostError, RegistryError, GateError, InternalError])
def test_message_is_never_empty(kind: type[SlipwayError]) -> None:
    assert str(kind("")) == f"{kind.__name__} without a message (a bug in Slipway)"


def test_what_the_user_can_mend_is_told_from_our_bugs() -> None:
    assert all(issubclass(k, UserError) for k in (ConfigError, HostError, RegistryError, GateError))
    assert not issubclass(InternalError, UserError)
