import pytest

from slipway.proof.expected import Mapped
from slipway.proof.files import Found, compare
from slipway.proof.report import ProofFinding

from .support import expected, found, sha

DELETE = (
    "the image was not built from this source: delete its tag in the registry, and deploy again"
)


def nothing(path: str) -> None:
    return None


def test_stale_file_is_told_with_both_places_hashes_and_the_first_line_that_differs() -> None:
    ours, theirs = "import os\nnew\n", "import os\nold\n"
    wanted = expected("/srv/main.py", ours, source="app/main.py")
    there = {"/srv/main.py": found(theirs)}
    compared = compare(Mapped((wanted,)), there, [], lambda path: ours.encode(), "app/Dockerfile")
    assert compared.findings == (
        ProofFinding(
            kind="file",
            what="/srv/main.py",
            source="app/main.py",
            expected=f"sha256 {sha(ours)[:12]} (app/Dockerfile:3)",
            found=f"sha256 {sha(theirs)[:12]}",
            detail="line 2 in the source: 'new'\nline 2 in the image:  'old'",
            remedy=DELETE,
        ),
    )


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ({}, "nothing"),
        ({"/srv/a": Found("folder")}, "a folder"),
        ({"/srv/a": Found("link", target="b")}, "a link to b"),
        ({"/srv/a": Found("other")}, "a other"),
    ],
)
def test_what_is_there_instead_is_told(there: dict[str, Found], said: str) -> None:
    compared = compare(Mapped((expected("/srv/a"),)), there, [], nothing, "Dockerfile")
    assert [f.found for f in compared.findings] == [said]


def test_link_that_leads_elsewhere_is_told() -> None:
    link = expected("/srv/a", content=None, target="b")
    there = {"/srv/a": Found("link", target="c")}
    compared = compare(Mapped((link,)), there, [], nothing, "Dockerfile")
    assert [(f.expected, f.found) for f in compared.findings] == [
        ("a link to b (Dockerfile:3)", "a link to c")
    ]


def test_folder_that_the_user_has_mapped_is_told_as_such() -> None:
    compared = compare(Mapped((expected("/srv/a", line=0),)), {}, [], nothing, "Dockerfile")
    (finding,) = compared.findings
    assert finding.expected.endswith("(x-slipway.proof.files)")


def test_step_that_may_have_changed_a_file_is_named() -> None:
    compared = compare(Mapped((expected("/srv/a", changed=7),)), {}, [], nothing, "Dockerfile")
    (finding,) = compared.findings
    assert finding.remedy == (
        "Dockerfile:7 may have changed it: name it under x-slipway.proof.generated if that is meant"
    )


@pytest.mark.parametrize(
    ("source", "image", "ours"),
    [
        (".env", "A=2", b"A=1"),
        ("config/prod.key", "A=2", b"A=1"),
        ("app/secrets.py", "A=2", b"A=1"),
        ("picture", "\0a", b"\0b"),
        ("gone.py", "a", None),
        ("latin", "a", b"\xff"),
    ],
)
def test_lines_that_are_secret_or_no_text_are_not_shown(
    source: str, image: str, ours: bytes | None
) -> None:
    wanted = expected("/srv/a", "other", source=source)
    compared = compare(
        Mapped((wanted,)), {"/srv/a": found(image)}, [], lambda path: ours, "Dockerfile"
    )
    assert [f.detail for f in compared.findings] == [""]


def test_text_that_ends_earlier_is_told_as_such() -> None:
    compared = compare(
        Mapped((expected("/srv/a", "a\nb"),)), {"/srv/a": found("a")}, [], lambda p: b"a\nb", "D"
    )
    assert [f.detail for f in compared.findings] == [
        "line 2 in the source: 'b'\nline 2 in the image:  (ends before)"
    ]


def test_file_is_looked_for_in_the_folder_that_is_at_its_place() -> None:
    wanted = expected("/srv/app", "x", inside="/srv/app/main.py")
    there = {"/srv/app": Found("folder"), "/srv/app/main.py": found("x")}
    assert compare(Mapped((wanted,)), there, [], nothing, "Dockerfile").findings == ()


@pytest.mark.parametrize("pattern", ["/srv/*", "/srv/app/a.py", "app/*.py", "*.py"])
def test_what_is_generated_may_differ_and_is_told_all_the_same(pattern: str) -> None:
    wanted = expected("/srv/app/a.py", source="app/a.py")
    compared = compare(Mapped((wanted,)), {}, [pattern], nothing, "Dockerfile")
    assert compared.findings == ()
    assert compared.allowed == ("/srv/app/a.py differs from app/a.py: proof.generated allows it",)


@pytest.mark.parametrize("pattern", ["srv/*", "/app/a.py", "b.py"])
def test_pattern_of_something_else_allows_nothing(pattern: str) -> None:
    wanted = expected("/srv/app/a.py", source="app/a.py")
    assert compare(Mapped((wanted,)), {}, [pattern], nothing, "Dockerfile").findings != ()


def test_files_that_come_from_no_source_are_counted_apart() -> None:
    there = {"/srv/a": found("x"), "/srv/made": found("y"), "/srv": Found("folder")}
    compared = compare(Mapped((expected("/srv/a", "x"),)), there, [], nothing, "Dockerfile")
    assert (compared.count, compared.findings, compared.extra) == (1, (), ("/srv/made",))
