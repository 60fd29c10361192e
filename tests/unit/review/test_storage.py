from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from slipway.key_lines import KeyLines
from slipway.review import storage

from .support import built, said, subject

ROUTE = {"route": {"port": 8000}, "probes": [{"path": "/"}]}


def mount(source: str, target: str = "/data") -> dict[str, Any]:
    return {"type": "volume", "source": source, "target": target}


# --- volumes of the file --------------------------------------------------------------------


def test_volume_that_is_not_declared_is_refused() -> None:
    web = {"image": "x", "volumes": [mount("b"), mount("a"), mount("known")]}
    assert said(storage.undeclared_volumes, {"web": web}, volumes={"known": {}}) == [
        "refused services.web.volumes: a is not declared; add it under the top-level volumes",
        "refused services.web.volumes: b is not declared; add it under the top-level volumes",
    ]


def test_name_of_the_proxy_s_volume_and_names_of_one_s_own_are_refused() -> None:
    volumes = {
        "ingress-routes": {},
        "media": {"name": "uploads"},
        "kept": {"name": "kept", "external": True},
        "plain": {},
    }
    assert said(storage.reserved_volumes, {}, volumes=volumes) == [
        "refused volumes.ingress-routes: is the proxy's own volume; rename it",
        "refused volumes.media.name: Slipway names volumes after the stack, so uploads would not "
        "be found; remove name and copy the data over, or add external: true to adopt the volume",
    ]


# --- volumes of images ----------------------------------------------------------------------


def test_folder_that_an_image_declares_and_nothing_is_mounted_on_is_warned_about(
    tmp_path: Path,
) -> None:
    web = built(tmp_path, 'FROM scratch\nVOLUME ["/media", "/cache"]\nVOLUME /data/\n')
    web["volumes"] = [mount("data"), mount("cache", "/cache/")]
    assert said(storage.unmounted_image_volumes, {"web": web}) == [
        "warned services.web: Dockerfile declares VOLUME /media, on which nothing is mounted: what "
        "is written there dies with the container; mount a named volume"
    ]


def test_volumes_of_stages_that_the_image_does_not_have_are_not_missed(tmp_path: Path) -> None:
    stages = "FROM a AS base\nVOLUME /media\nFROM base AS web\nFROM base AS dev\nVOLUME /cache\n"
    web = built(tmp_path, stages)
    web["build"]["target"] = "web"
    (found,) = said(storage.unmounted_image_volumes, {"web": web})
    assert "declares VOLUME /media," in found


def test_mount_above_a_declared_folder_holds_it_too(tmp_path: Path) -> None:
    web = built(tmp_path, "FROM scratch\nVOLUME /data/media\n", volumes=[mount("data")])
    beside = built(tmp_path, "FROM scratch\nVOLUME /data/media\n", volumes=[mount("x", "/dat")])
    assert said(storage.unmounted_image_volumes, {"web": web}) == []
    assert len(said(storage.unmounted_image_volumes, {"web": beside})) == 1


def test_folders_of_jobs_pulled_images_and_missing_dockerfiles_are_no_one_s_data(
    tmp_path: Path,
) -> None:
    job = built(tmp_path, "FROM scratch\nVOLUME /data\n")
    services = {
        "job": job,
        "db": {"image": "x"},
        "web": {
            "build": {"context": str(tmp_path / "missing")},
            "depends_on": {"job": {"condition": "service_completed_successfully"}},
        },
    }
    assert said(storage.unmounted_image_volumes, services) == []


# --- static files ---------------------------------------------------------------------------


def with_static(web: dict[str, Any]) -> dict[str, Any]:
    nginx = {"image": "nginx", "volumes": [mount("static_files", "/srv")]}
    return {"nginx": nginx, "web": {**web, "volumes": [mount("static_files"), mount("media")]}}


def test_volume_with_static_files_that_no_release_refreshes_is_warned_about(
    tmp_path: Path,
) -> None:
    assert said(storage.stale_static_volumes, with_static(built(tmp_path))) == [
        "warned services.web.volumes: static_files, which nginx reads too, keeps what the first "
        "image put there: a named volume is not refreshed by a new image; fill it in x-slipway: "
        "{release: …}, as with manage.py collectstatic --noinput"
    ]


