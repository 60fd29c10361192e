from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from docker.errors import APIError, ImageNotFound, NotFound

from slipway.doctor import engine
from slipway.doctor.engine import Images, moment
from slipway.doctor.retention import HostImage
from slipway.errors import HostError

from ..test_host import FakeApi

REPO = "localhost:5000/shop"
ITEM = {
    "Id": "sha256:1",
    "RepoTags": [f"{REPO}:src-1", "<none>:<none>"],
    "RepoDigests": [f"{REPO}@sha256:a", "<none>@<none>"],
    "Created": 1_700_000_000,
    "Size": 5,
}
IMAGE = HostImage(
    "sha256:1",
    (f"{REPO}:src-1", f"{REPO}@sha256:a"),
    datetime.fromtimestamp(1_700_000_000, UTC),
    5,
)


def images(**answers: Any) -> Images:
    return Images(FakeApi(**answers))


def test_images_are_told_by_their_real_names() -> None:
    unnamed = {"Id": "sha256:2", "RepoTags": None, "RepoDigests": None, "Created": -5}
    assert images(images=[ITEM, unnamed]).all() == [IMAGE]


def test_images_of_containers_are_told_even_without_a_name() -> None:
    containers = [{"ImageID": "sha256:1"}, {"ImageID": "sha256:2"}, {"ImageID": "sha256:1"}]
    api = FakeApi(containers=containers, images=[ITEM])
    assert Images(api).used() == [IMAGE, HostImage("sha256:2", (), None, 0)]
    assert api.calls[0] == ("containers", {"all": True})


def test_image_is_removed_by_name_and_never_by_force() -> None:
    api = FakeApi(remove_image=None)
    Images(api).remove(f"{REPO}:src-1")
    assert api.calls == [("remove_image", f"{REPO}:src-1", {})]


def test_image_that_is_gone_counts_as_removed() -> None:
    images(remove_image=ImageNotFound("gone")).remove("x")


def test_removal_that_docker_refuses_is_told() -> None:
    conflict = APIError("failed", None, "image is being used by running container 1")
    with pytest.raises(HostError) as caught:
        images(remove_image=conflict).remove("x")
    assert str(caught.value) == (
        "Docker could not remove image x: image is being used by running container 1"
    )


def test_engine_tells_where_it_stores_and_what_it_is() -> None:
    found = images(info={"DockerRootDir": "/data"}, version={"Version": "28.0.4"})
    assert (found.data_root(), found.version()) == (Path("/data"), "28.0.4")


def test_age_of_a_container_is_told() -> None:
    created = {"Created": "2026-11-23T05:00:01.123456789Z"}
    assert images(inspect_container=created).created("x") == datetime(
        2026, 11, 23, 5, 0, 1, tzinfo=UTC
    )
    assert images(inspect_container=NotFound("gone")).created("x") is None


def test_engine_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(HostError, match=r"^cannot list images: no Docker engine answers \(down\)$"):
        images(images=requests.exceptions.ConnectionError("down")).all()
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with pytest.raises(HostError, match=r"^cannot reach the Docker engine"):
        engine.connect()


@pytest.mark.parametrize("text", [None, "", "yesterday"])
def test_what_is_no_time_is_none(text: Any) -> None:
    assert moment(text) is None
