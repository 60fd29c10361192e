"""What a careful tool does with what real compose files hold, on a Docker host."""

from collections.abc import Mapping
from typing import Any

import pytest

from slipway import deploy
from slipway.errors import ConfigError
from slipway.extension import Probe
from slipway.prepared import Prepared
from slipway.proxy import Site
from slipway.services import Port
from slipway.state import CONTAINER, STASH, StackState

from .support import DOCKERFILE, WEB, Sample

DB = """\
  db:
    image: postgres:16@PIN
    volumes: [db:/var/lib/postgresql/data]
"""
DB_VOLUME = "volumes:\n  db:\n"


def after(prepared: Prepared) -> StackState:
    """The state as the engine has it once a release was made."""
    image = f"localhost:5000/shop@sha256:{'f' * 64}"
    containers = {
        plan.service.name: {
            "name": plan.name,
            "id": f"id-of-{plan.name}",
            "upstream": plan.upstream,
            "role": plan.role.value,
        }
        for plan in prepared.containers
    }
    ledger = prepared.fact({plan.service.name: image for plan in prepared.containers})
    outputs: dict[tuple[str, str], Mapping[str, Any]] = {
        (STASH, "shop-live"): {
            "input": {"attempt": "1", "ledger": ledger, "containers": containers}
        },
        (STASH, "shop-attempt"): {"input": dict(prepared.attempt)},
    }
    for plan in prepared.containers:
        outputs[CONTAINER, plan.resource] = {"id": f"id-of-{plan.name}", "name": plan.name}
    return StackState(outputs)


# --- names and ports ------------------------------------------------------------------------


def test_container_name_becomes_an_alias_and_is_said(sample: Sample) -> None:
    found = sample.web("container_name: shop_web\n")
    assert found.warnings == [
        "compose.yaml:5 services.web.container_name: shop_web is kept as a name within the stack's "
        "networks; the container itself is named after stack, service and revision, since old and "
        "new cannot share a name"
    ]
    revision = found.container("web").revision
    assert found.container("web").name == f"shop-prod-web-{revision}"
    assert found.plan.ingress_networks == {"default": ("web", "shop_web")}


def test_fixed_host_port_of_the_app_belongs_to_the_ingress(sample: Sample) -> None:
    found = sample.web("ports: ['80:8000']\n")
    assert found.warnings == [
        "compose.yaml:5 services.web.ports.0: 80:8000 is not published: the stack's proxy owns the "
        "public port, and leads to 8000 from slipway:port"
    ]
    assert found.container("web").placement.ports == ()


def test_fixed_host_port_of_an_app_without_route_is_refused_with_the_route(sample: Sample) -> None:
    found = sample.read("services:\n  web:\n    build: .\n    ports: ['80:8000']\n")
    assert found.problems == [
        "compose.yaml:1 services: no service takes the stack's public traffic; write on the one "
        "that does, for example web: x-slipway: {route: {port: 8000}} with the port on which it "
        "listens",
        'compose.yaml:4 services.web.ports.0: "80:8000" binds a port of the host, which old and '
        "new container cannot share; for HTTP write x-slipway: {route: {port: 8000}}, with host or "
        "path if another service has the public one; for anything else x-slipway: {singleton: "
        "true}; or remove it",
    ]


def test_fixed_host_port_that_is_not_http_is_refused(sample: Sample) -> None:
    mail = "  mail:\n    build: .\n    command: [mail]\n    ports: ['2525:2525']\n"
    assert sample.web(top=mail).problems == [
        'compose.yaml:8 services.mail.ports.0: "2525:2525" binds a port of the host, which old and '
        "new container cannot share; for HTTP write x-slipway: {route: {port: 2525}}, with host or "
        "path if another service has the public one; for anything else x-slipway: {singleton: "
        "true}; or remove it"
    ]


def test_fixed_host_port_of_a_singleton_is_published(sample: Sample) -> None:
    found = sample.web(
        top="""\
  mail:
    build: .
    command: [mail]
    ports: ["2525:2525"]
    x-slipway: {singleton: true}
"""
    )
    assert found.container("mail").placement.ports == (Port(target=2525, published="2525"),)
    assert (found.container("mail").role, found.warnings) == ("singleton", [])


