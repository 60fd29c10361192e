import socket
from pathlib import Path

from slipway.toolchain import ports
from slipway.toolchain.commands import Outcome

from .fakes import FakeCommands


def test_a_container_is_named() -> None:
    commands = FakeCommands()
    commands.on("docker ps --filter publish=5000", Outcome(0, "other (registry:3)\n"))
    assert ports.owner(5000, commands) == "container other (registry:3)"


def test_a_process_is_found_through_its_socket(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "tcp").write_text(
        "  sl  local_address rem_address   st tx:rx tr:when retrnsmt uid timeout inode\n"
        "   0: 0100007F:1388 00000000:0000 0A 0:0 00:0 0 0 0 4242 1\n"
        "   1: 0100007F:1389 00000000:0000 0A 0:0 00:0 0 0 0 4343 1\n"
    )
    for pid, inode in (("77", 4343), ("78", 4242)):
        (tmp_path / pid / "fd").mkdir(parents=True)
        (tmp_path / pid / "fd" / "3").symlink_to(f"socket:[{inode}]")
        (tmp_path / pid / "comm").write_text(f"program-{pid}\n")
    assert ports.owner(5000, FakeCommands(), tmp_path) == "process 78 (program-78)"
    assert ports.owner(6000, FakeCommands(), tmp_path).startswith("a process of another user")


def test_a_listening_port_is_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert ports.in_use(port)
    assert not ports.in_use(port)
