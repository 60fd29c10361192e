import json
import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from slipway import registry
from slipway.commands import pin as pin_command
from slipway.commands import verify as verify_command
from slipway.commands.edge import errors_shown
from slipway.errors import HostError, InternalError
from slipway.verify import Check

from .support import DIGEST, write_files

COMPOSE = "services:\n  web:\n    image: redis:7\n"


@pytest.fixture
def compose_file(tmp_path: Path) -> Path:
    write_files(tmp_path, {"compose.yaml": COMPOSE})
    return tmp_path / "compose.yaml"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A registry that has every image."""
    found = httpx.Response(200, headers={"Docker-Content-Digest": DIGEST})

    def connected(credentials: Any) -> registry.Registry:
        return registry.Registry(credentials, httpx.MockTransport(lambda request: found))

    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setattr(pin_command, "Registry", connected)


def test_what_the_user_can_mend_is_printed_and_ends_with_2(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as end, errors_shown():
        raise HostError("no Docker engine answers")

    assert end.value.code == 2
    assert capsys.readouterr() == ("", "slipway: no Docker engine answers\n")


def test_bug_shows_its_traceback() -> None:
    with pytest.raises(InternalError), errors_shown():
        raise InternalError("oh")


@pytest.mark.usefixtures("hub")
def test_pin_tells_what_it_pinned(compose_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pin_command.pin(compose_file)

    assert compose_file.read_text() == COMPOSE.replace("redis:7", f"redis:7@{DIGEST}")
    assert capsys.readouterr().out == f"{compose_file}:3 redis:7 -> redis:7@{DIGEST}\n"

    pin_command.pin(compose_file)
    assert capsys.readouterr().out == "all images are pinned\n"


def test_pin_that_only_checks_changes_nothing_and_ends_with_1(
    compose_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        pin_command.pin(compose_file, check=True)

    assert end.value.code == 1
    assert compose_file.read_text() == COMPOSE
    assert capsys.readouterr().out == f"{compose_file}:3 redis:7 is not pinned\n"


@pytest.fixture
def pulumi_cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A CLI that prints what stands in a file, or fails where there is none."""
    cli = tmp_path / "pulumi"
    cli.write_text(f"#!/bin/sh\nexec cat {tmp_path}/export.json\n")
    cli.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    return tmp_path / "export.json"


def test_verify_of_a_state_that_cannot_be_read_ends_with_2(
    pulumi_cli: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        verify_command.verify("test")

    assert end.value.code == 2
    assert capsys.readouterr().err == (
        f"slipway: the state of test cannot be read: cat: {pulumi_cli}: No such file or directory\n"
    )


@pytest.mark.parametrize(
    ("passed", "code", "end"),
    [
        (True, None, "ok     web: runs\nverified\n"),
        (
            False,
            1,
            "FAILED web: runs\nnot verified; run pulumi up --stack test, which puts it right "
            "through the gate\n",
        ),
    ],
)
def test_verify_tells_what_it_saw(
    pulumi_cli: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    passed: bool,
    code: int | None,
    end: str,
) -> None:
    class Engine:
        closed = False

        def close(self) -> None:
            Engine.closed = True

    live = {"ledger": {"3": {"number": 3, "time": "noon", "services": {}}}, "containers": {}}
    urn = "urn:pulumi:test::shop::"
    resources = [
        {"urn": f"{urn}pulumi:index:Stash::shop-live", "outputs": {"input": live}},
        {"urn": f"{urn}pulumi:pulumi:Stack::shop-test", "outputs": {"address": "http://here"}},
    ]
    pulumi_cli.write_text(json.dumps({"deployment": {"resources": resources}}))
    monkeypatch.setattr(verify_command, "connect", Engine)
    check = Check("web", passed, "runs")
    monkeypatch.setattr(verify_command, "checks", lambda *args: iter([check]))

    found = None
    try:
        verify_command.verify("test")
    except SystemExit as exit_:
        found = exit_.code

    assert (found, Engine.closed) == (code, True)
    assert capsys.readouterr().out == f"release 3 of test, noon, at http://here\n{end}"
