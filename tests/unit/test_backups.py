import gzip
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker.errors
import pytest

from slipway.backups import KEEP, LogBackup
from slipway.errors import HostError
from slipway.host import Host
from slipway.redact import Redactor

from .support import container

RUN = "20260105T120000Z"
PASSWORD = "correct horse"


class Logs:
    """A host with containers that have printed something."""

    def __init__(self, **logs: list[str]) -> None:
        self.logs = logs
        self.failing: dict[str, Exception] = {}

    def container(self, name: str) -> Any:
        return container(name) if name in self.logs else None

    def log_lines(self, name: str) -> Iterator[str]:
        yield from self.logs[name]
        if name in self.failing:
            raise self.failing[name]


def backup(folder: Path, run: str = RUN) -> LogBackup:
    return LogBackup(folder, "test", run, Redactor([PASSWORD]))


def kept(folder: Path) -> dict[str, str]:
    return {file.name: gzip.decompress(file.read_bytes()).decode() for file in folder.iterdir()}


def test_logs_are_kept_by_container_without_secrets(tmp_path: Path) -> None:
    host = Logs(web=[f"login with {PASSWORD}\n", "é\n"], worker=["API_TOKEN=abcdefgh"])
    found = backup(tmp_path)
    assert found.save(host, ["worker", "web"]) == []  # type: ignore[arg-type]
    assert found.folder == tmp_path / "test" / RUN
    assert kept(found.folder) == {
        "web.log.gz": "login with [secret]\né\n",
        "worker.log.gz": "API_TOKEN=[secret]",
    }
    assert stat.S_IMODE(found.folder.stat().st_mode) == 0o700


def test_container_that_is_gone_is_left_out(tmp_path: Path) -> None:
    found = backup(tmp_path)
    assert found.save(Logs(web=["on\n"]), ["gone", "web"]) == []  # type: ignore[arg-type]
    assert kept(found.folder) == {"web.log.gz": "on\n"}


def test_stack_without_containers_leaves_no_folder(tmp_path: Path) -> None:
    assert backup(tmp_path).save(Logs(), ["gone"]) == []  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "error",
    [HostError("no Docker engine answers"), OSError(28, "No space left on device")],
    ids=["engine", "disk"],
)
def test_log_that_cannot_be_kept_is_told_and_the_others_are_kept(
    tmp_path: Path, error: Exception
) -> None:
    host = Logs(web=["on\n"], worker=["on\n"])
    host.failing["web"] = error
    found = backup(tmp_path)
    problems = found.save(host, ["web", "worker"])  # type: ignore[arg-type]
    assert problems == [f"the log of web could not be kept: {error}"]
    assert kept(found.folder) == {"worker.log.gz": "on\n"}


def test_folder_that_cannot_be_written_is_told_for_each_log(tmp_path: Path) -> None:
    (tmp_path / "test").write_text("a file stands in the folder's place")
    problems = backup(tmp_path).save(Logs(web=[], worker=[]), ["web", "worker"])  # type: ignore[arg-type]
    assert len(problems) == 2
    assert problems[0].startswith("the log of web could not be kept: ")


def test_second_look_at_the_same_run_keeps_the_newer_log(tmp_path: Path) -> None:
    found = backup(tmp_path)
    found.save(Logs(web=["one\n"]), ["web"])  # type: ignore[arg-type]
    found.save(Logs(web=["one\n", "two\n"]), ["web"])  # type: ignore[arg-type]
    assert kept(found.folder) == {"web.log.gz": "one\ntwo\n"}


def test_newest_20_deploys_of_the_stack_are_kept(tmp_path: Path) -> None:
    runs = [f"202601{day:02}T120000Z" for day in range(1, 26)]
    for stack in ("test", "prod"):
        for run in runs:
            (tmp_path / stack / run).mkdir(parents=True)
    (tmp_path / "test/notes.txt").touch()
    backup(tmp_path).prune()
    assert sorted(f.name for f in (tmp_path / "test").iterdir()) == [*runs[-KEEP:], "notes.txt"]
    assert len(list((tmp_path / "prod").iterdir())) == len(runs)


def test_pruning_where_nothing_is_kept_does_nothing(tmp_path: Path) -> None:
    backup(tmp_path).prune()
    assert list(tmp_path.iterdir()) == []


class Api:
    """The part of Docker's client that gives logs."""

    def __init__(self, chunks: list[bytes] | Exception) -> None:
        self.api = self
        self._chunks = chunks
        self.options: dict[str, Any] = {}

    def logs(self, name: str, **options: Any) -> Iterator[bytes]:
        self.options = options
        if isinstance(self._chunks, Exception):
            raise self._chunks
        return iter(self._chunks)


def test_log_is_read_to_its_present_end_and_not_followed() -> None:
    # Docker cuts the stream anywhere, in a line or in a letter.
    api = Api([b"one\ntw", b"o \xc3", b"\xa9\nlast"])
    assert list(Host(api).log_lines("web")) == ["one\n", "two é\n", "last"]
    assert api.options == {"stream": True, "follow": False, "timestamps": True}


def test_log_of_a_container_that_is_gone_is_empty() -> None:
    assert list(Host(Api(docker.errors.NotFound("no such container"))).log_lines("web")) == []
