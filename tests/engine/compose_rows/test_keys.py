"""Keys and forms of compose files; the number in a name is of projects that have it, of 68."""

import pytest

from slipway.proxy import Site
from slipway.services import Port, TmpfsMount, VolumeMount

from .support import DOCKERFILE, WEB, Sample

DB = """\
  db:
    image: postgres:16@PIN
    volumes: [db:/var/lib/postgresql/data]
    healthcheck: {test: [CMD-SHELL, pg_isready -U postgres], interval: 5s, retries: 5}
volumes:
  db:
"""
CHECK = {"test": ["CMD-SHELL", "pg_isready -U postgres"], "interval": 5.0, "retries": 5}
DB_MADE_FROM = {
    "healthcheck": CHECK,
    "volumes": [{"type": "volume", "source": "db", "target": "/var/lib/postgresql/data"}],
}
SITE = Site(service="web", port=8000, names=("web",))


def proxy_owns(port: str) -> str:
    return (
        f"compose.yaml:6 services.web.ports.0: {port} is not published: the stack's proxy owns the "
        "public port, and leads to 8000 from slipway:port"
    )


# --- ports ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        pytest.param('"8000:8000"', "8000:8000", id="host_to_container_57"),
        pytest.param('"80:8000"', "80:8000", id="publishes_80_17"),
        pytest.param('"${PORT:-8080}:8000"', "8080:8000", id="interpolated_16"),
        pytest.param('"127.0.0.1:8000:8000"', "127.0.0.1:8000:8000", id="ip_host_container_7"),
        pytest.param('{target: 8000, published: "80", mode: host}', "80:8000", id="long_form_3"),
        pytest.param('"8000"', ":8000", id="container_only"),
    ],
)
def test_ports_of_the_routed_service_go_to_the_proxy_65(
    sample: Sample, written: str, shown: str
) -> None:
    found = sample.web(f"ports:\n  - {written}\n")
    assert found.warnings == [proxy_owns(shown)]
    assert found.container("web").placement.ports == ()
    assert found.plan.sites == (SITE,)


@pytest.mark.parametrize(
    ("written", "port"),
    [
        pytest.param(
            '"127.0.0.1:5432:5432"',
            Port(target=5432, published="5432", host_ip="127.0.0.1"),
            id="ip_host_container_7",
        ),
        pytest.param(
            '{target: 53, published: "53", protocol: udp, host_ip: 127.0.0.1}',
            Port(target=53, published="53", protocol="udp", host_ip="127.0.0.1"),
            id="long_form_3",
        ),
        pytest.param(
            '"127.0.0.1:53:53/udp"',
            Port(target=53, published="53", protocol="udp", host_ip="127.0.0.1"),
            id="udp_1",
        ),
        pytest.param(
            '"127.0.0.1:${DB_PORT:-5432}:5432"',
            Port(target=5432, published="5432", host_ip="127.0.0.1"),
            id="interpolated_16",
        ),
    ],
)
def test_ports_of_a_backing_service_are_published_65(
    sample: Sample, written: str, port: Port
) -> None:
    found = sample.web(top=f"  cache:\n    image: redis:7@PIN\n    ports:\n      - {written}\n")
    assert found.warnings == []
    assert found.container("cache").placement.ports == (port,)


def test_ports_80_and_443_17(sample: Sample) -> None:
    found = sample.web("ports:\n  - '80:8000'\n  - '443:8443'\n")
    assert found.problems == [
        'compose.yaml:7 services.web.ports.1: "443:8443" binds a port of the host, which old and '
        "new container cannot share (its route is to port 8000); for HTTP write x-slipway: "
        "{route: {port: 8443}}, with host or path if another service has the public one; for "
        "anything else x-slipway: {singleton: true}; or remove it"
    ]


# --- volumes --------------------------------------------------------------------------------


def test_volumes_named_47(sample: Sample) -> None:
    found = sample.web("volumes:\n  - media:/app/media\n", top="volumes:\n  media:\n")
    assert found.container("web").placement.mounts == (
        VolumeMount(type="volume", source="media", target="/app/media"),
    )
    assert found.plan.volumes == {"media": "shop-prod-media"}


