import json
import os
import socket
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from slipway.commands import locks as locks_command
from slipway.commands.locks import put_in_order
from slipway.errors import GateError
from slipway.locks import (
    Lock,
    clear_locks,
    find_locks,
    interrupted_creates,
    left_behind,
    lock_folder,
    process_started,
)

TAKEN = datetime(2026, 3, 1, 12, 0, 0, 500000, tzinfo=UTC)
HELD = {
    "pid": 17,
    "username": "kim",
    "hostname": "here",
    "timestamp": "2026-03-01T12:00:00.500000789Z",
}


def write(folder: Path, name: str = "one", **changes: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.json"
    file.write_text(json.dumps(HELD | changes))
    return file


def nobody(pid: int) -> float | None:
    return None


def since_before(pid: int) -> float | None:
    return TAKEN.timestamp() - 3


def since_after(pid: int) -> float | None:
    return TAKEN.timestamp() + 3


# --- where locks are ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("backend", "folder"),
    [
        ("file:///srv/state", "/srv/state"),
        ("file:///srv/state?metadata=skip&no_tmp_dir=true", "/srv/state"),
        ("file:///srv/the%20state", "/srv/the state"),
        ("file://~/state", "/home/kim/state"),
        ("file://~", "/home/kim"),
        ("file://./state", "/srv/shop/state"),
    ],
)
def test_file_backend_keeps_locks_by_project_and_stack(
    monkeypatch: pytest.MonkeyPatch, backend: str, folder: str
) -> None:
    monkeypatch.setenv("HOME", "/home/kim")
    found = lock_folder(backend, "shop", "test", Path("/srv/shop"))
    assert found == Path(folder, ".pulumi/locks/organization/shop/test")


@pytest.mark.parametrize("backend", ["", "s3://bucket", "https://api.pulumi.com"])
def test_locks_of_another_backend_are_left_to_pulumi(backend: str) -> None:
    assert lock_folder(backend, "shop", "test", Path("/srv/shop")) is None


def test_lock_is_read_with_its_nanoseconds(tmp_path: Path) -> None:
    file = write(tmp_path)
    lock = Lock(file, "kim", "here", 17, TAKEN)
    assert find_locks(tmp_path) == [lock]
    assert str(lock) == "kim, process 17 on here, since 2026-03-01 12:00:00 UTC"


def test_stack_that_was_never_locked_has_no_locks(tmp_path: Path) -> None:
    assert find_locks(tmp_path / "none") == []


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"pid": "x"}'])
def test_lock_that_cannot_be_read_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "one.json").write_text(text)
    with pytest.raises(GateError) as caught:
        find_locks(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}/one.json: a lock that cannot be read (")
    assert str(caught.value).endswith("remove the file, then run this again")


# --- who holds them -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("started", "ended"), [(nobody, True), (since_after, True), (since_before, False)]
)
def test_lock_is_left_behind_when_its_process_is_gone_or_its_number_was_given_again(
    started: Any, ended: bool
) -> None:
    assert left_behind(Lock(Path("x"), "kim", "here", 17, TAKEN), "here", started) is ended


def test_process_of_another_machine_is_never_known_to_have_ended() -> None:
    assert not left_behind(Lock(Path("x"), "kim", "there", 17, TAKEN), "here", nobody)


def test_process_is_there_until_it_has_ended() -> None:
    assert process_started(os.getpid()) == psutil.Process().create_time()
    with subprocess.Popen(["sleep", "60"]) as process:
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert process_started(process.pid) is None  # killed, and its parent does not know yet
    assert process_started(process.pid) is None


def test_lock_of_a_dead_process_is_taken_away(tmp_path: Path) -> None:
    file = write(tmp_path)
    attributes = tmp_path / "one.json.attrs"
    attributes.write_text("{}")
    assert clear_locks(tmp_path, "test", "here", nobody) == [Lock(file, "kim", "here", 17, TAKEN)]
    assert list(tmp_path.iterdir()) == []


