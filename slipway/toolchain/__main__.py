"""`scripts/bootstrap`: bring a machine and a checkout to where `pulumi up` works."""

import argparse
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from slipway.errors import InternalError, UserError
from slipway.toolchain import (
    backend,
    compose_reader,
    docker_engine,
    docker_plugin,
    images,
    plan,
    pulumi_cli,
    python_packages,
    registry,
    workflow_checker,
)
from slipway.toolchain.commands import Shell
from slipway.toolchain.download import Internet
from slipway.toolchain.environment import project_environment
from slipway.toolchain.host import Host
from slipway.toolchain.lock import exclusive
from slipway.toolchain.places import Places

_DESCRIPTION = """\
Bring everything that Slipway needs and that is missing: Python packages, Pulumi CLI and Docker
plugin, compose reader, Docker Engine, image registry, base image and proxy, state and stacks.
It may be run any number of times, and stopped at any point: the next run goes on from there.
"""
_EPILOG = """\
environment variables:
  SLIPWAY_REGISTRY      registry to use instead of a local one, e.g. registry.example.com/team
  DOCKER_HOST           Docker Engine to use instead of the one on this machine
  PULUMI_BACKEND_URL    where Pulumi keeps its state (default: .slipway/state)
  PULUMI_CONFIG_PASSPHRASE, PULUMI_CONFIG_PASSPHRASE_FILE
                        passphrase of the stacks' secrets (default: generated, .slipway/passphrase)
  XDG_CACHE_HOME        parent of the cache folder "slipway" (default: ~/.cache)

afterwards, for plain pulumi use:
  . scripts/activate
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the set-up; gives the exit code."""
    options = _parser().parse_args(arguments)
    root = Path(__file__).resolve().parents[2]
    try:
        return _run(
            root,
            os.environ,
            check=options.check,
            dev=not options.no_dev,
            checker_alone=options.workflow_checker,
        )
    except InternalError as error:
        print(f"bootstrap: a bug in Slipway: {error}", file=sys.stderr)
        return 70
    except UserError as error:
        print(f"bootstrap: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        print(
            f"bootstrap: {error.strerror or error}{where}\n"
            "  What to do: check free space (df -h) and permissions, then run this again",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("\nbootstrap: stopped; scripts/bootstrap goes on from here", file=sys.stderr)
        return 130


def steps(host: Host, dev: bool) -> list[plan.Step]:
    """The whole set-up, in order.

    Args:
        host: the machine.
        dev: with what tests and checks need.
    """
    return [
        python_packages.step(host, dev),
        pulumi_cli.step(host),
        docker_plugin.step(host),
        docker_engine.step(host),
        compose_reader.step(host),
        images.base_step(host),
        registry.step(host, lambda: images.base_for_builds(host)),
        images.step(host, images.PYTHON, "Base image, pinned"),
        images.step(host, images.CADDY, "Caddy image, pinned"),
        backend.step(host),
        backend.stacks_step(host),
    ]


def _run(
    root: Path, environ: Mapping[str, str], *, check: bool, dev: bool, checker_alone: bool
) -> int:
    def say(line: str) -> None:
        print(line, flush=True)

    places = Places.of(root, environ)
    host = Host(
        places=places,
        environ=environ,
        commands=Shell(project_environment(root, environ), say),
        downloads=Internet(),
        say=say,
        is_root=os.geteuid() == 0,
    )
    wanted = [workflow_checker.step(host)] if checker_alone else steps(host, dev)
    if check:
        complete = plan.check(wanted, say)
        say("everything is there" if complete else "run scripts/bootstrap to bring what is missing")
        return 0 if complete else 1
    began = time.monotonic()
    with exclusive(places.cache / "bootstrap.lock", say):
        _empty(places.scratch)
        plan.carry_out(wanted, say)
    say(f"ready in {time.monotonic() - began:.1f} s; now: . scripts/activate")
    return 0


def _empty(scratch: Path) -> None:
    """Remove what killed runs left, but nothing that is still mounted below it."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8")
    except OSError:
        mounts = ""
    for entry in scratch.glob("*"):
        if f" {entry}/" not in mounts:
            shutil.rmtree(entry, ignore_errors=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/bootstrap",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--check", action="store_true", help="only tell what is missing; exit 1 if anything is"
    )
    parser.add_argument(
        "--no-dev", action="store_true", help="without the packages for tests and checks"
    )
    parser.add_argument(
        "--workflow-checker",
        action="store_true",
        help="only the checker of CI workflows, which nothing but scripts/test checks needs",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
