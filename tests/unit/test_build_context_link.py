import os
from dataclasses import replace
from pathlib import Path

import pytest

from slipway.build_context_link import context_for, link_context
from slipway.image_plan import ImagePlan
from slipway.reference import parse_reference
from slipway.services import Build
from slipway.source_hash import Source


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    (tmp_path / "app").mkdir()
    (tmp_path / "app/main.py").write_text("print('hello')\n")
    return tmp_path / "project"


def plan(base: Path, hash_: str = "a" * 64, dockerfile: str = "Dockerfile") -> ImagePlan:
    build = Build(context=str(base.parent / "app"), dockerfile=dockerfile)
    reference = parse_reference("localhost:5000/shop:src-a")
    return ImagePlan("shop", build, "linux/amd64", Source(hash_, ()), reference, None, True)


def test_each_source_has_a_way_of_its_own_to_the_same_context(base: Path) -> None:
    one, other = plan(base), plan(base, "b" * 64)
    for found in (one, other):
        link_context(found, base)
    ways = [context_for(found, base) for found in (one, other)]
    assert ways == [".slipway/contexts/aaaaaaaaaaaa", ".slipway/contexts/bbbbbbbbbbbb"]
    assert [(base / way / "main.py").read_text() for way in ways] == ["print('hello')\n"] * 2


def test_way_is_the_same_in_every_clone(base: Path, tmp_path: Path) -> None:
    link_context(plan(base), base)
    assert not os.path.isabs(os.readlink(base / context_for(plan(base), base)))


def test_way_that_is_there_already_is_made_again(base: Path) -> None:
    link_context(plan(base), base)
    link_context(plan(base), base)
    assert len(list((base / ".slipway/contexts").iterdir())) == 1


@pytest.mark.parametrize("dockerfile", ["../docker/Dockerfile", "/srv/Dockerfile"])
def test_dockerfile_outside_of_the_context_needs_the_context_s_own_path(
    base: Path, dockerfile: str
) -> None:
    found = plan(base, dockerfile=dockerfile)
    link_context(found, base)
    assert context_for(found, base) == "../app"
    assert not (base / ".slipway").exists()


def test_oldest_ways_are_removed(base: Path) -> None:
    for number in range(60):
        link_context(replace(plan(base), source=Source(f"{number:064x}"[::-1], ())), base)
    assert len(list((base / ".slipway/contexts").iterdir())) == 50
