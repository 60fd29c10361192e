from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from slipway.backing_changes import Change, refuse_backing_changes
from slipway.errors import ConfigError
from slipway.host_names import volume_names
from slipway.key_lines import KeyLines
from slipway.plan import ContainerPlan
from slipway.services import Project
from slipway.state import LiveFact

from .test_plan import PULLED, containers

PREFIX = "shop-test"
OTHER = PULLED.replace("e" * 64, "f" * 64)
WRITES: dict[str, Any] = {"type": "volume", "source": "records", "target": "/data"}
READS = {**WRITES, "read_only": True}
ROUTE = {"route": {"port": 80}, "probes": [{"path": "/"}]}


class Stacks:
    """A stack as it serves, and as it is to be."""

    def __init__(self, folder: Path) -> None:
        (folder / "Dockerfile").write_text(f"FROM python@sha256:{'a' * 64}\n")
        self._file = folder / "compose.yaml"
        self.build = {"context": str(folder)}

    def project(
        self, services: dict[str, Any], volumes: dict[str, Any] | Sequence[str] = ("records",)
    ) -> Project:
        named = {name: {"name": name, **service} for name, service in services.items()}
        declared = volumes if isinstance(volumes, dict) else list(volumes)
        values = {"name": "shop", "file": str(self._file), "services": named}
        return Project.model_validate({**values, "volumes": declared})

    def live(self, project: Project) -> LiveFact:
        """What serves once a project was released."""
        plans = containers(project)
        volumes = {n: v.model_dump(mode="json") for n, v in project.volumes.items()}
        entry = {
            "project": {"volumes": volumes},
            "services": {p.service.name: {"record": p.record.content} for p in plans},
        }
        found = {p.service.name: {"name": p.name, "role": p.role.value} for p in plans}
        return LiveFact([entry], found)

    def problems(
        self, before: Project, after: Project, asked: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """What is refused, without places and revisions."""
        lines = [f"  {name}:" for name in after.services]
        self._file.write_text("\n".join(["services:", *lines, ""]))
        plans = containers(after)
        change = Change(plans, self.live(before), volume_names(after.volumes, PREFIX), PREFIX)
        try:
            refuse_backing_changes(change, frozenset(asked), KeyLines(self._file))
        except ConfigError as error:
            return tuple(self._shortened(text, before, plans) for text in error.problems)
        return ()

    def _shortened(self, text: str, before: Project, plans: list[ContainerPlan]) -> str:
        for plan in [*containers(before), *plans]:
            text = text.replace(plan.name, f"<{plan.service.name}>")
        return text.replace(f"{self._file}:", "")


@pytest.fixture
def stacks(tmp_path: Path) -> Stacks:
    return Stacks(tmp_path)


def db(**more: Any) -> dict[str, Any]:
    return {"db": {"image": PULLED, "volumes": [WRITES], **more}}


# --- changes of a service of the same name --------------------------------------------------


def test_backing_service_that_differs_is_refused_with_what_differs(stacks: Stacks) -> None:
    after = stacks.project(db(command=["postgres"], user="1"))
    assert stacks.problems(stacks.project(db()), after) == (
        "2 services.db: command, user differ from what runs (<db>); it would be stopped, and "
        "started anew on the same volumes, while the application waits; to do it: "
        "SLIPWAY_REPLACE=db pulumi up; see it first with pulumi preview",
    )


def test_backing_service_that_is_the_same_or_asked_for_passes(stacks: Stacks) -> None:
    before, after = stacks.project(db()), stacks.project(db(command=["postgres"]))
    assert stacks.problems(before, before) == ()
    assert stacks.problems(before, after, ["db"]) == ()


@pytest.mark.parametrize("extension", [{"singleton": True}, {**ROUTE, "overlap": False}])
def test_backing_service_that_is_built_from_now_on_is_a_change_like_any_other(
    stacks: Stacks, extension: dict[str, Any]
) -> None:
    built = {"build": stacks.build, "volumes": [WRITES], "x-slipway": extension}
    before, after = stacks.project(db()), stacks.project({"db": built})
    (problem,) = stacks.problems(before, after)
    assert problem.startswith("2 services.db: image differ from what runs (<db>)")
    assert stacks.problems(before, after, ["db"]) == ()


@pytest.mark.parametrize("asked", [(), ("db",)])
def test_backing_service_does_not_become_one_that_is_started_beside_it_on_its_volume(
    stacks: Stacks, asked: Sequence[str]
) -> None:
    built = {"build": stacks.build, "volumes": [WRITES]}
    before, after = stacks.project(db()), stacks.project({"db": built})
    assert stacks.problems(before, after, asked) == (
        "2 services.db: <db> runs as a backing service, and as a worker the new container would "
        "be started beside it, on the same volume shop-test-records; write x-slipway: "
        "{singleton: true}, so that the old one stops first",
    )


def test_backing_service_that_others_call_keeps_its_name(stacks: Stacks) -> None:
    web = {"image": PULLED, "depends_on": {"cache": {}}, "x-slipway": ROUTE}
    before = stacks.project({"cache": {"image": PULLED}, "web": web})
    after = stacks.project({"cache": {"build": stacks.build}, "web": web})
    assert stacks.problems(before, after, ["cache"]) == (
        "2 services.cache: <cache> runs as a backing service that is called by its name, which a "
        "worker does not have (web depends on it); write x-slipway: {singleton: true}, or a route "
        "with internal: true",
    )


def test_backing_service_that_nobody_calls_may_be_built_when_asked_for(stacks: Stacks) -> None:
    before = stacks.project({"mail": {"image": PULLED}})
    after = stacks.project({"mail": {"build": stacks.build}})
    (problem,) = stacks.problems(before, after)
    assert "SLIPWAY_REPLACE=mail" in problem
    assert stacks.problems(before, after, ["mail"]) == ()


# --- volumes that go over to another service ------------------------------------------------


@pytest.mark.parametrize("extension", [{}, {"singleton": True}, {**ROUTE, "overlap": False}])
@pytest.mark.parametrize("asked", [(), ("db", "postgres")])
def test_renamed_service_is_not_started_beside_the_one_that_has_its_volume(
    stacks: Stacks, extension: dict[str, Any], asked: Sequence[str]
) -> None:
    image = {"build": stacks.build} if extension else {"image": PULLED}
    service = {**image, "volumes": [WRITES], "x-slipway": extension}
    before, after = stacks.project({"db": service}), stacks.project({"postgres": service})
    assert stacks.problems(before, after, asked) == (
        "2 services.postgres: would be started beside <db>, on the same volume shop-test-records; "
        "keep the name db for it (a further name goes under networks: {default: {aliases: […]}}), "
        "give it another volume, or release once without either of the two first",
    )


def test_volume_that_an_unlike_key_names_is_the_same_volume(stacks: Stacks) -> None:
    before = stacks.project(db(), {"records": {"external": True, "name": "pg"}})
    moved = {"image": PULLED, "volumes": [{**WRITES, "source": "other"}]}
    after = stacks.project({"postgres": moved}, {"other": {"external": True, "name": "pg"}})
    (problem,) = stacks.problems(before, after)
    assert "on the same volume pg;" in problem


def test_volume_that_a_changed_service_leaves_is_not_taken_over_meanwhile(stacks: Stacks) -> None:
    elsewhere = {**WRITES, "source": "new"}
    after = stacks.project(
        {**db(volumes=[elsewhere]), "other": {"image": PULLED, "volumes": [WRITES]}},
        ["records", "new"],
    )
    (problem,) = stacks.problems(stacks.project(db()), after, ["db"])
    assert problem.startswith("3 services.other: would be started beside <db>")


@pytest.mark.parametrize(
    "service",
    [
        {"image": PULLED},
        {"image": PULLED, "volumes": [READS]},
        {"image": PULLED, "volumes": [{**WRITES, "source": "new"}]},
    ],
    ids=["no volume", "only read", "another volume"],
)
def test_renamed_service_that_does_not_write_to_the_volume_passes(
    stacks: Stacks, service: dict[str, Any]
) -> None:
    after = stacks.project({"postgres": service}, ["records", "new"])
    assert stacks.problems(stacks.project(db()), after) == ()


def test_services_that_share_a_volume_by_the_file_go_on_doing_so(stacks: Stacks) -> None:
    backup = {"backup": {"build": stacks.build, "volumes": [WRITES]}}
    alone, both = stacks.project(db()), stacks.project({**db(), **backup})
    without = stacks.project({"backup": {**backup["backup"], "command": ["other"]}})
    assert stacks.problems(alone, both) == ()
    assert stacks.problems(both, without) == ()


def test_container_that_is_the_same_is_not_judged(stacks: Stacks) -> None:
    shared = {"other": {"image": PULLED, "volumes": [WRITES]}}
    before = stacks.project({**db(), **shared})
    after = stacks.project({**db(image=OTHER, volumes=[]), **shared})
    assert stacks.problems(before, after, ["db"]) == ()


def test_container_that_is_made_anew_because_it_is_gone_is_no_change(stacks: Stacks) -> None:
    project = stacks.project(db())
    live = stacks.live(project)
    (plan,) = containers(project)
    again = replace(plan, name=f"{plan.name}-2")
    change = Change([again], live, {}, PREFIX)
    refuse_backing_changes(change, frozenset(), KeyLines(Path("compose.yaml")))


def test_first_release_has_nothing_to_change(stacks: Stacks) -> None:
    plans = containers(stacks.project(db()))
    lines = KeyLines(Path("compose.yaml"))
    refuse_backing_changes(Change(plans, LiveFact(), {}, PREFIX), frozenset(), lines)
