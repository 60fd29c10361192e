from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from slipway import reading
from slipway.blueprint import Record
from slipway.compose import Reading
from slipway.declared import Declared
from slipway.errors import ConfigError
from slipway.image_plan import ImagePlan
from slipway.key_lines import KeyLines
from slipway.prepared import Settings
from slipway.reading import ingress_image, read_source
from slipway.reference import parse_reference
from slipway.state import StackState

from .support_deploy import CADDY, DIGEST, PASSWORD, STACK, World

POSTGRES = f"postgres@{DIGEST}"
Read = Callable[[Path, Mapping[str, str], Mapping[str, str]], Reading]


def read(world: World, settings: Settings | None = None, said: list[str] | None = None) -> Declared:
    warned = said if said is not None else []
    return read_source(STACK, settings or world.settings, {}, StackState(), warned.append)


def plays(monkeypatch: pytest.MonkeyPatch, found: Read) -> None:
    monkeypatch.setattr(reading.compose, "read_project", found)


def problems(world: World, settings: Settings | None = None) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as refused:
        read(world, settings)
    return tuple(str(problem) for problem in refused.value.problems)


# --- what is wrong ----------------------------------------------------------------------------


def test_file_that_cannot_be_read_is_all_that_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> Reading:
        raise ConfigError(["compose.yaml:3 services: is no mapping"])

    plays(monkeypatch, fail)
    settings = replace(world.settings, ingress_image=None)
    assert problems(world, settings) == ("compose.yaml:3 services: is no mapping",)


def test_all_problems_are_told_at_once(world: World) -> None:
    world.services["db"] = {"image": "postgres:16", "secrets": [{"source": "none"}]}
    world.services["web"]["build"] = {"context": str(world.folder), "args": {"TOKEN": PASSWORD}}
    world.services["worker"]["build"] = {"context": str(world.folder / "missing")}
    settings = replace(world.settings, ingress_image=None)
    found = problems(world, settings)
    wanted = [
        "services.db.secrets.0: none is not declared under secrets",
        "services.db.image: postgres:16 is not pinned by digest",
        "no ingress image",
        "the secret DB_PASSWORD; build arguments can be read out of the image's history",
        f"{world.folder}/missing",
    ]
    assert [[line for line in found if text in line] != [] for text in wanted] == [True] * 5
    assert PASSWORD not in repr(found)


def test_problems_are_told_in_the_order_of_the_file_and_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = world.settings.compose
    lines = [
        "/elsewhere/Dockerfile:1 FROM: no",
        f"{file}:12 services.web: b",
        f"{file}:12 services.web: a",
        f"{file}:3 services.db: c",
        f"{file}:3 services.db: c",
        "a problem without a place",
    ]

    def broken(file: Path, environ: object, values: object) -> Reading:
        return Reading(world.project(), KeyLines(file), lines)

    plays(monkeypatch, broken)
    assert problems(world) == (
        f"{file}:3 services.db: c",
        f"{file}:12 services.web: a",
        f"{file}:12 services.web: b",
        "a problem without a place",
        "/elsewhere/Dockerfile:1 FROM: no",
    )


