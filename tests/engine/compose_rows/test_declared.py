"""What of a compose file is declared to Pulumi, from its text to the provider's inputs."""

import base64
from pathlib import Path
from typing import Any

import pytest

from components import DockerStack, DockerStackArgs

from ..support import SECRET, World, declare
from .support import WEB, Sample

CONTAINER = "docker:index/container:Container"
NETWORK = "docker:index/network:Network"
VOLUME = "docker:index/volume:Volume"
LEFT_OUT = {"name", "image", "labels", "envs", "start", "mustRun"}
BARE = {
    "destroyGraceSeconds": 10,
    "networksAdvanced": [{"name": "shop-test"}],
    "readOnly": False,
    "restart": "no",
    "stopTimeout": 10,
    "volumes": [],
}


@pytest.fixture(autouse=True)
def no_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def declared(sample: Sample, compose: str) -> World:
    sample.write(sample.file, compose)
    args = DockerStackArgs(sample.settings, {"PATH": sample.path})
    return declare(lambda: DockerStack("shop", args), World())


def inputs(world: World, service: str) -> dict[str, Any]:
    """A container's inputs that are its service's own."""
    found = world.one(CONTAINER, f"shop-{service}-").inputs
    return {key: value for key, value in found.items() if key not in LEFT_OUT}


def test_service_without_any_keys(sample: Sample) -> None:
    assert inputs(declared(sample, WEB), "web") == BARE


def test_service_with_all_the_rarer_keys(sample: Sample) -> None:
    text = """\
    tty: true
    stdin_open: true
    hostname: shop
    user: "1000:1000"
    working_dir: /app
    init: true
    restart: always
    stop_signal: SIGINT
    stop_grace_period: 1m
    logging: {driver: json-file, options: {max-size: 10m}}
    ulimits: {nofile: 65536, nproc: {soft: 10, hard: 20}}
    shm_size: 256mb
    extra_hosts: ["host.docker.internal:host-gateway", "old=10.0.0.1"]
    deploy: {resources: {limits: {cpus: "0.50", memory: 512M}}}
    cap_drop: [ALL]
    cap_add: [NET_BIND_SERVICE]
    security_opt: [no-new-privileges:true]
    tmpfs: ["/tmp", "/run:size=64m"]
    read_only: true
    command: gunicorn shop.wsgi
    healthcheck: {test: curl -f localhost, interval: 1m30s, retries: 3}
"""
    assert inputs(declared(sample, WEB + text), "web") == {
        "tty": True,
        "stdinOpen": True,
        "hostname": "shop",
        "user": "1000:1000",
        "workingDir": "/app",
        "init": True,
        "restart": "unless-stopped",
        "stopSignal": "SIGINT",
        "stopTimeout": 60,
        "destroyGraceSeconds": 60,
        "logDriver": "json-file",
        "logOpts": {"max-size": "10m"},
        "ulimits": [
            {"name": "nofile", "soft": 65536, "hard": 65536},
            {"name": "nproc", "soft": 10, "hard": 20},
        ],
        "shmSize": 256,
        "hosts": [
            {"host": "host.docker.internal", "ip": "host-gateway"},
            {"host": "old", "ip": "10.0.0.1"},
        ],
        "cpus": "0.5",
        "memory": 512,
        "capabilities": {"adds": ["NET_BIND_SERVICE"], "drops": ["ALL"]},
        "securityOpts": ["no-new-privileges:true"],
        "tmpfs": {"/tmp": "", "/run": "size=64m"},
        "readOnly": True,
        "command": ["gunicorn", "shop.wsgi"],
        "healthcheck": {
            "tests": ["CMD-SHELL", "curl -f localhost"],
            "interval": "1m30s",
            "retries": 3,
        },
        "networksAdvanced": [{"name": "shop-test"}],
        "volumes": [],
    }


@pytest.mark.parametrize(
    ("written", "words"), [("[]", [""]), ("[tini, --]", ["tini", "--"]), ("/run.sh", ["/run.sh"])]
)
def test_entrypoint_and_none_of_the_image_s(sample: Sample, written: str, words: list[str]) -> None:
    world = declared(sample, f"{WEB}    entrypoint: {written}\n    command: [work]\n")
    assert inputs(world, "web") == {**BARE, "entrypoints": words, "command": ["work"]}


