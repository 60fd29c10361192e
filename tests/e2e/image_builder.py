"""Builds as a release builds: by the Docker provider, with the engine's BuildKit."""

import hashlib
import io
import os
import secrets
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import docker
import grpc
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2 as messages
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderStub

from slipway.build_context import Entry
from slipway.toolchain.places import Places

ROOT = Path(__file__).resolve().parents[2]
_URN = "urn:pulumi:test::test::docker:index/remoteImage:RemoteImage::test"
_KINDS = {tarfile.REGTYPE: 0o100000, tarfile.DIRTYPE: 0o040000, tarfile.SYMTYPE: 0o120000}


class BuildError(Exception):
    """The build failed; says what the provider said."""


class ImageBuilder:
    """Shows what of a build context comes to be in an image.

    Args:
        port: of a provider on this machine.
    """

    def __init__(self, port: int) -> None:
        self._provider = ResourceProviderStub(grpc.insecure_channel(f"127.0.0.1:{port}"))
        self._provider.Configure(messages.ConfigureRequest(args=Struct()))
        self._engine = docker.from_env()

    def sent(self, context: Path, dockerfile: str = "Dockerfile") -> dict[str, Entry]:
        """The context as `COPY . /ctx` of its Dockerfile finds it, by path.

        Raises:
            BuildError: it cannot be built.
        """
        name = f"slipway-test-{secrets.token_hex(8)}:latest"
        build = {"builder": "default", "context": str(context), "dockerfile": dockerfile}
        wanted = _struct({"name": name, "build": build})
        try:
            checked = self._provider.Check(messages.CheckRequest(urn=_URN, news=wanted))
            self._provider.Create(messages.CreateRequest(urn=_URN, properties=checked.inputs))
        except grpc.RpcError as error:
            raise BuildError(error.details()) from error
        try:
            saved = b"".join(self._engine.images.get(name).save())
        finally:
            self._engine.images.remove(name, force=True)
        return {entry.path: entry for entry in _entries(saved)}

    def close(self) -> None:
        """Let go of the engine."""
        self._engine.close()


@contextmanager
def image_builder() -> Iterator[ImageBuilder]:
    """A builder with a provider of its own."""
    folder = Places.of(ROOT, os.environ).plugins / f"resource-docker-v{version('pulumi-docker')}"
    command = [folder / "pulumi-resource-docker"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as provider:
        try:
            assert provider.stdout is not None
            builder = ImageBuilder(int(provider.stdout.readline()))
            yield builder
            builder.close()
        finally:
            provider.terminate()


def _struct(fields: dict[str, Any]) -> Struct:
    struct = Struct()
    struct.update(fields)
    return struct


def _entries(image: bytes) -> Iterator[Entry]:
    with tarfile.open(fileobj=io.BytesIO(image)) as archive:
        for member in archive:
            data = archive.extractfile(member)
            # An older engine names layers, a newer one has all as blobs.
            if data is not None and not member.name.endswith(("json", "VERSION", "repositories")):
                layer = data.read()
                if not layer.startswith(b"{"):
                    yield from _layer(layer)


def _layer(layer: bytes) -> Iterator[Entry]:
    with tarfile.open(fileobj=io.BytesIO(layer), errors="surrogateescape") as archive:
        for member in archive:
            if not member.name.startswith("ctx/"):
                continue
            kind = _KINDS[tarfile.REGTYPE if member.islnk() else member.type]
            link = member.issym()
            data = None if link else archive.extractfile(member)
            yield Entry(
                _readable(member.name.removeprefix("ctx/")),
                f"{kind | (0 if link else member.mode):o}",
                _readable(member.linkname) if link else None,
                hashlib.sha256(data.read()).hexdigest() if data is not None else None,
            )


def _readable(path: str) -> str:
    raw = path.encode("utf-8", "surrogateescape").replace(b"\\", b"\\\\")
    return raw.decode("utf-8", "backslashreplace")
