import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from slipway.compose import Reading, read_project, require
from slipway.errors import ConfigError
from slipway.key_lines import KeyLines
from slipway.services import Project

from .support import FakeRun, finished
from .support_compose import COMPOSE, PLUGIN, PLUGIN_ANSWER, RESOLVED, helper


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "compose.yaml"
    path.write_text(COMPOSE)
    return path


def expected(file: Path) -> Project:
    return Project.model_validate(
        {
            "name": "shop",
            "file": str(file),
            "volumes": {"data": {}},
            "networks": {"default": {}},
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


def read(file: Path, resolved: object, stderr: str = "") -> Reading:
    return read_project(file, {}, {}, helper(resolved, stderr))


def problems(file: Path, resolved: object) -> list[str]:
    """What is wrong, without the path of the file."""
    return [p.replace(str(file), "compose.yaml") for p in read(file, resolved).problems]


def warnings(file: Path, resolved: object) -> list[str]:
    return [w.replace(str(file), "compose.yaml") for w in read(file, resolved).warnings]


def changed(**changes: Any) -> dict[str, Any]:
    """The recording with some of the service web's keys changed."""
    resolved = copy.deepcopy(RESOLVED)
    resolved["services"]["web"].update(changes)
    return resolved


def with_top(**keys: Any) -> dict[str, Any]:
    """The recording with other keys at its top."""
    return {**copy.deepcopy(RESOLVED), **keys}


# --- what is read ---------------------------------------------------------------------------


def test_helper_reads_the_file_where_the_plugin_is_missing(file: Path) -> None:
    reading = read(file, RESOLVED)

    assert reading.project == expected(file)
    assert (reading.problems, reading.warnings, reading.complete) == ((), (), True)
    assert reading.lines.where("services", "worker") == f"{file}:10 services.worker"


def test_plugin_reads_the_file_where_it_is_installed(file: Path) -> None:
    plugin = ("docker", "compose", "--file")
    run = FakeRun({PLUGIN: finished(0), plugin: finished(0, PLUGIN_ANSWER)})

    assert read_project(file, {}, {}, run).project == expected(file)


def test_variables_of_the_stack_come_before_those_of_the_shell(file: Path) -> None:
    run = helper(RESOLVED)
    read_project(file, {"A": "shell", "B": "shell"}, {"A": "stack"}, run)

    assert run.environ == {"A": "stack", "B": "shell"}


def test_services_are_in_the_order_of_their_names(file: Path) -> None:
    resolved = with_top(services=dict(reversed(RESOLVED["services"].items())))

    assert list(read(file, resolved).project.services) == ["web", "worker"]


def test_missing_file_says_which_key_names_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refusal:
        read_project(tmp_path / "no.yaml", {}, {}, FakeRun({}))

    assert refusal.value.problems == (
        f"{tmp_path}/no.yaml: no such file; set slipway:compose in the stack's configuration",
    )


def test_what_the_reader_complains_of_is_told_with_what_is_wrong_with_keys(file: Path) -> None:
    warning = 'time="2026-01-01T00:00:00Z" level=warning msg="The \\"ONE\\" variable is not set. '
    reading = read(file, changed(privileged=True), warning)

    assert reading.problems == (
        f"{file}:1 ${{ONE}}: has no value; set it under slipway:variables, or with pulumi config "
        "set --stack <stack> --secret --path slipway:secrets.ONE <value>, "
        "or give it a default: ${ONE:-}",
        f"{file}:3 services.web.privileged: a release must not own its host; name what it needs "
        "under cap_add",
    )


def test_service_that_names_a_sibling_s_image_runs_what_the_sibling_builds(file: Path) -> None:
    resolved = changed(image="shop:latest")
    resolved["services"]["worker"]["image"] = "shop:latest"
    resolved["services"]["other"] = {"image": "shop:1"}
    services = read(file, resolved).project.services

    assert services["worker"].build == services["web"].build
    assert services["other"].build is None


# --- keys that are not honoured -------------------------------------------------------------

REFUSED = """\
name: shop
services:
  web:
    image: a
    links: [db]
    container_name: web-1
    mem_limit: 1g
    network_mode: host
    deploy: {replicas: 2, resources: {limits: {memory: 1g, pids: 3}, reservations: {memory: 1g}}}
    external_links: [x]
    privileged: true
    develop: {watch: []}
    healthcheck: {test: x, start_interval: 1s}
    build: {context: ., cache_from: [x], network: host, ssh: [default]}
    cpus: 2
    x-slipway: {routes: {port: 1}, probes: [{paht: /}], route: {prot: 1}}
  db:
    image: b
    scale: 2
networks: {back: {driver: overlay}}
configs: {c: {file: ./c, template_driver: golang}}
volumes:
  v: {external: true}
  w: {driver: local, labels: {a: b}}
models: {m: {model: x}}
x-mine: {a: b}
"""
REFUSED_RESOLVED = {
    "configs": {"c": {"file": "/src/c", "name": "shop_c", "template_driver": "golang"}},
    "models": {"m": {"model": "x"}},
    "name": "shop",
    "networks": {
        "back": {"driver": "overlay", "ipam": {}, "name": "shop_back"},
        "default": {"ipam": {}, "name": "shop_default"},
    },
    "services": {
        "db": {"command": None, "image": "b", "networks": {"default": None}, "scale": 2},
        "web": {
            "build": {
                "cache_from": ["x"],
                "context": "/src",
                "dockerfile": "Dockerfile",
                "network": "host",
                "ssh": ["default"],
            },
            "container_name": "web-1",
            "cpus": 2,
            "depends_on": {"db": {"condition": "service_started", "required": True}},
            "deploy": {
                "placement": {},
                "replicas": 2,
                "resources": {
                    "limits": {"memory": "1073741824", "pids": 3},
                    "reservations": {"memory": "1073741824"},
                },
            },
            "develop": {},
            "external_links": ["x"],
            "healthcheck": {"start_interval": "1s", "test": ["CMD-SHELL", "x"]},
            "image": "a",
            "links": ["db"],
            "mem_limit": "1073741824",
            "network_mode": "host",
            "privileged": True,
            "x-slipway": {
                "routes": {"port": 1},
                "probes": [{"paht": "/"}],
                "route": {"prot": 1},
            },
        },
    },
    "volumes": {
        "v": {"external": True, "name": "v"},
        "w": {"driver": "local", "labels": {"a": "b"}, "name": "shop_w"},
    },
    "x-mine": {"a": "b"},
}


def test_every_key_that_is_not_honoured_is_refused_at_once(file: Path) -> None:
    file.write_text(REFUSED)

    later = "Slipway does not honour it; remove it"
    one = "one container a service and release is what one host gets; remove it"
    keys = (
        "allow, drain, ephemeral, hold, interval, overlap, probes, proof, release, "
        "release_timeout, route, singleton, stable_for, successes, timeout"
    )
    probe_keys = "follow_redirects, headers, json, max_ms, method, name, path, status, tcp, text"
    assert problems(file, REFUSED_RESOLVED) == [
        f"compose.yaml:25 models: {later}",
        f"compose.yaml:19 services.db.scale: {one}",
        "compose.yaml:14 services.web.build.cache_from: the engine's own build cache is used; "
        "remove it",
        "compose.yaml:14 services.web.build.network: builds use the engine's own network; remove "
        "it",
        "compose.yaml:14 services.web.build.ssh: keys of this machine stay on it; fetch private "
        "packages with a build secret",
        f"compose.yaml:13 services.web.healthcheck.start_interval: {later}",
        f"compose.yaml:9 services.web.deploy.replicas: {one} (found 2)",
        f"compose.yaml:9 services.web.deploy.resources.limits.pids: {later}",
        "compose.yaml:9 services.web.deploy.resources.reservations: one host reserves nothing; "
        "use limits",
        "compose.yaml:16 services.web.x-slipway.route.port: is missing; add it",
        "compose.yaml:16 services.web.x-slipway.route.prot: no such key; there are host, "
        "internal, path, port",
        "compose.yaml:16 services.web.x-slipway.probes.0.paht: no such key; there are "
        f"{probe_keys}",
        f"compose.yaml:16 services.web.x-slipway.routes: no such key; there are {keys}",
        'compose.yaml:15 services.web.cpus: write deploy: {resources: {limits: {cpus: "…"}}}',
        "compose.yaml:12 services.web.develop: it is for docker compose watch; move it to a "
        "compose.override.yaml",
        "compose.yaml:10 services.web.external_links: use an external network",
        "compose.yaml:5 services.web.links: services find each other by their names; for another "
        "name, use networks: {default: {aliases: […]}} on the service that is linked to",
        "compose.yaml:7 services.web.mem_limit: write deploy: {resources: {limits: {memory: …}}}",
        "compose.yaml:8 services.web.network_mode: the proxy reaches services by the stack's own "
        "network; remove it",
        "compose.yaml:11 services.web.privileged: a release must not own its host; name what it "
        "needs under cap_add",
        f"compose.yaml:24 volumes.w.labels: {later}",
        f"compose.yaml:20 networks.back.driver: {later}",
        f"compose.yaml:21 configs.c.template_driver: {later}",
    ]


def test_service_that_cannot_be_read_hides_nothing_of_the_others(file: Path) -> None:
    resolved = changed(privileged=True)
    resolved["services"]["worker"]["privileged"] = True
    resolved["services"]["fine"] = {"image": "b"}
    reading = read(file, resolved)

    assert list(reading.project.services) == ["fine", "web", "worker"]
    assert not reading.complete
    assert [problem.split(":", 2)[1] for problem in reading.problems] == [
        "3 services.web.privileged",
        "10 services.worker.privileged",
    ]


@pytest.mark.parametrize(
    ("mount", "told"),
    [
        pytest.param(
            {"type": "volume", "source": "data", "target": "/d", "consistency": "cached"},
            "compose.yaml:6 services.web.volumes.0.consistency: Slipway does not honour it; remove "
            "it",
            id="option",
        ),
        pytest.param(
            {"type": "npipe", "source": "p", "target": "/d"},
            "compose.yaml:6 services.web.volumes.0: Input tag 'npipe' found using 'type' does not "
            "match any of the expected tags: 'volume', 'bind', 'tmpfs'",
            id="type",
        ),
        pytest.param(
            {"type": "bind", "target": "/d"},
            "compose.yaml:6 services.web.volumes.0.source: is missing; add it",
            id="bind-without-source",
        ),
    ],
)
def test_mount_that_is_not_honoured_is_refused(
    file: Path, mount: Mapping[str, Any], told: str
) -> None:
    assert problems(file, changed(volumes=[mount])) == [told]


@pytest.mark.parametrize(
    "mount",
    [
        {"type": "volume", "source": "data", "target": "/d", "volume": {}},
        {"type": "volume", "target": "/d", "volume": None},
        {"type": "bind", "source": "/etc", "target": "/d", "bind": {"create_host_path": True}},
        {"type": "tmpfs", "target": "/d", "tmpfs": {"size": "1024"}},
    ],
)
def test_mounts_of_every_kind_are_read(file: Path, mount: Mapping[str, Any]) -> None:
    assert problems(file, changed(volumes=[mount])) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"restart": "sometimes"},
            'compose.yaml:3 services.web.restart: must be no or unless-stopped (found "sometimes")',
        ),
        (
            {"restart": "on-failure:3"},
            "compose.yaml:3 services.web.restart: a count would leave the live container stopped "
            "for good after some failures; write unless-stopped",
        ),
        (
            {"x-slipway": {"route": {"port": 8000}, "probes": [{"path": "health"}]}},
            'compose.yaml:9 services.web.x-slipway.probes.0.path: "health" is not an absolute '
            "path; write /health",
        ),
        (
            {"x-slipway": {"route": {"port": 8000}, "overlap": "no way"}},
            'compose.yaml:7 services.web.x-slipway.overlap: must be true or false (found "no way")',
        ),
        (
            {"x-slipway": {"route": {"port": 8000}, "timeout": "soon"}},
            'compose.yaml:7 services.web.x-slipway.timeout: "soon" is not a duration; write it '
            "like 15s, 1m30s or 250ms",
        ),
        (
            {"x-slipway": {"route": 8000}},
            "compose.yaml:8 services.web.x-slipway.route: must be a mapping (key: value), such as "
            "route: {port: 8000}",
        ),
        (
            {"x-slipway": {"route": {"port": 8000}, "probes": "/health"}},
            "compose.yaml:9 services.web.x-slipway.probes: must be a list, such as probes: "
            '[{path: /health}] (found "/health")',
        ),
    ],
)
def test_value_that_cannot_be_is_shown(file: Path, changes: dict[str, Any], told: str) -> None:
    assert problems(file, changed(**changes)) == [told]
    assert read(file, changed(**changes)).unread == {"web"}


