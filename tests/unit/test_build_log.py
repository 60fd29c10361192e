from pathlib import Path

import pytest

from slipway import build_log

SAID = "1 error occurred:\n\t* Error running buildx build: failed to solve: exit code: 1\n\n"


def report(*errors: str) -> str:
    return build_log.failure_report("shop-1", "app/Dockerfile", "app", errors)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_new_build_begins_with_an_empty_log() -> None:
    build_log.begin("shop-1")
    build_log.log_file("shop-1").write_text("of an earlier build")
    build_log.begin("shop-1")

    assert Path(".slipway/builds/shop-1.log").read_text() == ""


def test_report_shows_the_end_of_the_output_and_where_the_rest_is() -> None:
    build_log.begin("shop-1")
    build_log.log_file("shop-1").write_bytes(
        b"\n".join(b"line %d" % number for number in range(40)) + b"\n\n caf\xe9\n"
    )

    shown = [f"  | line {number}" for number in range(11, 40)]
    assert report(SAID).split("\n") == [
        "the image shop-1 could not be built from app/Dockerfile (context app):",
        "  Error running buildx build: failed to solve: exit code: 1",
        "end of the build's output:",
        *shown,
        "  |  caf\ufffd",
        "next: mend the step that failed, and run pulumi up again; what served before still "
        "serves; the whole output is in .slipway/builds/shop-1.log",
    ]


def test_full_disk_is_named_wherever_it_stands() -> None:
    build_log.begin("shop-1")
    build_log.log_file("shop-1").write_text("write /x: No space left on device\n" + "then\n" * 40)

    assert report(SAID).split("\n")[-1] == (
        "next: the disk is full: make room (docker builder prune, docker image prune), and run "
        "pulumi up again; what served before still serves; the whole output is in "
        ".slipway/builds/shop-1.log"
    )


def test_build_that_printed_nothing_says_so() -> None:
    assert report().split("\n")[:3] == [
        "the image shop-1 could not be built from app/Dockerfile (context app):",
        "end of the build's output:",
        "  | (nothing)",
    ]


@pytest.mark.parametrize("on", ["", "on "])
def test_syntax_error_is_told_with_file_and_line(on: str) -> None:
    said = (
        "1 error occurred:\n\t* Error running buildx build: failed to create LLB definition: "
        f"dockerfile parse error {on}line 2: unknown instruction: RUNN\n\n"
    )
    assert report(said, "of an earlier try").split("\n")[1] == (
        "  app/Dockerfile:2: unknown instruction: RUNN"
    )