@pytest.mark.parametrize(
    ("written", "loopback"),
    [
        ("5432:5432", "127.0.0.1:5432:5432"),
        ("0.0.0.0:5432:5432", "127.0.0.1:5432:5432"),
        ("5432:5432/udp", "127.0.0.1:5432:5432/udp"),
        ("5432", "127.0.0.1::5432"),
    ],
)
def test_backing_service_that_publishes_a_port_is_honoured_and_warned_about(
    sample: Sample, written: str, loopback: str
) -> None:
    found = sample.web(top=f"{DB}    ports: ['{written}']\n{DB_VOLUME}")
    assert found.warnings == [
        f'compose.yaml:8 services.db.ports.0: "{written}" opens db to everyone who reaches the '
        "host; services of the stack reach it by its name without that; remove it, or write "
        f"{loopback}"
    ]
    (port,) = found.container("db").placement.ports
    assert str(port).removeprefix(":") == written


@pytest.mark.parametrize("loopback", ["127.0.0.1:5432:5432", "127.0.0.1::5432"])
def test_backing_service_that_publishes_a_loopback_port_is_not_warned_about(
    sample: Sample, loopback: str
) -> None:
    found = sample.web(top=f"{DB}    ports: ['{loopback}']\n{DB_VOLUME}")
    assert found.warnings == []
    ports = found.container("db").placement.ports
    assert [str(port) for port in ports] == [loopback]


# --- images ---------------------------------------------------------------------------------


@pytest.mark.parametrize("image", ["redis:latest", "redis"])
def test_latest_or_no_tag_must_be_resolved_to_a_digest(sample: Sample, image: str) -> None:
    assert sample.web(top=f"  cache:\n    image: {image}\n").problems == [
        f"compose.yaml:6 services.cache.image: {image} is not pinned by digest, so that the same "
        "file could run another image tomorrow; run scripts/pin compose.yaml"
    ]


def test_several_services_from_one_build_run_one_image(sample: Sample) -> None:
    found = sample.web(
        top="""\
  worker:
    build: .
    command: celery -A shop worker
  beat:
    build: .
    command: celery -A shop beat
    x-slipway: {singleton: true}
"""
    )
    assert found.image("web") is found.image("worker") is found.image("beat")
    assert {found.container(name).spec.identity for name in ("web", "worker", "beat")} == {
        found.image("web").source.hash
    }


# --- readiness and health -------------------------------------------------------------------


def test_depends_on_without_health_keeps_the_order_and_adds_a_known_probe(sample: Sample) -> None:
    found = sample.web(
        "depends_on: [db, cache, mq]\n",
        top=f"""\
{DB}  cache:
    image: redis:7@PIN
  mq:
    image: rabbitmq:3-management@PIN
{DB_VOLUME}""",
    )
    why = "has no healthcheck; it counts as ready when"
    assert found.warnings == [
        f"compose.yaml:6 services.db: {why} "
        '`pg_isready -q -h 127.0.0.1 -U "${POSTGRES_USER:-postgres}"` passes in it',
        f"compose.yaml:9 services.cache: {why} "
        "`redis-cli ping 2>&1 | grep -qE 'PONG|NOAUTH'` passes in it",
        f"compose.yaml:11 services.mq: {why} `rabbitmq-diagnostics -q ping` passes in it",
    ]
    assert found.order == ["cache backing", "db backing", "mq backing", "web routed"]


def test_depends_on_without_health_of_an_unknown_image_is_warned_about(sample: Sample) -> None:
    found = sample.web("depends_on: [thing]\n", top="  thing:\n    image: team/thing:1@PIN\n")
    assert found.warnings == [
        "compose.yaml:6 services.thing: has no healthcheck, and nothing is known of its image: it "
        "counts as ready once it runs; add a healthcheck"
    ]


