from slipway.proof.report import NotCompared, ProofFinding, ProofReport, redacted, with_findings
from slipway.proof.telling import progress, refusal, summary

from .support_images import REFERENCE, subject

FILE = ProofFinding(
    kind="file",
    what="/srv/main.py",
    source="main.py",
    expected="sha256 a (Dockerfile:4)",
    found="sha256 b",
    detail="line 1 in the source: 'new'\nline 1 in the image:  'old'",
    remedy="deploy again",
)
USER = ProofFinding(kind="user", what="USER", expected="not root", found="root")


def test_refusal_tells_each_finding_and_each_remedy_once() -> None:
    report = with_findings(ProofReport(image=REFERENCE), [FILE, FILE, USER])
    assert refusal("shop-test", subject(), report) == (
        "the release of shop-test was refused: service web: its image is not as it must be "
        "(3 findings)\n"
        f"image: {REFERENCE}\n"
        "settings: compose.yaml:3 services.web\n"
        "  /srv/main.py (source: main.py): expected sha256 a (Dockerfile:4), found sha256 b\n"
        "    | line 1 in the source: 'new'\n"
        "    | line 1 in the image:  'old'\n"
        "  /srv/main.py (source: main.py): expected sha256 a (Dockerfile:4), found sha256 b\n"
        "    | line 1 in the source: 'new'\n"
        "    | line 1 in the image:  'old'\n"
        "  USER: expected not root, found root\n"
        "next: deploy again"
    )
    assert summary(report) == (
        "its image is not as it must be: /srv/main.py: expected sha256 a (Dockerfile:4), found "
        "sha256 b, and 2 more"
    )


def test_twenty_findings_are_told_and_the_rest_counted() -> None:
    report = with_findings(ProofReport(), [USER] * 25)
    lines = refusal("shop-test", subject(), report).splitlines()
    assert lines[0].endswith("(25 findings)")
    assert lines.count("  USER: expected not root, found root") == 20
    assert lines[-1] == "and 5 more"


def test_single_finding_is_called_so() -> None:
    report = with_findings(ProofReport(), [USER])
    assert "(1 finding)" in refusal("shop-test", subject(), report)
    assert summary(report).endswith("found root")


def test_what_passed_tells_what_was_seen_and_what_was_not() -> None:
    report = ProofReport(
        passed=True,
        compared=3,
        differing=0,
        bytecode=2,
        imported=["main"],
        routes=7,
        allowed=["/a differs from a: proof.generated allows it"],
        notes=["no label"],
        not_compared=[NotCompared(reason="not copied", count=4, examples=["a", "b", "c", "d"])],
    )
    assert progress("web", report) == [
        "the image of web is proven: 3 files are those of the source; 2 compiled files are not "
        "stale; imports main; 7 routes",
        "web: /a differs from a: proof.generated allows it",
        "web: no label",
        "web: 4 not compared (a, b, c, …): not copied",
    ]


def test_what_was_not_looked_at_is_not_called_proven() -> None:
    assert progress("web", ProofReport(notes=["it serves"])) == ["web: it serves"]


def test_file_that_differs_and_may_is_not_counted_as_the_sources() -> None:
    report = ProofReport(
        passed=True, compared=3, differing=1, allowed=["/a differs from a: it may"]
    )
    assert progress("web", report)[0] == (
        "the image of web is proven: 2 of 3 files are those of the source"
    )


def test_secrets_are_hidden_in_all_that_is_quoted() -> None:
    report = with_findings(ProofReport(image="file", notes=["hush"]), [FILE])
    hidden = redacted(report, lambda text: text.replace("hush", "***").replace("old", "***"))
    assert hidden.notes == ["***"]
    assert hidden.findings[0].detail.endswith("'***'")
    assert hidden.findings[0].kind == "file"