@pytest.mark.parametrize(
    "keys",
    [
        {"x-slipway": {**ROUTE, "release": "python manage.py collectstatic --noinput"}},
        {"x-slipway": {**ROUTE, "release": ["python", "manage.py", "collectstatic"]}},
        {"command": ["sh", "-c", "python manage.py collectstatic && gunicorn shop"]},
        {"command": ["/start.sh"]},
    ],
    ids=["release", "release as a list", "command", "script"],
)
def test_volume_that_is_filled_anew_is_fresh(tmp_path: Path, keys: dict[str, Any]) -> None:
    (tmp_path / "start.sh").write_text("python manage.py collectstatic\nexec gunicorn shop\n")
    assert said(storage.stale_static_volumes, with_static(built(tmp_path, **keys))) == []


def test_volume_with_static_files_that_nobody_else_reads_is_the_service_s_own(
    tmp_path: Path,
) -> None:
    web = built(tmp_path, volumes=[mount("static")])
    assert said(storage.stale_static_volumes, {"web": web}) == []


# --- databases in files ---------------------------------------------------------------------


@pytest.mark.parametrize("value", ["sqlite:////data/shop.sqlite3", "/data/shop.db"])
def test_database_in_a_file_that_two_containers_would_open_is_warned_about(
    tmp_path: Path, value: str
) -> None:
    web = built(tmp_path, environment={"DATABASE_URL": value, "A": "b"}, volumes=[mount("data")])
    assert said(storage.single_writer_files, {"web": web}) == [
        "warned services.web.environment.DATABASE_URL: DATABASE_URL names a database in a "
        "file, and old and new container would use it at once for some seconds; write "
        "x-slipway: {overlap: false} to have requests wait instead, or overlap: true if the "
        "application is made for it"
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"x-slipway": {**ROUTE, "overlap": False}},
        {"x-slipway": {**ROUTE, "overlap": True}},
        {"x-slipway": {"singleton": True}},
        {"volumes": []},
        {"environment": {"DATABASE_URL": "postgres://db/shop"}},
    ],
    ids=["held", "decided", "singleton", "no volume", "a server"],
)
def test_database_in_a_file_is_no_question_where_one_uses_it_or_it_was_decided(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    keys = {"environment": {"DB": "sqlite:///x"}, "volumes": [mount("data")]}
    assert said(storage.single_writer_files, {"web": built(tmp_path, **{**keys, **change})}) == []


# --- secrets --------------------------------------------------------------------------------


def test_secret_that_stands_in_the_file_is_warned_about(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(
        "services:\n  web:\n    image: x\n    environment:\n      A: b\n"
        "      SECRET_KEY: 5up3rs3cr3tvalue\n"
    )
    found = replace(subject({"web": {"image": "x"}}), lines=KeyLines(file))
    (finding,) = storage.literal_secrets(found)
    assert (finding.line, finding.refused) == (6, False)
    assert finding.text == (
        f"{file}:6 services.web.environment.SECRET_KEY: a secret stands in the file; run "
        f"scripts/secrets {file}, which moves it into the stacks' configuration"
    )


def test_secret_among_build_arguments_is_warned_about_with_another_way(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text("services: {web: {build: {context: ., args: [V=1, PIP_TOKEN=hunter2-x]}}}\n")
    found = replace(subject({"web": {"image": "x"}}), lines=KeyLines(file))
    (finding,) = storage.literal_secrets(found)
    assert (finding.line, finding.refused) == (1, False)
    assert finding.text == (
        f"{file}:1 services.web.build.args.PIP_TOKEN: a secret stands in the file, and build "
        "arguments can be read out of the image's history; change the secret, and give it to the "
        "build as a build secret, with build: {secrets: [name]}, secrets: {name: {file: …}} at the "
        "top level with a file that is in no commit, and RUN --mount=type=secret,id=name in the "
        "Dockerfile"
    )


def test_dockerfile_that_is_not_utf_8_is_looked_at_all_the_same(tmp_path: Path) -> None:
    web = built(tmp_path, "")
    (tmp_path / "Dockerfile").write_bytes(b"# caf\xe9\nFROM scratch\nVOLUME /media\n")
    assert len(said(storage.unmounted_image_volumes, {"web": web})) == 1


def test_volume_is_not_told_to_be_missing_where_not_all_could_be_read() -> None:
    mount = {"type": "volume", "source": "data", "target": "/data"}
    services = {"web": {"image": "a", "volumes": [mount]}}
    assert len(said(storage.undeclared_volumes, services)) == 1
    assert said(storage.undeclared_volumes, services, whole=False) == []