def test_headers_are_not_shown_with_what_is_wrong_beside_them(file: Path) -> None:
    probes = [{"headers": {"Authorization": "Bearer hunter2"}}]

    without_path = changed(**{"x-slipway": {"route": {"port": 8000}, "probes": probes}})
    assert problems(file, without_path) == [
        "compose.yaml:9 services.web.x-slipway.probes.0: has no path; add path: /health, or tcp: "
        "true if nothing answers"
    ]

    without_route = changed(**{"x-slipway": {"probes": [{"path": "/", **probes[0]}]}})
    assert problems(file, without_route) == [
        "compose.yaml:7 services.web.x-slipway: probes need a route; add route: {port: <container "
        "port>}"
    ]


# --- what the reader adds -------------------------------------------------------------------


def test_names_that_the_reader_gives_are_not_the_file_s(file: Path) -> None:
    resolved = with_top(
        volumes={"data": {"name": "shop_data"}, "own": {"name": "uploads"}, "bare": None},
        networks={
            "default": {"ipam": {}, "name": "shop_default", "driver": "bridge"},
            "back": {"ipam": {}, "name": "shop_back", "internal": True},
        },
        secrets={"s": {"file": "/src/s", "name": "shop_s"}},
        configs={"c": {"content": "x", "name": "shop_c"}},
    )
    reading = read(file, resolved)

    assert reading.problems == ()
    project = reading.project
    assert {name: v.name for name, v in project.volumes.items()} == {
        "bare": None,
        "data": None,
        "own": "uploads",
    }
    assert {name: (n.name, n.internal) for name, n in project.networks.items()} == {
        "back": (None, True),
        "default": (None, False),
    }
    assert (project.secrets["s"].name, project.configs["c"].name) == (None, None)


