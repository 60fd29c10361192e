from pathlib import Path

import pytest

from slipway.doctor.facts import Disk, Engine, Passphrase, Unread
from slipway.doctor.findings import Finding, Level, ok, problem, warning
from slipway.doctor.machine_checks import (
    check_backend,
    check_cli,
    check_disks,
    check_engine,
    check_machine,
    check_passphrase,
    check_plugin,
    check_registries,
)

from .support import GB, machine

ROOT = Path("/var/lib/docker")


def disk(free: int, total: int = 100 * GB, device: int = 1, holds: str = "Docker") -> Disk:
    return Disk(holds, ROOT, free, total, device)


def levels(*disks: Disk | Unread) -> list[Level]:
    return [finding.level for finding in check_disks(machine(disks=disks))]


def test_healthy_machine_has_no_finding_but_ok() -> None:
    found = check_machine(machine())
    assert {finding.level for finding in found} == {Level.OK}
    assert [finding.check for finding in found] == [
        *("engine", "pulumi", "plugin", "registry", "disk", "backend", "passphrase")
    ]


def test_engine_that_does_not_answer_is_a_problem() -> None:
    assert check_engine(machine(engine=Unread("no Docker engine answers; start it"))) == problem(
        "engine",
        "no Docker engine answers",
        "nothing can be released, and what serves cannot be looked at",
        "scripts/bootstrap, or: systemctl start docker",
    )


def test_engine_of_another_machine_is_told() -> None:
    found = check_engine(machine(engine=Engine("28.0.4", ROOT, False)))
    assert found == ok("engine", "Docker 28.0.4 answers, on another machine")


@pytest.mark.parametrize(
    ("version", "level"),
    [("3.237.9", Level.PROBLEM), ("3.238.0", Level.OK), ("4.0.0", Level.OK),
     ("3.238.0-dev.1", Level.OK), ("", Level.PROBLEM)],
)  # fmt: skip
def test_cli_that_lets_failed_hooks_pass_is_a_problem(version: str, level: Level) -> None:
    assert check_cli(machine(cli=version)).level is level


def test_cli_that_is_missing_is_a_problem() -> None:
    assert check_cli(machine(cli=Unread("there is no pulumi on PATH"))) == problem(
        "pulumi",
        "there is no pulumi on PATH",
        "no stack can be read or released",
        "scripts/bootstrap, then: . scripts/activate",
    )


def test_plugin_that_is_missing_is_a_problem() -> None:
    assert check_plugin(machine(plugins=())).level is Level.PROBLEM
    assert check_plugin(machine(plugins=Unread("x"))).what == "not looked at: x"


def test_each_registry_is_told_by_itself() -> None:
    registries = {
        "reg.example.com": "the registry reg.example.com cannot be reached (x); check it",
        "localhost:5000": "the registry localhost:5000 cannot be reached (y); run it",
        "other:5000": None,
    }
    why = "images can neither be looked up nor pushed, so that no release can begin"
    assert list(check_registries(machine(registries=registries))) == [
        problem(
            "registry",
            "the registry localhost:5000 cannot be reached (y)",
            why,
            "scripts/bootstrap",
        ),
        ok("registry", "other:5000 answers"),
        problem(
            "registry",
            "the registry reg.example.com cannot be reached (x)",
            why,
            "curl -i https://reg.example.com/v2/",
        ),
    ]


@pytest.mark.parametrize(
    ("free", "total", "level"),
    [
        (GB - 1, 10 * GB, Level.PROBLEM),
        (GB, 5 * GB, Level.WARNING),
        (5 * GB - 1, 10 * GB, Level.WARNING),
        (5 * GB, 10 * GB, Level.OK),
        (9 * GB, 100 * GB, Level.WARNING),
        (10 * GB, 100 * GB, Level.OK),
    ],
)
def test_space_is_judged_by_bytes_and_by_share(free: int, total: int, level: Level) -> None:
    assert levels(disk(free, total)) == [level]


def test_space_of_one_file_system_is_told_once() -> None:
    disks = (disk(60 * GB), disk(60 * GB, holds="the state"), disk(GB // 2, device=2))
    found = list(check_disks(machine(disks=disks)))
    assert [finding.what for finding in found] == [
        "60 GB of 100 GB free for Docker and the state (/var/lib/docker)",
        "500 MB of 100 GB free for Docker (/var/lib/docker)",
    ]


def test_disk_of_another_machine_is_not_judged() -> None:
    assert levels(Unread("Docker's folder is on another machine")) == [Level.OK]


def test_backend_that_does_not_answer_is_a_problem() -> None:
    found = check_backend(machine(backend=Unread("it is down")))
    assert (found.level, found.what) == (Level.PROBLEM, "it is down")
    assert check_backend(machine(backend=())) == ok("backend", "has no stacks")


@pytest.mark.parametrize(
    ("mode", "what"),
    [(0o644, "/p has the mode 0644"), (0o640, "/p has the mode 0640"), (None, "there is no /p")],
)
def test_passphrase_that_others_can_read_or_nobody_is_a_problem(
    mode: int | None, what: str
) -> None:
    found = check_passphrase(machine(passphrase=Passphrase(Path("/p"), mode)))
    assert (found.level, found.what) == (Level.PROBLEM, what)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_passphrase_of_its_owner_alone_is_well(mode: int) -> None:
    found = check_passphrase(machine(passphrase=Passphrase(Path("/p"), mode)))
    assert found == ok("passphrase", "/p is its owner's alone")


def test_passphrase_may_come_from_the_environment() -> None:
    assert check_passphrase(machine(passphrase=None)) == ok("passphrase", "from the environment")


def test_what_is_not_well_has_a_reason_and_a_command() -> None:
    broken = machine(
        engine=Unread("a"),
        cli=Unread("b"),
        plugins=Unread("c"),
        registries={"r": "d"},
        disks=(disk(0),),
        backend=Unread("e"),
        passphrase=Passphrase(Path("/p"), 0o777),
    )
    found: list[Finding] = check_machine(broken)
    assert all(finding.why and finding.command for finding in found)
    assert warning("a", "b", "c", "d").level is Level.WARNING
