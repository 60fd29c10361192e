import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.explain.inventory import Inventory
from slipway.explain.stash import known_inventories, pack, unpack

LINES = st.dictionaries(st.text(max_size=5), st.text(max_size=3), max_size=8)


@pytest.mark.parametrize(
    "value",
    [None, "text", {}, {"inventories": None}, {"inventories": "{"}, {"inventories": "[]"},
     {"inventories": '{"sources": ["a"]}'},
     {"inventories": '{"sources": ["a"], "files": {"x": {"y": "z"}}, "recipe": {}}'}],
)  # fmt: skip
def test_what_cannot_be_read_is_not_known(value: object) -> None:
    assert known_inventories(value) == {}


@given(st.dictionaries(st.text(max_size=4), st.tuples(LINES, LINES), max_size=6))
def test_what_is_packed_comes_back(found: dict[str, tuple[dict[str, str], dict[str, str]]]) -> None:
    inventories = [Inventory(s, recipe, files) for s, (recipe, files) in sorted(found.items())]
    assert unpack(pack(inventories)) == inventories
    assert pack(reversed(inventories)) == pack(inventories)


def test_releases_that_hardly_differ_take_hardly_more_room_than_one() -> None:
    files = {f"app/module_{n}.py": f"644 {n:012x}" for n in range(300)}
    releases = [
        Inventory(f"{n:064x}", {}, {**files, "app/module_7.py": f"644 f{n:011x}"})
        for n in range(20)
    ]
    assert len(pack(releases)) < 1.4 * len(pack(releases[:1]))
