import os
import stat
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from slipway.evidence.model import Evidence
from slipway.evidence.store import Store

BEGUN = Evidence(stack="test", run="20260102T030405Z", started="2026-01-02T03:04:05+00:00")


def finished(number: int | None, run: str = BEGUN.run) -> Evidence:
    outcome = "failed" if number is None else "verified"
    return BEGUN.model_copy(update={"outcome": outcome, "release": number, "run": run})


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in (folder / "test").iterdir())


def test_report_takes_the_place_of_the_unfinished_one(tmp_path: Path) -> None:
    store = Store(tmp_path, "test")
    store.begin(BEGUN)
    page = store.finish(finished(7))
    assert page == tmp_path / "test/20260102T030405Z-release-7.md"
    assert names(tmp_path) == ["20260102T030405Z-release-7.json", "20260102T030405Z-release-7.md"]


def test_failed_release_and_what_undid_it_are_kept_side_by_side(tmp_path: Path) -> None:
    store = Store(tmp_path, "test")
    store.finish(finished(None))
    store.finish(finished(6))
    store.finish(finished(6))
    assert [name for name in names(tmp_path) if name.endswith(".json")] == [
        "20260102T030405Z-failed.json",
        "20260102T030405Z-release-6-2.json",
        "20260102T030405Z-release-6.json",
    ]


def test_reports_are_for_their_owner_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        page = Store(tmp_path, "test").finish(finished(7))
    finally:
        os.umask(old)
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert stat.S_IMODE(page.parent.stat().st_mode) == 0o700


def test_list_is_newest_first_and_leaves_out_what_cannot_be_read(tmp_path: Path) -> None:
    store = Store(tmp_path, "test")
    store.finish(finished(1, "20260101T000000Z"))
    store.finish(finished(2, "20260102T000000Z"))
    broken = tmp_path / "test/20260103T000000Z-failed.json"
    broken.write_text("{")
    later = tmp_path / "test/20260104T000000Z-failed.json"
    later.write_text('{"version": 2}')
    unreadable: list[Path] = []
    assert [found.release for found in store.list(unreadable.append)] == [2, 1]
    assert unreadable == [later, broken]


def test_stack_without_reports_has_none(tmp_path: Path) -> None:
    assert Store(tmp_path, "test").list() == []


def test_oldest_reports_go_with_their_pages(tmp_path: Path) -> None:
    store = Store(tmp_path, "test", keep=2)
    for day in ("01", "02", "03"):
        store.finish(finished(int(day), f"202601{day}T000000Z"))
    assert [name for name in names(tmp_path) if "20260101" in name] == []
    assert len(names(tmp_path)) == 4


def test_reports_of_one_run_are_in_the_order_in_which_they_were_written(tmp_path: Path) -> None:
    store = Store(tmp_path, "test", keep=3)
    for number in (9, 9, 10, 11):
        store.finish(finished(number))
    assert [found.release for found in store.list()] == [11, 10, 9]
    assert [name for name in names(tmp_path) if "release-9" in name] == [
        "20260102T030405Z-release-9-2.json",
        "20260102T030405Z-release-9-2.md",
    ]


def test_runs_are_found_by_when_they_began(tmp_path: Path) -> None:
    store = Store(tmp_path, "test")
    for number in (1, 2, 3, 4):
        store.finish(finished(number, f"2026010{number}T000000Z"))
    begin = datetime(2026, 1, 2, 0, 0, 0, 900_000, tzinfo=UTC)
    end = datetime(2026, 1, 3, 2, 0, tzinfo=timezone(timedelta(hours=2)))
    assert [found.release for found in store.find(begin, end)] == [3, 2]


@pytest.mark.parametrize("suffix", [".json", ".md"])
def test_report_that_cannot_be_written_leaves_no_half_and_does_not_count_as_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    store, replace = Store(tmp_path, "test"), os.replace
    store.begin(BEGUN)

    def full(part: Path, file: Path) -> None:
        if file.suffix == suffix:
            raise OSError("No space left on device")
        replace(part, file)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        store.finish(finished(7))
    assert [name for name in names(tmp_path) if not name.endswith(".md")] == [
        "20260102T030405Z-unfinished.json"
    ]
