from collections.abc import Sequence
from pathlib import Path

import pytest

from slipway.toolchain import docker_engine
from slipway.toolchain.commands import Outcome
from slipway.toolchain.errors import SetupError
from slipway.toolchain.plan import missing, present

from .fakes import Machine

REFUSED = Outcome(1, "", "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.")
DENIED = Outcome(1, "", "permission denied while trying to connect to the Docker daemon socket")
ANSWER = Outcome(0, "20.10.24\n")


@pytest.fixture(autouse=True)
def no_real_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(docker_engine, "_PID", tmp_path / "docker.pid")
    monkeypatch.setattr(docker_engine, "_SYSTEMD", tmp_path / "systemd")
    monkeypatch.setattr(docker_engine, "PATIENCE", 0.4)


def answers_once_started(machine: Machine) -> None:
    def version(argv: Sequence[str]) -> Outcome:
        return ANSWER if machine.commands.daemons else REFUSED

    machine.commands.on("docker version", version)


def test_an_engine_that_answers_is_left_alone(machine: Machine) -> None:
    machine.commands.programs.add("docker")
    machine.commands.on("docker version", ANSWER)
    machine.commands.on("docker info", Outcome(0, "20.10.24, overlay2, cgroup v2\n"))
    assert docker_engine.look(machine.host()) == present("20.10.24, overlay2, cgroup v2")


def test_a_silent_engine_is_missing_with_dockers_words(machine: Machine) -> None:
    machine.commands.programs.add("docker")
    machine.commands.on("docker version", REFUSED)
    assert docker_engine.look(machine.host()) == missing(f"does not answer: {REFUSED.stderr}")


def test_no_daemon_is_started_when_the_user_names_an_engine(machine: Machine) -> None:
    machine.commands.programs |= {"docker", "dockerd"}
    with pytest.raises(SetupError, match="does not answer at DOCKER_HOST=ssh://kim@server"):
        docker_engine.act(machine.host(DOCKER_HOST="ssh://kim@server"))
    assert machine.commands.daemons == []


@pytest.mark.parametrize(
    ("programs", "answer", "advice"),
    [
        ({"docker"}, DENIED, r"sudo usermod -aG docker \$USER, log out and in"),
        ({"docker"}, REFUSED, r"start it \(sudo dockerd\) or point DOCKER_HOST"),
        (set(), REFUSED, r"install Docker \(docs.docker.com/engine/install\)"),
    ],
)
def test_who_is_not_root_is_told_what_to_do(
    machine: Machine, programs: set[str], answer: Outcome, advice: str
) -> None:
    machine.commands.programs |= programs
    machine.commands.on("docker version", answer)
    with pytest.raises(SetupError, match=advice):
        docker_engine.act(machine.host(is_root=False))
    assert machine.commands.daemons == []


def test_systemd_starts_its_own_service(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "systemd").mkdir()
    machine.commands.programs |= {"docker", "dockerd"}
    machine.commands.on("docker version", REFUSED)

    def start(argv: Sequence[str]) -> Outcome:
        machine.commands.on("docker version", ANSWER)
        return Outcome(0)

    machine.commands.on("systemctl start docker", start)
    docker_engine.act(machine.host())
    assert machine.commands.daemons == []


def test_root_gets_missing_packages_and_a_daemon(machine: Machine) -> None:
    machine.commands.programs |= {"apt-get", "iptables"}
    answers_once_started(machine)
    machine.commands.on("apt-get", Outcome(0))
    docker_engine.act(machine.host())
    assert machine.commands.daemons == ["dockerd"]
    assert "docker.io iptables" in machine.commands.ran("apt-get")[0]


def test_a_daemon_that_is_starting_already_is_waited_for(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.commands.programs |= {"docker", "dockerd", "iptables"}
    monkeypatch.setattr(docker_engine, "_running_dockerd", lambda: 123)
    attempts = iter([REFUSED, ANSWER])
    machine.commands.on("docker version", lambda argv: next(attempts))
    docker_engine.act(machine.host())
    assert machine.commands.daemons == []


def test_a_kernel_without_nf_tables_gets_the_legacy_iptables(machine: Machine) -> None:
    machine.commands.programs |= {"docker", "dockerd", "iptables", "iptables-legacy"}
    log = machine.host().places.cache / "dockerd.log"
    log.parent.mkdir(parents=True)
    log.write_text("failed to start: iptables failed: Could not fetch rule set generation id\n")
    machine.commands.on("docker version", REFUSED)

    def switch(argv: Sequence[str]) -> Outcome:
        machine.commands.on("docker version", ANSWER)
        return Outcome(0)

    machine.commands.on("update-alternatives --set iptables /usr/bin/iptables-legacy", switch)
    docker_engine.act(machine.host())
    assert any("switching to iptables-legacy" in line for line in machine.said)


def test_a_daemon_that_fails_shows_the_end_of_its_log(machine: Machine) -> None:
    machine.commands.programs |= {"docker", "dockerd", "iptables"}
    log = machine.host().places.cache / "dockerd.log"
    log.parent.mkdir(parents=True)
    log.write_text("failed to start daemon: no space left on device\n")
    machine.commands.on("docker version", REFUSED)
    with pytest.raises(SetupError, match=r"\| failed to start daemon: no space left on device"):
        docker_engine.act(machine.host())


@pytest.mark.parametrize(
    ("address", "remote"),
    [("", False), ("unix:///run/docker.sock", False), ("ssh://kim@server", True)],
)
def test_remote_engines_are_told_by_their_address(
    machine: Machine, address: str, remote: bool
) -> None:
    assert docker_engine.is_remote(machine.host(DOCKER_HOST=address)) is remote
