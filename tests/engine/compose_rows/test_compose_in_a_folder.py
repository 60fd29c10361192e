"""A compose file in a folder of its own, with the project above it."""

import pytest

from slipway.services import BindMount

from .support import DOCKERFILE, Outcome, Sample

HIDES = (
    "of the image, so that other code than the released would run; remove it here (for "
    "development it can stand in a compose.override.yaml)"
)
TEXT = """\
services:
  web:
    build: {context: ..}
    x-slipway: {route: {port: 8000}, probes: [{path: /health}]}
    volumes:
"""


@pytest.fixture
def above(sample: Sample) -> Sample:
    """Code and configuration above the compose file, all as a team has them."""
    sample.file = "docker/compose.yaml"
    sample.write("Dockerfile", DOCKERFILE)
    sample.write("src/app.py", "")
    sample.write("nginx/site.conf", "server {}\n")
    sample.write("deep/down/app.conf", "a = 1\n")
    return sample


def mounting(sample: Sample, *mounts: str) -> Outcome:
    return sample.read(TEXT + "".join(f"      - {mount}\n" for mount in mounts))


def test_code_above_the_compose_file_is_refused(above: Sample) -> None:
    found = mounting(above, "..:/app", "../src:/src", "../src:/ro:ro", "${SRC:-../src}:/default")
    assert found.problems == [
        f"docker/compose.yaml:6 services.web.volumes.0: .. hides /app {HIDES}",
        f"docker/compose.yaml:7 services.web.volumes.1: ../src hides /src {HIDES}",
        f"docker/compose.yaml:8 services.web.volumes.2: ../src hides /ro {HIDES}",
        f"docker/compose.yaml:9 services.web.volumes.3: ../src hides /default {HIDES}",
    ]


def test_configuration_above_the_compose_file_is_uploaded(above: Sample) -> None:
    found = mounting(
        above,
        "../nginx:/etc/nginx/conf.d:ro",
        "../deep/down/app.conf:/etc/app.conf",
        "{type: bind, source: ../nginx, target: /again, read_only: true}",
    )
    assert found.files("web") == {
        "/etc/nginx/conf.d/site.conf": ("server {}\n", "0644"),
        "/etc/app.conf": ("a = 1\n", "0644"),
        "/again/site.conf": ("server {}\n", "0644"),
    }
    assert found.container("web").placement.mounted.host_paths == ()


def test_folder_above_the_compose_file_that_is_written_to_is_refused(above: Sample) -> None:
    assert mounting(above, "../nginx:/etc/nginx").problems == [
        "docker/compose.yaml:6 services.web.volumes.0: ../nginx is a folder of this checkout, and "
        "data does not live there; use a named volume, or an absolute path of the Docker host, or "
        "write ../nginx:/etc/nginx:ro if it is configuration"
    ]


def test_path_above_the_compose_file_that_is_written_absolute_is_the_host_s(above: Sample) -> None:
    media = above.folder / "nginx"
    found = mounting(above, f"{media}:/media")
    (path,) = found.container("web").placement.mounted.host_paths
    assert isinstance(path, BindMount)
    assert (path.source, path.target) == (str(media), "/media")
