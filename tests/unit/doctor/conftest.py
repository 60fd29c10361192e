import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from slipway import compose

from ..support import finished
from .support import export, release
from .surrounding import COMPOSE, Scene


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """A project with one stack, release 1 of which serves."""
    root = tmp_path / "shop"
    environ = {
        "PULUMI_BACKEND_URL": f"file://{tmp_path}/state",
        "PULUMI_CONFIG_PASSPHRASE": "x",
    }
    found = Scene(root, environ)
    found.write("Pulumi.yaml", "name: shop\nruntime: python\n")
    found.write("compose.yaml", COMPOSE)
    found.add_stack("test", export(release()))
    (tmp_path / "state").mkdir()
    reading = compose.read_project
    monkeypatch.setattr(
        "slipway.doctor.surroundings.read_project",
        lambda file, environ, variables: reading(file, environ, variables, _compose),
    )
    return found


def _compose(
    command: Sequence[str], environ: Mapping[str, str]
) -> "subprocess.CompletedProcess[str]":
    """Stands for Compose's reader: gives a file as it is."""
    if command[-1] == "version":
        return finished()
    file = Path(command[command.index("--file") + 1])
    YAML(typ="safe").load(file)
    return finished(stdout=file.read_text())
