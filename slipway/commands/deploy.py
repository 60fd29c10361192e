"""scripts/deploy: release a stack's source, and end with an exit code that tells the truth."""

import subprocess
import sys
from typing import Annotated

import typer

from slipway.commands.locks import ROOT
from slipway.commands.run import Run, say, verdict_told
from slipway.driver import Exit
from slipway.errors import ConfigError
from slipway.origin import HOTFIX, GitState, git_state


def deploy(
    stack: Annotated[str, typer.Argument(help="stack to deploy")],
    hotfix: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="release in spite of slipway:promoteFrom; recorded"),
    ] = None,
    leave: Annotated[
        bool, typer.Option("--leave-pin", help="leave the release that the stack is pinned at")
    ] = False,
    tag: Annotated[
        bool, typer.Option("--tag", help="tag the commit as release/<stack>/<number>")
    ] = False,
    options: Annotated[
        list[str] | None, typer.Argument(help="after --: options of pulumi up")
    ] = None,
) -> None:
    """Release the stack's source through the gate, verify what serves, undo what failed."""
    with verdict_told():
        run = Run(stack, options or [])
        pin = run.pin
        _require_leave(run, leave=leave)
        if hotfix is not None:
            run.environ[HOTFIX] = hotfix
        before = run.require_ready()
        source = git_state(run.compose_folder)
        code = run.carry_out(None, f"deploying {stack} from {_shown(source)}", before)
        if code is Exit.VERIFIED and pin is not None:
            say(f"{stack} is no longer pinned at release {pin}")
        if code is Exit.VERIFIED and tag:
            _tag(run, source)
        for file in run.evidence():
            say(f"evidence: {file.relative_to(ROOT)}")
    raise SystemExit(int(code))


def _require_leave(run: Run, *, leave: bool) -> None:
    """Make sure that the pin, if there is one, is meant to be left.

    Raises:
        ConfigError: it is not known whether it is meant.
    """
    pin = run.pin
    if pin is None:
        return
    held = f"stack {run.stack} is pinned at release {pin}"
    if not leave and sys.stdin.isatty():
        leave = typer.confirm(f"{held}; leave the pin and release the source?")
    if not leave:
        raise ConfigError(
            [
                f"{held}: its source is not released; to leave the pin: scripts/deploy "
                f"{run.stack} --leave-pin; to see that all is as it was pinned: pulumi up"
            ]
        )


def _shown(source: GitState | None) -> str:
    if source is None:
        return "its folder, which is in no git repository"
    branch = f" on {source.branch}" if source.branch else ""
    return f"commit {source.commit[:12]}{branch}" + (" with changes" if source.dirty else "")


def _tag(run: Run, source: GitState | None) -> None:
    deployment = run.deployment()
    if source is None or deployment is None:
        say("no tag was made: the compose file is in no git repository")
        return
    if source.dirty:
        say("no tag was made: the source had changes that are in no commit")
        return
    name = f"release/{run.stack}/{deployment.live.ledger[0]['number']}"
    ended = subprocess.run(
        ["git", "-C", str(run.compose_folder), "tag", name, source.commit],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    failed = ended.stderr.strip()
    say(
        f"no tag was made: {failed}"
        if ended.returncode
        else f"tagged {name}; git push origin {name}"
    )


if __name__ == "__main__":
    typer.run(deploy)
