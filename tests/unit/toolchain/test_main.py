import subprocess
from pathlib import Path

import pytest

from slipway.errors import InternalError
from slipway.toolchain import __main__ as bootstrap
from slipway.toolchain import images, registry
from slipway.toolchain.errors import SetupError

from .fakes import Machine

ROOT = Path(__file__).resolve().parents[3]


def test_help_explains_without_doing_anything(tmp_path: Path) -> None:
    answer = subprocess.run(
        [ROOT / "scripts" / "bootstrap", "--help"],
        env={"HOME": str(tmp_path), "PATH": "/usr/local/bin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (answer.returncode, list(tmp_path.iterdir())) == (0, [])
    for word in ("--check", "SLIPWAY_REGISTRY", "DOCKER_HOST", ". scripts/activate"):
        assert word in answer.stdout


def test_steps_come_in_an_order_in_which_each_finds_what_it_needs(machine: Machine) -> None:
    assert [step.name for step in bootstrap.steps(machine.host(), dev=True)] == [
        "Python environment",
        "Pulumi CLI",
        "Docker provider plugin",
        "Docker Engine",
        "Compose reader",
        "Base image",
        "Image registry",
        "Base image, pinned",
        "Caddy image, pinned",
        "Pulumi state and passphrase",
        "Stacks",
    ]


def test_looking_at_a_bare_machine_changes_nothing(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "has", lambda repository, reference: False)
    for name in ("requirements.txt", "requirements-dev.txt"):
        (machine.root / name).write_text("")
    before = sorted(tmp_path.rglob("*"))
    findings = [step.look() for step in bootstrap.steps(machine.host(), dev=True)]
    assert sorted(tmp_path.rglob("*")) == before
    assert [finding.done for finding in findings] == [False] * 10 + [True]
    assert images.base_for_builds(machine.host()) == "slipway/python:3.11"


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (
            SetupError("X happened at Y", "do Z", "log"),
            1,
            "bootstrap: X happened at Y\n    | log\n  What to do: do Z\n",
        ),
        (InternalError("step"), 70, "bootstrap: a bug in Slipway: step\n"),
        (
            OSError(28, "No space left on device", "/x"),
            1,
            "bootstrap: No space left on device (/x)\n"
            "  What to do: check free space (df -h) and permissions, then run this again\n",
        ),
        (KeyboardInterrupt(), 130, "\nbootstrap: stopped; scripts/bootstrap goes on from here\n"),
    ],
)
def test_errors_are_messages_with_a_next_step_never_tracebacks(
    error: BaseException,
    code: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*args: object, **kwargs: object) -> int:
        raise error

    monkeypatch.setattr(bootstrap, "_run", fail)
    assert bootstrap.main([]) == code
    assert capsys.readouterr().err == message
