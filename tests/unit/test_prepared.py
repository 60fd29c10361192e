from dataclasses import replace
from typing import Any

import pytest

from slipway.blueprint import Record
from slipway.image_plan import ImagePlan
from slipway.mounted_files import Mounted, UploadedFile
from slipway.state import LiveFact

from .support_deploy import DIGEST, PASSWORD, World


def test_containers_with_one_of_the_stack_s_secrets_hold_a_secret(world: World) -> None:
    prepared = world.prepare()
    assert [plan.record.holds_secret for plan in prepared.containers] == [True, False]


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        ({"command": ["work", "--password", PASSWORD]}, True),
        ({"labels": {"note": f"uses {PASSWORD}"}}, True),
        ({"environment": {"API_TOKEN": "literal"}}, True),
        ({"environment": {"API_TOKEN": ""}}, False),
        ({"environment": {"LEVEL": "info"}}, False),
        ({"healthcheck": {"test": ["CMD", "login", PASSWORD]}}, True),
    ],
)
def test_secret_is_found_wherever_a_container_has_it(
    world: World, change: dict[str, Any], holds: bool
) -> None:
    world.services["worker"] |= change
    prepared = world.prepare()
    assert prepared.containers[1].record.holds_secret is holds


def test_redactor_hides_secrets_and_literals_that_look_like_one(world: World) -> None:
    world.services["worker"]["environment"] = {"API_TOKEN": "abcdefgh", "LEVEL": "warning"}
    redact = world.prepare().redactor
    assert redact(f"{PASSWORD} abcdefgh warning") == "[secret] [secret] warning"


def test_redactor_hides_what_stands_in_secret_files_alone(world: World) -> None:
    (world.folder / "front.conf").write_text("listen 8080;\n")
    secret = UploadedFile("/run/secrets/badge", b"first line\nsecond line\n", secret=True)
    plain = UploadedFile("/etc/front.conf", b"listen 8080;\n")
    prepared = world.prepare()
    web, worker = prepared.containers
    kept = {"kept:1": secret.encoded, "kept:2": plain.encoded, "kept:3": "of a command"}
    changed = replace(
        web,
        placement=replace(web.placement, mounted=Mounted((secret, plain))),
        record=Record({}, {**kept, "kept:4": "listen 8080;\n"}),
    )
    redact = replace(prepared, containers=(changed, worker)).redactor
    said = "second line, first line, listen 8080;, of a command"
    assert redact(said) == "[secret], [secret], listen 8080;, [secret]"


# --- the ledger -----------------------------------------------------------------------------


def test_ledger_holds_the_whole_release_with_secrets_by_reference(world: World) -> None:
    world.services["worker"]["environment"] = {"API_TOKEN": "abcdefgh"}
    volume = {"type": "volume", "source": "data", "target": "/var/lib/postgresql/data"}
    world.services["db"] = {"image": f"postgres@{DIGEST}", "volumes": [volume]}
    probes = [{"path": "/health", "headers": {"Authorization": f"Bearer {PASSWORD}"}}]
    world.services["web"]["x-slipway"]["probes"] = probes
    prepared = world.prepare()
    db, web, worker = prepared.containers
    assert isinstance(web.image, ImagePlan)
    source = web.image.source.hash
    images = {name: f"{name}@{DIGEST}" for name in ("db", "web", "worker")}
    (entry,) = prepared.ledger(images)
    assert entry.pop("time") == "2026-01-02T03:04:05+00:00"
    assert entry.pop("actor")
    entry.pop("git", None)
    (kept,) = prepared.kept
    assert prepared.kept == {kept: "abcdefgh"}
    assert entry == {
        "number": 1,
        "fingerprint": prepared.fingerprint,
        "project": {"name": "shop", "volumes": {"data": {}}, "networks": {}},
        "services": {
            "db": {
                "revision": db.revision,
                "image": f"db@{DIGEST}",
                "record": {"service": {"image": f"postgres@{DIGEST}", "volumes": [volume]}},
            },
            "web": {
                "revision": web.revision,
                "source_hash": source,
                "image": f"web@{DIGEST}",
                "record": {
                    "service": {
                        "x-slipway": {
                            "route": {"port": 8000},
                            "probes": [
                                {
                                    "path": "/health",
                                    "headers": {"Authorization": "Bearer ${DB_PASSWORD}"},
                                }
                            ],
                        },
                    },
                    "environment": {"DATABASE_URL": "postgres://quotes:${DB_PASSWORD}@db/quotes"},
                },
            },
            "worker": {
                "revision": worker.revision,
                "source_hash": source,
                "image": f"worker@{DIGEST}",
                "record": {
                    "service": {"command": ["work"], "x-slipway": {"stable_for": 3.0}},
                    "environment": {"API_TOKEN": f"${{{kept}}}"},
                },
            },
        },
    }


def test_ledger_keeps_as_many_releases_as_the_settings_say(world: World) -> None:
    prepared = world.prepare(settings=replace(world.settings, keep_releases=2))
    ledger = [{"number": n, "fingerprint": str(n)} for n in (9, 8, 7)]
    before = replace(prepared, live=LiveFact(ledger, {}))
    found = before.ledger({"web": "w", "worker": "w"})
    assert [entry["number"] for entry in found] == [10, 9]
