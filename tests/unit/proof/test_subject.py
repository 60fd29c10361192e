from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from slipway.blueprint import Record
from slipway.image_plan import Image, ReleasedImage
from slipway.mounted_files import Mounted, UploadedFile
from slipway.plan import ContainerPlan
from slipway.proof.subject import PULLED, RESTORED, SERVES, Subject, subject_of
from slipway.reference import parse_reference
from slipway.release import Placement, container_spec
from slipway.services import Build, Service
from tests.unit.support import DIGEST, image_plan

HASH = "c" * 64
IMAGE = f"localhost:5000/shop@{DIGEST}"
BUILT = image_plan(HASH, build=Build(context="/home/kim/shop/app", dockerfile="docker/web"))


def container(image: Image = BUILT, job_of: str | None = None, **fields: Any) -> ContainerPlan:
    service = Service.model_validate({"name": "web", "environment": {"A": "1"}, **fields})
    record = {"service": {k: v for k, v in fields.items() if k == "x-slipway"}}
    files = Mounted((UploadedFile("/run/x", b"x"),))
    return ContainerPlan(
        service=service,
        resource="shop-web-1",
        name="shop-test-web-1",
        revision="1",
        spec=container_spec(service, HASH, HASH),
        image=image,
        placement=Placement(mounted=files),
        record=Record(record),
        job_of=job_of,
    )


def of(plan: ContainerPlan, **served: Any) -> Subject | None:
    return subject_of(plan, "compose.yaml:3", Path("/home/kim/shop"), IMAGE, served)


def test_release_command_runs_what_is_proven_with_its_service() -> None:
    assert of(container(job_of="web")) is None


@pytest.mark.parametrize(
    "image", [parse_reference(f"postgres:16@{DIGEST}"), ReleasedImage(parse_reference(IMAGE), HASH)]
)
def test_image_without_a_source_of_which_nothing_is_asked_is_left_alone(image: Image) -> None:
    assert of(container(image)) is None


@pytest.mark.parametrize(
    ("image", "why", "nothing"),
    [
        (parse_reference(f"postgres:16@{DIGEST}"), PULLED, False),
        (ReleasedImage(parse_reference(IMAGE), HASH), RESTORED, True),
    ],
)
def test_image_without_a_source_is_asked_what_is_declared_unless_it_was_released(
    image: Image, why: str, nothing: bool
) -> None:
    found = of(container(image, **{"x-slipway": {"proof": {"required": ["/data"]}}}))
    assert found is not None
    assert (found.image, found.skipped, found.nothing) == (None, why, nothing)


def test_image_that_is_built_is_proven_with_all_that_its_container_gets() -> None:
    asked = {"proof": {"imports": ["main"]}, "allow": ["root"]}
    plan = container(user="1000", working_dir="/srv", **{"x-slipway": asked})
    assert of(plan) == Subject(
        "web",
        "compose.yaml:3",
        plan.service.extension.proof,
        BUILT,
        "app/docker/web",
        allow_root=True,
        user="1000",
        workdir="/srv",
        environment={"A": "1", "SLIPWAY_SOURCE_HASH": HASH},
        files=(UploadedFile("/run/x", b"x"),),
    )


SERVED = {"image": IMAGE, "source_hash": HASH, "record": {"service": {}}}


def test_image_that_serves_is_not_proven_again() -> None:
    found = of(container(), **SERVED)
    assert found is not None
    assert (found.skipped, found.nothing) == (SERVES, True)


@pytest.mark.parametrize(
    "served",
    [
        {**SERVED, "image": "localhost:5000/shop@sha256:other"},
        {**SERVED, "source_hash": "d" * 64},
        {**SERVED, "record": {"service": {"x-slipway": {"proof": {"imports": ["main"]}}}}},
        {**SERVED, "record": {"service": {"x-slipway": {"allow": ["root"]}}}},
    ],
)
def test_another_digest_source_or_setting_is_proven(served: dict[str, Any]) -> None:
    found = of(container(), **served)
    assert found is not None
    assert not found.nothing


def test_environment_counts_only_where_python_is_run() -> None:
    plain = of(container())
    asking = of(container(**{"x-slipway": {"proof": {"imports": ["main"]}}}))
    assert plain is not None
    assert asking is not None
    assert replace(plain, environment={}).key == plain.key
    assert replace(asking, environment={}).key != asking.key