def test_no_secret_is_told_with_a_problem_or_a_warning(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad: list[str] = []

    def tells(file: Path, environ: object, values: object) -> Reading:
        warning = f"compose.yaml:1 services.web.command: {PASSWORD} is taken otherwise"
        return Reading(world.project(), KeyLines(file), bad, [warning])

    plays(monkeypatch, tells)
    said: list[str] = []
    read(world, said=said)
    assert "compose.yaml:1 services.web.command: [secret] is taken otherwise" in said
    bad.append(f"compose.yaml:1 services.web.command: {PASSWORD} is wrong")
    assert problems(world) == ("compose.yaml:1 services.web.command: [secret] is wrong",)


def test_source_in_which_something_is_wrong_is_not_read_again(world: World) -> None:
    world.services["db"] = {"image": "postgres:16"}
    problems(world)
    assert len(world.read) == 1


# --- what a release is made from --------------------------------------------------------------


def test_images_and_files_are_found_for_each_service(world: World) -> None:
    (world.folder / "web.conf").write_text("on")
    source = str(world.folder / "web.conf")
    world.services["web"]["volumes"] = [{"type": "bind", "source": source, "target": "/conf"}]
    world.services["db"] = {"image": POSTGRES, "x-slipway": {"ephemeral": True}}
    found = read(world)
    assert found.project == world.project()
    assert (found.entry, found.serving) == (None, {})
    assert found.images["db"] == parse_reference(POSTGRES)
    assert isinstance(found.images["web"], ImagePlan)
    assert found.images["web"] is found.images["worker"]
    assert [(f.path, f.content) for f in found.mounted["web"].files] == [("/conf", b"on")]
    assert found.records.keys() == found.mounted.keys() == {"db", "web", "worker"}


def test_services_that_migrate_when_they_start_are_proven_alone(world: World) -> None:
    world.services["web"]["command"] = ["sh", "-c", "manage.py migrate && gunicorn shop"]
    migrating = {"image": POSTGRES, "command": ["alembic", "upgrade", "head"]}
    world.services["db"] = {**migrating, "x-slipway": {"ephemeral": True}}
    assert read(world).alone == {"web"}


@pytest.mark.parametrize(
    ("named", "environ", "image"),
    [
        (CADDY, {"SLIPWAY_CADDY_IMAGE": "other"}, CADDY),
        (None, {"SLIPWAY_CADDY_IMAGE": CADDY}, CADDY),
        (None, {}, None),
    ],
)
def test_ingress_image_of_the_stack_goes_before_the_environment_s(
    world: World, named: str | None, environ: dict[str, str], image: str | None
) -> None:
    assert ingress_image(replace(world.settings, ingress_image=named), environ) == image


# --- secrets ----------------------------------------------------------------------------------


def web_url(found: Declared) -> Any:
    return found.records["web"].content["environment"]["DATABASE_URL"]


def test_secret_that_is_equal_to_other_texts_is_known_by_its_place(world: World) -> None:
    """`postgres://quotes:${DB_PASSWORD}@db/quotes` with a password `quotes`."""
    settings = replace(world.settings, secrets={"DB_PASSWORD": "quotes"})
    found = read(world, settings)
    assert web_url(found) == "postgres://quotes:${DB_PASSWORD}@db/quotes"
    assert found.records["web"].kept == {}


def test_stack_without_secrets_is_read_once(world: World) -> None:
    read(world, replace(world.settings, secrets={}))
    assert len(world.read) == 1


def test_what_holds_a_secret_is_kept_where_the_source_cannot_be_read_without_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as where the secret is a number, and only a number may stand."""
    first = reading.compose.read_project

    def only_a_number(file: Path, environ: Any, values: Mapping[str, str]) -> Reading:
        if values["DB_PASSWORD"] != PASSWORD:
            raise ConfigError(["compose.yaml:4 services.web.ports: is no number"])
        return first(file, environ, values)

    plays(monkeypatch, only_a_number)
    found = read(world)
    (name,) = found.records["web"].kept
    assert web_url(found) == f"postgres://quotes:${{{name}}}@db/quotes"
    assert found.records["web"].kept == {name: PASSWORD}


def test_what_holds_a_secret_is_kept_where_its_value_decides_what_is_declared(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as `${DB_PASSWORD:+…}`, or a file that is found under its value."""

    def decides(file: Path, environ: Any, values: Mapping[str, str]) -> Reading:
        found = world.project()
        if values["DB_PASSWORD"] != PASSWORD:
            left = {name: s for name, s in found.services.items() if name != "web"}
            found = found.model_copy(update={"services": left})
        return Reading(found, KeyLines(file))

    plays(monkeypatch, decides)
    found = read(world)
    (name,) = found.records["web"].kept
    assert web_url(found) == f"postgres://quotes:${{{name}}}@db/quotes"
    plain = {"command": ["work"], "x-slipway": {"stable_for": 3.0}}
    assert found.records["worker"] == Record({"service": plain})