def test_no_health_check_anywhere_is_refused(sample: Sample) -> None:
    found = sample.read("services:\n  web:\n    build: .\n    x-slipway: {route: {port: 8000}}\n")
    assert found.problems == [
        "compose.yaml:2 services.web: takes public traffic, but nothing tells whether it is well; "
        "add x-slipway.probes: [{path: /health}] (any path that answers 200) or a healthcheck, or "
        "[{tcp: true}] if nothing answers"
    ]


@pytest.mark.parametrize(
    ("written", "probe"),
    [
        ("{path: /health}", Probe(path="/health")),
        ("{tcp: true}", Probe(tcp=True)),
        (
            "{path: /, headers: {Host: shop.example.com}, status: [200, 302]}",
            Probe(path="/", headers={"Host": "shop.example.com"}, status=[200, 302]),
        ),
        ("{path: /, status: 401}", Probe(path="/", status=[401])),
    ],
)
def test_no_health_check_anywhere_is_mended_by_a_path_or_tcp_said_explicitly(
    sample: Sample, written: str, probe: Probe
) -> None:
    found = sample.read(WEB.replace("{path: /health}", written))
    assert (found.warnings, found.order) == ([], ["web routed"])
    assert found.container("web").service.extension.probes == [probe]


def test_health_check_by_curl_that_lets_a_500_pass_is_warned_about(sample: Sample) -> None:
    found = sample.web("healthcheck:\n  test: [CMD, curl, 'http://localhost:8000/']\n")
    assert found.warnings == [
        "compose.yaml:6 services.web.healthcheck.test: passes even when the answer is an error "
        "such as 500; add --fail to curl, or check the status"
    ]


# --- migrations -----------------------------------------------------------------------------

MIGRATES = (
    "changes the database's schema when it starts: one new container is started alone first, and "
    "going back to an older release does not undo the change; write it as x-slipway: {release: …} "
    "to have it run once and shown"
)


def test_migration_in_the_command_is_warned_about(sample: Sample) -> None:
    found = sample.web("command: sh -c 'python manage.py migrate && gunicorn shop.wsgi'\n")
    assert found.warnings == [f"compose.yaml:5 services.web.command: {MIGRATES}"]


@pytest.mark.parametrize(
    "migration", ["python manage.py migrate --noinput", "alembic upgrade head"]
)
def test_migration_in_the_start_script_is_warned_about(sample: Sample, migration: str) -> None:
    sample.write("docker/entrypoint.sh", f'#!/bin/sh\nset -e\n{migration}\nexec "$@"\n')
    sample.write("Dockerfile", f'{DOCKERFILE}ENTRYPOINT ["/app/docker/entrypoint.sh"]\n')
    found = sample.web()
    assert found.warnings == [f"compose.yaml:2 services.web.command: {MIGRATES}"]


def test_manual_migration_becomes_a_release_command_of_the_new_image(sample: Sample) -> None:
    found = sample.read(
        f"""\
services:
  web:
    build: .
    environment: {{LEVEL: info}}
    depends_on: [db]
    ports: ["8000:8000"]
    container_name: shop_web
    x-slipway:
      route: {{port: 8000}}
      probes: [{{path: /health}}]
      release: python manage.py migrate && python manage.py collectstatic --noinput
      release_timeout: 5m
{DB}{DB_VOLUME}"""
    )
    assert found.order == ["db backing", "web-release job", "web routed"]
    assert found.made_from("web-release") == {
        "command": [
            "sh",
            "-ec",
            "python manage.py migrate && python manage.py collectstatic --noinput",
        ],
        "healthcheck": {"disable": True},
        "role": "job",
    }
    assert found.environment("web-release") == {"LEVEL": "info"}
    assert found.image("web-release") is found.image("web")
    assert found.container("web-release").service.extension.timeout == 300.0
    assert found.networks("web-release") == {"default": []}


def test_release_command_as_a_list_is_run_without_a_shell(sample: Sample) -> None:
    found = sample.read(WEB.replace("}]}", "}], release: [python, manage.py, migrate]}"))
    assert found.made_from("web-release")["command"] == ["python", "manage.py", "migrate"]


# --- bind mounts ----------------------------------------------------------------------------


