import pytest

from slipway.toolchain import apt
from slipway.toolchain.commands import Outcome
from slipway.toolchain.errors import SetupError

from .fakes import DONE, Machine


def test_stale_package_lists_are_renewed_before_giving_up(machine: Machine) -> None:
    machine.commands.programs.add("apt-get")
    results = iter([Outcome(100, "E: Unable to locate package mmdebstrap"), DONE, DONE])
    machine.commands.on("apt-get", lambda argv: next(results))
    apt.install(machine.host(), ["mmdebstrap"], "the base image")
    assert [call.split()[6] for call in machine.commands.calls] == ["install", "update", "install"]


def test_an_interrupted_dpkg_is_mended(machine: Machine) -> None:
    machine.commands.programs.add("apt-get")
    results = iter([Outcome(100, "E: dpkg was interrupted, you must …"), DONE, DONE])
    machine.commands.on("apt-get", lambda argv: next(results))
    machine.commands.on("dpkg --configure -a")
    apt.install(machine.host(), ["iptables"], "Docker Engine")
    assert machine.commands.ran("dpkg") == ["dpkg --configure -a"]


def test_apts_own_words_are_shown(machine: Machine) -> None:
    machine.commands.programs.add("apt-get")
    machine.commands.on("apt-get", Outcome(100, "E: no space left"))
    with pytest.raises(SetupError, match=r"could not install iptables\n    \| E: no space left"):
        apt.install(machine.host(), ["iptables"], "Docker Engine")


@pytest.mark.parametrize("programs", [set(), {"apt-get"}])
def test_without_the_means_the_user_is_told_what_to_install(
    machine: Machine, programs: set[str]
) -> None:
    machine.commands.programs |= programs
    with pytest.raises(SetupError, match="sudo apt-get install iptables"):
        apt.install(machine.host(is_root=False), ["iptables"], "Docker Engine")
