import json
import stat

import pytest

from slipway.toolchain import backend
from slipway.toolchain.commands import Outcome
from slipway.toolchain.errors import SetupError
from slipway.toolchain.plan import missing, present

from .fakes import Machine


def project(machine: Machine, *stacks: str) -> None:
    (machine.root / "Pulumi.yaml").write_text("name: quotes\n")
    (machine.root / "stacks").mkdir()
    for name in stacks:
        (machine.root / "stacks" / f"Pulumi.{name}.yaml").write_text("config: {}\n")


def test_the_passphrase_is_private_and_never_changed(machine: Machine) -> None:
    host = machine.host()
    assert backend.look(host) == missing("no state folder, no passphrase")
    backend.act(host)
    first = host.places.passphrase.read_text()
    backend.act(host)
    assert host.places.passphrase.read_text() == first
    assert len(first.strip()) >= 40
    assert stat.S_IMODE(host.places.passphrase.stat().st_mode) == 0o600
    assert backend.look(host) == present(f"file://{machine.root}/.slipway/state?metadata=skip")


def test_a_passphrase_that_others_can_read_is_closed(machine: Machine) -> None:
    host = machine.host()
    backend.act(host)
    host.places.passphrase.chmod(0o644)
    assert backend.look(host) == missing("others can read the passphrase file")
    backend.act(host)
    assert backend.look(host).done


def test_the_users_own_backend_and_passphrase_are_left_alone(machine: Machine) -> None:
    host = machine.host(PULUMI_BACKEND_URL="s3://state", PULUMI_CONFIG_PASSPHRASE="x")
    assert backend.look(host) == present("s3://state")
    backend.act(host)
    assert not host.places.private.exists()


def test_stacks_wait_for_a_project(machine: Machine) -> None:
    assert backend.look_stacks(machine.host()) == present("skipped: no Pulumi.yaml here yet")


def test_only_stacks_that_the_backend_lacks_are_made(machine: Machine) -> None:
    project(machine, "prod", "test")
    known = json.dumps([{"name": "test"}])
    machine.commands.on("pulumi stack ls --json", Outcome(0, known))
    machine.commands.on("pulumi stack init")
    host = machine.host()
    assert backend.look_stacks(host) == missing("the backend does not know prod")
    backend.act_stacks(host)
    assert machine.commands.ran("pulumi stack init") == [
        "pulumi stack init prod --no-select --non-interactive"
    ]


def test_stacks_of_an_organisation_are_known_by_their_last_name(machine: Machine) -> None:
    project(machine, "prod")
    known = json.dumps([{"name": "team/prod"}])
    machine.commands.on("pulumi stack ls --json", Outcome(0, known))
    assert backend.look_stacks(machine.host()) == present("prod")


def test_a_foreign_salt_is_explained(machine: Machine) -> None:
    project(machine, "prod")
    machine.commands.on("pulumi stack ls --json", Outcome(0, "[]"))
    machine.commands.on("pulumi stack init", Outcome(255, "", "error: incorrect passphrase"))
    with pytest.raises(SetupError, match=r"(?s)incorrect passphrase.*has an encryptionsalt"):
        backend.act_stacks(machine.host())
