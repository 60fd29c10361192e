from datetime import UTC, datetime

import pytest

from slipway.evidence.checked import Report, summary_of
from slipway.evidence.model import Failure
from slipway.origin import GitState
from slipway.state import LiveFact, StackState
from slipway.verify import Check, Deployment

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
REPORT = Report("test", "20260102T115900Z", "deploy", "kim", GitState("c0ffee", "main", False))
ENTRY = {
    "number": 7,
    "fingerprint": "f",
    "services": {"web": {"image": "shop@sha256:1", "revision": "r", "source_hash": "s"}},
}
WEB = {"name": "shop-web-1", "id": "1", "role": "routed"}
DEPLOYMENT = Deployment(StackState(), LiveFact([ENTRY], {"web": WEB}), "http://here")


def test_run_that_had_nothing_to_do_tells_what_was_looked_at() -> None:
    checks = [
        Check("web shop-web-1", True, "runs shop@sha256:1"),
        Check("agreement", True, "state, containers and proxy agree"),
        Check("web http://here/health", None, "its request holds a secret"),
    ]
    found = REPORT.of(DEPLOYMENT, checks, "", NOON)
    assert (found.outcome, found.release, found.failure) == ("verified", 7, None)
    assert found.started == "2026-01-02T11:59:00+00:00"
    web, stack = found.services
    assert (web.container, web.image_running, len(web.probes)) == (
        "shop-web-1",
        ["shop@sha256:1"],
        1,
    )
    assert [probe.title for probe in stack.probes] == ["agreement"]


def test_run_that_was_refused_tells_why() -> None:
    found = REPORT.of(None, [], "2 problems; nothing was changed:\nfirst\nsecond", NOON)
    assert (found.outcome, found.services) == ("failed", [])
    assert found.failure == Failure(
        summary="2 problems; nothing was changed: first",
        report="2 problems; nothing was changed:\nfirst\nsecond",
    )


@pytest.mark.parametrize(
    ("errors", "summary"),
    [("", ""), ("one", "one"), ("head:\n  first\nsecond", "head: first"), ("a\nb", "a")],
)
def test_summary_joins_a_head_that_only_announces(errors: str, summary: str) -> None:
    assert summary_of(errors) == summary