def test_app_source_bind_mounted_is_refused(sample: Sample) -> None:
    assert sample.web("volumes: ['.:/app']\n").problems == [
        "compose.yaml:5 services.web.volumes.0: . hides /app of the image, so that other code than "
        "the released would run; remove it here (for development it can stand in a "
        "compose.override.yaml)"
    ]


def test_config_file_bind_mounted_is_uploaded_with_its_content_in_the_revision(
    sample: Sample,
) -> None:
    revisions = set()
    for content in ("maxmemory 1gb\n", "maxmemory 2gb\n"):
        sample.write("redis.conf", content)
        found = sample.web(
            top="""\
  cache:
    image: redis:7@PIN
    volumes: ["./redis.conf:/etc/redis.conf:ro"]
"""
        )
        assert found.files("cache") == {"/etc/redis.conf": (content, "0644")}
        assert found.container("cache").placement.mounted.host_paths == ()
        revisions.add(found.container("cache").revision)
    assert len(revisions) == 2


def test_config_files_into_a_read_only_container_are_refused(sample: Sample) -> None:
    sample.write("app.ini", "")
    found = sample.web("read_only: true\nvolumes: ['./app.ini:/etc/app.ini:ro']\n")
    assert found.problems == [
        "compose.yaml:5 services.web.read_only: files cannot be put into a container whose file "
        "system is read-only (/etc/app.ini); remove read_only, or bake the file into the image"
    ]


def test_config_folder_that_is_too_large_is_refused(sample: Sample) -> None:
    sample.write("fixtures/all.json", "x" * (2 << 20))
    found = sample.web("volumes: ['./fixtures:/fixtures:ro']\n")
    assert found.problems == [
        "compose.yaml:5 services.web.volumes.0: ./fixtures holds 1 files with 2,097,152 bytes, "
        "which is too much to put into a container as configuration; bake it into the image"
    ]


def test_data_bind_mounted_needs_an_absolute_host_path(sample: Sample) -> None:
    text = "  db:\n    image: postgres:16@PIN\n    volumes: ['{}:/var/lib/postgresql/data']\n"
    assert sample.web(top=text.format("./pgdata")).problems == [
        "compose.yaml:7 services.db.volumes.0: ./pgdata is a folder of this checkout, and data "
        "does not live there; use a named volume, or an absolute path of the Docker host"
    ]
    found = sample.web(top=text.format("/srv/pgdata"))
    paths = found.container("db").placement.mounted.host_paths
    assert [(p.source, p.target) for p in paths] == [("/srv/pgdata", "/var/lib/postgresql/data")]


# --- volumes --------------------------------------------------------------------------------


def test_uploads_on_a_shared_volume_are_fine_on_one_host(sample: Sample) -> None:
    worker = "  worker:\n    build: .\n    command: [work]\n    volumes: ['media:/app/media']\n"
    found = sample.web("volumes: ['media:/app/media']\n", top=f"{worker}volumes:\n  media:\n")
    assert found.warnings == []
    assert found.container("web").placement.mounts == found.container("worker").placement.mounts
    assert found.plan.volumes == {"media": "shop-prod-media"}


STATIC = """\
  files:
    image: team/files:1@PIN
    volumes: ["static:/srv:ro"]
volumes:
  static:
"""


def test_static_volume_filled_by_the_old_image_is_warned_about(sample: Sample) -> None:
    found = sample.web("volumes: ['static:/app/static']\n", top=STATIC)
    assert found.warnings == [
        "compose.yaml:5 services.web.volumes: static, which files reads too, keeps what the first "
        "image put there: a named volume is not refreshed by a new image; fill it in x-slipway: "
        "{release: …}, as with manage.py collectstatic --noinput"
    ]


def test_static_volume_that_a_release_command_fills_is_not_warned_about(sample: Sample) -> None:
    release = "}], release: python manage.py collectstatic --noinput}"
    web = WEB.replace("}]}", release) + "    volumes: ['static:/app/static']\n"
    assert sample.read(web + STATIC).warnings == []


SQLITE = """\
    environment: {DATABASE_URL: "sqlite:////data/db.sqlite3"}
    volumes: ["data:/data"]
volumes:
  data:
"""