def test_names_of_what_is_external_are_kept_though_the_reader_could_have_given_them(
    file: Path,
) -> None:
    resolved = with_top(
        volumes={"data": {"external": True, "name": "shop_data"}},
        networks={"edge": {"external": True, "name": "shop_edge", "ipam": {}}},
        secrets={"s": {"external": True, "name": "PASSWORD"}},
    )
    project = read(file, resolved).project

    assert (project.volumes["data"].external, project.volumes["data"].name) == (True, "shop_data")
    assert (project.networks["edge"].external, project.networks["edge"].name) == (
        True,
        "shop_edge",
    )
    assert project.secrets["s"].name == "PASSWORD"


# --- warnings -------------------------------------------------------------------------------


def test_service_of_a_profile_that_is_not_active_is_told_as_left_out(file: Path) -> None:
    text = COMPOSE.replace(
        "  worker:\n", "  debug:\n    image: a\n    profiles: [dev, ops]\n  worker:\n"
    )
    file.write_text(text)

    assert warnings(file, RESOLVED) == [
        "compose.yaml:12 services.debug.profiles: left out, since no profile of dev, ops is "
        "active; set COMPOSE_PROFILES under slipway:variables to have it"
    ]


def test_nothing_is_told_as_left_out_where_services_cannot_be_read(file: Path) -> None:
    text = COMPOSE.replace("  web:\n", "  web:\n    profiles: [dev]\n")
    file.write_text(text)

    assert warnings(file, changed(profiles=["dev"], privileged=True)) == []