def test_volumes_relative_bind_of_a_file_28(sample: Sample) -> None:
    sample.write("conf/app.ini", "[app]\n")
    found = sample.web("volumes:\n  - ./conf/app.ini:/etc/app.ini\n")
    assert found.files("web") == {"/etc/app.ini": ("[app]\n", "0644")}
    assert found.container("web").placement.mounts == ()


def test_volumes_relative_bind_of_a_folder_read_only_16(sample: Sample) -> None:
    sample.write("conf/app.ini", "[app]\n")
    sample.write("conf/more/run", "#!/bin/sh\n").chmod(0o755)
    found = sample.web("volumes:\n  - ./conf:/etc/app:ro\n")
    assert found.files("web") == {
        "/etc/app/app.ini": ("[app]\n", "0644"),
        "/etc/app/more/run": ("#!/bin/sh\n", "0755"),
    }


def test_volumes_relative_bind_of_data_21(sample: Sample) -> None:
    found = sample.web("volumes:\n  - ./data:/app/data\n")
    assert found.problems == [
        "compose.yaml:6 services.web.volumes.0: ./data is a folder of this checkout, and data does "
        "not live there; use a named volume, or an absolute path of the Docker host"
    ]


def test_volumes_relative_bind_of_source_17(sample: Sample) -> None:
    found = sample.web("volumes:\n  - .:/app\n  - ./shop:/app/shop\n")
    why = (
        "of the image, so that other code than the released would run; remove it here (for "
        "development it can stand in a compose.override.yaml)"
    )
    assert found.problems == [
        f"compose.yaml:6 services.web.volumes.0: . hides /app {why}",
        f"compose.yaml:7 services.web.volumes.1: ./shop hides /app/shop {why}",
    ]


def test_volumes_docker_sock_6(sample: Sample) -> None:
    found = sample.web("volumes:\n  - /var/run/docker.sock:/var/run/docker.sock:ro\n")
    assert found.problems == [
        "compose.yaml:6 services.web.volumes.0: /var/run/docker.sock gives the container the whole "
        "host; remove it, or write x-slipway: {allow: [docker.sock]} if that is meant"
    ]


def test_volumes_long_form_4(sample: Sample) -> None:
    found = sample.web(
        """\
        volumes:
          - {type: volume, source: media, target: /app/media, read_only: true}
          - {type: bind, source: /srv/data, target: /data, bind: {create_host_path: true}}
          - {type: tmpfs, target: /tmp}
        """,
        top="volumes:\n  media: {}\n",
    )
    placement = found.container("web").placement
    assert placement.mounts == (
        VolumeMount(type="volume", source="media", target="/app/media", read_only=True),
        TmpfsMount(type="tmpfs", target="/tmp"),
    )
    assert [(p.source, p.target) for p in placement.mounted.host_paths] == [("/srv/data", "/data")]


def test_volumes_absolute_2(sample: Sample) -> None:
    found = sample.web(
        "volumes:\n  - /srv/media:/app/media\n  - /etc/localtime:/etc/localtime:ro\n"
    )
    assert found.made_from("web")["volumes"] == [
        {"source": "/srv/media", "target": "/app/media", "read_only": False},
        {"source": "/etc/localtime", "target": "/etc/localtime", "read_only": True},
    ]


# --- image and build ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "image",
    [
        pytest.param("redis:7", id="major_only_31"),
        pytest.param("redis:7.2.4-alpine", id="version_30"),
        pytest.param("redis:latest", id="latest_19"),
        pytest.param("redis", id="none_13"),
    ],
)
def test_image_by_tag_63(sample: Sample, image: str) -> None:
    found = sample.web(top=f"  cache:\n    image: {image}\n")
    assert found.problems == [
        f"compose.yaml:6 services.cache.image: {image} is not pinned by digest, so that the same "
        "file could run another image tomorrow; run scripts/pin compose.yaml"
    ]


def test_image_by_variable_8(sample: Sample) -> None:
    found = sample.web(top="  cache:\n    image: redis:${REDIS:-7}\n")
    assert found.problems == [
        "compose.yaml:6 services.cache.image: redis:7 is not pinned by digest, so that the same "
        "file could run another image tomorrow; run scripts/pin compose.yaml"
    ]