def test_sqlite_is_warned_about_since_two_containers_would_use_it(sample: Sample) -> None:
    assert sample.read(WEB + SQLITE).warnings == [
        "compose.yaml:5 services.web.environment.DATABASE_URL: DATABASE_URL names a database in a "
        "file, and old and new container would use it at once for some seconds; write x-slipway: "
        "{overlap: false} to have requests wait instead, or overlap: true if the application is "
        "made for it"
    ]


def test_sqlite_without_overlap_holds_requests(sample: Sample) -> None:
    web = WEB.replace("}]}", "}], overlap: false, hold: 20s}")
    found = sample.read(web + SQLITE)
    assert (found.order, found.warnings) == (["web held"], [])
    assert found.plan.sites == (Site(service="web", port=8000, names=("web",), hold=20.0),)


# --- databases ------------------------------------------------------------------------------


def test_database_without_a_volume_is_refused(sample: Sample) -> None:
    found = sample.web(
        top="""\
  db:
    image: postgres:16@PIN
  search:
    image: docker.elastic.co/elasticsearch/elasticsearch:8.1.0@PIN
  mongo:
    image: mongo:7@PIN
    volumes: [/data/db]
"""
    )

    def problem(line: int, service: str, folder: str) -> str:
        return (
            f"compose.yaml:{line} services.{service}: a database without a volume loses its data "
            f"with its container; add volumes: [{service}-data:{folder}] and declare the volume, "
            "or write x-slipway: {ephemeral: true} if that is meant"
        )

    assert found.problems == [
        problem(5, "db", "/var/lib/postgresql/data"),
        problem(7, "search", "/usr/share/elasticsearch/data"),
        problem(9, "mongo", "/data/db"),
    ]


@pytest.mark.parametrize(
    "more",
    [
        "    x-slipway: {ephemeral: true}\n",
        "    volumes: ['/srv/pg:/var/lib/postgresql/data']\n",
        "    volumes: ['db:/var/lib/postgresql/data']\nvolumes:\n  db:\n",
    ],
)
def test_database_with_a_volume_or_meant_to_be_lost_is_taken(sample: Sample, more: str) -> None:
    found = sample.web(top=f"  db:\n    image: postgres:16@PIN\n{more}")
    assert (found.order, found.warnings) == (["db backing", "web routed"], [])


def again(sample: Sample, compose: str, state: StackState, **environ: str) -> Prepared:
    sample.write(sample.file, compose)
    return deploy.prepare(
        sample.stack_name,
        sample.settings,
        {"PATH": sample.path, **environ},
        state,
        preview=True,
        report=lambda line: None,
    )


def test_database_is_replaced_only_on_an_explicit_change_of_its_own(sample: Sample) -> None:
    compose = WEB + DB + DB_VOLUME
    first = sample.read(compose)
    state = after(first.plan)
    sample.write("shop/wsgi.py", "application = 1\n")
    released = again(sample, compose, state)
    names = {plan.service.name: plan.name for plan in released.containers}
    assert names["db"] == first.container("db").name
    assert names["web"] != first.container("web").name

    changed = compose.replace("    volumes:", "    shm_size: 256mb\n    volumes:")
    with pytest.raises(ConfigError) as refused:
        again(sample, changed, state)
    (problem,) = refused.value.problems
    assert problem.removeprefix(f"{sample.folder}/") == (
        f"compose.yaml:5 services.db: shm_size differ from what runs ({names['db']}); it would be "
        "stopped, and started anew on the same volumes, while the application waits; to do it: "
        "SLIPWAY_REPLACE=db pulumi up; see it first with pulumi preview"
    )
    asked = again(sample, changed, state, SLIPWAY_REPLACE="db")
    assert [p.name for p in asked.containers if p.service.name == "db"] != [names["db"]]


def test_database_answers_to_its_names_while_it_runs_alone(sample: Sample) -> None:
    found = sample.web(top=DB + DB_VOLUME)
    assert found.networks("db") == {"default": ["db"]}


