"""A stranger's compose file, made ready by scripts/init, released as it then stands."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.e2e.harness import ROOT, Outcome, Sandbox
from tests.e2e.server_images import server_image

PROJECTS = ROOT / "tests/e2e/projects"


def without_configuration(sandbox: Sandbox) -> None:
    """Take the sandbox's own stack file away: init writes one."""
    for stack in sandbox.ports:
        (sandbox.folder / f"stacks/Pulumi.{stack}.yaml").unlink()


def init(sandbox: Sandbox) -> Outcome:
    command = [sys.executable, "-m", "slipway.commands.init", "app"]
    command += ["--stacks-dir", str(sandbox.folder / "stacks")]
    done = subprocess.run(
        command,
        cwd=sandbox.folder,
        env=sandbox.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    return Outcome(done.returncode, done.stdout + done.stderr)


@pytest.mark.parametrize("kind", ["flask", "fastapi"])
def test_proposal_is_released_without_a_hand_on_it(
    kind: str, new_sandbox: Callable[..., Sandbox]
) -> None:
    source = new_sandbox().folder / "stranger"
    shutil.copytree(PROJECTS / kind, source)
    (source / "compose.slipway.yaml").unlink()
    file = source / "compose.yaml"
    if kind == "flask":
        file.write_text(file.read_text().replace("${REDIS_IMAGE}", server_image("redis")))
    sandbox = new_sandbox(source=source)
    without_configuration(sandbox)

    proposal = init(sandbox)
    assert proposal.code == 0, proposal.output
    assert "has no value" not in proposal.output
    # The proposed file is for a checkout of Slipway, and for a port that may be taken here.
    written = sandbox.read(f"stacks/Pulumi.{sandbox.name}-test.yaml")
    written = re.sub(r"slipway:port: .*", f'slipway:port: "{sandbox.ports["test"]}"', written)
    written = re.sub(r"slipway:compose: .*", "slipway:compose: app/compose.yaml", written)
    sandbox.write("stacks/Pulumi.test.yaml", written)

    sandbox.must_up()
    assert sandbox.health()["version"] == "1"
    sandbox.assert_agreement()
