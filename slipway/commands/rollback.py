"""scripts/rollback: go back to a release of the ledger, and stay there."""

from contextlib import closing
from typing import Annotated

import typer

from slipway import host as docker_host
from slipway.blueprint import KEPT
from slipway.commands.locks import ROOT
from slipway.commands.run import Run, say, verdict_told
from slipway.driver import Exit
from slipway.errors import ConfigError, RegistryError
from slipway.host import Host, has_digest, registry_login
from slipway.reference import parse_reference
from slipway.registry import Registry
from slipway.rollback import Entry, choose, differences, missing_images, missing_values
from slipway.state import STASH
from slipway.verify import Deployment


def rollback(
    stack: Annotated[str, typer.Argument(help="stack to roll back")],
    number: Annotated[
        int | None,
        typer.Argument(help="release to go back to; default: the one before that differs"),
    ] = None,
    preview: Annotated[bool, typer.Option("--preview", help="only show what would change")] = False,
) -> None:
    """Release an earlier release again, through the same gate, and pin the stack at it."""
    with verdict_told():
        run = Run(stack)
        before = run.require_ready()
        if before is None:
            raise ConfigError([f"stack {stack} has no release yet; run scripts/deploy {stack}"])
        with closing(docker_host.connect()) as host, Registry(registry_login) as registry:
            target = choose(
                before.live.ledger, number, lambda entry: _obstacle(entry, before, host, registry)
            )
        chosen = int(target["number"])
        live = before.live.ledger[0]
        say(f"{stack}: release {live['number']} → release {chosen}, of {target['time']}")
        for line in differences(target, live):
            say(f"  {line}")
        code = Exit.VERIFIED if preview else _restore(run, chosen, before)
        for file in run.evidence():
            say(f"evidence: {file.relative_to(ROOT)}")
    raise SystemExit(int(code))


def _restore(run: Run, number: int, before: Deployment) -> Exit:
    code = run.carry_out(number, f"rolling {run.stack} back to release {number}", before)
    if code is Exit.VERIFIED:
        say(
            f"{run.stack} is pinned at release {number}: pulumi up keeps it; "
            f"scripts/deploy {run.stack} --leave-pin releases the source again"
        )
    return code


def _obstacle(entry: Entry, deployment: Deployment, host: Host, registry: Registry) -> str | None:
    """Why a release cannot be had; None if it can."""
    names = frozenset(
        KEPT + name.rpartition("-kept-")[2]
        for name in deployment.state.named(STASH)
        if "-kept-" in name
    )
    return missing_values(entry, names) or missing_images(
        entry, lambda image: _is_there(image, host, registry)
    )


def _is_there(image: str, host: Host, registry: Registry) -> bool:
    if has_digest(host.image_digests(image), image):
        return True
    try:
        return registry.digest(parse_reference(image)) is not None
    except RegistryError as error:
        say(f"warning: {error}")
        return False


if __name__ == "__main__":
    typer.run(rollback)
