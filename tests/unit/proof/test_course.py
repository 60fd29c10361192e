import struct
from dataclasses import replace
from importlib.util import MAGIC_NUMBER, source_hash
from pathlib import Path

import pytest

from slipway.proof.course import EXTRA, Course
from slipway.proof.files import Found
from slipway.proof.image import ImageFacts
from slipway.proof.interpreter import Ended
from slipway.proof.report import NotCompared, ProofReport
from slipway.proof.subject import PULLED, RESTORED, SERVES

from .support import entry, found
from .support_images import FACTS, REFERENCE, FakeImages, holding, plan_of, subject

CACHED = "/srv/app/__pycache__/main.cpython-311.pyc"


def kinds(report: ProofReport) -> list[tuple[str, str]]:
    return [(finding.kind, finding.what) for finding in report.findings]


# --- what is refused -------------------------------------------------------------------------


def test_other_digest_is_refused_and_nothing_of_it_is_looked_at() -> None:
    images = holding(facts_=ImageFacts("id", ("localhost:5000/shop@sha256:other",)))
    report = Course(images).prove(subject({"imports": ["main"]}), "id", REFERENCE)
    assert kinds(report) == [("image", "image")]
    assert images.journal == ["facts of id"]


def test_all_that_is_wrong_is_found_at_once() -> None:
    images = FakeImages(
        facts_=replace(FACTS, user="", labels={}),
        files={"/srv/app/main.py": found("old"), CACHED: Found("file")},
        ended=Ended(1),
    )
    wanted = subject({"required": ["/data"], "imports": ["main"]})
    report = Course(images).prove(wanted, "id", REFERENCE)
    assert report.passed is False
    assert kinds(report) == [
        ("label", "slipway.source-hash"),
        ("file", "/srv/app/main.py"),
        ("bytecode", CACHED),
        ("user", "USER"),
        ("required", "/data"),
        ("import", "main"),
    ]


def test_only_the_first_twenty_findings_are_kept_and_the_rest_counted() -> None:
    many = plan_of(*(entry(f"app/{number:02}") for number in range(25)))
    report = Course(FakeImages()).prove(subject(image=many), "id", REFERENCE)
    assert (len(report.findings), report.more, report.passed) == (20, 5, False)


def test_user_of_the_compose_file_goes_before_the_images() -> None:
    report = Course(holding()).prove(subject(user="0"), "id", REFERENCE)
    assert kinds(report) == [("user", "USER")]
    assert Course(holding()).prove(subject(user="0", allow_root=True), "id", REFERENCE).passed


def test_user_with_the_number_of_root_is_found_in_the_images_accounts() -> None:
    images = holding(texts={"/etc/passwd": b"app:x:0:0::/:\n"})
    assert kinds(Course(images).prove(subject(), "id", REFERENCE)) == [("user", "USER")]


def test_hash_that_python_does_not_check_is_compared_with_the_source_in_the_image() -> None:
    head = MAGIC_NUMBER + struct.pack("<I", 1) + source_hash(b"new")
    files = {"/srv/app/main.py": found("new"), CACHED: Found("file", head=head)}
    well = FakeImages(files=files, texts={"/srv/app/main.py": b"new"})
    stale = FakeImages(files=files, texts={"/srv/app/main.py": b"old"})
    assert Course(well).prove(subject(), "id", REFERENCE).bytecode == 1
    assert kinds(Course(stale).prove(subject(), "id", REFERENCE)) == [("bytecode", CACHED)]


# --- what passes, and what is said of it -----------------------------------------------------


def test_report_tells_what_was_looked_at_and_what_was_not() -> None:
    files = {"/srv/app/main.py": found("new"), "/srv/app/made.txt": found("x")}
    source = plan_of(entry("app/main.py", "new"), entry("README.md"))
    asked = {"imports": ["main"], "app": "main:app", "routes": {"at_least": 1}}
    wanted = subject(asked, image=source)
    assert Course(FakeImages(files=files)).prove(wanted, "id", REFERENCE) == ProofReport(
        image=REFERENCE,
        passed=True,
        compared=1,
        imported=["main"],
        routes=1,
        not_compared=[
            NotCompared(
                reason=EXTRA,
                count=1,
                examples=["/srv/app/made.txt"],
            ),
            NotCompared(
                reason="the Dockerfile copies it to no place in the image",
                count=1,
                examples=["README.md"],
            ),
        ],
    )


def test_image_of_which_nothing_could_be_compared_is_told_as_such() -> None:
    plan = plan_of(entry("app/main.py"), dockerfile="RUN make")
    report = Course(FakeImages()).prove(subject(image=plan), "id", REFERENCE)
    assert (report.passed, report.compared) == (True, 0)
    assert "no file of the source was compared" in report.notes[0]


def test_user_maps_what_cannot_be_followed() -> None:
    plan = plan_of(entry("app/main.py", "new"), dockerfile="RUN make")
    wanted = subject({"files": {"app": "/srv/app"}}, image=plan)
    assert Course(holding("new")).prove(wanted, "id", REFERENCE).compared == 1
    assert kinds(Course(holding("old")).prove(wanted, "id", REFERENCE)) == [
        ("file", "/srv/app/main.py")
    ]


def test_generated_files_and_compiled_ones_may_differ() -> None:
    files = {"/srv/app/main.py": found("old"), CACHED: Found("file")}
    wanted = subject({"generated": ["app/main.py", "/srv/app/__pycache__/*"]})
    report = Course(FakeImages(files=files)).prove(wanted, "id", REFERENCE)
    assert report.passed
    assert len(report.allowed) == 2


def test_first_difference_is_read_from_the_build_context(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/main.py").write_text("new")
    plan = plan_of(entry("app/main.py", "new"), context=tmp_path)
    report = Course(holding("old")).prove(subject(image=plan), "id", REFERENCE)
    assert report.findings[0].detail == "line 1 in the source: 'new'\nline 1 in the image:  'old'"


# --- what is not done ------------------------------------------------------------------------


@pytest.mark.parametrize("why", [SERVES, RESTORED])
def test_image_that_was_proven_is_not_looked_at_again(why: str) -> None:
    images = FakeImages()
    report = Course(images).prove(subject(skipped=why, nothing=True), "id", REFERENCE)
    assert report == ProofReport(image=REFERENCE, notes=[why])
    assert images.journal == []


def test_image_without_a_source_is_only_asked_what_is_declared() -> None:
    images = FakeImages(facts_=replace(FACTS, user="", labels={}), files={"/data": Found("folder")})
    wanted = subject({"required": ["/data"], "imports": ["main"]}, image=None, skipped=PULLED)
    report = Course(images).prove(wanted, "id", REFERENCE)
    assert (report.passed, report.compared, report.notes) == (True, 0, [PULLED])


def test_services_of_one_image_are_proven_together_unless_more_is_asked_of_one() -> None:
    images = holding()
    course = Course(images)
    for wanted in (subject(), replace(subject(), service="worker"), subject({"imports": ["main"]})):
        course.prove(wanted, "id", REFERENCE)
    once = ["facts of id", "open id", "close id"]
    assert images.journal == [*once, *once, "run as its own user for 60 s"]
