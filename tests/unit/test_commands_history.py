import json
import os
from pathlib import Path
from typing import Any

import pytest

from slipway.commands import history as command

from .support_history import entry, run

URN = "urn:pulumi:test::shop::"
CLI = """\
#!/bin/sh
echo "$@" >> {folder}/calls
case $2 in
    export) file={folder}/export.json ;;
    history) while [ "$1" != --page ]; do shift; done; file={folder}/page-$2.json ;;
esac
[ -f {folder}/code ] && {{ echo "error: it broke" >&2; exit "$(cat {folder}/code)"; }}
cat "$file"
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a CLI that prints files, or fails with the exit code in one."""
    cli = tmp_path / "bin" / "pulumi"
    cli.parent.mkdir()
    cli.write_text(CLI.format(folder=tmp_path))
    cli.chmod(0o755)
    monkeypatch.setenv("PATH", str(cli.parent), prepend=os.pathsep)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(command, "ROOT", tmp_path)
    (tmp_path / "stacks").mkdir()
    for stack in ("prod", "eu.test"):
        (tmp_path / "stacks" / f"Pulumi.{stack}.yaml").touch()
    runs(tmp_path, [])
    return tmp_path


def runs(project: Path, *pages: list[dict[str, Any]]) -> None:
    for number, page in enumerate(pages, start=1):
        (project / f"page-{number}.json").write_text(json.dumps(page))


def export(project: Path, *ledger: dict[str, Any]) -> None:
    live = {"ledger": {str(e["number"]): e for e in ledger}, "containers": {}}
    stash = {"urn": f"{URN}pulumi:index:Stash::shop-live", "outputs": {"input": live}}
    resources = [stash] if ledger else []
    (project / "export.json").write_text(json.dumps({"deployment": {"resources": resources}}))


def evidence(project: Path, name: str, text: str) -> None:
    folder = project / ".slipway" / "evidence" / "test"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


def refused(capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as end:
        command.history("test")
    assert end.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err


def entries(capsys: pytest.CaptureFixture[str], limit: int | None = None) -> list[str]:
    command.history("test", as_json=True, limit=limit)
    found = json.loads(capsys.readouterr().out)["entries"]
    return [str(e.get("number", e.get("summary", e.get("outcome")))) for e in found]


def calls(project: Path) -> list[str]:
    return (project / "calls").read_text().splitlines()


def test_history_shows_releases_and_what_failed(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export(project, entry(2, "11:00:00"), entry(1, "09:00:00"))
    runs(project, [run("failed", "10:00:00", "10:01:00")])
    document = {"started": "2026-01-05T10:00:01+00:00", "failure": {"summary": "status 500"}}
    evidence(project, "a-failed.json", json.dumps({**document, "outcome": "failed"}))

    command.history("test")

    out, err = capsys.readouterr()
    assert [line.split("  ")[0] for line in out.splitlines() if line[0] != " "] == [
        *("release", "2", "failed", "1")
    ]
    assert "         status 500\n         .slipway/evidence/test/a-failed.json\n" in out
    assert err == ""
    assert calls(project) == [
        "stack export --stack test",
        "stack history --json --show-secrets=false --full-dates --page 1 --page-size 100 "
        "--stack test",
    ]


def test_limit_counts_releases_and_leaves_what_failed_before_out(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export(project, entry(3, "11:00:00"), entry(2, "09:00:00"), entry(1, "07:00:00"))
    failed = [run("failed", clock, clock) for clock in ("10:00:00", "08:00:00", "06:00:00")]
    runs(project, failed)

    assert entries(capsys) == ["3", "failed", "2", "failed", "1", "failed"]
    assert entries(capsys, 2) == ["3", "failed", "2"]
    assert entries(capsys, 1) == ["3"]


def test_what_failed_before_the_stack_was_destroyed_is_left_out(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export(project, entry(1, "11:00:00"))
    destroy = run("succeeded", "10:00:00", "10:01:00", "destroy")
    failed = [run("failed", clock, clock) for clock in ("10:30:00", "09:00:00")]
    runs(project, [failed[0], destroy, failed[1]])

    assert entries(capsys) == ["1", "failed"]


def test_history_is_read_page_by_page_as_far_back_as_it_is_needed(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    full = [run("failed", "08:00:00", "08:01:00")] * 100
    runs(project, full, [run("failed", "07:00:00", "07:01:00")])
    export(project, entry(1, "09:00:00"))
    assert len(entries(capsys)) == 102

    export(project, entry(5, "09:00:00"))
    assert entries(capsys) == ["5"]
    assert [call.split("--page ")[1][0] for call in calls(project) if "--page" in call] == [
        *("1", "2", "1")
    ]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"outcome": "failed"}', "\udcff"])
def test_evidence_that_cannot_be_read_is_told_of_and_left_out(
    project: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    export(project, entry(1, "09:00:00"))
    evidence(project, "a.json", "")
    file = project / ".slipway" / "evidence" / "test" / "a.json"
    file.write_bytes(text.encode(errors="surrogateescape"))

    command.history("test")

    assert capsys.readouterr().err == (
        "slipway: .slipway/evidence/test/a.json is no evidence that can be read; left out\n"
    )


# --- what cannot be shown -------------------------------------------------------------------


def test_stack_without_a_release_ends_with_2(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export(project)
    assert refused(capsys) == "slipway: stack test has no release; run scripts/deploy test\n"


def test_destroyed_stack_ends_with_2(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export(project)
    runs(project, [run("succeeded", "10:00:00", "10:01:00", "destroy")])
    assert refused(capsys) == (
        "slipway: stack test was destroyed at 2026-01-05 10:01:00 UTC and has no release since; "
        "run scripts/deploy test\n"
    )


def test_unknown_stack_ends_with_2_and_names_the_others(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "code").write_text("6")
    assert refused(capsys) == (
        "slipway: the backend knows no stack test; stacks/ has files for: eu.test, prod; "
        "pulumi stack ls lists those that are there\n"
    )


def test_backend_that_cannot_be_read_ends_with_2(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "code").write_text("255")
    assert refused(capsys) == "slipway: the state of test cannot be read: error: it broke\n"
