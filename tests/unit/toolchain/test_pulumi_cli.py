import hashlib
import io
import platform
import tarfile

import pytest

from slipway.toolchain import pulumi_cli
from slipway.toolchain.commands import Outcome
from slipway.toolchain.errors import SetupError
from slipway.toolchain.plan import present

from .fakes import Machine, executable

NAME = pulumi_cli.archive_name("Linux", "x86_64")
URL = f"{pulumi_cli.RELEASES}/{NAME}"


@pytest.fixture(autouse=True)
def a_common_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")


def archive() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name in pulumi_cli.PROGRAMS:
            member = tarfile.TarInfo(f"pulumi/{name}")
            member.mode, member.size = 0o755, 4
            tar.addfile(member, io.BytesIO(b"#!sh"))
    return packed.getvalue()


def serve(machine: Machine, checksum: str | None) -> None:
    machine.downloads.served[URL] = archive()
    if checksum is not None:
        machine.downloads.served[pulumi_cli.CHECKSUMS] = f"{checksum}  {NAME}\n".encode()


def ours_answers(machine: Machine) -> None:
    program = machine.host().places.bin / "pulumi"
    machine.commands.on(f"{program} version", Outcome(0, "v3.256.0\n"))


@pytest.mark.parametrize(
    ("system", "processor", "name"),
    [
        ("Linux", "x86_64", "pulumi-v3.256.0-linux-x64.tar.gz"),
        ("Linux", "aarch64", "pulumi-v3.256.0-linux-arm64.tar.gz"),
        ("Darwin", "arm64", "pulumi-v3.256.0-darwin-arm64.tar.gz"),
        ("Linux", "riscv64", None),
        ("FreeBSD", "amd64", None),
    ],
)
def test_archives_are_named_as_published(system: str, processor: str, name: str | None) -> None:
    assert pulumi_cli.archive_name(system, processor) == name


def test_an_installed_cli_that_is_new_enough_is_used(machine: Machine) -> None:
    program = executable(machine.path / "pulumi")
    executable(machine.path / "pulumi-language-python")
    machine.commands.on(f"{program} version", Outcome(0, "v3.260.1\n"))
    assert pulumi_cli.look(machine.host()) == present(f"3.260.1 at {program}")


@pytest.mark.parametrize("version", ["v3.255.0\n", "v3.99.0\n", ""])
def test_an_installed_cli_that_is_too_old_is_not_used(machine: Machine, version: str) -> None:
    program = executable(machine.path / "pulumi")
    executable(machine.path / "pulumi-language-python")
    machine.commands.on(f"{program} version", Outcome(0, version))
    assert not pulumi_cli.look(machine.host()).done


def test_an_installed_cli_without_python_is_not_used(machine: Machine) -> None:
    program = executable(machine.path / "pulumi")
    machine.commands.on(f"{program} version", Outcome(0, "v3.256.0\n"))
    assert not pulumi_cli.look(machine.host()).done


def test_the_official_archive_is_verified_and_put_on_path(machine: Machine) -> None:
    serve(machine, hashlib.sha256(archive()).hexdigest())
    ours_answers(machine)
    host = machine.host()
    pulumi_cli.act(host)
    assert pulumi_cli.look(host) == present(f"3.256.0 at {host.places.bin / 'pulumi'}")
    assert machine.said == [f"    downloading {URL}"]
    assert list(host.places.scratch.iterdir()) == []


def test_a_wrong_checksum_ends_the_set_up_and_installs_nothing(machine: Machine) -> None:
    serve(machine, "0" * 64)
    with pytest.raises(SetupError, match=f"but {'0' * 64} is published for it"):
        pulumi_cli.act(machine.host())
    assert not machine.host().places.bin.exists()


def test_missing_checksums_are_said_aloud(machine: Machine) -> None:
    serve(machine, None)
    pulumi_cli.act(machine.host())
    assert machine.said[1].startswith("    not compared with the published checksums: ")


def test_a_broken_archive_leads_to_the_build(machine: Machine) -> None:
    machine.downloads.served[URL] = b"<html>log in to this network</html>"
    machine.go_module("pulumi")
    with pytest.raises(SetupError, match="there is no `go` on PATH"):
        pulumi_cli.act(machine.host())
    assert "is not a valid archive" in machine.said[-1]


def test_without_a_network_it_is_built_once(machine: Machine) -> None:
    machine.go_module("pulumi")
    machine.go_module("pulumi-language-python")
    machine.go_builds()
    sdk = machine.root / "sdk"
    executable(sdk / "python" / "cmd" / "pulumi-language-python-exec")
    machine.commands.on("go list", Outcome(0, f"{sdk}\n"))
    ours_answers(machine)
    host = machine.host()
    pulumi_cli.act(host)
    pulumi_cli.act(host)
    assert pulumi_cli.look(host).done
    assert len(machine.commands.ran("go build")) == 2


def test_without_network_and_go_the_message_says_which_go(machine: Machine) -> None:
    machine.go_module("pulumi", "1.25.11")
    with pytest.raises(SetupError, match=r"install Go 1\.25\.11 or newer"):
        pulumi_cli.act(machine.host())


def test_a_failed_build_shows_the_compilers_words(machine: Machine) -> None:
    machine.go_module("pulumi")
    machine.commands.programs.add("go")
    machine.commands.on("go build", Outcome(1, "main.go:3: undefined: x"))
    with pytest.raises(SetupError, match=r"\| main\.go:3: undefined: x"):
        pulumi_cli.act(machine.host())