@pytest.mark.parametrize("image", ["redis:7@PIN", "redis@PIN", "quay.io/team/redis:7@PIN"])
def test_image_by_digest_2(sample: Sample, image: str) -> None:
    found = sample.web(top=f"  cache:\n    image: {image}\n")
    assert (found.warnings, found.order) == ([], ["cache backing", "web routed"])
    assert str(found.container("cache").image).endswith(f"@sha256:{'1' * 64}")


def test_build_short_string_10(sample: Sample) -> None:
    sample.write("app/Dockerfile", DOCKERFILE)
    found = sample.read(WEB.replace("build: .", "build: ./app"))
    build = found.image("web").build
    assert (build.context, build.dockerfile) == (str(sample.folder / "app"), "Dockerfile")
    assert found.context("web") == ["Dockerfile"]


def test_build_mapping_35(sample: Sample) -> None:
    sample.write("docker/Dockerfile.prod", DOCKERFILE.replace("@PIN", "@PIN AS prod"))
    build = """\
build:
      context: .
      dockerfile: docker/Dockerfile.prod
      target: prod
      args:
        VERSION: 1"""
    found = sample.read(WEB.replace("build: .", build)).image("web").build
    assert found.model_dump(exclude_defaults=True) == {
        "context": str(sample.folder),
        "dockerfile": "docker/Dockerfile.prod",
        "target": "prod",
        "args": {"VERSION": "1"},
    }


def test_build_args_list_10(sample: Sample) -> None:
    sample.variables = {"PIP": "24"}
    build = "build: {context: ., args: [VERSION=1, PIP]}"
    found = sample.read(WEB.replace("build: .", build))
    assert found.image("web").build.args == {"VERSION": "1", "PIP": "24"}


def test_build_context_above_the_file_2(sample: Sample) -> None:
    sample.file = "deploy/compose.yaml"
    sample.write("deploy/Dockerfile", DOCKERFILE)
    build = "build: {context: .., dockerfile: deploy/Dockerfile}"
    found = sample.read(WEB.replace("build: .", build))
    assert found.context("web") == [
        "Dockerfile",
        "deploy/Dockerfile",
        "deploy/compose.yaml",
        "shop/wsgi.py",
    ]


@pytest.mark.parametrize("key", ["dockerfile", "target", "args"])
def test_another_build_is_another_image_27(sample: Sample, key: str) -> None:
    sample.write("Dockerfile.worker", f"{DOCKERFILE}USER nobody\n")
    more = {"dockerfile": "Dockerfile.worker", "target": "worker", "args": "{A: '1'}"}[key]
    worker = f"  worker:\n    build: {{context: ., {key}: {more}}}\n    command: [work]\n"
    found = sample.web(top=worker)
    assert found.image("web").source.hash != found.image("worker").source.hash


# --- depends_on -----------------------------------------------------------------------------


def test_depends_on_list_40(sample: Sample) -> None:
    found = sample.web("depends_on:\n  - db\n", top=DB)
    assert found.order == ["db backing", "web routed"]
    waits = found.container("web").service.depends_on
    assert {name: wait.condition for name, wait in waits.items()} == {"db": "service_started"}


@pytest.mark.parametrize(
    "condition",
    [
        pytest.param("service_healthy", id="service_healthy_22"),
        pytest.param("service_started", id="service_started_10"),
    ],
)
def test_depends_on_map_27(sample: Sample, condition: str) -> None:
    found = sample.web(f"depends_on:\n  db:\n    condition: {condition}\n", top=DB)
    assert (found.order, found.warnings) == (["db backing", "web routed"], [])
    waits = found.container("web").service.depends_on
    assert {name: wait.condition for name, wait in waits.items()} == {"db": condition}


def test_depends_on_service_completed_successfully_4(sample: Sample) -> None:
    found = sample.web(
        "depends_on:\n  migrate: {condition: service_completed_successfully}\n",
        top="  migrate:\n    build: .\n    command: [prepare]\n",
    )
    assert found.order == ["migrate job", "web routed"]
    assert found.image("migrate") is found.image("web")


# --- environment ----------------------------------------------------------------------------


def test_environment_map_35(sample: Sample) -> None:
    found = sample.web("environment:\n  LEVEL: info\n  EMPTY: ''\n")
    assert found.environment("web") == {"LEVEL": "info", "EMPTY": ""}


