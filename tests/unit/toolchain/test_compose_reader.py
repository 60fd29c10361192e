from slipway.toolchain import compose_reader
from slipway.toolchain.commands import Outcome
from slipway.toolchain.plan import present

from .fakes import Machine


def test_dockers_own_plugin_is_enough(machine: Machine) -> None:
    machine.commands.on("docker compose version --short", Outcome(0, "2.40.0\n"))
    assert compose_reader.look(machine.host()) == present("docker compose 2.40.0")


def test_else_the_helper_is_built_once_a_version(machine: Machine) -> None:
    machine.go_module("compose-config")
    machine.go_builds()
    host = machine.host()
    assert not compose_reader.look(host).done
    compose_reader.act(host)
    assert compose_reader.look(host) == present("compose-config over compose-go 2.16.2")
    (machine.root / "tools" / "compose-config" / "main.go").write_text("package main\n")
    assert not compose_reader.look(host).done
