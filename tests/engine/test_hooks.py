import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from components.hooks import HookError, never_silent
from slipway.errors import ConfigError, GateError


def failing(error: BaseException) -> Callable[..., None]:
    def function() -> None:
        raise error

    return function


def bare_assert() -> None:
    assert not True


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (failing(TimeoutError()), "TimeoutError: "),
        (failing(Exception()), "Exception: "),
        (failing(KeyboardInterrupt()), "KeyboardInterrupt: "),
        (failing(SystemExit()), "SystemExit: "),
        (failing(asyncio.CancelledError()), "CancelledError: "),
        (failing(ValueError("no number")), "ValueError: no number"),
        (failing(GateError("the release was refused")), "the release was refused"),
        (failing(GateError("")), "GateError without a message (a bug in Slipway)"),
        (failing(ConfigError(["a: b"])), "1 problem; nothing was changed:\na: b"),
    ],
)
def test_failure_of_a_hook_always_has_a_message(
    function: Callable[..., None], message: str
) -> None:
    """The engine takes a failure with an empty message for success."""
    with pytest.raises(HookError) as caught:
        never_silent(function)()
    assert str(caught.value) == message


def test_bare_assert_has_a_message_too() -> None:
    with pytest.raises(HookError, match=r"^AssertionError: "):
        never_silent(bare_assert)()


def test_cause_of_a_hook_s_failure_is_kept() -> None:
    error = TimeoutError()
    with pytest.raises(HookError) as caught:
        never_silent(failing(error))()
    assert caught.value.__cause__ is error


def test_function_that_succeeds_gets_its_arguments() -> None:
    seen: list[Any] = []
    never_silent(lambda *args: seen.append(args))(1, "two")
    assert seen == [(1, "two")]
