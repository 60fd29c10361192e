"""The answers of the compose readers below are recorded: those of compose-go v2.16.2."""

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from slipway.compose import KeyLines, read_project, run_command
from slipway.errors import ConfigError, HostError
from slipway.services import Project

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


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "compose.yaml"
    path.write_text(COMPOSE)
    return path


def helper(resolved: object, stderr: str = "") -> FakeRun:
    return FakeRun({PLUGIN: NO_PLUGIN, HELPER: finished(0, json.dumps(resolved), stderr)})


def expected(file: Path) -> Project:
    return Project.model_validate(
        {
            "name": "shop",
            "file": str(file),
            "volumes": ["data"],
            "services": {
                "web": {
                    "name": "web",
                    "build": {"context": "/src"},
                    "environment": {"MONEY": "a$b", "EMPTY": ""},
                    "volumes": [
                        {"type": "volume", "source": "data", "target": "/data", "read_only": True}
                    ],
                    "x-slipway": {
                        "route": {"port": 8000},
                        "probes": [{"path": "/health", "json": {"status": "ok"}}],
                    },
                },
                "worker": {"name": "worker", "image": "python:3.11"},
            },
        }
    )


def problems(file: Path, run: FakeRun) -> list[str]:
    """What is refused, without the path of the file."""
    with pytest.raises(ConfigError) as refusal:
        read_project(file, {}, {}, run)
    return [problem.replace(str(file), "compose.yaml") for problem in refusal.value.problems]


def changed(**changes: Any) -> dict[str, Any]:
    """The recording with some of the service web's keys changed."""
    resolved = copy.deepcopy(RESOLVED)
    resolved["services"]["web"].update(changes)
    return resolved


def test_helper_reads_the_file_where_the_plugin_is_missing(file: Path) -> None:
    run = helper(RESOLVED)

    assert read_project(file, {}, {}, run) == expected(file)
    assert run.commands == [["docker", "compose", "version"], ["compose-config", str(file)]]


def test_plugin_reads_the_file_where_it_is_installed(file: Path) -> None:
    plugin = ("docker", "compose", "--file")
    run = FakeRun({PLUGIN: finished(0), plugin: finished(0, PLUGIN_ANSWER)})

    assert read_project(file, {}, {}, run) == expected(file)
    assert run.commands == [
        ["docker", "compose", "version"],
        ["docker", "compose", "--file", str(file), "config"],
    ]


def test_variables_of_the_stack_come_before_those_of_the_shell(file: Path) -> None:
    run = helper(RESOLVED)
    read_project(file, {"A": "shell", "B": "shell"}, {"A": "stack"}, run)

    assert run.environ == {"A": "stack", "B": "shell"}


def test_missing_file_says_which_key_names_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refusal:
        read_project(tmp_path / "no.yaml", {}, {}, FakeRun({}))

    assert refusal.value.problems == (
        f"{tmp_path}/no.yaml: no such file; set slipway:compose in the stack's configuration",
    )


def test_missing_reader_says_how_to_get_one(file: Path) -> None:
    missing = finished(127, stderr="compose-config: not found")

    with pytest.raises(HostError) as refusal:
        read_project(file, {}, {}, FakeRun({PLUGIN: finished(127), HELPER: missing}))

    assert str(refusal.value) == (
        f"cannot read {file}: neither `docker compose` nor compose-config is installed; run "
        "scripts/bootstrap, then . scripts/activate"
    )


@pytest.mark.parametrize(
    ("stderr", "told"),
    [
        (
            "compose-config: yaml: while parsing a flow node at line 1\n",
            "compose-config: yaml: while parsing a flow node at line 1",
        ),
        ("", "the compose reader gave no reason"),
    ],
)
def test_file_that_the_reader_refuses_shows_its_reason(file: Path, stderr: str, told: str) -> None:
    run = FakeRun({PLUGIN: NO_PLUGIN, HELPER: finished(1, stderr=stderr)})

    assert problems(file, run) == [f"compose.yaml: {told}"]


