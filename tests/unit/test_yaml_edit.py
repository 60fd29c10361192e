from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.errors import ConfigError
from slipway.yaml_edit import (
    Splice,
    entries,
    in_flow,
    items,
    line_of,
    parse,
    read_text,
    replace_file,
    splice,
    text_of,
    value_of,
)

TEXT = """\
x-base: &base
  image: redis  # why
  init: true
x-other: &other {init: false, tty: true}
services:
  web:
    <<: [*base, *other]
    image: web
    list: [a, {b: c}]
    none:
"""
FILE = Path("compose.yaml")


def test_entries_are_those_of_the_mapping_and_then_merged_ones() -> None:
    web = entries(value_of(parse(FILE, TEXT), "services", "web"))

    assert {key: text_of(value) for key, (_, value) in web.items()} == {
        "image": "web",
        "list": None,
        "none": None,
        "init": "true",
        "tty": "true",
    }
    assert [line_of(key) for key, _ in web.values()] == [8, 9, 10, 3, 4]


def test_what_is_not_there_is_nothing() -> None:
    root = parse(FILE, TEXT)

    assert value_of(root, "services", "worker", "image") is None
    assert value_of(root, "services", "web", "image", "tag") is None
    assert [text_of(item) for item in items(value_of(root, "services", "web", "list"))] == [
        "a",
        None,
    ]
    assert items(root) == []
    assert entries(None) == {}
    assert parse(FILE, "# nothing\n") is None
    assert set(in_flow(None)) == set()


def test_flow_is_where_an_anchor_is_set() -> None:
    root = parse(FILE, "a: &a [x]\nb: {c: *a}\nd: e\n")
    inside = set(in_flow(root))

    assert id(items(value_of(root, "b", "c"))[0]) in inside
    assert id(value_of(root, "b", "c")) not in inside
    assert id(value_of(root, "d")) not in inside


@given(st.text(alphabet="ab\n", max_size=20), st.lists(st.integers(0, 20), max_size=6))
def test_what_is_not_replaced_stays(text: str, cuts: list[int]) -> None:
    places = sorted(min(cut, len(text)) for cut in cuts)
    pairs = list(zip(places[::2], places[1::2], strict=False))
    kept = [text[start:end] for start, end in pairs]

    assert splice(text, [Splice(*p, k) for p, k in zip(pairs, kept, strict=True)]) == text


def test_file_that_is_no_yaml_is_named_with_its_line() -> None:
    with pytest.raises(ConfigError) as caught:
        parse(FILE, "a:\n  - b\n  c: d\n")
    assert caught.value.problems == (
        "compose.yaml:3 is no valid YAML: expected <block end>, but found '?'",
    )


def test_replacing_keeps_mode_link_and_ends_of_lines(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to("target")

    replace_file(link, "new\r\n")

    assert link.is_symlink()
    assert read_text(target) == "new\r\n"
    assert target.stat().st_mode & 0o777 == 0o640
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "target"]


def test_replacing_makes_a_file_that_is_not_there(tmp_path: Path) -> None:
    replace_file(tmp_path / "new", "text")

    assert read_text(tmp_path / "new") == "text"


def test_text_that_is_not_utf_8_is_refused_at_its_line(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_bytes(b"services:\n  # caf\xe9\n")
    with pytest.raises(ConfigError) as caught:
        read_text(file)
    assert f"{file}:2 is not UTF-8 text; save it as UTF-8" in str(caught.value)
