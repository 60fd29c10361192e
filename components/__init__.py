"""Pulumi components of Slipway, for `__main__.py` and for programs of your own."""

from components.docker_stack import DockerStack, DockerStackArgs
from components.gate import Gate, GateArgs
from components.ingress import Ingress, IngressArgs
from components.source_image import SourceImage, SourceImageArgs

__all__ = [
    "DockerStack",
    "DockerStackArgs",
    "Gate",
    "GateArgs",
    "Ingress",
    "IngressArgs",
    "SourceImage",
    "SourceImageArgs",
]
