import pytest

from slipway.explain.comparison import file_changes
from slipway.explain.model import FileChanges


@pytest.mark.parametrize(
    ("before", "after", "modes"),
    [
        ("644 1a", "644 2b", {}),
        ("644 1a", "755 1a", {"x": "644 → 755"}),
        ("644 1a", "755 2b", {}),
        ("folder 755", "folder 775", {"x": "755 → 775"}),
        ("link 1a", "link 2b", {}),
        ("link 1a", "644 2b", {}),
        ("400 files 1a", "400 files 2b", {}),
    ],
)
def test_what_differs_has_changed(before: str, after: str, modes: dict[str, str]) -> None:
    found = file_changes({"x": before, "y": "644 1"}, {"x": after, "y": "644 1"})
    assert found == FileChanges(changed=("x",), modes=modes)


def test_what_comes_and_goes_is_sorted() -> None:
    before, after = dict.fromkeys(("b", "a", "c"), "644 1"), dict.fromkeys("zyc", "644 1")
    assert file_changes(before, after) == FileChanges(added=("y", "z"), removed=("a", "b"))
    assert not file_changes(before, before)
