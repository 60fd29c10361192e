from dataclasses import replace
from datetime import timedelta

import pytest

from slipway.doctor.facts import Orphan
from slipway.doctor.findings import Finding, ok, problem, sized, warning
from slipway.doctor.prune import Outcome, Plan
from slipway.doctor.report import as_json, as_text, plan_as_text, summary
from slipway.doctor.retention import Candidate

from .support import NOW

FINDINGS = [
    ok("engine", "Docker 28.0.4 answers"),
    warning("disk", "4.0 GB free", "some more releases will fill it", "scripts/doctor --prune"),
    replace(
        problem("serving", "web: web-1 is exited", "what serves is not what was released", "x y"),
        stack="test",
    ),
]
IMAGE = Candidate(
    "localhost:5000/shop:src-1",
    "sha256:" + "a" * 64,
    NOW - timedelta(days=40),
    2_000_000,
    "registry",
    ("localhost:5000/shop:src-1",),
)
PLAN = Plan((IMAGE,), (Orphan("web-2", "id", "exited"),), ("reg is down",))


def test_findings_are_aligned_by_machine_and_stack() -> None:
    assert as_text(FINDINGS, 80) == (
        "machine\n"
        "  ok       engine       Docker 28.0.4 answers\n"
        "  warning  disk         4.0 GB free\n"
        "                   why  some more releases will fill it\n"
        "                    do  scripts/doctor --prune\n"
        "\n"
        "stack test\n"
        "  PROBLEM  serving      web: web-1 is exited\n"
        "                   why  what serves is not what was released\n"
        "                    do  x y\n"
        "\n"
        "1 problem, 1 warning"
    )


def test_long_texts_are_wrapped_and_commands_are_not() -> None:
    found = warning("disk", "word " * 20, "", "scripts/doctor " + "x" * 90)
    assert as_text([found], 20).splitlines()[1:] == [
        "  warning  disk         word word word word word word word word",
        "                        word word word word word word word word",
        "                        word word word word",
        "                    do  scripts/doctor " + "x" * 90,
        "",
        "no problems, 1 warning",
    ]


@pytest.mark.parametrize(
    ("findings", "text"),
    [
        ([], "all is well"),
        (FINDINGS[:1], "all is well"),
        (FINDINGS[1:2], "no problems, 1 warning"),
        (FINDINGS[2:] * 2, "2 problems, no warnings"),
    ],
)
def test_summary_counts_what_needs_attention(findings: list[Finding], text: str) -> None:
    assert summary(findings) == text


def test_json_has_all_of_a_finding() -> None:
    assert as_json(FINDINGS[2:], NOW) == {
        "version": 1,
        "time": "2026-11-23T12:00:00+00:00",
        "problems": 1,
        "warnings": 0,
        "findings": [
            {
                "check": "serving",
                "level": "problem",
                "what": "web: web-1 is exited",
                "why": "what serves is not what was released",
                "command": "x y",
                "stack": "test",
            }
        ],
        "prune": None,
    }


def test_plan_is_a_table() -> None:
    assert plan_as_text(PLAN, NOW).splitlines() == [
        "not looked at: reg is down",
        "container web-2, exited: its stack's state does not know it",
        "where     image                      digest        age      size",
        "registry  localhost:5000/shop:src-1  aaaaaaaaaaaa  40 days  2.0 MB",
        "up to 2.0 MB; layers that are shared stay",
    ]
    assert plan_as_text(Plan(), NOW) == "nothing to remove"


def test_json_of_a_plan_tells_what_became_of_it() -> None:
    found = as_json([], NOW, PLAN, Outcome(["a"], ["b"]))["prune"]
    assert found == {
        "images": [
            {
                "where": "registry",
                "reference": "localhost:5000/shop:src-1",
                "digest": "sha256:" + "a" * 64,
                "created": "2026-10-14T12:00:00+00:00",
                "age_seconds": 40 * 86400,
                "size": 2_000_000,
            }
        ],
        "containers": [{"name": "web-2", "status": "exited"}],
        "unread": ["reg is down"],
        "removed": ["a"],
        "failed": ["b"],
    }


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (7, "7 B"), (1500, "1.5 kB"), (999_000, "999 kB"), (5e9, "5.0 GB"),
     (62e9, "62 GB"), (2.5e12, "2.5 TB")],
)  # fmt: skip
def test_sizes_are_short(count: float, text: str) -> None:
    assert sized(count) == text
