from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slipway.errors import ConfigError, RegistryError
from slipway.hash_cache import HashCache
from slipway.image_plan import (
    ImagePlan,
    plan_images,
    pulled_images,
    refuse_moved_tags,
    relative_context,
    require_unchanged,
)
from slipway.key_lines import KeyLines
from slipway.reference import ImageReference
from slipway.services import Build, Project
from slipway.source_hash import read_source
from slipway.state import REMOTE_IMAGE, StackState

from .test_hash_cache import later, later_in

DIGEST = "sha256:" + "d" * 64
PULLED = f"docker.io/library/postgres:16@sha256:{'e' * 64}"
EMPTY = StackState()


def nothing(reference: ImageReference) -> None:
    return None


def everything(reference: ImageReference) -> str:
    return DIGEST


@pytest.fixture
def context(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text(f"FROM python@sha256:{'a' * 64}\nCOPY . .\n")
    (tmp_path / "app.py").write_text("print('hello')\n")
    return tmp_path


def project(services: dict[str, dict[str, Any]]) -> Project:
    named = {name: {"name": name, **service} for name, service in services.items()}
    return Project.model_validate({"name": "shop", "file": "compose.yaml", "services": named})


def images(
    stack: Project,
    state: StackState = EMPTY,
    look_up: Callable[[ImageReference], str | None] = nothing,
    cache: HashCache | None = None,
) -> dict[str, ImagePlan]:
    return plan_images(stack, "shop", "localhost:5000/team", "linux/amd64", state, look_up, cache)


def lines(folder: Path, text: str) -> KeyLines:
    file = folder / "compose.yaml"
    file.write_text(text)
    return KeyLines(file)


def test_image_is_named_by_its_source(context: Path) -> None:
    build = Build(context=str(context))
    source = read_source(build, "linux/amd64")
    assert images(project({"web": {"build": {"context": str(context)}}})) == {
        "web": ImagePlan(
            name=f"shop-{source.hash[:12]}",
            build=build,
            platform="linux/amd64",
            source=source,
            reference=ImageReference(
                "localhost:5000", "team/shop", tag=f"src-{source.hash[:24]}", digest=None
            ),
            digest=None,
            declared=True,
        )
    }


def test_services_with_equal_builds_share_an_image_that_is_looked_up_once(context: Path) -> None:
    asked: list[ImageReference] = []
    build = {"context": str(context)}
    plans = images(
        project(
            {
                "web": {"build": build},
                "worker": {"build": build},
                "other": {"build": {**build, "target": "debug"}},
                "db": {"image": PULLED},
            }
        ),
        look_up=asked.append,
    )
    assert plans["web"] is plans["worker"]
    assert plans["other"].source.hash != plans["web"].source.hash
    assert sorted(plans) == ["other", "web", "worker"]
    assert len(asked) == 2


def test_platform_of_the_compose_file_goes_before_the_stack_s(context: Path) -> None:
    build = {"context": str(context), "platforms": ["linux/arm64"]}
    assert images(project({"web": {"build": build}}))["web"].platform == "linux/arm64"


def test_image_that_the_registry_has_is_not_declared(context: Path) -> None:
    """A stack that did not build it uses the digest; it never builds another one."""
    plan = images(project({"web": {"build": {"context": str(context)}}}), EMPTY, everything)["web"]
    assert (plan.digest, plan.declared) == (DIGEST, False)


def test_image_that_this_stack_built_stays_declared(context: Path) -> None:
    stack = project({"web": {"build": {"context": str(context)}}})
    name = images(stack)["web"].name
    plan = images(stack, StackState({(REMOTE_IMAGE, name): {}}), everything)["web"]
    assert (plan.digest, plan.declared) == (DIGEST, True)


def test_problems_of_several_builds_are_told_together(context: Path) -> None:
    (context / "unpinned").mkdir()
    (context / "unpinned/Dockerfile").write_text("FROM python:3.11\n")
    stack = project(
        {
            "a": {"build": {"context": str(context / "missing")}},
            "b": {"build": {"context": str(context / "unpinned")}},
            "c": {"build": {"context": str(context / "missing")}},
            "d": {"build": {"context": str(context)}},
        }
    )
    with pytest.raises(ConfigError) as caught:
        images(stack)
    assert caught.value.problems == (
        f"{context}/missing/Dockerfile: no such Dockerfile; correct build.context or "
        "build.dockerfile",
        f"{context}/unpinned/Dockerfile:1 python:3.11: not pinned by digest, so that the same "
        "source could give another image tomorrow; run scripts/pin compose.yaml",
    )


def test_pulled_images_keep_their_pins(tmp_path: Path) -> None:
    build = {"context": str(tmp_path)}
    stack = project({"db": {"image": PULLED}, "web": {"build": build}})
    found = pulled_images(stack, lines(tmp_path, "services: {}"))
    assert {name: str(image) for name, image in found.items()} == {"db": PULLED}


def test_images_that_are_not_pinned_are_told_together(tmp_path: Path) -> None:
    stack = project(
        {
            "a": {"image": "redis"},
            "b": {"image": "postgres:16"},
            "c": {"image": PULLED},
            "d": {"image": "UPPER"},
        }
    )
    places = lines(tmp_path, "services:\n  a:\n    image: redis\n  b: {image: 'postgres:16'}\n")
    with pytest.raises(ConfigError) as caught:
        pulled_images(stack, places)
    told = (
        "is not pinned by digest, so that the same file could run another image tomorrow; run "
        "scripts/pin compose.yaml"
    )
    assert [problem.removeprefix(f"{tmp_path}/") for problem in caught.value.problems] == [
        f"compose.yaml:3 services.a.image: redis {told}",
        f"compose.yaml:4 services.b.image: postgres:16 {told}",
        'compose.yaml:1 services.d.image: "UPPER" is not an image reference; write '
        "repository:tag@sha256:<64 hex digits>",
    ]


def test_source_that_changed_during_the_build_is_not_pushed(
    context: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = HashCache(tmp_path_factory.mktemp("hashes"), later, later_in)
    stack = project({"web": {"build": {"context": str(context)}}})
    assert images(stack, cache=cache) == images(stack, cache=cache) == images(stack)
    plan = images(stack, cache=cache)["web"]
    # What the cache says may be older than the plan.
    monkeypatch.setattr(HashCache, "open", lambda *_: pytest.fail("it asked the cache"))
    require_unchanged(plan)

    (context / "app.py").write_text("print('HELLO')\n")
    with pytest.raises(ConfigError) as caught:
        require_unchanged(plan)
    assert caught.value.problems == (
        f"{context}: changed while the image was built (app.py), so that the image may hold "
        "either; it was not pushed; run pulumi up again",
    )


def ledger_of(source_hash: str | None, image: str) -> list[dict[str, Any]]:
    return [{"services": {"web": {"source_hash": source_hash, "image": image}}}]


def test_tag_that_was_moved_since_it_was_released_is_refused(context: Path) -> None:
    plans = images(project({"web": {"build": {"context": str(context)}}}), EMPTY, everything)
    plan = plans["web"]
    was = f"localhost:5000/team/shop@sha256:{'0' * 64}"
    with pytest.raises(RegistryError) as caught:
        refuse_moved_tags(plans, ledger_of(plan.source.hash, was))
    assert str(caught.value) == (
        f"{plan.reference} has the digest {DIGEST} now, but {was} was released from the same "
        "source: the tag was overwritten; delete the tag in the registry, or change the source, "
        "and run pulumi up again"
    )


def test_tags_that_are_as_released_or_not_known_pass(context: Path) -> None:
    plans = images(project({"web": {"build": {"context": str(context)}}}), EMPTY, everything)
    hash_ = plans["web"].source.hash
    refuse_moved_tags(plans, ledger_of(hash_, f"localhost:5000/team/shop@{DIGEST}"))
    refuse_moved_tags(plans, ledger_of("another", f"localhost:5000/team/shop@sha256:{'0' * 64}"))
    refuse_moved_tags(plans, ledger_of(None, PULLED))
    not_there = images(project({"web": {"build": {"context": str(context)}}}))
    refuse_moved_tags(not_there, ledger_of(hash_, f"localhost:5000/team/shop@sha256:{'0' * 64}"))


def test_context_is_seen_from_the_program_s_folder() -> None:
    base = Path("/home/user/shop")
    inside, same, outside = "/home/user/shop/app", "/home/user/shop", "/srv/app"
    assert [relative_context(Build(context=c), base) for c in (inside, same, outside)] == [
        "app",
        ".",
        "../../../srv/app",
    ]
