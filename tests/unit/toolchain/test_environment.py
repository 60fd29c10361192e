import os
import subprocess
from pathlib import Path

import pytest

from slipway.toolchain import docker_plugin, files
from slipway.toolchain.environment import project_environment, shell_lines
from slipway.toolchain.places import Places

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"}


def test_a_fresh_shell_gets_all_that_pulumi_needs(environ: dict[str, str], tmp_path: Path) -> None:
    assert project_environment(tmp_path, environ) == {
        "HOME": environ["HOME"],
        "PATH": f"{tmp_path}/.venv/bin:{tmp_path}/home/.cache/slipway/bin:/usr/bin:/bin",
        "PULUMI_BACKEND_URL": f"file://{tmp_path}/.slipway/state?metadata=skip",
        "PULUMI_CONFIG_PASSPHRASE_FILE": f"{tmp_path}/.slipway/passphrase",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "SLIPWAY_HOME": str(tmp_path),
    }


def test_applying_it_twice_changes_nothing(environ: dict[str, str], tmp_path: Path) -> None:
    once = project_environment(tmp_path, environ)
    assert project_environment(tmp_path, once) == once
    assert shell_lines(tmp_path, once) == []


@pytest.mark.parametrize(
    "own",
    [
        {"PULUMI_BACKEND_URL": "s3://state", "PULUMI_CONFIG_PASSPHRASE_FILE": "/etc/passphrase"},
        {"PULUMI_BACKEND_URL": "file:///srv/state", "PULUMI_CONFIG_PASSPHRASE": ""},
    ],
)
def test_what_the_user_has_set_stays(
    environ: dict[str, str], tmp_path: Path, own: dict[str, str]
) -> None:
    found = project_environment(tmp_path, {**environ, **own})
    assert {name: value for name, value in found.items() if name in own} == own
    assert ("PULUMI_CONFIG_PASSPHRASE_FILE" in found) == ("PULUMI_CONFIG_PASSPHRASE_FILE" in own)


def test_another_checkouts_environment_is_taken_over(
    environ: dict[str, str], tmp_path: Path
) -> None:
    other = project_environment(tmp_path / "other", environ)
    assert project_environment(tmp_path / "this", other) == project_environment(
        tmp_path / "this", environ
    )


def test_pinned_images_are_exported(environ: dict[str, str], tmp_path: Path) -> None:
    images = Places.of(tmp_path, environ).images
    files.write_variables(images, {"SLIPWAY_PYTHON_IMAGE": "localhost:5000/x@sha256:1"})
    found = project_environment(tmp_path, environ)
    assert found["SLIPWAY_PYTHON_IMAGE"] == "localhost:5000/x@sha256:1"


def test_plugins_are_not_downloaded_where_ours_had_to_be_built(
    environ: dict[str, str], tmp_path: Path
) -> None:
    places = Places.of(tmp_path, environ)
    built = places.cache / "pulumi-resource-docker-5.2.0-x" / docker_plugin.PROGRAM
    built.parent.mkdir(parents=True)
    built.touch()
    files.link(docker_plugin.installed(places), built)
    found = project_environment(tmp_path, environ)
    assert found["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"


def test_activate_sets_the_same_as_python_code_gets(environ: dict[str, str]) -> None:
    environ["PATH"] = os.environ["PATH"]
    script = f". {ROOT}/scripts/activate 2>/dev/null; . {ROOT}/scripts/activate 2>/dev/null; env -0"
    answer = subprocess.run(
        ["bash", "-euc", script], env=environ, cwd="/", capture_output=True, text=True, check=True
    )
    found = dict(entry.split("=", 1) for entry in answer.stdout.split("\0") if entry)
    for name in ("PWD", "OLDPWD", "SHLVL", "_"):
        found.pop(name, None)
    assert found == project_environment(ROOT, environ)


def test_values_are_safe_in_a_shell(tmp_path: Path) -> None:
    environ = {"HOME": "/home/kim's $HOME", "PATH": "/bin"}
    script = "\n".join(shell_lines(tmp_path, environ)) + '\nprintf %s "$PATH"'
    answer = subprocess.run(
        ["bash", "-c", script], env=environ, capture_output=True, text=True, check=True
    )
    assert answer.stdout == project_environment(tmp_path, environ)["PATH"]
