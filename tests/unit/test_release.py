from typing import Any

import pytest

from slipway.extension import Extension
from slipway.release import (
    ContainerSpec,
    by_number,
    container_spec,
    fingerprint,
    ledger_view,
    prepend,
    revision,
)
from slipway.services import Service

HASH = "1" * 64
PLAIN: dict[str, Any] = {
    "name": "web",
    "build": {"context": "/src"},
    "environment": {"DATABASE_URL": "postgres://quotes:hunter2@db/quotes"},
    "x-slipway": {"route": {"port": 8000}, "probes": [{"path": "/health"}]},
}


def spec(identity: str = HASH, source_hash: str | None = HASH, **more: Any) -> ContainerSpec:
    return container_spec(Service.model_validate({**PLAIN, **more}), identity, source_hash)


def test_spec_of_a_built_image_tells_the_application_its_source() -> None:
    assert dict(spec().environment) == {
        "DATABASE_URL": "postgres://quotes:hunter2@db/quotes",
        "SLIPWAY_SOURCE_HASH": HASH,
    }


def test_spec_keeps_a_source_hash_that_the_compose_file_gives() -> None:
    given = {"SLIPWAY_SOURCE_HASH": "mine"}
    assert dict(spec(environment=given).environment) == given


def test_spec_of_a_pulled_image_has_no_source() -> None:
    assert dict(spec("db@sha256:1", None, environment={}).environment) == {}


def test_plain_spec_has_what_the_container_is_made_from_and_no_environment() -> None:
    full = spec(command=["serve"], stop_grace_period="20s", labels={"team": "quotes"})
    assert full.plain() == {
        "command": ["serve"],
        "stop_grace_period": 20.0,
        "labels": {"team": "quotes"},
        "identity": HASH,
    }


def test_spec_shows_no_environment_when_printed() -> None:
    assert "hunter2" not in repr(spec())