# --- raising --------------------------------------------------------------------------------


def test_problems_are_raised_once_each() -> None:
    with pytest.raises(ConfigError) as refusal:
        require(["a", "b", "a"])
    assert refusal.value.problems == ("a", "b")
    require([])


def test_lines_are_those_of_the_file_that_was_read(file: Path) -> None:
    found = read(file, RESOLVED).lines
    assert isinstance(found, KeyLines)
    assert found.file == file


def test_path_and_home_of_this_machine_are_no_values(file: Path) -> None:
    file.write_text("services:\n  web:\n    environment:\n      PATH: /venv/bin:$PATH\n")
    (problem,) = problems(file, RESOLVED)
    assert problem.startswith("compose.yaml:4 ${PATH}: has another value on every machine")


def test_what_is_left_to_the_image_is_read_out_of_its_dockerfile(file: Path) -> None:
    (file.parent / "Dockerfile").write_text('FROM python\nCMD ["gunicorn", "shop"]\n')
    resolved = copy.deepcopy(RESOLVED)
    resolved["services"]["web"]["build"]["context"] = str(file.parent)
    resolved["services"]["web"]["entrypoint"] = []
    assert read(file, resolved).project.services["web"].command == ["gunicorn", "shop"]

    resolved["services"]["worker"]["entrypoint"] = []
    assert problems(file, resolved) == [
        "compose.yaml:10 services.worker.entrypoint: takes the entrypoint away, and what its image "
        "says is not known before it is pulled; write beside it what is to run: command: "
        "[gunicorn, …]"
    ]


def test_variable_that_is_not_utf_8_is_told_once_for_a_file(file: Path) -> None:
    (file.parent / ".env").write_bytes(b"# caf\xe9\nA=b\nB=caf\xe9\nC=caf\xe9\n")
    assert problems(file, RESOLVED) == [f"{file.parent}/.env:3 is not UTF-8 text; save it as UTF-8"]
