from pathlib import Path
from typing import Any

import httpx
import pytest

from slipway import registry
from slipway.commands import pin as pin_command
from slipway.commands.edge import errors_shown
from slipway.errors import HostError, InternalError

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
