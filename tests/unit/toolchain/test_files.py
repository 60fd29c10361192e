import stat
import threading
from pathlib import Path

from slipway.toolchain import files
from slipway.toolchain.lock import exclusive


def test_a_secret_file_is_private_and_leaves_no_temporary(tmp_path: Path) -> None:
    files.write(tmp_path / "new" / "secret", "x", mode=0o600)
    assert stat.S_IMODE((tmp_path / "new" / "secret").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["secret"]


def test_a_link_replaces_whatever_was_there(tmp_path: Path) -> None:
    (tmp_path / "tool").write_text("old")
    files.link(tmp_path / "tool", tmp_path / "new")
    files.link(tmp_path / "tool", tmp_path / "newer")
    assert (tmp_path / "tool").readlink() == tmp_path / "newer"


def test_variables_come_back_as_written(tmp_path: Path) -> None:
    file = tmp_path / "images.env"
    assert files.read_variables(file) == {}
    files.write_variables(file, {"B": "x@sha256:1=2", "A": "1"})
    assert file.read_text() == "A=1\nB=x@sha256:1=2\n"
    assert files.read_variables(file) == {"A": "1", "B": "x@sha256:1=2"}


def test_a_second_bootstrap_waits_and_says_for_whom(tmp_path: Path) -> None:
    said: list[str] = []
    order: list[str] = []

    def second() -> None:
        with exclusive(tmp_path / "lock", said.append):
            order.append("second")

    with exclusive(tmp_path / "lock", said.append):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.3)
        order.append("first")
    thread.join(5)
    assert order == ["first", "second"]
    assert len(said) == 1
    assert said[0].endswith("is at work; waiting for it")
