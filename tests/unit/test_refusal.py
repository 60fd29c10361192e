from dataclasses import replace
from typing import Any

import pytest

from slipway.extension import Extension
from slipway.gate_plan import GatePlan
from slipway.probes import Verdict
from slipway.refusal import failure_report
from slipway.roles import Role
from slipway.trial import Fault

from .support import container
from .support_gate import image, web

PLAN = GatePlan("shop-test", "now", "shop-test-ingress", (web(),), frozenset())
NEXT = "next: the container is kept (docker logs web-2); mend the source and run pulumi up again"


def test_report_tells_what_happened_where_what_was_seen_and_what_to_do() -> None:
    failed = Verdict("GET /", False, "status 200", "status 500", "oops")
    log = "Traceback\nKeyError"
    report = failure_report(PLAN, web(), Fault("it is bad", (failed,)), container("web-2"), log)
    assert report.splitlines() == [
        "the release of shop-test was refused: service web: it is bad",
        "container: web-2, running",
        f"image: {image('b')}",
        "probe “GET /”: expected status 200, found status 500",
        "body: oops",
        "end of its log:",
        "  | Traceback",
        "  | KeyError",
        NEXT,
    ]


def test_release_command_is_called_by_the_service_that_has_it() -> None:
    releasing = replace(web(), extension=Extension(release="migrate"))
    job = replace(web(), service="web-release", container="web-release-1", role=Role.JOB)
    plan = replace(PLAN, candidates=(job, releasing))
    report = failure_report(plan, job, Fault("it exited with code 1"), None, "")
    assert report.splitlines()[0] == (
        "the release of shop-test was refused: release command of web: it exited with code 1"
    )
    own = replace(plan, candidates=(job, web()))
    assert "refused: service web-release: it" in failure_report(own, job, Fault("it"), None, "")


def test_report_of_a_container_that_is_gone_names_it_without_a_state() -> None:
    verdict = Verdict("GET /", False, "status 200", "no answer")
    report = failure_report(PLAN, web(), Fault("it is bad", (verdict,)), None, "")
    assert report.splitlines() == [
        "the release of shop-test was refused: service web: it is bad",
        "container: web-2",
        f"image: {image('b')}",
        "probe “GET /”: expected status 200, found no answer",
        "its log is empty",
        NEXT,
    ]


@pytest.mark.parametrize(
    ("state", "described"),
    [
        ({}, "running"),
        ({"restarts": 2}, "running, restarted by Docker (2)"),
        (
            {"restarts": 1, "exit_code": 137},
            "running, restarted by Docker (1), last exit code 137",
        ),
        (
            {"status": "restarting", "restarts": 3, "exit_code": 1},
            "restarting, restarted by Docker (3), last exit code 1",
        ),
        ({"status": "exited", "exit_code": 0}, "exited with exit code 0"),
        ({"status": "dead", "exit_code": 1}, "dead with exit code 1"),
    ],
)
def test_report_describes_the_container_as_docker_has_it(
    state: dict[str, Any], described: str
) -> None:
    found = container("web-2", **state)
    report = failure_report(PLAN, web(), Fault("it is bad"), found, "")
    assert report.splitlines()[1] == f"container: web-2, {described}"


def test_what_is_not_built_here_has_settings_and_no_source_to_mend() -> None:
    db = replace(web(), role=Role.BACKING)
    report = failure_report(PLAN, db, Fault("it is bad"), None, "")
    assert report.splitlines()[-1] == NEXT.replace("the source", "its settings")
