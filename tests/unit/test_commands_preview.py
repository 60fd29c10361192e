from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from slipway.commands import preview as command
from slipway.commands import run
from slipway.commands.preview import preview
from slipway.engine import Ended, OnEvent
from slipway.errors import ConfigError
from slipway.explain.model import Explanation
from slipway.preview.comment import MARKER

from .support_run import FakeEngine, ends_with

SECRET, PASSPHRASE = "correct horse battery", "staple staple"


class PreviewingEngine(FakeEngine):
    """An engine that previews, and can do nothing else."""

    def preview(
        self, on_event: OnEvent, environ: Mapping[str, str], options: Sequence[str] = ()
    ) -> Ended:
        self.asked.append((dict(environ), list(options)))
        return self.ends

    def update(self, *given: Any) -> Ended:
        raise AssertionError("something was deployed")


@pytest.fixture
def engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, PreviewingEngine]:
    """The engines of a project with two stacks, by stack."""
    (tmp_path / "stacks").mkdir()
    found = {}
    for stack in ("prod", "test"):
        (tmp_path / f"stacks/Pulumi.{stack}.yaml").touch()
        found[stack] = PreviewingEngine(tmp_path, stack)
        found[stack].keys["slipway:secrets"] = f'{{"PASSWORD": "{SECRET}"}}'
        found[stack].ends = Ended(0, f"a diff with {SECRET}", "")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", PASSPHRASE)
    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(run, "ROOT", tmp_path)
    monkeypatch.setattr(run, "Engine", lambda root, stack: found[stack])
    monkeypatch.setattr(command, "explained", lambda engine: Explanation(engine.stack, ()))
    return found


def test_unknown_stack_is_refused_before_any_is_previewed(
    engines: dict[str, PreviewingEngine], capsys: pytest.CaptureFixture[str]
) -> None:
    ends_with(2, lambda: preview(["test", "live"]))
    assert "there is no stacks/Pulumi.live.yaml; there are: prod, test" in capsys.readouterr().err
    assert engines["test"].asked == []


def test_project_without_stacks_is_refused(
    engines: dict[str, PreviewingEngine], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in (tmp_path / "stacks").iterdir():
        file.unlink()
    ends_with(2, lambda: preview())
    assert "there is no stack in stacks/" in capsys.readouterr().err


def test_file_that_cannot_be_written_is_told(
    engines: dict[str, PreviewingEngine], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ends_with(2, lambda: preview(["test"], tmp_path / "no/comment.md"))
    assert "no/comment.md: cannot be written: No such file" in capsys.readouterr().err


def test_failure_of_one_stack_leaves_the_other_shown(
    engines: dict[str, PreviewingEngine], capsys: pytest.CaptureFixture[str]
) -> None:
    engines["prod"].ends = Ended(255, "", f"error: no {SECRET} and no {PASSPHRASE}")
    ends_with(1, preview)
    out, err = capsys.readouterr()
    assert "### `prod`: ❌ the preview failed" in out
    assert "error: no [secret] and no [secret]" in out
    assert "### `test`: nothing changes" in out
    assert err.endswith("no complete preview of prod\n")


def test_stack_whose_state_cannot_be_read_leaves_the_other_shown(
    engines: dict[str, PreviewingEngine],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse() -> dict[str, str]:
        raise ConfigError([f"{PASSPHRASE} is wrong"])

    monkeypatch.setattr(engines["test"], "configuration", refuse)
    ends_with(1, preview)
    out = capsys.readouterr().out
    assert "[secret] is wrong" in out
    assert "### `prod`: nothing changes" in out
    assert engines["test"].asked == []


def test_no_secret_is_told_anywhere(
    engines: dict[str, PreviewingEngine], capsys: pytest.CaptureFixture[str]
) -> None:
    engines["prod"].ends = Ended(255, "", f"error: {SECRET} {PASSPHRASE}")
    engines["test"].ends = Ended(0, f"{SECRET} {PASSPHRASE}", "")
    ends_with(1, preview)
    out, err = capsys.readouterr()
    assert SECRET not in out + err
    assert PASSPHRASE not in out + err


def test_all_stacks_are_previewed_and_the_comment_is_written(
    engines: dict[str, PreviewingEngine], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    preview(output=tmp_path / "comment.md")
    page = (tmp_path / "comment.md").read_text()
    assert page.startswith(f"{MARKER}\n")
    assert page.index("`prod`") < page.index("`test`")
    assert capsys.readouterr().out == ""


def test_named_stacks_are_shown_in_their_order_and_once(
    engines: dict[str, PreviewingEngine], capsys: pytest.CaptureFixture[str]
) -> None:
    preview(["test", "prod", "test"])
    page = capsys.readouterr().out
    assert page.index("`test`") < page.index("`prod`")
    assert page.count("### ") == 2
