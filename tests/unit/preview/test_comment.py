"""Comments as they are: after a change that is meant, write them anew with SLIPWAY_GOLDEN=1."""

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from slipway.explain.model import Explanation, FileChanges, ServiceChange, Status
from slipway.preview.comment import LIMIT, MARKER, comment
from slipway.preview.model import StackPreview

from .samples import FAILED, HOSTILE_TEXT, LARGE, ONE_FILE, PAGES, WEB

GOLDEN = Path(__file__).parent / "golden"
LEFT_OUT = re.compile(
    r"^(\d+) lines? (?:is|are) left out here: the comment would be too long$", re.M
)


@pytest.mark.parametrize("name", PAGES)
def test_comment_is_as_it_was_agreed(name: str) -> None:
    page, file = comment(PAGES[name]), GOLDEN / f"{name}.md"
    if os.environ.get("SLIPWAY_GOLDEN"):
        file.write_text(page)
    assert page == file.read_text()


def test_every_golden_file_has_its_preview() -> None:
    assert {file.stem for file in GOLDEN.glob("*.md")} == set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_comment_is_found_by_its_first_line_and_fits(name: str) -> None:
    page = comment(PAGES[name])
    assert page.startswith(f"{MARKER}\n")
    assert len(page) <= LIMIT


def test_diff_is_cut_at_a_line_end_and_says_how_many_lines_are_left_out() -> None:
    page = comment([LARGE])
    (left_out,) = LEFT_OUT.findall(page)
    shown = page.partition("```diff\n")[2].partition("\n```")[0].splitlines()[:-1]
    whole = comment([LARGE], limit=10**7).splitlines()
    assert set(shown) <= set(whole)
    assert f"{len(shown) + int(left_out)} lines</summary>" in page
    assert LIMIT - len(page) < 200


def test_small_diff_is_whole_beside_a_large_one() -> None:
    page = comment([LARGE, replace(ONE_FILE, stack="small")])
    whole = comment([replace(ONE_FILE, stack="small")]).partition("### ")[2]
    assert page.endswith(whole)


def test_two_large_diffs_share_the_room() -> None:
    page = comment([LARGE, replace(LARGE, stack="prod")])
    first, second = map(int, LEFT_OUT.findall(page))
    assert abs(first - second) <= 1
    assert LIMIT - 400 < len(page) <= LIMIT


def test_characters_that_count_twice_are_counted_twice() -> None:
    page = comment([replace(LARGE, diff="\n".join(["\U0001f600" * 80] * 2000))])
    assert LIMIT - 400 < len(page.encode("utf-16-le")) // 2 <= LIMIT


def test_summaries_without_room_leave_the_diffs_out() -> None:
    previews = [replace(ONE_FILE, stack=f"stack-{n}") for n in range(300)]
    page = comment(previews)
    assert "<details>" not in page
    assert len(page) <= LIMIT
    assert page.endswith("left out here: the comment would be too long; so are the diffs.\n")


def test_preview_without_a_change_is_the_same_twice() -> None:
    (before,) = PAGES["one-file"]
    after = replace(before, diff=before.diff.replace("Duration: 4s", "Duration: 5s"))
    assert comment([before]) == comment([after])


def test_end_of_a_long_error_is_shown() -> None:
    page = comment([replace(FAILED, error="\n".join(f"line {n}" for n in range(1000)))])
    assert "line 960\n" in page
    assert "line 999\n" in page
    assert "line 959\n" not in page


def test_change_that_no_service_has_is_counted_by_resources() -> None:
    found = Explanation("test", (ServiceChange("web", Status.UNCHANGED),), 1, "now")
    page = comment([replace(ONE_FILE, explanation=found, steps=ONE_FILE.steps[:1])])
    assert "### `test`: 1 resource changes\n" in page


def tokens(page: str) -> list[Token]:
    flat: list[Token] = []
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(page):
        flat += [token, *(token.children or [])]
    return flat


def running_text(page: str) -> str:
    """What is read outside of code, as a host looks for mentions and addresses in it."""
    blocks = [token.children or [] for token in tokens(page)]
    return "\n".join("".join(t.content if t.type == "text" else " " for t in b) for b in blocks)


def assert_inert(page: str) -> None:
    """Nothing of others is markup, and all that is HTML is our own."""
    kinds = {token.type for token in tokens(page)}
    assert not kinds & {
        "link_open",
        "image",
        "em_open",
        "s_open",
        "table_open",
        "ordered_list_open",
    }
    html = [token.content.strip() for token in tokens(page) if token.type.startswith("html")]
    ours = re.compile(
        rf"{re.escape(MARKER)}|<details><summary>Full diff of test, \d+ lines?</summary>|</details>"
    )
    assert [one for one in html if not ours.fullmatch(one)] == []
    assert not re.search(r"[@#][A-Za-z0-9]|:\w+:|gh-\d|https?://", running_text(page))


def test_hostile_text_is_neither_markup_nor_a_mention() -> None:
    page = comment([HOSTILE_TEXT])
    assert_inert(page)
    headings = [t for t in tokens(page) if t.type == "heading_open"]
    assert [one.tag for one in headings] == ["h2", "h3"]


MARKUP = st.lists(st.sampled_from("`|<>@#*_[]()!\\~&:-.1 \n\ta/w"), max_size=40).map("".join)


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=80) | MARKUP)
def test_any_text_is_inert_wherever_it_stands(text: str) -> None:
    web = replace(WEB, files=FileChanges((text,)), notes=(text,))
    found = Explanation("test", (web,), 1, text, text, notes=(text,))
    diff = f"{text}\n    + {text}"
    for preview in (
        StackPreview("test", found, (), (text,), diff),
        StackPreview("test", error=text),
    ):
        assert_inert(comment([preview]))
