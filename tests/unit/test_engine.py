import json
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from slipway.engine import Engine
from slipway.errors import HostError

_PATIENCE = 10.0
HEAD = f"""\
#!{sys.executable}
import json, os, signal, subprocess, sys, time
from pathlib import Path
folder = Path(__file__).parent
log = Path(sys.argv[sys.argv.index("--event-log") + 1]) if "--event-log" in sys.argv else None
"""


class Cli:
    """A `pulumi` on PATH that does what a test writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.engine = Engine(folder, "test")

    def does(self, *lines: str) -> None:
        file = self.folder / "pulumi"
        file.write_text(HEAD + "\n".join(lines) + "\n")
        file.chmod(0o755)

    def told(self, name: str) -> str:
        """What it wrote into a file, as soon as it is there."""
        file, end = self.folder / name, time.monotonic() + _PATIENCE
        while not (file.exists() and file.read_text()):
            assert time.monotonic() < end, f"the CLI wrote no {name}"
            time.sleep(0.02)
        return file.read_text()


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    return Cli(tmp_path)


def ignore(event: Mapping[str, Any]) -> None:
    """Nobody looks at the events."""


def test_command_concerns_the_stack_and_gives_what_it_printed(cli: Cli) -> None:
    cli.does(
        "print(json.dumps(sys.argv[1:])); print('beside', file=sys.stderr)",
        "print(os.environ['GIVEN'], os.getcwd()); sys.exit(3)",
    )
    ended = cli.engine.run("stack", "ls", environ={"GIVEN": "value"})
    words, rest = ended.output.splitlines()
    assert json.loads(words) == ["--non-interactive", "stack", "ls", "--stack", "test"]
    assert (rest, ended.errors, ended.code) == (f"value {cli.folder}", "beside", 3)


def test_update_has_no_preview_and_the_users_options(cli: Cli) -> None:
    cli.does("print(json.dumps(sys.argv[1:]))")
    words = json.loads(cli.engine.update(ignore, {}, ["--refresh"]).output)
    assert words[:5] == ["--non-interactive", "up", "--yes", "--skip-preview", "--refresh"]
    assert words[-2:] == ["--stack", "test"]


def test_preview_tells_its_events_too(cli: Cli) -> None:
    cli.does("assert sys.argv[2] == 'preview'", "log.write_text('{\"sequence\": 1}\\n')")
    seen: list[Any] = []
    assert cli.engine.preview(seen.append, {}).code == 0
    assert seen == [{"sequence": 1}]


def test_cli_has_a_session_of_its_own_and_no_terminal(cli: Cli) -> None:
    cli.does("print(os.getsid(0) == os.getpid(), sys.stdin.read() == '')")
    assert cli.engine.run("up").output == "True True"


def test_events_are_told_while_the_cli_runs_and_to_the_last(cli: Cli) -> None:
    cli.does(
        "with log.open('a') as out:",
        '    out.write(\'{"sequence": 1}\\n{"seq\'); out.flush()',
        "    while not (folder / 'seen').exists(): time.sleep(0.01)",
        "    out.write('uence\": 2}\\n'); out.flush()",
        "    for number in range(3, 2001): out.write(json.dumps({'sequence': number}) + '\\n')",
    )
    seen: list[int] = []

    def take(event: Mapping[str, Any]) -> None:
        seen.append(event["sequence"])
        (cli.folder / "seen").touch()

    assert cli.engine.update(take, {}).code == 0
    assert seen == list(range(1, 2001))


def test_what_fails_at_an_event_is_told_once_the_cli_has_ended(cli: Cli) -> None:
    cli.does("log.write_text('{}\\n')", "time.sleep(0.3)", "(folder / 'ended').write_text('yes')")

    def fail(event: Mapping[str, Any]) -> None:
        raise ValueError("an event of a kind that nobody knows")

    with pytest.raises(ValueError, match="nobody knows"):
        cli.engine.update(fail, {})
    assert cli.told("ended") == "yes"


def test_what_is_left_of_a_session_is_killed_in_whatever_group_it_is(cli: Cli) -> None:
    cli.does(
        "begin = lambda **how: str(subprocess.Popen(['sleep', '60'], **how).pid)",
        "pids = [begin(), begin(process_group=0)]",
        "(folder / 'pids').write_text(' '.join(pids))",
        "os.kill(os.getpid(), signal.SIGKILL)",
    )
    # Their pipes are the CLI's: while they lived, its output would have no end.
    ended = cli.engine.run("up")
    assert ended.code == -signal.SIGKILL
    for pid in map(int, cli.told("pids").split()):
        assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie"


def test_session_of_somebody_else_is_left_alone(cli: Cli) -> None:
    cli.does(
        "quiet = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)",
        "other = subprocess.Popen(['sleep', '60'], start_new_session=True, **quiet)",
        "(folder / 'pid').write_text(str(other.pid))",
    )
    cli.engine.run("up")
    other = psutil.Process(int(cli.told("pid")))
    assert other.status() != "zombie"
    other.kill()


COUNTS_SIGNALS = (
    "def count(*_): (folder / 'asked').open('a').write('x')",
    "signal.signal(signal.SIGINT, count)",
    "(folder / 'ready').write_text('yes')",
    "end = time.time() + 1.5",
    "while time.time() < end: time.sleep(0.05)",
)


def test_update_is_asked_to_stop_as_often_as_somebody_asks(cli: Cli) -> None:
    cli.does(*COUNTS_SIGNALS)
    update = threading.Thread(target=cli.engine.update, args=(ignore, {}))
    update.start()
    cli.told("ready")
    cli.engine.interrupt()
    cli.told("asked")
    cli.engine.interrupt()
    update.join()
    assert cli.told("asked") == "xx"


def test_reading_is_not_asked_to_stop(cli: Cli) -> None:
    cli.does(*COUNTS_SIGNALS)
    reading = threading.Thread(target=cli.engine.run, args=("stack", "export"))
    reading.start()
    cli.told("ready")
    cli.engine.interrupt()
    reading.join()
    assert not (cli.folder / "asked").exists()


def test_nothing_is_asked_to_stop_where_nothing_runs(cli: Cli) -> None:
    cli.engine.interrupt()


def test_state_and_configuration_are_read_as_values(cli: Cli) -> None:
    cli.does(
        "config = {'slipway:port': {'value': '8000'}, 'slipway:secrets': {'secret': True}}",
        "print(json.dumps(config if sys.argv[2] == 'config' else {'version': 3}))",
    )
    assert cli.engine.export() == {"version": 3}
    assert cli.engine.configuration() == {"slipway:port": "8000", "slipway:secrets": ""}


@pytest.mark.parametrize("shown", [True, False])
def test_secrets_of_the_state_are_shown_only_where_they_are_asked_for(
    cli: Cli, shown: bool
) -> None:
    cli.does("print(json.dumps({'shown': '--show-secrets' in sys.argv}))")
    assert cli.engine.export(secrets=shown) == {"shown": shown}


def test_stack_without_configuration_has_an_empty_one(cli: Cli) -> None:
    cli.does("pass")
    assert cli.engine.configuration() == {}


@pytest.mark.parametrize(
    ("value", "words"),
    [("7", ["config", "set", "slipway:pin", "7"]), (None, ["config", "rm", "slipway:pin"])],
)
def test_key_is_set_or_removed(cli: Cli, value: str | None, words: list[str]) -> None:
    cli.does("(folder / 'words').write_text(json.dumps(sys.argv[2:]))")
    cli.engine.configure("slipway:pin", value)
    assert json.loads(cli.told("words")) == [*words, "--stack", "test"]


def test_backend_that_does_not_answer_is_told_with_its_words(cli: Cli) -> None:
    cli.does("print('error: no such bucket', file=sys.stderr); sys.exit(255)")
    with pytest.raises(HostError, match=r"^the state of .* read: error: no such bucket$"):
        cli.engine.export()
    with pytest.raises(HostError, match=r"^the configuration of .* read: error: no such bucket$"):
        cli.engine.configuration()
    with pytest.raises(
        HostError, match=r"^slipway:pin could not be written: error: no such bucket$"
    ):
        cli.engine.configure("slipway:pin", "1")