def test_environment_list_27(sample: Sample) -> None:
    found = sample.web("environment:\n  - LEVEL=info\n  - URL=http://a/?b=c\n  - EMPTY=\n")
    assert found.environment("web") == {"LEVEL": "info", "URL": "http://a/?b=c", "EMPTY": ""}


def test_environment_non_string_scalars_10(sample: Sample) -> None:
    found = sample.web("environment:\n  WORKERS: 4\n  DEBUG: false\n  RATIO: 0.5\n  BIG: 1e3\n")
    assert found.environment("web") == {
        "WORKERS": "4",
        "DEBUG": "false",
        "RATIO": "0.5",
        "BIG": "1000",
    }


@pytest.mark.parametrize("written", ["  - REGION\n", "  REGION:\n"])
def test_environment_pass_through_3(sample: Sample, written: str) -> None:
    sample.variables = {"REGION": "eu"}
    found = sample.web(f"environment:\n{written}")
    assert found.environment("web") == {"REGION": "eu"}


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("env_file:\n  - app.env\n", id="list_25"),
        pytest.param("env_file: app.env\n", id="string_9"),
        pytest.param(
            "env_file:\n  - {path: app.env}\n  - {path: more.env, required: false}\n", id="map"
        ),
    ],
)
def test_env_file_34(sample: Sample, written: str) -> None:
    sample.write("app.env", "# for the app\nLEVEL=info\nNAME='two words'\nWORKERS=1\n")
    found = sample.web(f"{written}environment:\n  WORKERS: 4\n")
    assert found.environment("web") == {"LEVEL": "info", "NAME": "two words", "WORKERS": "4"}


def test_env_file_not_in_the_repository_23(sample: Sample) -> None:
    found = sample.web("env_file:\n  - .env\n  - env/app.env\n")
    remedy = "write it (is there an example beside it?), or give its variables under environment"
    assert found.problems == [
        f"compose.yaml:5 services.web.env_file: .env is not there (.env); {remedy}",
        f"compose.yaml:5 services.web.env_file: app.env is not there (env/app.env); {remedy}",
    ]


# --- command, entrypoint, restart -----------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "words"),
    [
        pytest.param(
            'gunicorn --bind 0.0.0.0:8000 "shop.wsgi:app"',
            ["gunicorn", "--bind", "0.0.0.0:8000", "shop.wsgi:app"],
            id="string_35",
        ),
        pytest.param(
            '["gunicorn", "--bind", "0.0.0.0:8000", "shop.wsgi"]',
            ["gunicorn", "--bind", "0.0.0.0:8000", "shop.wsgi"],
            id="list_17",
        ),
        pytest.param(
            'sh -c "exec gunicorn --bind 0.0.0.0:$${PORT:-8000} shop.wsgi"',
            ["sh", "-c", "exec gunicorn --bind 0.0.0.0:${PORT:-8000} shop.wsgi"],
            id="sh_c_5",
        ),
        pytest.param(
            ">\n  gunicorn\n  --workers 2\n  shop.wsgi",
            ["gunicorn", "--workers", "2", "shop.wsgi"],
            id="folded",
        ),
    ],
)
def test_command_44(sample: Sample, written: str, words: list[str]) -> None:
    assert sample.web(f"command: {written}\n").made_from("web") == {"command": words}


@pytest.mark.parametrize(
    ("written", "words"),
    [
        pytest.param('["/entrypoint.sh", "--wait"]', ["/entrypoint.sh", "--wait"], id="list_8"),
        pytest.param("/entrypoint.sh --wait", ["/entrypoint.sh", "--wait"], id="string_4"),
        pytest.param("[]", [], id="empty_2"),
    ],
)
def test_entrypoint_12(sample: Sample, written: str, words: list[str]) -> None:
    found = sample.web(f"entrypoint: {written}\ncommand: [gunicorn]\n")
    assert found.made_from("web") == {"entrypoint": words, "command": ["gunicorn"]}


@pytest.mark.parametrize(
    ("written", "made"),
    [
        ("always", {"restart": "unless-stopped"}),
        ("unless-stopped", {"restart": "unless-stopped"}),
        ("on-failure", {"restart": "unless-stopped"}),
        ('"no"', {}),
    ],
)
def test_restart_42(sample: Sample, written: str, made: dict[str, str]) -> None:
    assert sample.web(f"restart: {written}\n").made_from("web") == made


# --- healthcheck ----------------------------------------------------------------------------


