"""The scripts in a clone in which nothing has been set up."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETTING_UP = ("deploy", "explain", "history", "init", "pin", "preview", "rollback", "secrets")
BOOTSTRAP = """\
#!/bin/sh
root=$(dirname "$0")/..
[ "${1:-}" != --check ] || exit 1
echo "setting up"
mkdir -p "$root/.venv/bin"
printf '#!/bin/sh\\necho "$@"\\n' > "$root/.venv/bin/python"
cp "$root/.venv/bin/python" "$root/.venv/bin/pulumi"
chmod +x "$root/.venv/bin/python" "$root/.venv/bin/pulumi"
touch "$root/.venv/slipway-requirements"
"""
BROKEN = "#!/bin/sh\necho 'bootstrap: no network' >&2\nexit 1\n"
INCOMPLETE = "activate: the set-up is not complete; run scripts/bootstrap\n"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A checkout without a virtual environment, whose bootstrap makes a pretended one."""
    shutil.copytree(ROOT / "scripts", tmp_path / "clone/scripts")
    shutil.copytree(
        ROOT / "slipway", tmp_path / "clone/slipway", ignore=shutil.ignore_patterns("__pycache__")
    )
    write_bootstrap(tmp_path / "clone", BOOTSTRAP)
    return tmp_path / "clone"


def write_bootstrap(clone: Path, text: str) -> None:
    (clone / "scripts/bootstrap").write_text(text)


def run(clone: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    environ = {"HOME": str(clone.parent), "PATH": os.defpath}
    python = shutil.which("python3")
    if python:
        environ["PATH"] = f"{Path(python).parent}:{os.environ['PATH']}"
    return subprocess.run(
        command, cwd=clone, env=environ, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", SETTING_UP)
def test_script_in_a_fresh_clone_sets_up_what_it_needs(clone: Path, name: str) -> None:
    ended = run(clone, f"scripts/{name}", "x")
    assert (ended.returncode, ended.stdout.splitlines()[-1]) == (
        0,
        f"-B -m slipway.commands.{name} x",
    )


def test_set_up_leaves_what_a_script_prints_alone(clone: Path) -> None:
    ended = run(clone, "scripts/history", "test", "--json")
    assert ended.stdout == "-B -m slipway.commands.history test --json\n"


@pytest.mark.parametrize("name", SETTING_UP)
def test_set_up_that_fails_counts_as_refused(clone: Path, name: str) -> None:
    write_bootstrap(clone, BROKEN)
    ended = run(clone, f"scripts/{name}", "x")
    assert (ended.returncode, ended.stderr) == (2, "bootstrap: no network\n")


def test_half_made_environment_counts_as_none(clone: Path) -> None:
    (clone / ".venv/bin").mkdir(parents=True)
    (clone / ".venv/bin/python").touch()
    assert run(clone, "scripts/init", "x").stderr == "setting up\n"


def test_doctor_brings_nothing_and_says_what_is_missing(clone: Path) -> None:
    ended = run(clone, "scripts/doctor")
    assert (ended.returncode, ended.stdout, ended.stderr) == (
        2,
        "",
        "doctor: the Python environment is missing or incomplete; run scripts/bootstrap\n",
    )
    assert not (clone / ".venv").exists()


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_activate_without_a_set_up_fails_but_leaves_the_shell_open(clone: Path, shell: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    script = '. scripts/activate || echo "status $?"; echo "$_slipway_status."'
    ended = run(clone, shell, "-c", script)
    assert (ended.stdout, ended.stderr) == ("status 2\n.\n", INCOMPLETE)


def test_activate_after_a_set_up_succeeds(clone: Path) -> None:
    assert run(clone, "scripts/bootstrap").returncode == 0
    assert run(clone, "bash", "-euc", ". scripts/activate").returncode == 0
