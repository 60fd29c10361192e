import pytest

from slipway.dockerfile import BaseImage, Need, base_images, builder_needs


def images(dockerfile: str, **args: str | None) -> list[tuple[str, int]]:
    return [(base.image, base.line) for base in base_images(dockerfile, args)]


def test_tells_image_as_written_and_as_filled_in() -> None:
    text = "ARG VERSION=3.11\nFROM python:${VERSION}\n"

    assert base_images(text, {}) == [BaseImage("python:${VERSION}", "python:3.11", 2)]


def test_stages_are_no_images() -> None:
    text = """\
FROM node:22 AS assets
FROM assets as bundle
FROM python:3.11
COPY --from=assets /a /a
COPY --from=BUNDLE /b /b
"""

    assert images(text) == [("node:22", 1), ("python:3.11", 3)]


def test_numbers_of_stages_are_no_images() -> None:
    assert images("FROM a:1\nFROM b:1\nCOPY --from=0 /a /a\n") == [("a:1", 1), ("b:1", 2)]


def test_scratch_is_no_image() -> None:
    assert images("FROM scratch\nCOPY a /a\n") == []


def test_platform_is_no_image() -> None:
    assert images("FROM --platform=$BUILDPLATFORM golang:1.25 AS build\n") == [("golang:1.25", 1)]


def test_copy_from_an_image_counts() -> None:
    text = "FROM a:1\nCOPY --chown=1:1 --from=b:1 /b /b\n"

    assert images(text) == [("a:1", 1), ("b:1", 2)]


def test_mount_from_an_image_counts() -> None:
    text = """\
FROM a:1 AS tools
FROM a:2
RUN --mount=type=bind,from=b:1,source=/x,target=/y --mount=type=cache,target=/c \\
    --mount=from=c:1,target=/z --mount=type=bind,from=tools,target=/t true
"""

    assert images(text) == [("a:1", 1), ("a:2", 2), ("b:1", 3), ("c:1", 3)]


@pytest.mark.parametrize(
    "command",
    [
        "RUN tar --list --from=archive",
        "RUN restore \\\n    --from=backup",
        "RUN --network=none tool --mount=type=bind,from=there",
        "COPY a --from=b /dest",
    ],
)
def test_options_of_a_command_are_no_images(command: str) -> None:
    assert images(f"FROM a:1\n{command}\n") == [("a:1", 1)]


def test_lower_case_and_continued_lines_count() -> None:
    text = "# syntax comes first\nfrom \\\n  # between\n  a:1 \\\n  as one\nfrom one\n"

    assert images(text) == [("a:1", 2)]


@pytest.mark.parametrize(
    ("dockerfile", "args", "image"),
    [
        ("ARG B=a:1\nFROM $B", {}, "a:1"),
        ('ARG B="a:1"\nFROM $B', {}, "a:1"),
        ("ARG B='a:1'\nFROM ${B}", {}, "a:1"),
        ("ARG B=a:1\nFROM $B", {"B": "b:2"}, "b:2"),
        ("ARG B\nFROM $B", {"B": "b:2"}, "b:2"),
        ("ARG B=a:1\nFROM $B", {"B": None}, "a:1"),
        ("ARG R=reg.example.com V=1\nFROM $R/a:$V", {"V": "2"}, "reg.example.com/a:2"),
        ("ARG V=1\nARG B=a:$V\nFROM $B", {}, "a:1"),
        ("ARG V=1\nARG B=a:$V\nFROM $B", {"V": "2"}, "a:2"),
        ("FROM ${B:-a:1}", {}, "a:1"),
        ("ARG V=1\nFROM a:${V:+2}", {}, "a:2"),
        ("FROM a:1${V:+2}", {}, "a:1"),
        ("FROM a:${V-1}", {}, "a:1"),
        ("ARG V=\nFROM a${V-:1}", {}, "a"),
        ("ARG V=\nFROM a${V:-:1}", {}, "a:1"),
        ("ARG V\nFROM a:${V-1}", {"V": "2"}, "a:2"),
        ("ARG V=\nFROM a${V+:2}", {}, "a:2"),
        ("FROM a${V+:2}", {}, "a"),
        ("ARG V=1\nFROM a:${V:?none}", {}, "a:1"),
        ("ARG V=1\nFROM ${B:-a:${V}}", {}, "a:1"),
        ("ARG V=1\nFROM ${B:-${C:-a:$V}}", {}, "a:1"),
        ("FROM $B", {"B": "b:2"}, ""),
        ("ARG B\nFROM $B", {}, ""),
    ],
)
def test_arguments_before_the_first_stage_fill_names(
    dockerfile: str, args: dict[str, str | None], image: str
) -> None:
    assert [base.image for base in base_images(dockerfile, args)] == [image]