def test_healthcheck_times_28(sample: Sample) -> None:
    found = sample.web(
        """\
        healthcheck:
          test: ["CMD", "curl", "-f", "http://localhost:8000/health"]
          interval: 1m30s
          timeout: 10s
          retries: 3
          start_period: 40s
        """
    )
    assert found.warnings == []
    assert found.made_from("web") == {
        "healthcheck": {
            "test": ["CMD", "curl", "-f", "http://localhost:8000/health"],
            "interval": 90.0,
            "timeout": 10.0,
            "retries": 3,
            "start_period": 40.0,
        }
    }


@pytest.mark.parametrize(
    ("written", "check"),
    [
        pytest.param(
            'test: ["CMD-SHELL", "curl -f http://localhost:8000/ || exit 1"]',
            {"test": ["CMD-SHELL", "curl -f http://localhost:8000/ || exit 1"]},
            id="CMD_SHELL_18",
        ),
        pytest.param(
            'test: ["CMD", "python", "check.py"]',
            {"test": ["CMD", "python", "check.py"]},
            id="CMD_13",
        ),
        pytest.param(
            "test: curl -f http://localhost:8000/ || exit 1",
            {"test": ["CMD-SHELL", "curl -f http://localhost:8000/ || exit 1"]},
            id="string_10",
        ),
        pytest.param("disable: true", {"disable": True}, id="disable_2"),
        pytest.param('test: ["NONE"]', {"test": ["NONE"]}, id="NONE"),
    ],
)
def test_healthcheck_test_28(sample: Sample, written: str, check: dict[str, object]) -> None:
    found = sample.web(f"healthcheck:\n  {written}\n")
    assert (found.made_from("web"), found.warnings) == ({"healthcheck": check}, [])


def test_healthcheck_is_enough_for_a_route_28(sample: Sample) -> None:
    found = sample.read(
        """\
services:
  web:
    build: .
    healthcheck: {test: [CMD, "true"]}
    x-slipway: {route: {port: 8000}}
"""
    )
    assert found.plan.sites == (SITE,)


# --- names and networks ---------------------------------------------------------------------


def test_container_name_21(sample: Sample) -> None:
    found = sample.web(top="  cache:\n    image: redis:7@PIN\n    container_name: shop_redis\n")
    assert found.networks("cache") == {"default": ["cache", "shop_redis"]}
    revision = found.container("cache").revision
    assert found.container("cache").name == f"shop-prod-cache-{revision}"


def test_networks_list_16(sample: Sample) -> None:
    found = sample.web(
        "networks:\n  - front\n  - back\n",
        top="""\
  cache:
    image: redis:7@PIN
    networks: [back]
networks:
  front:
  back:
    driver: bridge
    internal: true
""",
    )
    assert found.networks("web") == {"front": [], "back": []}
    assert found.networks("cache") == {"back": ["cache"]}
    assert found.plan.networks == {
        "default": "shop-prod",
        "front": "shop-prod-front",
        "back": "shop-prod-back",
    }
    assert found.plan.project.networks["back"].internal
    assert found.plan.ingress_networks == {"front": ("web",), "back": ("web",)}


def test_networks_map_with_aliases_16(sample: Sample) -> None:
    found = sample.web(
        "networks:\n  default:\n    aliases: [api]\n",
        top="""\
  cache:
    image: redis:7@PIN
    networks: {default: {aliases: [redis]}}
""",
    )
    assert found.networks("cache") == {"default": ["cache", "redis"]}
    assert found.networks("web") == {"default": []}
    assert found.plan.ingress_networks == {"default": ("web", "api")}


def test_networks_fixed_address_16(sample: Sample) -> None:
    found = sample.web(
        "networks:\n  back:\n    ipv4_address: 10.5.0.2\n",
        top="networks:\n  back:\n    ipam: {config: [{subnet: 10.5.0.0/16}]}\n",
    )
    assert found.problems == [
        "compose.yaml:7 services.web.networks.back.ipv4_address: Slipway does not honour it; "
        "remove it",
        "compose.yaml:10 networks.back.ipam: Slipway does not honour it; remove it",
    ]


def test_expose_11(sample: Sample) -> None:
    found = sample.web("expose:\n  - 8000\n")
    assert (found.container("web").service.expose, found.warnings) == (["8000"], [])


