from dataclasses import replace
from typing import Any

from slipway.explain.course import explain_source
from slipway.explain.model import Command, Explanation, SourceImage
from slipway.explain.views import document
from slipway.state import StackState

from ..support_deploy import DIGEST, PASSWORD, World
from .test_course import exported, no_git


def explain(world: World, state: StackState | None = None, **settings: Any) -> Explanation:
    changed = replace(world.settings, **settings)
    found = state or StackState()
    return explain_source(
        "quotes", "test", changed, {}, found, lambda r: world.tags.get(str(r.tag)), no_git
    )


def migrating(world: World, command: Any = "manage migrate") -> World:
    world.services["web"]["x-slipway"]["release"] = command
    return world


def test_secret_in_a_command_is_told_by_its_name(world: World) -> None:
    (found,) = explain(migrating(world, f"migrate postgres://{PASSWORD}@db")).commands
    assert found.command == "migrate postgres://${DB_PASSWORD}@db"


def test_command_that_has_run_for_what_serves_does_not_run_again(world: World) -> None:
    migrating(world)
    assert explain(world, exported(world.prepare(preview=True))).commands == ()


def test_command_runs_again_for_another_source(world: World) -> None:
    state = exported(migrating(world).prepare(preview=True))
    (world.folder / "main.py").write_text("two\n")
    assert explain(world, state).commands == (Command("web", "manage migrate"),)


def test_command_in_words_is_written_as_a_shell_has_it(world: World) -> None:
    found = explain(migrating(world, ["manage", "migrate", "--at", "two words"]))
    assert found.commands == (Command("web", "manage migrate --at 'two words'"),)


def test_one_shot_service_counts_as_a_command_but_not_as_a_release_command(world: World) -> None:
    world.services["seed"] = {"build": {"context": str(world.folder)}, "command": ["seed"]}
    world.services["web"]["depends_on"] = {"seed": {"condition": "service_completed_successfully"}}
    assert explain(world).commands == (Command("seed", "seed", release=False),)


def test_image_names_the_services_that_share_it(world: World) -> None:
    source = world.prepare(preview=True).containers[0].spec.identity
    name = f"localhost:5000/shop:src-{source[:24]}"
    world.tags.clear()
    assert explain(world).images == (SourceImage(name, ("web", "worker")),)
    world.tags[f"src-{source[:24]}"] = DIGEST
    assert explain(world).images == (SourceImage(name, ("web", "worker"), DIGEST),)


def test_document_tells_what_is_to_be_built_and_run() -> None:
    images = (
        SourceImage("shop:src-1", ("web",), DIGEST),
        SourceImage("shop:src-2", ("web", "worker")),
        SourceImage("shop:src-3", ("old",), known=False),
    )
    found = document(Explanation("test", (), images=images, commands=(Command("web", "migrate"),)))
    assert found["images"] == [
        {"name": "shop:src-1", "services": ["web"], "status": "built", "digest": DIGEST},
        {"name": "shop:src-2", "services": ["web", "worker"], "status": "to build"},
        {"name": "shop:src-3", "services": ["old"], "status": "not known"},
    ]
    assert found["commands"] == [{"service": "web", "command": "migrate", "release": True}]
