"""Secrets by reference: nothing of a secret stays, and everything comes back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.errors import ConfigError
from slipway.secret_references import refer, references, resolve

NAMES = st.from_regex(r"[A-Z_][A-Z0-9_]{0,6}|kept:[0-9a-f]{16}", fullmatch=True)
# Few characters, so that secrets are parts of texts, of one another and of how references look.
AWKWARD = st.text("$ab{}X:", max_size=8)
TEXTS = AWKWARD | st.text(max_size=12)
SCALARS = TEXTS | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False)
VALUES = st.recursive(
    SCALARS,
    lambda items: st.lists(items, max_size=4) | st.dictionaries(TEXTS, items, max_size=4),
    max_leaves=12,
)


@st.composite
def secrets(draw: st.DrawFn) -> dict[str, str]:
    """Names with values; one is never given two."""
    return draw(st.dictionaries(NAMES, TEXTS, max_size=4))


def by_value(values: dict[str, str]) -> dict[str, str]:
    return {value: name for name, value in values.items()}


def texts_of(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts_of(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts_of(item)]
    return [value] if isinstance(value, str) else []


# --- what has no value ----------------------------------------------------------------------


def test_all_names_without_a_value_are_told_together() -> None:
    value = {"b": "${TOKEN} and ${KEPT}", "a": ["${PASSWORD}", "${TOKEN}"], "c": "$${NONE}"}
    with pytest.raises(ConfigError) as refused:
        resolve(value, {"KEPT": "k"})
    assert refused.value.problems == tuple(
        f"{name} has no value any more; run pulumi config set --stack <stack> --secret "
        f"--path slipway:secrets.{name} <value>"
        for name in ("PASSWORD", "TOKEN")
    )


def test_empty_value_is_a_value() -> None:
    assert resolve("<${EMPTY}>", {"EMPTY": ""}) == "<>"


# --- examples -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "names", "referred"),
    [
        ("nothing", {"hunter2": "P"}, "nothing"),
        ("user:hunter2@db", {"hunter2": "P"}, "user:${P}@db"),
        ("hunter2hunter2", {"hunter2": "P"}, "${P}${P}"),
        ("cost: 5$", {}, "cost: 5$$"),
        ("${P}", {"hunter2": "P"}, "$${P}"),
        ("$$hunter2$", {"hunter2": "P"}, "$$$$${P}$$"),
        # The longer one counts where one is part of the other, …
        ("abcd", {"ab": "S", "abcd": "L"}, "${L}"),
        ("abcdab", {"ab": "S", "abcd": "L"}, "${L}${S}"),
        # … and the first one where they overlap.
        ("abcd", {"abc": "A", "bcd": "B"}, "${A}d"),
        ("pa$$word", {"pa$$word": "P"}, "${P}"),
        ("${P}", {"${P}": "P"}, "${P}"),
        ("a.c abc", {"a.c": "P"}, "${P} abc"),
        # An empty secret is nowhere.
        ("text", {"": "P"}, "text"),
    ],
)
def test_secret_is_replaced_by_its_reference(
    text: str, names: dict[str, str], referred: str
) -> None:
    assert refer(text, names) == referred
    assert resolve(referred, {name: value for value, name in names.items()}) == text


def test_keys_and_what_is_no_text_stay() -> None:
    value = {"hunter2": ["hunter2", 5, 2.5, True, None], "$": {}}
    assert refer(value, {"hunter2": "P"}) == {"hunter2": ["${P}", 5, 2.5, True, None], "$": {}}


def test_texts_between_secrets_become_what_is_asked_for() -> None:
    found = refer(["a$hunter2b", "hunter2", ""], {"hunter2": "P"}, lambda text: f"<{text}>")
    assert found == ["<a$>${P}<b>", "<>${P}<>", "<>"]


def test_references_are_found_at_any_depth_and_doubled_dollars_are_none() -> None:
    assert references({"a": ["${A} ${B}", "$${C}", "$$${D}"], "${E}": 1}) == {"A", "B", "D"}


# --- whatever it is -------------------------------------------------------------------------


@given(VALUES, secrets())
def test_value_comes_back_as_it_was(value: Any, found: dict[str, str]) -> None:
    assert resolve(refer(value, by_value(found)), found) == value


@given(VALUES, secrets())
def test_only_what_occurs_is_referred_to(value: Any, found: dict[str, str]) -> None:
    names = by_value(found)
    occurring = {n for v, n in names.items() if v and any(v in text for text in texts_of(value))}
    referred = references(refer(value, names))
    assert referred <= occurring
    assert bool(referred) == bool(occurring)


@given(st.lists(st.text("xyz", max_size=6) | st.just(None), max_size=6), st.data())
def test_rotated_secret_comes_back_where_the_old_one_was(
    parts: list[str | None], data: st.DataObject
) -> None:
    """With references for parts: what comes back has today's value at each of them."""
    old, new = "s-old", data.draw(TEXTS)
    value = "".join(old if part is None else part for part in parts)
    today = "".join(new if part is None else part for part in parts)
    assert resolve(refer(value, {old: "S"}), {"S": new}) == today


@given(VALUES, st.dictionaries(NAMES, st.text("0123456789", min_size=4, max_size=12), max_size=3))
def test_no_secret_is_left_in_what_refers_to_it(value: Any, found: dict[str, str]) -> None:
    referred = refer(value, by_value(found))
    for text in texts_of(referred):
        plain = text
        for name in found:
            plain = plain.replace(f"${{{name}}}", "|")
        assert not any(secret in plain for secret in found.values())