def test_expose_of_a_worker_that_others_call_11(sample: Sample) -> None:
    found = sample.web(
        "depends_on: [api]\n", top="  api:\n    build: .\n    expose: ['9000']\n    init: true\n"
    )
    assert found.problems == [
        "compose.yaml:8 services.api.expose: web may call it by its name, which must lead to the "
        "proven container; write x-slipway: {route: {port: 9000, internal: true}}"
    ]


# --- rarer keys -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "made"),
    [
        pytest.param('user: "1000:1000"', {"user": "1000:1000"}, id="user_7"),
        pytest.param(
            "logging: {driver: json-file, options: {max-size: 10m, max-file: 3}}",
            {"logging": {"driver": "json-file", "options": {"max-file": "3", "max-size": "10m"}}},
            id="logging_6",
        ),
        pytest.param("tty: true", {"tty": True}, id="tty_6"),
        pytest.param("stdin_open: true", {"stdin_open": True}, id="stdin_open"),
        pytest.param("hostname: shop", {"hostname": "shop"}, id="hostname_5"),
        pytest.param(
            'deploy: {resources: {limits: {cpus: "0.50", memory: 512M}}}',
            {"deploy": {"resources": {"limits": {"cpus": 0.5, "memory": 512 << 20}}}},
            id="deploy_limits_4",
        ),
        pytest.param("deploy: {replicas: 1}", {}, id="deploy_one_replica_4"),
        pytest.param("shm_size: 256mb", {"shm_size": 256 << 20}, id="shm_size_4"),
        pytest.param(
            "ulimits: {nofile: 65536, nproc: {soft: 10, hard: 20}}",
            {
                "ulimits": {
                    "nofile": {"soft": 65536, "hard": 65536},
                    "nproc": {"soft": 10, "hard": 20},
                }
            },
            id="ulimits_4",
        ),
        pytest.param("labels: {team: 5}", {"labels": {"team": "5"}}, id="labels_map_3"),
        pytest.param("labels: [team=shop]", {"labels": {"team": "shop"}}, id="labels_list_3"),
        pytest.param("pull_policy: build", {}, id="pull_policy_3"),
        pytest.param("stop_grace_period: 1m30s", {"stop_grace_period": 90.0}, id="grace_3"),
        pytest.param("stop_signal: SIGINT", {"stop_signal": "SIGINT"}, id="stop_signal_2"),
        pytest.param("working_dir: /app", {"working_dir": "/app"}, id="working_dir_2"),
        pytest.param("cap_drop: [ALL]", {"cap_drop": ["ALL"]}, id="cap_drop_1"),
        pytest.param(
            'extra_hosts: ["host.docker.internal:host-gateway"]',
            {"extra_hosts": ["host.docker.internal=host-gateway"]},
            id="extra_hosts_1",
        ),
        pytest.param("init: true", {"init": True}, id="init_1"),
        pytest.param(
            "security_opt: [no-new-privileges:true]",
            {"security_opt": ["no-new-privileges:true"]},
            id="security_opt_1",
        ),
        pytest.param("read_only: true", {"read_only": True}, id="read_only"),
        pytest.param("tmpfs: /tmp", {"tmpfs": ["/tmp"]}, id="tmpfs"),
    ],
)
def test_rarer_key_is_honoured(sample: Sample, written: str, made: dict[str, object]) -> None:
    found = sample.web(f"{written}\n")
    assert (found.made_from("web"), found.warnings) == (made, [])


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        pytest.param(
            "deploy: {replicas: 2}",
            "deploy.replicas: one container a service and release is what one host gets; remove "
            "it (found 2)",
            id="deploy_replicas_4",
        ),
        pytest.param(
            "deploy: {resources: {reservations: {memory: 128M}}}",
            "deploy.resources.reservations: one host reserves nothing; use limits",
            id="deploy_reservations_4",
        ),
        pytest.param(
            "deploy: {placement: {constraints: [node.role==manager]}}",
            "deploy.placement.constraints: Slipway does not honour it; remove it",
            id="deploy_placement_4",
        ),
        pytest.param(
            "links: [db:database]",
            "links: services find each other by their names; for another name, use networks: "
            "{default: {aliases: […]}} on the service that is linked to",
            id="links_2",
        ),
        pytest.param(
            "network_mode: host",
            "network_mode: the proxy reaches services by the stack's own network; remove it",
            id="network_mode_1",
        ),
        pytest.param(
            "privileged: true",
            "privileged: a release must not own its host; name what it needs under cap_add",
            id="privileged",
        ),
        pytest.param(
            "mem_limit: 512m",
            "mem_limit: write deploy: {resources: {limits: {memory: …}}}",
            id="mem_limit",
        ),
        pytest.param(
            "develop: {watch: []}",
            "develop: it is for docker compose watch; move it to a compose.override.yaml",
            id="develop",
        ),
        pytest.param("ipc: host", "ipc: Slipway does not honour it; remove it", id="ipc"),
    ],
)
def test_rarer_key_is_refused(sample: Sample, written: str, problem: str) -> None:
    found = sample.web(f"{written}\n", top=DB)
    assert found.problems == [f"compose.yaml:5 services.web.{problem}"]