# --- schedulers -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        "celery -A shop beat -l info",
        "celery -A shop worker -B",
        "celery -A shop worker --beat -l info",
        "sh -c 'rm -f beat.pid && celery -A shop beat'",
        "rqscheduler --host cache",
        "python manage.py rqscheduler",
        "supercronic /app/crontab",
    ],
)
def test_scheduler_must_be_a_singleton(sample: Sample, command: str) -> None:
    beat = f'  beat:\n    build: .\n    command: "{command}"\n'
    assert sample.web(top=beat).problems == [
        "compose.yaml:7 services.beat.command: starts jobs by the clock: while old and new "
        "container run side by side, each job would be started twice; write x-slipway: {singleton: "
        "true} (or false, if that does no harm)"
    ]
    single = sample.web(top=f"{beat}    x-slipway: {{singleton: true}}\n")
    assert single.order == ["beat singleton", "web routed"]
    harmless = sample.web(top=f"{beat}    x-slipway: {{singleton: false}}\n")
    assert harmless.order == ["beat worker", "web routed"]


def test_worker_without_clock_is_no_scheduler(sample: Sample) -> None:
    worker = "  worker:\n    build: .\n    command: celery -A shop worker -l info\n"
    assert sample.web(top=worker).order == ["web routed", "worker worker"]


# --- proxies and the socket -----------------------------------------------------------------


def test_nginx_in_front_without_a_route_is_refused(sample: Sample) -> None:
    nginx = "  nginx:\n    image: nginx:1@PIN\n    ports: ['127.0.0.1:80:80']\n"
    assert sample.web(top=nginx).problems == [
        "compose.yaml:5 services.nginx: nginx stands in front of the application; either remove it "
        "and let Slipway's proxy lead to the application, or keep it: x-slipway: {route: {port: "
        "80}, probes: […]} here, and internal: true on the application's route"
    ]


def test_nginx_in_front_finds_the_application_under_a_stable_name(sample: Sample) -> None:
    sample.write("nginx.conf", "upstream app { server web:8000; }\n")
    found = sample.read(
        """\
services:
  nginx:
    image: nginx:1@PIN
    volumes: ["./nginx.conf:/etc/nginx/nginx.conf:ro"]
    x-slipway: {route: {port: 80}, probes: [{path: /health}]}
  web:
    build: .
    container_name: app
    x-slipway: {route: {port: 8000, internal: true}, probes: [{path: /health}]}
"""
    )
    assert found.order == ["nginx routed", "web routed"]
    assert found.plan.sites == (
        Site(service="nginx", port=80, names=("nginx",)),
        Site(service="web", port=8000, internal=True, names=("web", "app")),
    )
    assert found.plan.ingress_networks == {"default": ("nginx", "web", "app")}
    assert found.networks("web") == {"default": []}


def test_docker_sock_is_refused_unless_allowed_by_name(sample: Sample) -> None:
    watch = """\
  watch:
    image: team/watch:1@PIN
    volumes: ["/var/run/docker.sock:/var/run/docker.sock:ro"]
"""
    assert sample.web(top=watch).problems == [
        "compose.yaml:7 services.watch.volumes.0: /var/run/docker.sock gives the container the "
        "whole host; remove it, or write x-slipway: {allow: [docker.sock]} if that is meant"
    ]
    found = sample.web(top=f"{watch}    x-slipway: {{allow: [docker.sock]}}\n")
    assert [p.source for p in found.container("watch").placement.mounted.host_paths] == [
        "/var/run/docker.sock"
    ]


# --- secrets and variables ------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        "environment:\n  BROKER_URL: amqp://shop:swordfish@mq/shop\n",
        "environment:\n  - BROKER_URL=amqp://shop:swordfish@mq/shop\n",
    ],
)
def test_literal_secrets_are_warned_about_and_can_be_moved(sample: Sample, written: str) -> None:
    found = sample.web(written)
    assert found.warnings == [
        "compose.yaml:6 services.web.environment.BROKER_URL: a secret stands in the file; "
        "run scripts/secrets compose.yaml, which moves it into the stacks' configuration"
    ]
    assert found.container("web").record.holds_secret


def test_literal_secrets_that_are_variables_are_not_warned_about(sample: Sample) -> None:
    sample.secrets = {"PASSWORD": "swordfish"}
    found = sample.web("environment:\n  DB_URL: postgres://shop:${PASSWORD}@db/shop\n")
    assert found.warnings == []
    assert "swordfish" not in repr(found.plan)