def test_disabled_health_check(sample: Sample) -> None:
    world = declared(sample, f"{WEB}    healthcheck: {{disable: true}}\n")
    assert inputs(world, "web") == {**BARE, "healthcheck": {"tests": ["NONE"]}}


def test_environment_of_every_form(sample: Sample) -> None:
    sample.write("app.env", "LEVEL=info\n")
    sample.variables = {"REGION": "eu"}
    text = "    env_file: app.env\n    environment: [WORKERS=4, REGION, 'URL=http://a/?b=c']\n"
    web = declared(sample, WEB + text).one(CONTAINER, "shop-web-")
    (source,) = [env for env in web.inputs["envs"] if env.startswith("SLIPWAY_SOURCE_HASH=")]
    assert web.inputs["envs"] == [
        "LEVEL=info",
        "REGION=eu",
        source,
        "URL=http://a/?b=c",
        "WORKERS=4",
    ]


def test_backing_service_with_ports_aliases_volumes_and_files(sample: Sample) -> None:
    sample.write("redis.conf", "port 6379\n")
    sample.host.volumes = ["shop_old"]
    world = declared(
        sample,
        f"""\
{WEB}    networks: [front, back]
  cache:
    image: redis:7@PIN
    container_name: shop_redis
    ports: ["127.0.0.1:6379:6379", "127.0.0.1:53:53/udp", "127.0.0.1::9121"]
    networks: {{back: {{aliases: [redis]}}}}
    volumes:
      - data:/data
      - old:/old:ro
      - /srv/dumps:/dumps
      - ./redis.conf:/etc/redis.conf:ro
      - /scratch
volumes:
  data:
  old: {{external: true, name: shop_old}}
networks:
  front:
  back: {{internal: true}}
""",
    )
    assert inputs(world, "cache") == {
        **BARE,
        "ports": [
            {"internal": 6379, "external": 6379, "ip": "127.0.0.1", "protocol": "tcp"},
            {"internal": 53, "external": 53, "ip": "127.0.0.1", "protocol": "udp"},
            {"internal": 9121, "ip": "127.0.0.1", "protocol": "tcp"},
        ],
        "networksAdvanced": [
            {"name": "shop-test-back", "aliases": ["cache", "shop_redis", "redis"]}
        ],
        "volumes": [
            {"volumeName": "shop-test-data", "containerPath": "/data", "readOnly": False},
            {"volumeName": "shop_old", "containerPath": "/old", "readOnly": True},
            {"containerPath": "/scratch", "readOnly": False},
            {"hostPath": "/srv/dumps", "containerPath": "/dumps", "readOnly": False},
        ],
        "uploads": [
            {
                "file": "/etc/redis.conf",
                "contentBase64": base64.b64encode(b"port 6379\n").decode(),
                "permissions": "0644",
            }
        ],
    }
    assert inputs(world, "web")["networksAdvanced"] == [
        {"name": "shop-test-back"},
        {"name": "shop-test-front"},
    ]
    networks = {name: found.inputs.get("internal") for name, found in world.of(NETWORK).items()}
    assert networks == {"shop-network": None, "shop-network-front": None, "shop-network-back": True}
    assert set(world.of(VOLUME)) == {"shop-data", "shop-ingress-routes"}
    ingress = world.one(CONTAINER, "shop-ingress").inputs["networksAdvanced"]
    assert {"name": "shop-test-front", "aliases": ["web"]} in ingress
    assert {"name": "shop-test-back", "aliases": ["web"]} in ingress


def test_content_of_a_secret_is_hidden(sample: Sample) -> None:
    sample.secrets = {"API_TOKEN": "swordfish"}
    text = "    secrets: [token]\nsecrets:\n  token: {environment: API_TOKEN}\n"
    world = declared(sample, WEB + text)
    assert inputs(world, "web")["uploads"] == SECRET
    assert sample.secrets["API_TOKEN"] not in str(world.declared)


def test_services_that_share_a_build_share_a_digest(sample: Sample) -> None:
    world = declared(
        sample,
        f"""\
{WEB}    image: shop
  worker: {{image: shop, command: [work]}}
  beat: {{build: ., command: [celery, beat], x-slipway: {{singleton: true}}}}
""",
    )
    services = ("web", "worker", "beat")
    images = {world.one(CONTAINER, f"shop-{name}-").inputs["image"] for name in services}
    assert len(images) == 1
    assert len(world.of("docker:index/remoteImage:RemoteImage")) == 1
