import io
from pathlib import Path
from typing import Any

import pytest

from slipway.commands import run as command
from slipway.commands import shown_updates
from slipway.commands.run import Run, verdict_told
from slipway.driver import Driver, Ended, Exit
from slipway.engine import Ended as Finished
from slipway.errors import ConfigError, HostError
from slipway.evidence.store import Store
from slipway.progress import Kind, Line, Progress
from slipway.progress_display import PlainDisplay

from .support_driver import export, release
from .support_progress import LIVE, begins, ends, says
from .support_run import Project, ends_with, make_project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    return make_project(tmp_path, monkeypatch)


# --- what is asked for -----------------------------------------------------------------------


@pytest.mark.usefixtures("project")
def test_unknown_stack_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigError) as caught:
        Run("tset")
    assert caught.value.problems == (
        "there is no stacks/Pulumi.tset.yaml; there are: prod, test; write one with "
        "slipway:compose and slipway:port, or let scripts/init do it",
    )


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    "options",
    [
        ["--target", "urn"], ["-t", "urn"], ["--target=urn"], ["--target-dependents"],
        ["--target-replace", "urn"], ["--exclude", "urn"], ["--exclude-dependents"],
        ["--preview-only"], ["--destroy"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_option_that_releases_only_a_part_is_refused(options: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        Run("test", options)
    (problem,) = caught.value.problems
    assert problem == (
        f"{options[0]}: a release is all of its services, and is seen to serve; leave this out, or "
        "call pulumi up yourself"
    )


@pytest.mark.usefixtures("project")
def test_other_options_of_pulumi_up_are_allowed() -> None:
    Run("test", ["--refresh", "--parallel", "4", "--message", "--target"[2:]])


def test_machine_that_cannot_deploy_is_told_with_all_that_is_wrong(project: Project) -> None:
    project.problems = ["engine: no Docker; start it", "disk: full; prune"]
    with pytest.raises(HostError) as caught:
        Run("test").require_ready()
    assert str(caught.value) == (
        "this machine cannot deploy; nothing was changed:\n"
        "engine: no Docker; start it\ndisk: full; prune"
    )
    assert project.in_order == ["test"]


@pytest.mark.parametrize(
    ("written", "secrets"),
    [('{"A": "one", "B": 2}', ["one", "2"]), (None, []), ("[1]", [])],
)
def test_secrets_of_the_stack_are_known_to_hide_them(
    project: Project, written: str | None, secrets: list[str]
) -> None:
    if written:
        project.engine.keys["slipway:secrets"] = written
    assert Run("test").secrets == secrets


def test_stack_without_release_has_nothing_that_is_live(project: Project) -> None:
    assert Run("test").deployment() is None
    project.engine.state = export(release(1))
    deployment = Run("test").deployment()
    assert deployment is not None
    assert deployment.live.ledger[0]["number"] == 1


# --- the pin ---------------------------------------------------------------------------------

DURING = {None: (), 1: ("1",)}


@pytest.mark.parametrize("earlier", [None, "7"])
@pytest.mark.parametrize("number", [None, 1])
@pytest.mark.parametrize(
    ("end", "kept"),
    [
        (Exit.VERIFIED, False), (Exit.UNDONE, True), (Exit.REFUSED, True), (Exit.BROKEN, False),
        (ValueError("a bug"), True), (KeyboardInterrupt(), True),
    ],
    ids=["verified", "undone", "refused", "broken", "bug", "interrupted"],
)  # fmt: skip
def test_pin_stays_where_what_served_before_does(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    earlier: str | None,
    number: int | None,
    end: Any,
    kept: bool,
) -> None:
    monkeypatch.setattr(Run, "_drive", project.method)
    project.code = end
    if earlier:
        project.pin = earlier
    try:
        assert Run("test").carry_out(number, "title", None) is end
    except (ValueError, KeyboardInterrupt) as error:
        assert error is end  # noqa: PT017  it is raised in two of six cases
    wanted = None if number is None else str(number)
    assert project.drives == [(number, "title", {}, DURING[number])]
    assert project.pin == (earlier if kept else wanted)


def test_pin_that_is_right_already_is_not_written(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Run, "_drive", project.method)
    monkeypatch.setattr(project.engine, "configure", None)
    assert Run("test").carry_out(None, "title", None) is Exit.VERIFIED


# --- the exit code ---------------------------------------------------------------------------


def raising(error: BaseException) -> Any:
    def command() -> None:
        with verdict_told():
            raise error

    return command


def test_what_the_user_can_mend_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    ends_with(2, raising(HostError("no Docker engine answers")))
    assert capsys.readouterr().err == "slipway: no Docker engine answers\n"


def test_bug_does_not_look_like_a_deploy_that_was_undone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ends_with(3, raising(ValueError("oh")))
    said = capsys.readouterr().err
    assert "ValueError: oh" in said
    assert said.endswith("what serves is not known: scripts/doctor\n")


def test_end_before_the_update_is_no_deploy_that_was_undone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ends_with(2, raising(KeyboardInterrupt()))
    assert capsys.readouterr().err == "interrupted; nothing was changed\n"


# --- the engine, as the driver needs it ------------------------------------------------------


@pytest.fixture
def shown() -> io.StringIO:
    return io.StringIO()


def updates(project: Project, shown: io.StringIO) -> Any:
    lasting = shown_updates.Lasting(PlainDisplay(shown, lambda: 0.0))
    return shown_updates.EngineUpdates(project.engine, lasting, ["--refresh"])  # type: ignore[arg-type]


def test_update_that_succeeds_tells_what_it_did(project: Project, shown: io.StringIO) -> None:
    project.engine.events = [begins("update", LIVE), ends("update", LIVE)]
    ended = updates(project, shown).update({"SLIPWAY_RUN": "now"}, options=True)
    assert ended == Ended(ok=True, changed=True, recorded=True)
    assert project.engine.asked == [({"SLIPWAY_RUN": "now"}, ["--refresh"])]


def test_users_options_are_not_for_the_way_back(project: Project, shown: io.StringIO) -> None:
    updates(project, shown).update({}, options=False)
    assert project.engine.asked == [({}, [])]


def test_errors_that_were_shown_are_given_once(project: Project, shown: io.StringIO) -> None:
    project.engine.events = [says("it is bad", "error")]
    project.engine.ends = Finished(255, "", "error: update failed")
    ended = updates(project, shown).update({}, options=True)
    assert ended == Ended(ok=False, changed=False, recorded=False, errors="it is bad", shown=True)
    assert shown.getvalue() == "[  0.0 s] error: it is bad\n"


def test_what_the_engine_said_before_it_began_is_given(
    project: Project, shown: io.StringIO
) -> None:
    project.engine.ends = Finished(255, "", "error: the stack is locked\n")
    ended = updates(project, shown).update({}, options=True)
    assert ended == Ended(False, False, False, errors="the stack is locked", shown=False)
    assert project.in_order == []


def test_lock_of_a_cli_that_was_killed_does_not_refuse_the_way_back(
    project: Project, shown: io.StringIO
) -> None:
    project.engine.ends = Finished(-9, "", "")
    ended = updates(project, shown).update({}, options=True)
    # Its last events may be lost: nobody knows that it has changed nothing.
    assert (ended.ok, ended.changed) == (False, True)
    assert project.in_order == ["test"]


# --- a terminal that is gone -----------------------------------------------------------------


class Closed:
    """A display whose terminal was closed."""

    def __init__(self) -> None:
        self.tried = 0

    def update(self, progress: Progress, lines: Any) -> None:
        self.tried += 1
        raise BrokenPipeError


def test_deploy_goes_on_when_nobody_listens_any_more() -> None:
    closed = Closed()
    lasting = shown_updates.Lasting(closed)  # type: ignore[arg-type]
    for _ in range(2):
        lasting.update(Progress(), [Line(Kind.INFO, "on")])
    assert closed.tried == 1


def test_what_is_said_to_nobody_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    class Pipe(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr("sys.stderr", Pipe())
    command.say("on")


# --- evidence --------------------------------------------------------------------------------


def played(
    monkeypatch: pytest.MonkeyPatch, code: Exit, errors: str = "", report: str | None = None
) -> None:
    """A driver that ends with a code; the gate has left a report of a name."""

    def deploy(driver: Driver, title: str) -> Exit:
        driver.errors = errors
        run = driver._around.run
        if report:
            file = command.EVIDENCE / f"test/{run}-{report}.json"
            file.parent.mkdir(parents=True)
            file.touch()
            file.with_suffix(".md").touch()
        return code

    monkeypatch.setattr(Driver, "deploy", deploy)


def deployed() -> Run:
    run = Run("test")
    run.carry_out(None, "deploying test", None)
    return run


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("code", "report"), [(Exit.VERIFIED, "release-7"), (Exit.UNDONE, "failed")]
)
def test_report_of_the_gate_is_the_only_one(
    monkeypatch: pytest.MonkeyPatch, code: Exit, report: str
) -> None:
    played(monkeypatch, code, report=report)
    run = deployed()
    assert [file.name for file in run.evidence()] == [f"{run.name}-{report}.md"]


def test_run_that_did_not_come_to_the_gate_leaves_a_report_without_secrets(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.engine.keys["slipway:secrets"] = '{"DB": "correct horse"}'
    played(monkeypatch, Exit.REFUSED, "compose.yaml:3: no correct horse here")
    deployed()
    (found,) = Store(command.EVIDENCE, "test").list()
    assert (found.outcome, found.kind) == ("failed", "deploy")
    assert found.failure is not None
    assert found.failure.summary == "compose.yaml:3: no [secret] here"


def test_report_that_cannot_be_kept_does_not_change_the_verdict(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    played(monkeypatch, Exit.VERIFIED)
    project.engine.unreadable = True
    assert Run("test").carry_out(None, "deploying test", None) is Exit.VERIFIED
    said = capsys.readouterr().err
    assert "warning: evidence is not kept: the state of stack test cannot be read" in said
