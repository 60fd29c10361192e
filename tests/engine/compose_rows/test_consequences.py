"""What follows from a fault is no fault of its own: one fault is told once."""

import pytest

from .support import WEB, Sample
from .test_forms import unset

DATABASE = "  db:\n    image: postgres:16@PIN\n"
FOLDER = "/var/lib/postgresql/data"


@pytest.mark.parametrize("mount", ["${DATA}", f"${{DATA}}:{FOLDER}"])
def test_database_whose_volume_has_no_value_is_not_told_to_have_none(
    sample: Sample, mount: str
) -> None:
    found = sample.web(top=f"{DATABASE}    volumes: ['{mount}']\n")
    assert found.problems == [unset(7, "DATA")]


def test_database_whose_volume_is_not_declared_is_not_told_to_have_none(sample: Sample) -> None:
    found = sample.web(top=f"{DATABASE}    volumes: ['data:{FOLDER}']\n")
    assert found.problems == [
        "compose.yaml:7 services.db.volumes: data is not there; declare it under the top-level "
        "volumes"
    ]


def test_what_is_declared_with_a_fault_is_declared(sample: Sample) -> None:
    sample.write("token", "abc")
    found = sample.web(
        "volumes: [data:/data]\nnetworks: [back]\nsecrets: [token]\n",
        top="""\
volumes: {data: {labels: [a=b]}}
networks: {back: {driver: macvlan}}
secrets:
  token: {file: ./token, driver: x}
""",
    )
    assert [problem.split(": ")[0] for problem in found.problems] == [
        "compose.yaml:8 volumes.data.labels",
        "compose.yaml:9 networks.back.driver",
        "compose.yaml:11 secrets.token.driver",
    ]


def test_what_an_included_file_that_is_not_there_may_declare_is_not_missing(
    sample: Sample,
) -> None:
    more = "volumes: [data:/data]\ndepends_on: [db]\nnetworks: [back]\n"
    sample.write("compose.yaml", "")
    text = WEB + "".join(f"    {line}\n" for line in more.splitlines())
    assert sample.read("include: [none.yaml]\n" + text).problems == [
        "compose.yaml:1 include.0: none.yaml is not there (none.yaml); correct the path, or remove "
        "it"
    ]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (
            "extends: {file: none.yaml, service: app}",
            "extends: none.yaml is not there (none.yaml); correct the path, or remove extends",
        ),
        ("privileged: true", "privileged: a release must not own its host; name what it needs "),
    ],
)
def test_job_that_a_service_with_a_fault_waits_for_stays_a_job(
    sample: Sample, fault: str, told: str
) -> None:
    waits = "depends_on: {seed: {condition: service_completed_successfully}}"
    (problem,) = sample.web(f"{fault}\n{waits}\n", top=DATABASE.replace("db:", "seed:")).problems
    assert problem.startswith(f"compose.yaml:5 services.web.{told}")


def test_database_is_judged_where_another_service_has_a_fault(sample: Sample) -> None:
    problems = sample.web("privileged: true\n", top=DATABASE).problems
    assert [problem.split(":")[1] for problem in problems] == [
        "5 services.web.privileged",
        "6 services.db",
    ]


BASE = """\
services:
  app:
    build: .
    env_file:
      - none.env
    x-slipway: {route: {port: 8000}, probes: [{path: /health}]}
"""
NO_ENV_FILE = (
    "services.app.env_file: none.env is not there (base/none.env); write it (is there an example "
    "beside it?), or give its variables under environment"
)


def test_env_file_that_an_extended_service_misses_is_told_there_and_once(sample: Sample) -> None:
    sample.write("base/base.yaml", BASE)
    found = sample.read(
        """\
services:
  web:
    extends: {file: base/base.yaml, service: app}
  worker:
    extends: web
    command: celery -A shop worker
  other:
    extends: {service: web}
  own:
    image: redis:7@PIN
    privileged: true
"""
    )
    assert found.problems == [
        "compose.yaml:11 services.own.privileged: a release must not own its host; name what it "
        "needs under cap_add",
        f"base/base.yaml:5 {NO_ENV_FILE}",
    ]


@pytest.mark.parametrize("written", ["env_file: none.env", "env_file: [{path: none.env}]"])
def test_env_file_that_a_file_behind_an_extended_one_misses_is_told_there(
    sample: Sample, written: str
) -> None:
    sample.write("base/first.yaml", f"services:\n  app:\n    {written}\n    build: .\n")
    sample.write("base/base.yaml", "services: {app: {extends: {file: first.yaml, service: app}}}\n")
    extends = "extends: {file: base/base.yaml, service: app}"
    found = sample.read(WEB.replace("build: .", extends))
    assert found.problems == [f"base/first.yaml:3 {NO_ENV_FILE}"]


def test_env_file_that_an_included_file_misses_is_told_there(sample: Sample) -> None:
    sample.write("base/base.yaml", BASE)
    found = sample.read("include: [base/base.yaml]\n" + WEB)
    assert found.problems == [f"base/base.yaml:5 {NO_ENV_FILE}"]


def test_services_behind_one_that_cannot_be_read_are_not_told(sample: Sample) -> None:
    more = "  worker:\n    extends: web\n    command: [serve]\n"
    found = sample.web("extends: {file: none.yaml, service: app}\n", top=more)
    assert found.problems == [
        "compose.yaml:5 services.web.extends: none.yaml is not there (none.yaml); correct the "
        "path, or remove extends"
    ]
