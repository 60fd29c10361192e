"""A compose file, and what Compose's readers say of it: recorded from compose-go v2.16.2."""

import copy
import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from .support import FakeRun, finished

COMPOSE = """\
name: shop
services:
  web:
    build: .
    environment: {MONEY: a$$b, EMPTY: ""}
    volumes: ["data:/data:ro"]
    x-slipway:
      route: {port: 8000}
      probes: [{path: /health, json: {status: ok}}]
  worker:
    image: python:3.11
volumes:
  data:
"""
RESOLVED: dict[str, Any] = {
    "name": "shop",
    "networks": {"default": {"ipam": {}, "name": "shop_default"}},
    "services": {
        "web": {
            "build": {"context": "/src", "dockerfile": "Dockerfile"},
            "command": None,
            "entrypoint": None,
            "environment": {"MONEY": "a$b", "EMPTY": ""},
            "networks": {"default": None},
            "volumes": [
                {
                    "read_only": True,
                    "source": "data",
                    "target": "/data",
                    "type": "volume",
                    "volume": {},
                }
            ],
            "x-slipway": {
                "probes": [{"json": {"status": "ok"}, "path": "/health"}],
                "route": {"port": 8000},
            },
        },
        "worker": {
            "command": None,
            "entrypoint": None,
            "image": "python:3.11",
            "networks": {"default": None},
        },
    },
    "volumes": {"data": {"name": "shop_data"}},
}
PLUGIN_ANSWER = """\
name: shop
services:
  web:
    build:
      context: /src
      dockerfile: Dockerfile
    environment:
      EMPTY: ""
      MONEY: a$$b
    networks:
      default: null
    volumes:
      - type: volume
        source: data
        target: /data
        read_only: true
        volume: {}
    x-slipway:
      probes:
        - json:
            status: ok
          path: /health
      route:
        port: 8000
  worker:
    image: python:3.11
    networks:
      default: null
networks:
  default:
    name: shop_default
volumes:
  data:
    name: shop_data
"""
NO_PLUGIN = finished(1, stderr="docker: unknown command: docker compose")
PLUGIN = ("docker", "compose", "version")
HELPER = ("compose-config",)


def helper(resolved: object, stderr: str = "") -> FakeRun:
    """A machine on which only the helper is installed, and gives one answer."""
    return FakeRun({PLUGIN: NO_PLUGIN, HELPER: finished(0, json.dumps(resolved), stderr)})


class Reader:
    """A machine on which only the helper is installed, and that judges what it is given to read.

    Args:
        judge: gives the answer to a document.
    """

    def __init__(self, judge: Callable[[Any], "subprocess.CompletedProcess[str]"]) -> None:
        self._judge = judge
        self.read: list[Any] = []
        self.commands: list[list[str]] = []
        self.environs: list[dict[str, str]] = []

    def __call__(
        self, command: Sequence[str], environ: Mapping[str, str]
    ) -> "subprocess.CompletedProcess[str]":
        if tuple(command) == PLUGIN:
            return NO_PLUGIN
        document = YAML(typ="safe").load(Path(command[-1]).read_text())
        self.read.append(copy.deepcopy(document))
        self.commands.append(list(command))
        self.environs.append(dict(environ))
        return self._judge(document)
