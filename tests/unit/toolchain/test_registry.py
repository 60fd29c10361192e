from collections.abc import Sequence
from pathlib import Path

import pytest

from slipway.toolchain import ports, registry
from slipway.toolchain.commands import Outcome
from slipway.toolchain.errors import SetupError
from slipway.toolchain.plan import missing, present

from .fakes import DONE, Machine

STATE = "docker container inspect --format {{.State.Status}}"
LABEL = "docker container inspect --format {{index"


@pytest.fixture(autouse=True)
def no_real_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "in_use", lambda port: False)
    monkeypatch.setattr(registry, "answers", lambda: True)


def act(machine: Machine) -> None:
    registry.act(machine.host(), lambda: "base")


def test_a_registry_of_the_users_own_needs_nothing(machine: Machine) -> None:
    host = machine.host(SLIPWAY_REGISTRY="registry.example.com/team/")
    assert registry.look(host) == present("registry.example.com/team, as SLIPWAY_REGISTRY says")


def test_a_container_that_runs_and_answers_is_enough(machine: Machine) -> None:
    machine.commands.on(STATE, Outcome(0, "running\n"))
    assert registry.look(machine.host()) == present("localhost:5000, container slipway-registry")


def test_a_stopped_container_is_missing(machine: Machine) -> None:
    machine.commands.on(STATE, Outcome(0, "exited\n"))
    assert registry.look(machine.host()) == missing("container slipway-registry is exited")


def test_a_taken_port_names_who_has_it(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "in_use", lambda port: True)
    machine.commands.on("docker ps --filter publish=5000", Outcome(0, "airplay (receiver:1)\n"))
    with pytest.raises(SetupError, match=r"is taken by container airplay \(receiver:1\)"):
        act(machine)


def test_a_container_of_someone_else_is_not_touched(machine: Machine) -> None:
    machine.commands.on(STATE, Outcome(0, "exited\n"))
    machine.commands.on(LABEL, Outcome(0, "\n"))
    with pytest.raises(SetupError, match="that Slipway did not make"):
        act(machine)
    assert machine.commands.ran("docker rm") == []


def test_a_remote_engine_needs_a_registry_that_both_reach(machine: Machine) -> None:
    with pytest.raises(SetupError, match="set SLIPWAY_REGISTRY"):
        registry.act(machine.host(DOCKER_HOST="ssh://kim@server"), lambda: "base")


def test_the_official_image_is_tried_first(machine: Machine) -> None:
    machine.commands.on("docker pull registry:2")
    machine.commands.on("docker tag")
    machine.commands.on("docker run")
    act(machine)
    assert machine.commands.ran("docker tag") == ["docker tag registry:2 slipway/registry:2"]
    assert machine.commands.ran("docker run") == [
        "docker run --name slipway-registry --label slipway.role=registry --detach "
        "--restart unless-stopped --publish 127.0.0.1:5000:5000 "
        "--volume slipway-registry:/var/lib/registry "
        "--env REGISTRY_STORAGE_DELETE_ENABLED=true slipway/registry:2"
    ]


def test_without_the_official_image_one_is_built_on_the_base(machine: Machine) -> None:
    files: dict[str, str] = {}

    def build(argv: Sequence[str]) -> Outcome:
        files.update({path.name: path.read_text() for path in Path(argv[-1]).iterdir()})
        return DONE

    machine.commands.on("docker build", build)
    machine.commands.on("docker run")
    act(machine)
    assert files["Dockerfile"].startswith("FROM base\n")
    assert "addr: :5000" in files["config.yml"]


def test_a_stopped_registry_is_made_anew_on_its_volume(machine: Machine) -> None:
    machine.commands.on(STATE, Outcome(0, "exited\n"))
    machine.commands.on(LABEL, Outcome(0, "registry\n"))
    machine.commands.on("docker image inspect slipway/registry:2")
    machine.commands.on("docker run")
    act(machine)
    assert machine.commands.ran("docker rm") == ["docker rm --force slipway-registry"]
    assert len(machine.commands.ran("docker run")) == 1