def test_lock_of_a_live_process_is_refused_and_stays(tmp_path: Path) -> None:
    file = write(tmp_path)
    with pytest.raises(GateError) as caught:
        clear_locks(tmp_path, "test", "here", since_before)
    assert str(caught.value) == (
        "stack test is locked by kim, process 17 on here, since 2026-03-01 12:00:00 UTC: that "
        "deploy is running; wait for it, or stop it (kill -INT 17), then run scripts/deploy test "
        "again"
    )
    assert file.exists()


def test_lock_of_another_machine_is_refused_though_others_are_dead(tmp_path: Path) -> None:
    files = [write(tmp_path), write(tmp_path, "two", hostname="there")]
    with pytest.raises(GateError) as caught:
        clear_locks(tmp_path, "test", "here", nobody)
    assert str(caught.value) == (
        "stack test is locked by kim, process 17 on there, since 2026-03-01 12:00:00 UTC: whether "
        "it runs can only be seen on there; wait for it, or, if it has ended, run: "
        ". scripts/activate; pulumi cancel --yes --stack test; scripts/deploy test"
    )
    assert all(file.exists() for file in files)


# --- what was being created -----------------------------------------------------------------


def pending(kind: str, name: str) -> dict[str, Any]:
    return {"resource": {"urn": f"urn:pulumi:test::shop::docker:Container::{name}"}, "type": kind}


def test_only_interrupted_creations_stay_in_the_state() -> None:
    operations = [pending("creating", "web"), pending("updating", "db"), pending("creating", "b")]
    export = {"deployment": {"pending_operations": operations}}
    assert interrupted_creates(export) == ["docker:Container::web", "docker:Container::b"]


@pytest.mark.parametrize("export", [{}, {"deployment": {"pending_operations": None}}])
def test_state_without_interrupted_operations_has_none(export: dict[str, Any]) -> None:
    assert interrupted_creates(export) == []


# --- the command ----------------------------------------------------------------------------


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a file backend, and a CLI that notes its arguments."""
    (tmp_path / "Pulumi.yaml").write_text("name: shop\n")
    cli = tmp_path / "bin/pulumi"
    cli.parent.mkdir()
    cli.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n[ "$1" = stack ] || exit 0\n'
        f"exec cat {tmp_path}/export.json\n"
    )
    cli.chmod(0o755)
    monkeypatch.setenv("PATH", str(cli.parent), prepend=os.pathsep)
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}/state?metadata=skip")
    monkeypatch.setattr(locks_command, "ROOT", tmp_path)
    return tmp_path


def test_deploy_goes_on_after_a_killed_one_and_says_what_it_cleared(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = state / "state/.pulumi/locks/organization/shop/test"
    write(folder, hostname=socket.gethostname(), pid=2**22 + 1)
    export = {"deployment": {"pending_operations": [pending("creating", "web")]}}
    (state / "export.json").write_text(json.dumps(export))

    put_in_order("test")

    assert capsys.readouterr().out == (
        "took away the lock that a deploy which has ended left: kim, process 4194305 on "
        f"{socket.gethostname()}, since 2026-03-01 12:00:00 UTC\n"
        "forgot what a deploy that has ended was creating: docker:Container::web\n"
    )
    assert (state / "asked").read_text() == (
        "stack export --show-secrets --stack test\n"
        "refresh --clear-pending-creates --exclude ** --yes --skip-preview --non-interactive "
        "--stack test\n"
    )
    assert list(folder.iterdir()) == []


def test_deploy_is_refused_while_another_runs(state: Path) -> None:
    write(state / "state/.pulumi/locks/organization/shop/test", hostname="there")
    with pytest.raises(GateError, match=r"^stack test is locked by kim, process 17 on"):
        put_in_order("test")
    assert not (state / "asked").exists()


def test_state_in_which_nothing_was_interrupted_is_not_written(
    state: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://bucket")
    (state / "export.json").write_text('{"deployment": {}}')
    put_in_order("test")
    assert (state / "asked").read_text() == "stack export --show-secrets --stack test\n"
    assert capsys.readouterr() == ("", "")


def test_state_that_cannot_be_read_is_left_to_pulumi_up(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put_in_order("test")
    assert (state / "asked").read_text() == "stack export --show-secrets --stack test\n"
    assert capsys.readouterr() == ("", "")
