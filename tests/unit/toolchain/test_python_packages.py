import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from slipway.toolchain import python_packages
from slipway.toolchain.commands import Outcome
from slipway.toolchain.errors import SetupError
from slipway.toolchain.plan import missing, present

from .fakes import DONE, Machine, executable

LOCK = """\
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:0
httpx==0.28.1 \\
    --hash=sha256:1
    # via something
ruamel-yaml==0.19.1 ; platform_python_implementation != 'PyPy' \\
    --hash=sha256:2
"""


@pytest.fixture
def ready(machine: Machine) -> Machine:
    for name in ("requirements.txt", "requirements-dev.txt"):
        (machine.root / name).write_text(LOCK if name == "requirements.txt" else LOCK + "# dev\n")
    python = machine.root / ".venv" / "bin" / "python"

    def make(argv: Sequence[str]) -> Outcome:
        executable(python)
        return DONE

    machine.commands.on(f"{getattr(sys, '_base_executable', sys.executable)} -m venv", make)
    machine.commands.on(f"{python} -m pip", DONE)
    machine.commands.on(
        f"{python} -I -c", Outcome(0, "httpx==0.28.1\nruamel.yaml==0.19.1\npip==1\n")
    )
    return machine


def test_pins_for_other_systems_are_not_expected() -> None:
    assert python_packages.pinned(LOCK) == ["httpx==0.28.1", "ruamel-yaml==0.19.1"]


def test_packages_are_installed_by_hash_only(ready: Machine) -> None:
    host = ready.host()
    assert python_packages.look(host, dev=True) == missing("no complete .venv")
    python_packages.act(host, dev=True)
    assert python_packages.look(host, dev=True) == present("2 locked packages")
    (install,) = [call for call in ready.commands.calls if "pip" in call and "install" in call]
    assert install.endswith(f"install --require-hashes -r {ready.root}/requirements-dev.txt")


def test_one_for_development_serves_without_too(ready: Machine) -> None:
    python_packages.act(ready.host(), dev=True)
    assert python_packages.look(ready.host(), dev=False).done


def test_one_without_does_not_serve_development(ready: Machine) -> None:
    python_packages.act(ready.host(), dev=False)
    assert python_packages.look(ready.host(), dev=False).done
    assert not python_packages.look(ready.host(), dev=True).done


def test_changed_requirements_ask_for_a_new_environment(ready: Machine) -> None:
    host = ready.host()
    python_packages.act(host, dev=False)
    (ready.root / "requirements.txt").write_text(LOCK.replace("0.28.1", "0.29.0"))
    assert python_packages.look(host, dev=False) == missing("requirements.txt has changed")
    left = ready.root / ".venv" / "left-over"
    left.touch()
    python_packages.act(host, dev=False)
    assert not left.exists()


def test_a_package_removed_by_hand_is_noticed(ready: Machine) -> None:
    host = ready.host()
    python_packages.act(host, dev=False)
    python = host.places.venv / "bin" / "python"
    ready.commands.on(f"{python} -I -c", Outcome(0, "httpx==0.28.1\n"))
    assert python_packages.look(host, dev=False) == missing(".venv lacks ruamel-yaml==0.19.1")


def test_a_moved_checkout_gets_a_new_environment(ready: Machine, tmp_path: Path) -> None:
    python_packages.act(ready.host(), dev=False)
    stamp = ready.root / ".venv" / "slipway-requirements"
    stamp.write_text(stamp.read_text().replace(str(ready.root), "/elsewhere"))
    found = python_packages.look(ready.host(), dev=False)
    assert found == missing(".venv was made for another place")


def test_an_installation_that_failed_is_not_believed_later(ready: Machine) -> None:
    host = ready.host()
    python = host.places.venv / "bin" / "python"
    ready.commands.on(f"{python} -m pip", Outcome(1, "ERROR: hashes do not match"))
    with pytest.raises(SetupError, match="hashes do not match"):
        python_packages.act(host, dev=True)
    assert python_packages.look(host, dev=True) == missing("no complete .venv")
