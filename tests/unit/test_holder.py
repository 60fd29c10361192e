from dataclasses import replace
from pathlib import Path

import pytest

from slipway.holder import Holder, pid_namespace

GONE = 2**22 + 1


def test_holder_is_read_as_it_was_written() -> None:
    holder = Holder("host.example", 17, 1700000000, "boot:pid:[1]")
    assert str(holder) == "host.example/17/1700000000/boot:pid:[1]"
    assert Holder.parse(str(holder)) == holder
    elsewhere = Holder("host.example", 17, 1700000000)
    assert Holder.parse(str(elsewhere)) == elsewhere


@pytest.mark.parametrize("text", ["", "host", "host/1", "host/1/2", "host/one/2/", "a/b/1/2/c"])
def test_text_that_names_no_holder_is_none(text: str) -> None:
    assert Holder.parse(text) is None


def test_this_process_is_not_dead() -> None:
    assert not Holder.current().dead


def test_process_that_is_gone_is_dead() -> None:
    assert replace(Holder.current(), pid=GONE).dead


@pytest.mark.parametrize(
    "other",
    [{"host": "elsewhere"}, {"namespace": "another boot:pid:[1]"}, {"namespace": ""}],
)
def test_process_of_another_machine_or_container_is_never_called_dead(
    other: dict[str, str],
) -> None:
    assert not replace(Holder.current(), pid=GONE, **other).dead


def test_namespace_is_that_of_a_boot_and_of_a_container(tmp_path: Path) -> None:
    (tmp_path / "sys/kernel/random").mkdir(parents=True)
    (tmp_path / "sys/kernel/random/boot_id").write_text("1f0c-aa\n")
    (tmp_path / "self/ns").mkdir(parents=True)
    (tmp_path / "self/ns/pid").symlink_to("pid:[4026531836]")
    assert pid_namespace(tmp_path) == "1f0c-aa:pid:[4026531836]"


def test_namespace_is_empty_where_the_system_names_none(tmp_path: Path) -> None:
    assert pid_namespace(tmp_path) == ""
