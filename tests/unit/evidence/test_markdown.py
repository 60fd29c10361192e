"""Pages as they are: after a change that is meant, write them anew with SLIPWAY_GOLDEN=1."""

import html
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.evidence.markdown import as_markdown
from slipway.evidence.model import Evidence

GOLDEN = Path(__file__).parent / "golden"
DIGEST = f"localhost:5000/shop@sha256:{'ab12' * 16}"
OTHER = f"localhost:5000/shop@sha256:{'cd34' * 16}"
HEAD: dict[str, Any] = {
    "stack": "shop-test",
    "run": "20260102T030405Z",
    "started": "2026-01-02T03:04:05+00:00",
    "ended": "2026-01-02T03:04:25+00:00",
    "actor": "kim@build-1",
    "git": {"commit": "1a2b3c4d5e6f" + "0" * 28, "branch": "main", "dirty": True},
    "address": "http://127.0.0.1:8001",
    "fingerprint": "f" * 64,
}
WEB: dict[str, Any] = {
    "name": "web",
    "role": "routed",
    "container": "shop-test-web-1",
    "revision": "0123456789ab",
    "source_hash": "1" * 64,
    "image_expected": DIGEST,
    "image_running": [DIGEST],
    "image_created": "2026-01-02T03:04:00Z",
    "container_started": "2026-01-02T03:04:10Z",
    "started_after_image": True,
}
PHASES = [
    {"name": "prove web", "begins": 0.2, "seconds": 6.4},
    {"name": "ask the public address", "begins": 6.8, "seconds": 0.6},
    {"name": "drain", "begins": 7.4, "seconds": 1.1},
]


def probe(asked: str, **more: Any) -> dict[str, Any]:
    return {
        "title": "health",
        "asked": asked,
        "passed": True,
        "expected": "status 200",
        "found": "status 200",
        "milliseconds": 3.1,
        "rounds": 17,
        **more,
    }


PAGES: dict[str, dict[str, Any]] = {
    "verified": {
        "outcome": "verified",
        "release": 7,
        "phases": PHASES,
        "services": [{**WEB, "probes": [probe("candidate"), probe("public")]}],
    },
    "rollback": {
        "outcome": "verified",
        "kind": "rollback",
        "release": 8,
        "rollback_of": 6,
        "git": None,
        "services": [WEB],
    },
    "undone": {
        "outcome": "verified",
        "kind": "automatic rollback",
        "release": 7,
        "rollback_of": 7,
        "git": None,
        "services": [WEB],
    },
    "failed-probe": {
        "outcome": "failed",
        "hotfix": "prices | were *wrong*",
        "phases": PHASES[:1],
        "services": [
            {
                **WEB,
                "image_running": [OTHER],
                "started_after_image": False,
                "probes": [
                    probe(
                        "candidate",
                        passed=False,
                        found="status 500 | <b>no</b>",
                        body="<script>alert(1)</script>",
                    )
                ],
            }
        ],
        "failure": {
            "phase": "prove web",
            "service": "web",
            "summary": "not well within 60 s",
            "report": "refused: not well within 60 s\n```\nbody: ```<script>alert(1)</script>",
        },
    },
    "crash": {
        "outcome": "failed",
        "services": [
            {**WEB, "exit_code": 3, "log_tail": "\x1b[31mRuntimeError\x1b[0m: {\r\n}\n\n"}
        ],
        "failure": {
            "summary": "the container exited with code 3",
            "report": "it was started with {}\nrelease 6 serves on",
        },
    },
    "unfinished": {"outcome": "unfinished", "ended": None, "services": [{"name": "web"}]},
}


@pytest.mark.parametrize("name", sorted(PAGES))
def test_page_reads_as_the_one_that_was_looked_at(name: str) -> None:
    page = as_markdown(Evidence.model_validate({**HEAD, **PAGES[name]}))
    file = GOLDEN / f"{name}.md"
    if os.environ.get("SLIPWAY_GOLDEN"):
        file.write_text(page)
    assert page == file.read_text()


@given(st.text())
def test_what_an_application_says_cannot_leave_its_block(report: str) -> None:
    failure = {"summary": "it failed", "report": report}
    page = as_markdown(Evidence.model_validate({**HEAD, "outcome": "failed", "failure": failure}))
    opening = next(line for line in page.split("\n") if re.fullmatch(r"`+text", line))
    fence = opening.removesuffix("text")
    longest = max((len(run) for run in re.findall(r"`+", report)), default=0)
    assert len(fence) > longest
    assert page.rstrip().endswith(f"\n{fence}")


@given(st.text(), st.text())
def test_what_stands_in_a_table_stays_in_its_cell(expected: str, found: str) -> None:
    probes = [probe("candidate", expected=expected, found=found)]
    evidence = Evidence.model_validate(
        {**HEAD, "outcome": "verified", "release": 1, "services": [{**WEB, "probes": probes}]}
    )
    rows = [line for line in as_markdown(evidence).split("\n") if line.startswith("| web | health")]
    assert len(rows) == 1
    unescaped = rows[0].replace("\\\\", "").replace("\\|", "")
    assert unescaped.count("|") == 8


def test_words_of_an_application_call_nobody() -> None:
    failure = {"summary": "ask @kim or @team/web, see #12 and shop/app#7", "report": ""}
    page = as_markdown(Evidence.model_validate({**HEAD, "outcome": "failed", "failure": failure}))
    rendered = html.unescape(page.split("\n", 1)[0].replace("\\", ""))
    assert "ask @" in rendered
    assert not re.search(r"@\w|#\d", rendered)


def test_log_that_the_report_tells_already_is_not_told_twice() -> None:
    evidence = {
        **HEAD,
        "outcome": "failed",
        "services": [{"name": "web", "log_tail": "Traceback:\n  RuntimeError\n"}],
        "failure": {
            "summary": "it exited",
            "report": "end of its log:\n  | Traceback:\n  |   RuntimeError\nrelease 6 serves on",
        },
    }
    assert "End of the log" not in as_markdown(Evidence.model_validate(evidence))


@given(st.text(st.characters(codec="utf-8") | st.sampled_from("`~\r\x1b[3m")))
def test_page_steers_no_terminal(said: str) -> None:
    failure = {"summary": said, "report": said}
    page = as_markdown(Evidence.model_validate({**HEAD, "outcome": "failed", "failure": failure}))
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f]", page)
