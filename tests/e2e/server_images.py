"""Images of real servers for the tests: built once a machine, found by their content after that."""

import fcntl
import hashlib
import os
import tempfile
from pathlib import Path

import docker

from slipway.reference import parse_reference
from slipway.registry import Registry
from slipway.toolchain.environment import project_environment

ROOT = Path(__file__).resolve().parents[2]
IMAGES = Path(__file__).parent / "images"
_REPOSITORY = "localhost:5000/slipway"
_DIGITS = 12


def server_image(name: str) -> str:
    """The image of a server in the local registry, with a tag and without a digest.

    Args:
        name: folder under `images`.
    """
    base = project_environment(ROOT, os.environ)["SLIPWAY_PYTHON_IMAGE"]
    tag = f"{_REPOSITORY}/{name}:{_content(IMAGES / name, base)}"
    # Tests run side by side: one of them builds.
    with (Path(tempfile.gettempdir()) / f"slipway-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        client = docker.from_env()
        try:
            if _digest(tag) is None:
                context = str(IMAGES / name)
                client.images.build(
                    path=context, tag=tag, buildargs={"BASE_IMAGE": base}, rm=True, forcerm=True
                )
                _push(client, tag)
        finally:
            client.close()
    return tag


def _push(client: docker.DockerClient, tag: str) -> None:
    # The library does not raise when a push fails: it is told in the midst of the progress.
    for line in client.images.push(tag, stream=True, decode=True):
        assert "error" not in line, f"{tag} could not be pushed: {line['error']}"


def pinned(tag: str) -> str:
    """The same image by its digest."""
    return f"{tag}@{_digest(tag)}"


def _digest(tag: str) -> str | None:
    with Registry(lambda host: None) as registry:
        return registry.digest(parse_reference(tag))


def _content(folder: Path, base: str) -> str:
    hasher = hashlib.sha256(base.encode())
    for file in sorted(folder.iterdir()):
        hasher.update(file.name.encode() + b"\0" + file.read_bytes())
    return hasher.hexdigest()[:_DIGITS]