def test_variables_without_a_value_are_refused_together(file: Path) -> None:
    file.write_text("services:\n  web:\n    image: a\n    environment: {A: $ONE, B: '${TWO}'}\n")
    warning = 'time="2026-01-01T00:00:00Z" level=warning msg="The \\"{}\\" variable is not set. '
    warnings = [warning.format(name) for name in ("TWO", "ONE", "TWO")]

    assert problems(file, helper(RESOLVED, "\n".join(warnings))) == [
        "compose.yaml:4 ${TWO}: has no value; set it under slipway:variables, or with pulumi "
        "config set --stack <stack> --secret --path slipway:secrets.TWO <value>, "
        "or give it a default: ${TWO:-}",
        "compose.yaml:4 ${ONE}: has no value; set it under slipway:variables, or with pulumi "
        "config set --stack <stack> --secret --path slipway:secrets.ONE <value>, "
        "or give it a default: ${ONE:-}",
    ]


def test_every_key_that_is_not_honoured_is_refused_at_once(file: Path) -> None:
    file.write_text("""\
name: shop
services:
  web:
    image: a
    ports: ["80:80"]
    container_name: web-1
    depends_on: [db]
    network_mode: host
    deploy: {resources: {limits: {memory: 1g}}}
    secrets: [s]
    configs: [c]
    privileged: true
    tmpfs: /x
    healthcheck: {test: x, start_interval: 1s}
    build: {context: ., cache_from: [x]}
    x-slipway: {routes: {port: 1}}
  db:
    image: b
    networks: [back]
networks: {back: {}}
secrets: {s: {file: ./s}}
configs: {c: {file: ./c}}
volumes:
  v: {external: true}
  w: {driver: local}
""")
    resolved = {
        "configs": {"c": {"file": "/src/c", "name": "shop_c"}},
        "name": "shop",
        "networks": {"back": {"ipam": {}, "name": "shop_back"}},
        "secrets": {"s": {"file": "/src/s", "name": "shop_s"}},
        "services": {
            "db": {"command": None, "image": "b", "networks": {"back": None}},
            "web": {
                "build": {"cache_from": ["x"], "context": "/src", "dockerfile": "Dockerfile"},
                "configs": [{"source": "c"}],
                "container_name": "web-1",
                "depends_on": {"db": {"condition": "service_started", "required": True}},
                "deploy": {"placement": {}, "resources": {"limits": {"memory": "1073741824"}}},
                "healthcheck": {"start_interval": "1s", "test": ["CMD-SHELL", "x"]},
                "image": "a",
                "network_mode": "host",
                "ports": [{"mode": "ingress", "published": "80", "target": 80}],
                "privileged": True,
                "secrets": [{"source": "s", "target": "/run/secrets/s"}],
                "tmpfs": ["/x"],
                "x-slipway": {"routes": {"port": 1}},
            },
        },
        "volumes": {
            "v": {"external": True, "name": "v"},
            "w": {"driver": "local", "name": "shop_w"},
        },
    }

    later = "Slipway does not honour it yet; remove it"
    network = "all services of a stack share its own network; remove it"
    secret = (
        "put the value under slipway:secrets in the stack's configuration and name it in "
        "environment as ${NAME}"
    )
    assert problems(file, helper(resolved)) == [
        "compose.yaml:22 configs: bake the file into the image",
        f"compose.yaml:20 networks: {network}",
        f"compose.yaml:21 secrets: {secret}",
        f"compose.yaml:24 volumes.v.external: {later}",
        f"compose.yaml:25 volumes.w.driver: {later}",
        f"compose.yaml:19 services.db.networks: {network}",
        f"compose.yaml:15 services.web.build.cache_from: {later}",
        f"compose.yaml:14 services.web.healthcheck.start_interval: {later}",
        f"compose.yaml:16 services.web.x-slipway.routes: {later}",
        "compose.yaml:11 services.web.configs: bake the file into the image",
        "compose.yaml:6 services.web.container_name: old and new container cannot share a name; "
        "remove it",
        "compose.yaml:7 services.web.depends_on: services of a release start together and are "
        "proven together; remove it",
        "compose.yaml:9 services.web.deploy: replicas and resources are not honoured yet; remove "
        "it",
        "compose.yaml:8 services.web.network_mode: the ingress reaches services by the stack's "
        "own network; remove it",
        "compose.yaml:5 services.web.ports: it binds a fixed host port, which old and new "
        "container cannot share; use x-slipway.route.port and the stack's slipway:port",
        f"compose.yaml:12 services.web.privileged: {later}",
        f"compose.yaml:10 services.web.secrets: {secret}",
        f"compose.yaml:13 services.web.tmpfs: {later}",
    ]


