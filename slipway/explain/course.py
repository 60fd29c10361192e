"""The course of an explanation: read the source, plan it, compare it with what the state tells."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from slipway.explain.commits import Between, between, recorded_git
from slipway.explain.comparison import Live, compare
from slipway.explain.model import Explanation, ServiceChange, Status
from slipway.explain.settings import project_changes
from slipway.explain.stash import known_inventories, stash_name
from slipway.explain.work import commands_to_run, source_images
from slipway.image_plan import ImagePlan, LookUp
from slipway.origin import Git
from slipway.plan import ContainerPlan, plan_containers
from slipway.prepared import Settings, StackName
from slipway.reading import read_source
from slipway.services import Build
from slipway.state import STASH, StackState, live_fact, revealed
from slipway.unset_variables import told_for

_LIVE = "-live"
_ANY_PROXY = {"SLIPWAY_CADDY_IMAGE": f"caddy@sha256:{'0' * 64}"}
"""The proxy plays no part here; without one that is named, the source would be refused."""

GitIn = Callable[[Path], Git]


def explain_source(
    project: str,
    stack: str,
    settings: Settings,
    environ: Mapping[str, str],
    state: StackState,
    look_up: LookUp,
    git_in: GitIn,
) -> Explanation:
    """What releasing a stack's source would change. No Docker host is looked at.

    Args:
        project: the Pulumi project.
        stack: the stack's name.
        settings: its configuration.
        environ: process environment.
        state: the stack's state, out of an export with secrets in plain text.
        look_up: gives the digest of an image; None if there is none, or nobody knows.
        git_in: runs git in a folder.

    Raises:
        ConfigError: the source cannot be released; with all that must be mended.
    """
    name = _name(project, stack, state)
    fact = live_fact(state.stash(f"{name.component}{_LIVE}"))
    with told_for(stack):
        declared = read_source(
            name, settings, {**_ANY_PROXY, **environ}, state, _say_nothing, look_up
        )
    prefix = f"{declared.project.name}-{stack}"
    plans = plan_containers(declared, name.key, name.component, prefix, state, frozenset())
    entry = fact.ledger[0] if fact.ledger else None
    inventories = known_inventories(revealed(state.stash(stash_name(name.component))))
    services = compare(Live(entry, inventories, name.key), plans)
    found = Explanation(
        stack,
        _with_commits(services, plans, fact.ledger, git_in),
        images=source_images(plans),
        commands=commands_to_run(plans, entry),
    )
    if entry is None:
        return found
    return replace(
        found,
        release=int(entry["number"]),
        time=str(entry["time"]),
        commit=(recorded_git(fact.ledger) or {}).get("commit"),
        project=project_changes(entry["project"], declared.beside.content),
        notes=_notes(stack, settings),
    )


def _name(project: str, stack: str, state: StackState) -> StackName:
    """Which stack it is; a program of one's own may have given its component another name."""
    facts = [name for name in state.named(STASH) if name.endswith(_LIVE)]
    component = facts[0].removesuffix(_LIVE) if facts else project
    key = revealed(state.stash(f"{component}-key"))
    return StackName(project, stack, component, str(key or secrets.token_hex(32)))


def _notes(stack: str, settings: Settings) -> tuple[str, ...]:
    if settings.pin is None:
        return ()
    return (
        f"the stack is pinned at release {settings.pin} (slipway:pin), and pulumi up releases "
        f"nothing of this; scripts/deploy {stack} --leave-pin does",
    )


def _with_commits(
    services: Sequence[ServiceChange],
    plans: Sequence[ContainerPlan],
    ledger: Sequence[Mapping[str, Any]],
    git_in: GitIn,
) -> tuple[ServiceChange, ...]:
    """The changes with the commits that touch the build contexts of images that differ."""
    images = {plan.service.name: plan.image for plan in plans}
    recorded, known = recorded_git(ledger), dict[str, Between]()
    found = []
    for one in services:
        image = images.get(one.service)
        before, after = one.image
        if one.status is Status.CHANGED and isinstance(image, ImagePlan) and before != after:
            source = image.source.hash
            if source not in known:
                folders = _folders(image.build)
                known[source] = between(recorded, folders, git_in(Path(folders[0])))
            said = known[source]
            one = replace(one, commits=said.commits, notes=(*one.notes, *said.notes))
        found.append(one)
    return tuple(found)


def _folders(build: Build) -> list[str]:
    beside = (place for place in build.additional_contexts.values() if "://" not in place)
    return [build.context, *sorted(beside)]


def _say_nothing(line: str) -> None:
    """Stands for warnings: a preview gives them, and they are not about what changes."""