def test_env_file_missing_and_variable_unset_are_refused_with_their_lines(sample: Sample) -> None:
    found = sample.web("env_file: .env\nenvironment:\n  LEVEL: ${LEVEL}\n")
    assert found.problems == [
        "compose.yaml:5 services.web.env_file: .env is not there (.env); write it (is there an "
        "example beside it?), or give its variables under environment",
        "compose.yaml:7 ${LEVEL}: has no value; set it under slipway:variables, or with pulumi "
        "config set --stack prod --secret --path slipway:secrets.LEVEL <value>, or give it a "
        "default: ${LEVEL:-}",
    ]


# --- development ----------------------------------------------------------------------------

DEVELOPS = (
    "compose.yaml:5 services.web.command: starts a server for development, which is slow, may show "
    "secrets in its error pages, and restarts itself; start gunicorn or uvicorn without --reload "
    "instead"
)


@pytest.mark.parametrize(
    "command",
    [
        "python manage.py runserver 0.0.0.0:8000",
        "uvicorn shop:app --host 0.0.0.0 --reload",
        "flask run --host 0.0.0.0",
        "gunicorn --reload shop.wsgi",
        "fastapi dev shop.py",
    ],
)
def test_dev_command_is_refused_in_prod_and_warned_about_in_test(
    sample: Sample, command: str
) -> None:
    prod = sample.web(f"command: {command}\n")
    assert (prod.problems, prod.warnings) == ([DEVELOPS], [])
    sample.stack = "test"
    test = sample.web(f"command: {command}\n")
    assert (test.problems, test.warnings) == ([], [DEVELOPS])


# --- networks and volumes that are there ----------------------------------------------------


def test_network_mode_host_is_refused(sample: Sample) -> None:
    assert sample.web("network_mode: host\n").problems == [
        "compose.yaml:5 services.web.network_mode: the proxy reaches services by the stack's own "
        "network; remove it"
    ]


EXTERNAL = f"""\
{WEB}    networks: [default, edge]
    volumes: ["media:/app/media"]
networks:
  edge: {{external: true}}
volumes:
  media: {{external: true, name: shop_media}}
"""


def test_external_network_and_volume_must_exist(sample: Sample) -> None:
    assert sample.host_error(EXTERNAL) == (
        "compose.yaml:8 networks.edge: there is no network edge on the Docker host; create it "
        "(docker network create edge), or remove external\n"
        "compose.yaml:10 volumes.media: there is no volume shop_media on the Docker host; create "
        "it (docker volume create shop_media), or remove external"
    )


def test_external_network_and_volume_that_exist_are_adopted(sample: Sample) -> None:
    sample.host.present, sample.host.volumes = ["edge"], ["shop_media"]
    found = sample.read(EXTERNAL)
    assert found.plan.networks == {"default": "shop-prod", "edge": "edge"}
    assert found.plan.volumes == {"media": "shop_media"}
    assert found.networks("web") == {"default": [], "edge": []}
    assert found.plan.ingress_networks == {"default": ("web",), "edge": ("web",)}


def test_volume_with_a_name_of_its_own_is_refused_with_the_way_to_adopt_it(
    sample: Sample,
) -> None:
    assert sample.web(top="volumes:\n  media: {name: uploads}\n").problems == [
        "compose.yaml:6 volumes.media.name: Slipway names volumes after the stack, so uploads "
        "would not be found; remove name and copy the data over, or add external: true to adopt "
        "the volume"
    ]


def test_image_volume_that_is_not_mounted_is_warned_about(sample: Sample) -> None:
    sample.write("Dockerfile", f'{DOCKERFILE}VOLUME ["/app/media", "/app/log"]\n')
    found = sample.web("volumes: ['media:/app/media']\n", top="volumes:\n  media:\n")
    assert found.warnings == [
        "compose.yaml:2 services.web: Dockerfile declares VOLUME /app/log, on which nothing is "
        "mounted: what is written there dies with the container; mount a named volume"
    ]