@pytest.mark.parametrize(
    "mount",
    [
        pytest.param(
            {"bind": {}, "source": "/src", "target": "/app", "type": "bind"}, id="bind-mount"
        ),
        pytest.param({"target": "/t", "type": "tmpfs"}, id="tmpfs"),
        pytest.param({"target": "/anon", "type": "volume", "volume": {}}, id="anonymous"),
    ],
)
def test_mounts_but_of_named_volumes_are_refused(file: Path, mount: dict[str, Any]) -> None:
    assert problems(file, helper(changed(volumes=[mount]))) == [
        "compose.yaml:6 services.web.volumes.0: only named volumes are honoured yet; a bind mount "
        "would hide the image or depend on this machine's folders; use a named volume"
    ]


def test_options_of_a_named_volume_are_refused(file: Path) -> None:
    mount = {"type": "volume", "source": "data", "target": "/data", "consistency": "cached"}

    assert problems(file, helper(changed(volumes=[mount]))) == [
        "compose.yaml:6 services.web.volumes.0.consistency: Slipway does not honour it yet; remove "
        "it"
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"restart": "on-failure:3"},
            "compose.yaml:3 services.web.restart: Input should be 'no', 'on-failure' or "
            "'unless-stopped' (found \"on-failure:3\")",
        ),
        (
            {"x-slipway": {"route": {"port": 8000}, "probes": [{"path": "health"}]}},
            'compose.yaml:9 services.web.x-slipway.probes.0.path: "health" is not an absolute '
            'path; write /health (found "health")',
        ),
        (
            {"x-slipway": {"route": {"port": 8000}, "timeout": "soon"}},
            'compose.yaml:7 services.web.x-slipway.timeout: "soon" is not a duration; write it '
            'like 15s, 1m30s or 250ms (found "soon")',
        ),
    ],
)
def test_value_that_cannot_be_is_shown(file: Path, changes: dict[str, Any], told: str) -> None:
    assert problems(file, helper(changed(**changes))) == [told]


def test_headers_are_not_shown_with_what_is_wrong_beside_them(file: Path) -> None:
    probes = [{"headers": {"Authorization": "Bearer hunter2"}}]

    without_path = changed(**{"x-slipway": {"route": {"port": 8000}, "probes": probes}})
    assert problems(file, helper(without_path)) == [
        "compose.yaml:9 services.web.x-slipway.probes.0.path: is missing; add it"
    ]

    without_route = changed(**{"x-slipway": {"probes": [{"path": "/", **probes[0]}]}})
    assert problems(file, helper(without_route)) == [
        "compose.yaml:7 services.web.x-slipway: probes need a route; add route: {port: <container "
        "port>}"
    ]


@pytest.mark.parametrize(
    "check", [None, {"test": ["NONE"]}, {"test": ["CMD", "true"], "disable": True}]
)
def test_routed_service_that_nothing_checks_is_refused(
    file: Path, check: dict[str, Any] | None
) -> None:
    unchecked = changed(healthcheck=check, **{"x-slipway": {"route": {"port": 8000}}})

    assert problems(file, helper(unchecked)) == [
        "compose.yaml:3 services.web: takes public traffic, but nothing tells whether it is well; "
        "add x-slipway.probes: [{path: /health}] (any path that answers 200) or a healthcheck"
    ]