@pytest.mark.parametrize(
    "change",
    [
        {"command": ["serve"]},
        {"entrypoint": ["/bin/sh"]},
        {"environment": {"DATABASE_URL": "postgres://elsewhere"}},
        {"environment": {}},
        {"healthcheck": {"test": ["CMD", "true"]}},
        {"init": True},
        {"labels": {"team": "quotes"}},
        {"read_only": True},
        {"restart": "unless-stopped"},
        {"stop_grace_period": "20s"},
        {"stop_signal": "SIGINT"},
        {"user": "1000"},
        {"hostname": "quotes"},
        {"deploy": {"resources": {"limits": {"memory": 1}}}},
        {"working_dir": "/app"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_revision_changes_with_all_that_a_container_is_made_from(change: dict[str, Any]) -> None:
    assert revision(spec(**change), "key") != revision(spec(), "key")


def test_part_of_a_service_is_in_the_revision_of_a_job_only() -> None:
    service = Service.model_validate(PLAIN)
    job = container_spec(service, HASH, HASH, job=True)
    assert job.plain() == {**spec().plain(), "role": "job"}
    assert revision(job, "key") != revision(spec(), "key")


def test_revision_changes_with_source_and_key() -> None:
    found = {
        revision(spec(), "key"),
        revision(spec(), "another key"),
        revision(spec("2" * 64, "2" * 64), "key"),
    }
    assert len(found) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"x-slipway": {"route": {"port": 9000}, "probes": [{"path": "/other"}], "drain": "9s"}},
        {"build": {"context": "/elsewhere"}},
        {"name": "renamed"},
        {"expose": ["8000"]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_revision_does_not_depend_on_probes_paths_or_names(change: dict[str, Any]) -> None:
    assert revision(spec(**change), "key") == revision(spec(), "key")


def test_revision_does_not_depend_on_the_order_of_variables() -> None:
    one, other = {"A": "1", "B": "2"}, {"B": "2", "A": "1"}
    assert revision(spec(environment=one), "k") == revision(spec(environment=other), "k")


WEB = Extension.model_validate({"route": {"port": 8000}, "probes": [{"path": "/health"}]})


def test_fingerprint_names_equal_releases_equally() -> None:
    assert fingerprint({"web": "1"}, {"web": WEB}, "key") == fingerprint(
        {"web": "1"}, {"web": WEB.model_copy(deep=True)}, "key"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"probes": [{"path": "/other"}]},
        {"route": {"port": 9000}, "probes": [{"path": "/health"}]},
        {"successes": 5},
        {"interval": "1s"},
        {"timeout": "9s"},
        {"stable_for": "9s"},
        {"drain": "9s"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_fingerprint_changes_with_each_check(change: dict[str, Any]) -> None:
    base = WEB.model_dump(by_alias=True, exclude_unset=True)
    changed = Extension.model_validate({**base, **change})
    assert fingerprint({"web": "1"}, {"web": changed}, "key") != fingerprint(
        {"web": "1"}, {"web": WEB}, "key"
    )


def test_fingerprint_changes_with_revisions_services_and_key() -> None:
    found = {
        fingerprint({"web": "1"}, {"web": WEB}, "key"),
        fingerprint({"web": "2"}, {"web": WEB}, "key"),
        fingerprint({"api": "1"}, {"api": WEB}, "key"),
        fingerprint({"web": "1"}, {"web": WEB}, "another key"),
    }
    assert len(found) == 4


def entry(name: str) -> dict[str, Any]:
    return {"fingerprint": name, "time": "now", "services": {}}


def test_first_release_has_number_one() -> None:
    assert prepend([], entry("a"), 20) == [{"number": 1, **entry("a")}]


def test_release_is_prepended_with_the_next_number() -> None:
    ledger = [{"number": 7, **entry("a")}]
    assert prepend(ledger, entry("b"), 20) == [{"number": 8, **entry("b")}, *ledger]


def test_release_that_is_at_the_head_already_changes_nothing() -> None:
    ledger = [{"number": 7, **entry("a")}]
    assert prepend(ledger, {**entry("a"), "time": "later"}, 20) is ledger


def test_earlier_release_is_entered_again_with_a_number_of_its_own() -> None:
    ledger = [{"number": 2, **entry("b")}, {"number": 1, **entry("a")}]
    assert [e["number"] for e in prepend(ledger, entry("a"), 20)] == [3, 2, 1]


@pytest.mark.parametrize(("keep", "numbers"), [(2, [4, 3]), (1, [4]), (0, [4])])
def test_ledger_keeps_the_newest_releases(keep: int, numbers: list[int]) -> None:
    ledger = [{"number": n, **entry(str(n))} for n in (3, 2, 1)]
    assert [e["number"] for e in prepend(ledger, entry("new"), keep)] == numbers


def test_ledger_is_shown_without_specs_and_environments() -> None:
    services = {
        "web": {"image": "i@sha256:1", "source_hash": HASH, "environment": {"A": "b"}, "spec": {}},
        "db": {"image": "db@sha256:2", "source_hash": None, "revision": "r"},
    }
    ledger = [{"number": 3, "time": "noon", "fingerprint": "f", "services": services}]
    assert ledger_view(ledger) == [
        {
            "number": 3,
            "time": "noon",
            "images": {"web": "i@sha256:1", "db": "db@sha256:2"},
        }
    ]


def test_view_shows_the_newest_five_and_where_they_come_from() -> None:
    ledger = [
        {
            "number": number,
            "time": "noon",
            "actor": "kim",
            "git": {"commit": "c0ffee", "dirty": False},
            "rollback_of": 1,
            "services": {"web": {"image": "i"}, "web-release": {"image": "i", "job_of": "web"}},
        }
        for number in range(9, 0, -1)
    ]
    view = ledger_view(ledger)
    assert [entry["number"] for entry in view] == [9, 8, 7, 6, 5]
    assert view[0] == {
        "number": 9,
        "time": "noon",
        "actor": "kim",
        "rollback_of": 1,
        "commit": "c0ffee",
        "images": {"web": "i"},
    }


def test_state_keeps_the_ledger_by_number() -> None:
    assert by_number([{"number": 2}, {"number": 1}]) == {"2": {"number": 2}, "1": {"number": 1}}