@pytest.mark.parametrize(
    ("name", "args", "image"),
    [
        ("a:$TARGETARCH", {}, "a:arm"),
        ("a:${TARGETOS}-${TARGETARCH}${TARGETVARIANT}", {}, "a:linux-armv7"),
        ("$TARGETPLATFORM/a", {}, "linux/arm/v7/a"),
        ("a:$TARGETARCH", {"TARGETARCH": "riscv64"}, "a:riscv64"),
    ],
)
def test_names_may_tell_the_platform(name: str, args: dict[str, str | None], image: str) -> None:
    (found,) = base_images(f"FROM {name}\n", args, "linux/arm/v7")

    assert found.image == image


def test_stage_that_is_chosen_by_the_platform_is_no_image() -> None:
    text = "FROM a:1 AS base-amd64\nFROM a:2 AS base-arm64\nFROM base-${TARGETARCH}\n"

    assert images(text) == [("a:1", 1), ("a:2", 2)]


def test_arguments_of_a_stage_do_not_count_in_from() -> None:
    assert images("FROM a:1\nARG B=b:1\nFROM $B\n") == [("a:1", 1), ("", 3)]


def test_body_of_a_here_document_is_no_instruction() -> None:
    text = (
        "FROM a\nRUN <<EOF python3\nfrom app import x\nEOF\n"
        "COPY <<A <<B /etc/\nFROM b\nA\nB\nUSER 1\n"
    )
    assert [base.image for base in base_images(text, {})] == ["a"]
    assert [(need.feature, need.line) for need in builder_needs(text)] == [
        ("a here-document in RUN", 2),
        ("a here-document in COPY", 5),
    ]


def test_here_document_may_be_named_like_a_file() -> None:
    assert images("FROM a\nCOPY <<robots.txt /srv/\nUSER x\nrobots.txt\nFROM b\n") == [
        ("a", 1),
        ("b", 5),
    ]


def test_frontend_that_is_named_can_do_what_it_says() -> None:
    assert builder_needs("# syntax=docker/dockerfile:1.7\nFROM a\nRUN <<EOF\nEOF\n") == []


# --- what engines can do --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "needs"),
    [
        ("RUN python <<EOF\nEOF", [("a here-document in RUN", 2)]),
        ("COPY <<a.txt /a.txt\na.txt", [("a here-document in COPY", 2)]),
        ("COPY --link . /app", [("COPY --link", 2)]),
        ("COPY --chown=1 --link . /app", [("COPY --link", 2)]),
        ("ADD --checksum=sha256:1 https://x.example /x", [("ADD --checksum", 2)]),
        ("RUN cat <<< word", []),
        ("RUN echo --link", []),
        ("COPY --chown=1 . /app", []),
    ],
)
def test_what_older_engines_cannot_build_is_told_with_its_line(
    line: str, needs: list[tuple[str, int]]
) -> None:
    assert builder_needs(f"FROM a\n{line}\n") == [Need(f, n, (23, 0)) for f, n in needs]


def test_dockerfile_that_names_its_own_frontend_needs_no_newer_engine() -> None:
    dockerfile = "# syntax=docker/dockerfile:1.7@sha256:1\nFROM a\nCOPY --link . /app\n"
    assert builder_needs(dockerfile) == []


@pytest.mark.parametrize(
    "head", ["\ufeff", "# check=skip=all\n", "# escape=\\\n", "#!/usr/bin/env builder\n"]
)
def test_frontend_counts_below_a_mark_a_shebang_or_other_directives(head: str) -> None:
    text = f"{head}# syntax=docker/dockerfile:1\nFROM a:1\n"

    line = head.count("\n") + 1
    assert images(text) == [("docker/dockerfile:1", line), ("a:1", line + 1)]


def test_frontend_below_a_comment_is_only_a_comment() -> None:
    assert images("# The shop.\n# syntax=docker/dockerfile:1\nFROM a:1\n") == [("a:1", 3)]


def test_base_image_counts_behind_a_byte_order_mark() -> None:
    assert images("\ufeffFROM a:1\n") == [("a:1", 1)]


@pytest.mark.parametrize(
    "command",
    ["RUN echo $((1<<SHIFT))", "RUN echo 'x <<EOF'", 'RUN echo "x <<EOF y"', "RUN a <<<b"],
)
def test_shift_and_quoted_sign_begin_no_here_document(command: str) -> None:
    assert images(f"FROM a:1\n{command}\nFROM b:1\n") == [("a:1", 1), ("b:1", 3)]


@pytest.mark.parametrize("sign", ["<<EOF", "<<-EOF", "<<'EOF'", '<<"EOF"', "3<<EOF"])
def test_body_of_a_here_document_holds_no_instructions(sign: str) -> None:
    assert images(f"FROM a:1\nRUN cat {sign}\nFROM x:1\nEOF\nFROM b:1\n") == [
        ("a:1", 1),
        ("b:1", 5),
    ]


def test_here_document_of_a_continued_instruction_holds_no_instructions() -> None:
    text = "FROM a:1\nRUN true && \\\n  cat <<EOF\nFROM x:1\nEOF\nFROM b:1\n"

    assert images(text) == [("a:1", 1), ("b:1", 6)]


def test_from_without_an_image_names_none() -> None:
    assert images("FROM\nRUN true\n") == []