def test_health_check_is_enough_for_a_routed_service(file: Path) -> None:
    checked = changed(
        healthcheck={"test": ["CMD-SHELL", "curl -f localhost"], "interval": "1m30s"},
        **{"x-slipway": {"route": {"port": 8000}}},
    )

    check = read_project(file, {}, {}, helper(checked)).services["web"].healthcheck
    assert check is not None
    assert check.interval == 90


@pytest.mark.parametrize(
    ("extensions", "found"),
    [({}, "none"), ({"web": 8000, "worker": 8000}, "web, worker")],
)
def test_anything_but_one_public_service_is_refused(
    file: Path, extensions: dict[str, int], found: str
) -> None:
    resolved = copy.deepcopy(RESOLVED)
    resolved["services"]["web"].pop("x-slipway")
    for name, port in extensions.items():
        checks = {"route": {"port": port}, "probes": [{"path": "/"}]}
        resolved["services"][name]["x-slipway"] = checks

    assert problems(file, helper(resolved)) == [
        "compose.yaml services: exactly one service takes the stack's public traffic so far, found "
        f"{found}; set x-slipway.route on one"
    ]


def test_service_of_nothing_and_volume_of_nobody_are_refused(file: Path) -> None:
    resolved = copy.deepcopy(RESOLVED)
    resolved["services"]["worker"].pop("image")
    resolved["volumes"] = None

    assert problems(file, helper(resolved)) == [
        "compose.yaml:3 services.web.volumes: data is not declared; add it under the top-level "
        "volumes",
        "compose.yaml:10 services.worker: has neither build nor image; add one",
    ]


LINES = """\
x-base: &base
  image: a
  labels: &labels
    one: a
x-more: &more
  ports: ["80:80"]
services:
  web:
    <<: [*base, *more]
    environment:
      - A=1
    volumes:
      - data:/data
      - type: bind
        source: x
  worker:
    <<: *base
    labels: *labels
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("services",), 7),
        (("services", "web"), 8),
        (("services", "web", "environment", "A"), 10),
        (("services", "web", "volumes", 0, "type"), 13),
        (("services", "web", "volumes", 1), 14),
        (("services", "web", "volumes", 1, "source"), 15),
        (("services", "web", "volumes", 7), 12),
        (("services", "web", "missing", "deep"), 8),
        (("missing",), 1),
        (("services", "web", "image"), 2),
        (("services", "web", "ports", 0, "target"), 6),
        (("services", "web", "labels", "one"), 4),
        (("services", "worker", "image"), 2),
        (("services", "worker", "labels"), 18),
        (("services", "worker", "labels", "one"), 4),
    ],
)
def test_finds_the_line_of_a_key_where_it_is_written(
    tmp_path: Path, path: tuple[object, ...], line: int
) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(LINES)

    assert KeyLines(file).of(path) == line


@pytest.mark.parametrize("text", ["", "a: [", "a: 1\na: 2\n"])
def test_line_of_a_key_is_the_first_where_the_file_has_no_keys(tmp_path: Path, text: str) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(text)

    assert KeyLines(file).of(("services", "web")) == 1


def test_command_runs_with_the_environment_that_it_is_given() -> None:
    script = "import os, sys; print(os.environ['A']); print('oh', file=sys.stderr); sys.exit(3)"
    command = [sys.executable, "-c", script]

    assert vars(run_command(command, {"A": "1"})) == vars(
        subprocess.CompletedProcess(command, 3, "1\n", "oh\n")
    )


def test_command_that_is_not_installed_is_told_as_a_shell_would() -> None:
    assert vars(run_command(["/no/such/command"], {})) == vars(
        subprocess.CompletedProcess(["/no/such/command"], 127, "", "/no/such/command: not found")
    )
