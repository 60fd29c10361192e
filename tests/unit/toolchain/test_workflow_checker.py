import pytest

from slipway.toolchain import workflow_checker
from slipway.toolchain.errors import SetupError
from slipway.toolchain.plan import missing, present

from .fakes import Machine


def test_machine_without_go_is_told_what_to_install(machine: Machine) -> None:
    machine.go_module("actionlint", "1.25.0")
    with pytest.raises(SetupError, match="there is no `go` on PATH"):
        workflow_checker.act(machine.host())


def test_checker_is_built_once_a_version(machine: Machine) -> None:
    machine.go_module("actionlint", "1.25.0")
    machine.go_builds()
    host = machine.host()
    assert workflow_checker.look(host) == missing("no actionlint 1.7.12")
    workflow_checker.act(host)
    assert workflow_checker.look(host) == present("actionlint 1.7.12")
    workflow_checker.act(host)
    assert len(machine.commands.ran("go build")) == 1
    (machine.root / "tools/actionlint/go.sum").write_text("another version\n")
    assert not workflow_checker.look(host).done
