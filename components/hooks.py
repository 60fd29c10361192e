"""Hooks as the engine needs them: beside its event loop, and never failing without a message."""

import asyncio
import functools
from collections.abc import Callable
from typing import Any

import pulumi

from slipway.errors import SlipwayError


class HookError(Exception):
    """A hook's failure. Its message is never empty: the engine takes an empty one for success."""


def never_silent(function: Callable[..., None]) -> Callable[..., None]:
    """The function, with every exception turned into one that has a message."""

    @functools.wraps(function)
    def wrapped(*args: Any) -> None:
        try:
            function(*args)
        except SlipwayError as error:
            raise HookError(str(error)) from error
        except BaseException as error:
            raise HookError(f"{type(error).__name__}: {error}") from error

    return wrapped


def before_create(name: str, function: Callable[[], None]) -> pulumi.ResourceHookBinding:
    """A binding that calls a function before a resource is created."""

    async def hook(args: pulumi.ResourceHookArgs) -> None:
        await asyncio.to_thread(never_silent(function))

    return pulumi.ResourceHookBinding(before_create=[pulumi.ResourceHook(name, hook)])
