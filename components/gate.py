"""The gate as resources: a fact that enters the state only after it was proven."""

import asyncio
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.hooks import never_silent
from slipway.canonical import integers

PassGate = Callable[[dict[str, Any], Callable[[str], None]], None]
"""Proves and switches: takes the fact and a function that reports progress; raises on failure."""


@dataclass(frozen=True)
class GateArgs:
    """Arguments of a Gate.

    Args:
        attempt: plain value that differs whenever something else is tried than the last time.
        fact: what is live once the gate was passed. No part of it may be a secret: the engine
            would hand the whole to the hook as unreadable.
        pass_gate: called before the fact enters the state.
        depends_on: resources that must be there before the gate is tried.
    """

    attempt: Mapping[str, Any]
    fact: Mapping[str, Any]
    pass_gate: PassGate
    depends_on: Sequence[pulumi.Resource]


class Gate(pulumi.ComponentResource):
    """Two Stashes, the second guarded by hooks.

    `attempt` changes first: a try that was killed half-way leaves a mark, and the next try, even
    of the release that was live before, goes through the gate again. `live` holds the fact. Its
    hooks run before the engine writes it; when they raise, the engine keeps the old fact, `pulumi
    up` fails, and the next `pulumi up` tries again.

    Outputs:
        live: the fact.

    Errors: whatever `pass_gate` raises fails the update; its message is shown.
    """

    live: pulumi.Output[Any]

    def __init__(
        self, name: str, args: GateArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("slipway:docker:Gate", name, {}, opts)
        attempt = pulumi.Stash(
            f"{name}-attempt",
            input=dict(args.attempt),
            opts=pulumi.ResourceOptions(parent=self, replace_on_changes=["input"]),
        )
        hook = pulumi.ResourceHook(f"{name}-gate", self._hook(args.pass_gate))
        live = pulumi.Stash(
            f"{name}-live",
            input={"attempt": attempt.id, **args.fact},
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[attempt, *args.depends_on],
                hooks=pulumi.ResourceHookBinding(before_create=[hook], before_update=[hook]),
            ),
        )
        self.live = live.input
        self.register_outputs({"live": self.live})

    def _hook(self, pass_gate: PassGate) -> Callable[[pulumi.ResourceHookArgs], Any]:
        async def gate(args: pulumi.ResourceHookArgs) -> None:
            loop = asyncio.get_running_loop()
            # The log's calls belong to the event loop, the gate runs beside it.
            show = functools.partial(pulumi.log.info, resource=self)

            def report(line: str) -> None:
                loop.call_soon_threadsafe(show, line)

            fact = integers((args.new_inputs or {})["input"])
            await asyncio.to_thread(never_silent(pass_gate), fact, report)

        return gate
