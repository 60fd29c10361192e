import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from slipway.markdown import cleaned, code, fenced, plain

ANY = st.text(max_size=60) | st.lists(st.sampled_from("`|<>@#*_[]!\\~&:-. \n\tagh1/"), max_size=30).map("".join)  # fmt: skip  # noqa: E501
READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def inline(line: str) -> list[Token]:
    return READER.parseInline(line)[0].children or []


@given(ANY)
def test_code_is_one_span_whatever_is_in_it(text: str) -> None:
    shown = cleaned(text).strip()
    if not shown:
        assert code(text) == "(empty)"
        return
    (span,) = inline(code(text))
    assert (span.type, span.content.strip(" ")) == ("code_inline", shown.strip(" "))


@given(ANY)
def test_running_text_is_nothing_but_text(text: str) -> None:
    tokens = READER.parse(f"- {plain(text)}")
    kinds = {token.type for token in tokens} | {t.type for x in tokens for t in x.children or []}
    assert kinds <= {
        *("bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"),
        *("paragraph_open", "paragraph_close", "inline", "text", "text_special"),
    }
    read = "".join(t.content for x in tokens for t in x.children or [])
    assert read.replace("\u2060", "").strip() == " ".join(cleaned(text).split())


@pytest.mark.parametrize("text", ["@kim", "a@b.c", "#12", "gh-12", "GH-12", "o/r#1", ":tada:"])
def test_nobody_is_called_by_what_is_rendered(text: str) -> None:
    """Hosts look for names and numbers in what is rendered: something stands in between there."""
    read = "".join(token.content for token in inline(plain(text)))
    assert text not in read
    assert text == read.replace("\u2060", "")


@pytest.mark.parametrize("text", ["https://a.b/c", "www.a.b", "mailto:a@b.c"])
def test_address_is_not_written_as_one(text: str) -> None:
    """Hosts make links while they read what is written."""
    assert not re.search(r"www\.|://|mailto:a", plain(text))


@given(ANY)
def test_block_ends_where_the_text_ends(text: str) -> None:
    lines = cleaned(text)
    block, after = READER.parse(f"{fenced(lines)}\n\nafter")[:2]
    assert (block.type, block.content.strip()) == ("fence", lines.strip())
    assert after.type == "paragraph_open"


def test_text_is_cut_where_it_is_long() -> None:
    assert code("a" * 200, 10) == f"`{'a' * 10}…`"


def test_what_turns_the_direction_of_writing_is_shown_as_unreadable() -> None:
    assert cleaned("a\u202eb\x1b\tc\n") == "a�b� c "
