import pytest

from slipway.image_labels import CREATED, REVISION, SOURCE, SOURCE_HASH
from slipway.proof.image import ImageFacts, is_root, judge_source, judge_user, notes_on_labels

ACCOUNTS = "root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:\napp:x:1000:1000::/:\nbroken\n"


@pytest.mark.parametrize("user", ["", "root", "0", "0:0", "00", "root:app", "toor", ":app"])
def test_root_is_refused_by_whatever_name(user: str) -> None:
    (finding,) = judge_user(user, ACCOUNTS, allowed=False)
    assert finding.found == (user or "no USER, which means root")
    assert judge_user(user, ACCOUNTS, allowed=True) == []


@pytest.mark.parametrize("user", ["app", "1000", "10001:10001", "nobody", "1000:0"])
def test_anybody_else_may_run_it(user: str) -> None:
    assert not is_root(user, ACCOUNTS)
    assert judge_user(user, ACCOUNTS, allowed=False) == []


@pytest.mark.parametrize(
    ("labels", "found"),
    [({}, "no such label"), ({SOURCE_HASH: "b" * 64}, "b" * 12)],
)
def test_image_of_another_source_is_refused(labels: dict[str, str], found: str) -> None:
    (finding,) = judge_source(ImageFacts(labels=labels), "a" * 64)
    assert (finding.what, finding.expected, finding.found) == (SOURCE_HASH, "a" * 12, found)


def test_image_of_its_source_is_well() -> None:
    assert judge_source(ImageFacts(labels={SOURCE_HASH: "a" * 64}), "a" * 64) == []


def test_labels_that_are_missing_are_told() -> None:
    labels = {REVISION: "c0ffee", CREATED: "2026-01-01T00:00:00+00:00"}
    (note,) = notes_on_labels(ImageFacts(labels=labels))
    assert note.startswith(f"the image has no label {SOURCE}: ")
    assert notes_on_labels(ImageFacts(labels={**labels, SOURCE: "https://example.com"})) == []
