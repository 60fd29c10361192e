from typing import Any

import pytest

from slipway.explain.inventory import Inventory
from slipway.explain.stash import known_inventories

from .conftest import BASE, Shop
from .support import PUSHED, SECRET, World

STASH = "pulumi:index:Stash"
FILES = "shop-files"


def stashed(world: World) -> Any:
    """What the engine would keep."""
    (found,) = [r for urn, r in world.kept.items() if urn.endswith(f"::{FILES}")]
    return found["outputs"]["input"]


def lines(world: World) -> list[str]:
    shown: str = stashed(world)["files"]
    return shown.splitlines()


def inventories(world: World) -> dict[str, Inventory]:
    return known_inventories(stashed(world))


def push_all(shop: Shop, world: World) -> None:
    """Have the registry know what was built for the ledger."""
    for source in inventories(world):
        shop.registry.digests[f"shop/manifests/src-{source[:24]}"] = PUSHED


@pytest.fixture
def web(shop: Shop) -> Shop:
    """The shop without its worker, which could not be made anew by the way."""
    del shop.resolved["services"]["worker"]
    return shop


def change(shop: Shop, text: str) -> None:
    (shop.folder / "app/main.py").write_text(text)


def test_files_enter_the_state_only_after_the_gate(shop: Shop) -> None:
    stash = shop.declare().one(STASH, FILES)

    assert (stash.parent, stash.dependencies) == ("shop", {"shop-attempt", "shop-live"})
    assert stash.inputs["input"] == SECRET


def test_each_line_says_whose_file_it_is(shop: Shop) -> None:
    change(shop, "one\n")
    shop.resolved["services"]["worker"]["build"] = shop.web["build"]
    shown = lines(shop.declare())

    assert [line.rpartition(" ")[0] for line in shown] == [
        "web, worker: source hash",
        "web, worker: args.V",
        "web, worker: dockerfile Dockerfile",
        "web, worker: from docker.io/library/python:3.11",
        "web, worker: platform",
        "web, worker: Dockerfile 644",
        "web, worker: main.py 644",
    ]


def test_image_that_is_pulled_has_no_inventory(shop: Shop) -> None:
    del shop.web["build"]
    shop.web["image"] = BASE
    world = shop.declare()
    assert (lines(world), inventories(world)) == ([], {})


def test_changed_file_is_the_only_line_that_differs_but_for_the_source_hash(shop: Shop) -> None:
    change(shop, "one\n")
    first = shop.declare()
    change(shop, "two\n")
    second = shop.declare(first.kept, preview=True)

    pairs = zip(lines(first), lines(second), strict=True)
    differing = [after.rpartition(" ")[0] for before, after in pairs if before != after]
    assert differing == ["web: source hash", "web: main.py 644"]


def test_release_of_the_ledger_has_the_files_that_it_had(web: Shop) -> None:
    first = web.declare()
    change(web, "new\n")
    second = web.declare(first.kept)
    change(web, "newer\n")
    third = web.declare(second.kept)
    push_all(web, third)
    (web.folder / "app/Dockerfile").unlink()

    back = web.declare(third.kept, preview=True, environ={"SLIPWAY_RELEASE": "1"})

    assert lines(back) == lines(first)
    assert len(inventories(back)) == 3


def test_release_whose_files_were_never_kept_says_so(web: Shop) -> None:
    first = web.declare()
    change(web, "new\n")
    second = web.declare({u: r for u, r in first.kept.items() if not u.endswith(FILES)})
    back = web.declare(second.kept, preview=True, environ={"SLIPWAY_RELEASE": "1"})

    assert lines(back) == [
        lines(first)[0],
        "web: files are not known, it was released before they were kept",
    ]


def test_files_of_releases_that_left_the_ledger_are_forgotten(web: Shop) -> None:
    first = web.declare()
    gone = lines(first)[0].rpartition(" ")[2]
    for number in range(20):
        change(web, f"{number}\n")
        first = web.declare(first.kept)
    assert len(inventories(first)) == 20
    assert gone not in inventories(first)
