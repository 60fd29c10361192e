"""scripts/doctor: tell what is wrong with the machine and the stacks, and remove what is spare."""

import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from slipway import host as docker_host
from slipway.commands.edge import errors_shown
from slipway.doctor import engine
from slipway.doctor.collect import collect_machine, collect_stack
from slipway.doctor.facts import Facts, ImageFacts, Unread
from slipway.doctor.findings import Finding, Level
from slipway.doctor.machine_checks import check_machine
from slipway.doctor.prune import Outcome, carry_out, make_plan
from slipway.doctor.pulumi_cli import Pulumi, runner
from slipway.doctor.report import as_json, as_text, plan_as_text
from slipway.doctor.stack_checks import check_stacks
from slipway.doctor.stock import Stock, look_for_old
from slipway.doctor.surroundings import Project, Surroundings, attempt, collect_project
from slipway.errors import ConfigError, HostError
from slipway.locks import process_started
from slipway.probes import Prober
from slipway.registry import Registry

ROOT = Path(__file__).absolute().parents[2]
_GARBAGE = (
    "the registry frees the space of what was removed in its garbage collection: see "
    "docs/reference.md, scripts/doctor"
)


def doctor(
    stack: Annotated[str | None, typer.Argument(help="stack to look at; default: all")] = None,
    json_: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="list what no release needs")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="with --prune: do not ask")] = False,
) -> None:
    """Look at the machine and the stacks. Exit code 1: a problem was found; 2: no look possible."""
    with errors_shown(), surroundings() as around:
        project = collect_project(around)
        names = _chosen(project, stack)
        if prune:
            code = _prune(around, project, names, json_, yes)
        else:
            code = _tell(around, project, names, json_)
    raise SystemExit(code)


@contextmanager
def surroundings() -> Iterator[Surroundings]:
    """This machine, with its engine where it answers; connections are closed at the end."""
    host = attempt(docker_host.connect)
    images = attempt(engine.connect) if not isinstance(host, Unread) else host
    with Registry(docker_host.registry_login) as registry:
        try:
            yield Surroundings(
                root=ROOT,
                environ=os.environ,
                pulumi=Pulumi(runner(ROOT)),
                host=host,
                images=images,
                registry=registry,
                prober=Prober,
                hostname=socket.gethostname(),
                started=process_started,
                now=datetime.now(UTC),
            )
        finally:
            for connection in (host, images):
                if not isinstance(connection, Unread):
                    connection.close()


def _chosen(project: Project, stack: str | None) -> list[str]:
    """The stacks to look at: all in stacks/, or one, which only the backend may know."""
    known = () if isinstance(project.known, Unread) else project.known
    if stack is None:
        return sorted(project.files)
    if stack not in project.files and stack not in known:
        there = ", ".join(sorted({*project.files, *known})) or "none"
        raise ConfigError([f"there is no stack {stack}; there are: {there}"])
    return [stack]


def _tell(around: Surroundings, project: Project, names: list[str], json_: bool) -> int:
    found = attempt(lambda: look_for_old(around, project, names))
    images = found if isinstance(found, Unread) else _image_facts(found)
    facts = Facts(
        machine=collect_machine(around, project),
        stacks=tuple(collect_stack(around, project, name) for name in names),
        configured=project.configured,
        images=images,
        now=around.now,
    )
    findings = [*check_machine(facts.machine), *check_stacks(facts)]
    _print(findings, around, json_)
    return 1 if any(finding.level is Level.PROBLEM for finding in findings) else 0


def _image_facts(stock: Stock) -> ImageFacts:
    size = sum(image.size for image in stock.candidates)
    return ImageFacts(len(stock.candidates), size, stock.unread)


def _print(findings: list[Finding], around: Surroundings, json_: bool) -> None:
    if json_:
        print(json.dumps(as_json(findings, around.now), indent=2))
    else:
        print(as_text(findings))


def _prune(around: Surroundings, project: Project, names: list[str], json_: bool, yes: bool) -> int:
    plan = attempt(lambda: make_plan(around, project, names))
    if isinstance(plan, Unread):
        raise HostError(f"nothing was removed: {plan.why}")
    if not json_:
        print(plan_as_text(plan, around.now))
    outcome = Outcome()
    if not plan.empty and (yes or _agreed(json_)):
        # Looked at anew: a deploy may have needed something of it while the question stood there.
        again = make_plan(around, collect_project(around), names)
        outcome = carry_out(again.within(plan), around)
    if json_:
        print(json.dumps(as_json([], around.now, plan, outcome), indent=2))
    else:
        _tell_outcome(outcome)
    return 1 if outcome.failed else 0


def _agreed(json_: bool) -> bool:
    """Whether somebody at a terminal says y."""
    if json_:
        return False
    if not sys.stdin.isatty():
        print("nothing was removed; to remove it: scripts/doctor --prune --yes")
        return False
    try:
        answer = input("remove all of this? [y/N] ")
    except EOFError:
        answer = ""
    if answer.strip().lower() in ("y", "yes"):
        return True
    print("nothing was removed")
    return False


def _tell_outcome(outcome: Outcome) -> None:
    for line in outcome.removed:
        print(f"removed {line}")
    for line in outcome.failed:
        print(f"NOT removed: {line}")
    if any(line.endswith("(registry)") for line in outcome.removed):
        print(_GARBAGE)


if __name__ == "__main__":
    typer.run(doctor)
