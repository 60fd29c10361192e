from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from slipway.doctor.retention import (
    HostImage,
    Needed,
    RegistryImage,
    built_repositories,
    needed_by,
    old_in_registry,
    old_on_host,
    unneeded,
)
from slipway.errors import ConfigError

from .support import NOW, TAG, export, release

REPO = "localhost:5000/shop"
DAY = 86400.0
KEPT = "sha256:" + "a" * 64
SPARE = "sha256:" + "b" * 64
OTHER = "sha256:" + "d" * 64
SPARE_TAG = "src-" + "b" * 24
OLD = NOW - timedelta(days=31)
NEEDED = Needed(frozenset({KEPT}), frozenset({TAG}))


def on_host(*names: str, created: datetime | None = OLD, id_: str = "sha256:1") -> HostImage:
    return HostImage(id_, names, created, 100)


def host(*images: HostImage, needed: Needed = NEEDED) -> list[tuple[str, ...]]:
    """The names that would go from the host."""
    return [c.names for c in old_on_host(images, needed, {REPO: 30 * DAY}, NOW)]


def registry(needed: Needed = NEEDED, **fields: Any) -> list[str]:
    """The digests that would go from the registry."""
    values: dict[str, Any] = {"tags": (SPARE_TAG,), "created": OLD, "size": 7, **fields}
    image = RegistryImage(REPO, SPARE, **values)
    return [c.digest for c in old_in_registry([image], needed, 30 * DAY, NOW)]


# --- what is needed -------------------------------------------------------------------------


def test_every_release_of_every_ledger_is_needed() -> None:
    test = export(release(2, "1" * 64, "1" * 64), release(1, "2" * 64, "2" * 64))
    prod = export(release(1, "3" * 64, "3" * 64))
    found = needed_by({"test": test, "prod": prod})
    assert found.digests >= {f"sha256:{letter * 64}" for letter in "123"}
    assert found.tags >= {f"src-{letter * 24}" for letter in "123"}


def test_image_that_only_a_resource_speaks_of_is_needed() -> None:
    image = {"urn": "x", "outputs": {"name": f"{REPO}:{SPARE_TAG}", "repoDigest": SPARE}}
    without = export()
    without["deployment"]["resources"].append(image)
    assert needed_by({"test": without}) == Needed(frozenset({SPARE}), frozenset({SPARE_TAG}))


def test_image_of_any_container_is_needed_in_registries_too() -> None:
    used = [on_host(f"{REPO}:{SPARE_TAG}", f"{REPO}@{SPARE}")]
    assert needed_by({}, used) == Needed(
        frozenset({SPARE}), frozenset({SPARE_TAG}), frozenset({"sha256:1"})
    )


@pytest.mark.parametrize(
    "ledger",
    [{"ciphertext": "x"}, ["x"], {"1": {"number": 1}},
     {"1": {"number": 1, "services": {"web": {"image": "A B"}}}}],
)  # fmt: skip
def test_ledger_that_cannot_be_read_is_an_error(ledger: Any) -> None:
    broken = export(release())
    broken["deployment"]["resources"][-1]["outputs"]["input"]["ledger"] = ledger
    with pytest.raises(ConfigError, match="the ledger of stack test cannot be read"):
        needed_by({"test": broken})


def test_only_repositories_that_are_built_into_are_the_stacks_own() -> None:
    pulled = {"number": 1, "services": {"db": {"image": f"redis@{KEPT}", "source_hash": None}}}
    assert built_repositories("test", export(release(), {**pulled, "number": 2})) == {REPO}
    assert built_repositories("test", {}) == frozenset()


# --- registries -----------------------------------------------------------------------------


def test_tags_that_lead_to_what_is_needed_are_left_out() -> None:
    tags = {TAG: OTHER, "src-" + "e" * 24: KEPT, SPARE_TAG: SPARE, "src-" + "f" * 24: SPARE}
    assert unneeded(tags, NEEDED) == {SPARE: (SPARE_TAG, "src-" + "f" * 24)}


@pytest.mark.parametrize("tag", ["latest", "v1", "src-abc", f"{SPARE_TAG}-x"])
def test_tag_that_slipway_did_not_give_keeps_its_image(tag: str) -> None:
    assert unneeded({tag: SPARE, SPARE_TAG: SPARE}, NEEDED) == {}


def test_digest_that_is_needed_does_not_go_through_another_tag() -> None:
    assert unneeded({SPARE_TAG: KEPT}, NEEDED) == {}
    assert registry(needed=Needed(frozenset({SPARE}))) == []


def test_index_stays_as_long_as_one_of_its_manifests_is_needed() -> None:
    assert registry(parts=(OTHER, KEPT)) == []
    assert registry(parts=(OTHER,)) == [SPARE]


@pytest.mark.parametrize(
    ("created", "goes"),
    [
        (NOW - timedelta(days=30, seconds=1), True),
        (NOW - timedelta(days=30), False),
        (NOW + timedelta(days=1), False),
        (datetime(1970, 1, 1, tzinfo=UTC), False),
        (None, False),
    ],
)
def test_only_what_is_known_to_be_old_goes(created: datetime | None, goes: bool) -> None:
    assert registry(created=created) == ([SPARE] if goes else [])
    assert host(on_host(f"{REPO}:{SPARE_TAG}", created=created)) == (
        [(f"{REPO}:{SPARE_TAG}",)] if goes else []
    )


# --- the host -------------------------------------------------------------------------------


def test_image_goes_by_its_names_and_the_tags_go_first() -> None:
    names = (f"{REPO}@{SPARE}", f"{REPO}:{SPARE_TAG}", "localhost:5000/other:1", f"other@{SPARE}")
    (found,) = old_on_host([on_host(*names)], NEEDED, {REPO: 30 * DAY}, NOW)
    assert found.names == (f"{REPO}:{SPARE_TAG}", f"{REPO}@{SPARE}")
    assert (found.digest, found.reference, found.where) == (SPARE, f"{REPO}:{SPARE_TAG}", "host")


def test_image_that_was_never_pushed_is_told_by_its_id() -> None:
    (found,) = old_on_host([on_host(f"{REPO}:{SPARE_TAG}")], NEEDED, {REPO: DAY}, NOW)
    assert found.digest == "sha256:1"


@pytest.mark.parametrize(
    "image",
    [
        on_host(f"{REPO}:{TAG}"),
        on_host(f"{REPO}:{SPARE_TAG}", f"{REPO}@{KEPT}"),
        on_host(f"{REPO}:{SPARE_TAG}", f"{REPO}:latest"),
        on_host(f"localhost:5000/other:{SPARE_TAG}"),
        on_host(f"localhost:5000/shop/part:{SPARE_TAG}"),
        on_host("NO:Reference:1"),
    ],
)
def test_image_that_is_needed_or_not_ours_stays(image: HostImage) -> None:
    assert host(image) == []


def test_image_that_a_container_uses_stays() -> None:
    needed = Needed(ids=frozenset({"sha256:1"}))
    assert host(on_host(f"{REPO}:{SPARE_TAG}"), needed=needed) == []


def test_names_of_docker_hub_are_known_in_their_short_form() -> None:
    image = on_host(f"team/shop:{SPARE_TAG}")
    (found,) = old_on_host([image], NEEDED, {"docker.io/team/shop": DAY}, NOW)
    assert found.names == (f"team/shop:{SPARE_TAG}",)
