"""What BuildKit can do, and what this engine's BuildKit cannot."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.harness import Sandbox

DOCKERFILE = "app/Dockerfile"
COMPOSE = "app/compose.yaml"
MOUNTS = """\
RUN --mount=type=secret,id=token --mount=type=bind,source=requirements.txt,target=/r.txt \\
    test -s /run/secrets/token && test -s /r.txt && echo seen > /proof
"""


@pytest.fixture(scope="module")
def built(new_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """A sandbox whose image is built with a secret, a bind mount and a target."""
    sandbox = new_sandbox()
    sandbox.write("token", "hush")
    sandbox.replace(
        COMPOSE,
        "      context: .\n",
        "      context: .\n      target: app\n      secrets: [token]\n",
    )
    sandbox.write(COMPOSE, sandbox.read(COMPOSE) + "\nsecrets: {token: {file: ../token}}\n")
    text = sandbox.read(DOCKERFILE)
    head, _, tail = text.rpartition("FROM ${BASE_IMAGE}\n")
    last = "\nFROM app AS never\nRUN exit 1\n"
    sandbox.write(DOCKERFILE, f"{head}FROM ${{BASE_IMAGE}} AS app\n{MOUNTS}{tail}{last}")
    sandbox.must_up()
    return sandbox


@contextmanager
def refused(sandbox: Sandbox) -> Iterator[list[str]]:
    running, said = sandbox.running(), list[str]()
    yield said
    said.append(sandbox.must_fail().output)
    assert sandbox.running() == running


def test_secret_bind_mount_and_target_are_built_with(built: Sandbox) -> None:
    container = built.engine.containers.get(built.live("web"))
    assert container.exec_run(["cat", "/proof"]).output == b"seen\n"


def test_secret_is_in_no_layer_no_state_and_no_log(built: Sandbox) -> None:
    image = built.engine.containers.get(built.live("web")).image
    assert "hush" not in str(image.history())
    assert "hush" not in built.export()
    logs = (built.folder / ".slipway/builds").glob("*.log")
    assert all("hush" not in log.read_text() for log in logs)


def test_feature_that_the_engine_lacks_is_told_with_its_line(built: Sandbox) -> None:
    major = int(str(built.engine.version()["Version"]).partition(".")[0])
    if major >= 23:
        pytest.skip("this engine's BuildKit has here-documents")
    text = built.read(DOCKERFILE)
    with built.changed(DOCKERFILE, lambda old: f"{old}RUN <<END\necho hello\nEND\n"):
        with refused(built) as said:
            pass
        line = text.count("\n") + 1
        assert (
            f"Dockerfile:{line} a here-document in RUN needs the BuildKit of Docker Engine 23.0"
            in said[0]
        )


def test_edit_that_keeps_size_and_times_is_in_the_image(built: Sandbox) -> None:
    """BuildKit itself takes such a file for the one that it was sent before."""
    file = built.folder / "app/app/__init__.py"
    before = file.stat()
    version = built.health()["version"]
    other = "".join("8" if digit == "9" else "9" for digit in version if digit.isdigit())
    edited = file.read_text().replace(version, ".".join(other))
    file.write_text(edited)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size
    built.must_up()
    assert built.health()["version"] == ".".join(other)
