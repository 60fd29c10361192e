import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.canonical import canonical_json, digest, integers, keyed_digest

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def test_order_of_keys_does_not_count() -> None:
    assert canonical_json({"b": 1, "a": {"d": "é", "c": None}}) == (
        '{"a":{"c":null,"d":"é"},"b":1}'.encode()
    )


def test_numbers_that_json_does_not_have_are_refused() -> None:
    with pytest.raises(ValueError, match="Out of range float values are not JSON compliant"):
        canonical_json(float("nan"))


def test_digest_is_sha_256_of_the_json() -> None:
    empty_object = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

    assert digest({}) == empty_object


def test_keyed_digest_depends_on_key_and_value() -> None:
    hashes = {keyed_digest("k", 1), keyed_digest("l", 1), keyed_digest("k", 2), digest(1)}

    assert len(hashes) == 4


@given(PLAIN)
def test_numbers_come_back_as_they_were_before_the_engine_made_them_floats(value: object) -> None:
    stored = json.loads(json.dumps(value), parse_int=float)

    assert canonical_json(integers(stored)) == canonical_json(value)


def test_only_whole_floats_become_integers() -> None:
    assert repr(integers([1.0, 0.5, True, "1.0", {"a": 2.0}])) == "[1, 0.5, True, '1.0', {'a': 2}]"