def test_pull_policy_of_a_pulled_image_3(sample: Sample) -> None:
    found = sample.web(top="  cache:\n    image: redis:7@PIN\n    pull_policy: always\n")
    assert found.warnings == [
        "compose.yaml:7 services.cache.pull_policy: has no effect: the image's digest says which "
        "one runs"
    ]


def test_profiles_3(sample: Sample) -> None:
    top = "  debug:\n    image: adminer:4@PIN\n    profiles: [debug, dev]\n"
    without = sample.web(top=top)
    assert without.order == ["web routed"]
    assert without.warnings == [
        "compose.yaml:7 services.debug.profiles: left out, since no profile of debug, dev is "
        "active; set COMPOSE_PROFILES under slipway:variables to have it"
    ]
    sample.variables = {"COMPOSE_PROFILES": "debug"}
    active = sample.web(top=top)
    assert (active.order, active.warnings) == (["debug backing", "web routed"], [])


def test_secrets_1(sample: Sample) -> None:
    sample.secrets = {"API_TOKEN": "swordfish"}
    sample.write("cert.pem", "a certificate\n")
    found = sample.web(
        "secrets:\n  - token\n  - {source: cert, target: /etc/cert.pem, mode: 0400}\n",
        top="secrets:\n  token: {environment: API_TOKEN}\n  cert: {file: ./cert.pem}\n",
    )
    assert found.files("web") == {
        "/run/secrets/token": ("swordfish", "0444"),
        "/etc/cert.pem": ("a certificate\n", "0400"),
    }
    assert found.container("web").record.holds_secret
    assert "swordfish" not in str(found.made_from("web"))


# --- top level ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("volumes:\n  db:\n", {"db": "shop-prod-db"}),
        ("volumes:\n  db: {}\n", {"db": "shop-prod-db"}),
        ("volumes:\n  db: {driver: local}\n", {"db": "shop-prod-db"}),
        ("volumes:\n  db: {external: true, name: old_db}\n", {"db": "old_db"}),
    ],
)
def test_top_level_volumes_48(sample: Sample, written: str, names: dict[str, str]) -> None:
    sample.host.volumes = ["old_db"]
    assert sample.web(top=written).plan.volumes == names


def test_top_level_version_21(sample: Sample) -> None:
    found = sample.read(f'version: "3.8"\n{WEB}')
    assert (found.order, found.warnings) == (["web routed"], [])


def test_top_level_networks_19(sample: Sample) -> None:
    found = sample.web("networks: [back]\n", top="networks:\n  back: {driver: bridge}\n")
    assert found.plan.networks == {"default": "shop-prod", "back": "shop-prod-back"}


def test_top_level_extension_14(sample: Sample) -> None:
    found = sample.read(f"x-notes: {{any: thing}}\n{WEB}")
    assert (found.order, found.warnings) == (["web routed"], [])


def test_top_level_include_1(sample: Sample) -> None:
    sample.write("cache.yaml", "services:\n  cache:\n    image: redis:7@PIN\n")
    found = sample.read(f"include:\n  - cache.yaml\n{WEB}")
    assert found.order == ["cache backing", "web routed"]


def test_top_level_name_1(sample: Sample) -> None:
    found = sample.read(f"name: store\n{WEB}")
    assert found.plan.ingress_name == "store-prod-ingress"
    assert found.image("web").reference.repository == "store"
