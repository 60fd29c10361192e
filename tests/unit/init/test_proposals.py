from pathlib import Path
from typing import Any

import pytest

from slipway.init.outline import outline
from slipway.init.proposals import propose
from slipway.init.source import Sources

from ..support import write_files

DOCKERFILE = "FROM python:3.12\nUSER app\n"


def proposed(root: Path, services: str, **files: str) -> dict[str, dict[str, Any]]:
    """What is proposed for each service, without probes that accept nearly any answer."""
    write_files(root, {"Dockerfile": DOCKERFILE, **files})
    found = propose(outline(root / "compose.yaml", f"services:\n{services}"), Sources())
    return {
        name: {e.key: e.value for e in entries if "status" not in str(e.value)}
        for name, entries in found.entries.items()
    }


WEB = "  web: {build: ., ports: ['8000:8000']}\n"
ROUTE = {"port": 8000}


@pytest.mark.parametrize(
    ("services", "port"),
    [
        ("  web: {build: ., command: gunicorn -b :81}\n", 81),
        ("  web: {build: ., command: gunicorn -b :81, ports: ['80:82']}\n", 82),
        ("  web: {build: ., command: uvicorn a:a, ports: ['5678:5678', '53:53/udp', '83']}\n", 83),
        ("  web: {build: ., labels: {traefik.http.services.a.loadbalancer.server.port: 84}}\n", 84),
        ("  web: {build: ., expose: ['85']}\n", 85),
        ("  web: {build: ., command: ./run.sh}\n", 86),
    ],
)
def test_port_is_where_the_service_listens(tmp_path: Path, services: str, port: int) -> None:
    files = {"run.sh": "#!/bin/sh\nexec uvicorn app:app --host 0.0.0.0 --port 86\n"}

    assert proposed(tmp_path, services, **files) == {"web": {"route": {"port": port}}}


@pytest.mark.parametrize(
    "services",
    [
        "  job: {build: ., command: celery -A a worker, ports: ['8000:8000']}\n",
        "  job: {build: ., command: celery -A a flower, ports: ['5555:5555']}\n",
        "  job: {build: ., command: ./run}\n",
        "  db: {image: postgres, ports: ['5432:5432']}\n",
        "  web: {build: ., ports: ['80:80'], x-slipway: {}}\n",
    ],
)
def test_other_services_get_no_route(tmp_path: Path, services: str) -> None:
    assert proposed(tmp_path, services) == {}


FRONT = "  front: {image: %s, ports: ['80:80'], volumes: ['%s:/etc/f:ro']}\n"


@pytest.mark.parametrize(
    ("front", "inner"),
    [
        (FRONT % ("nginx", "./nginx.conf"), ["api", "web"]),
        (FRONT % ("caddy", "./conf"), ["api", "web"]),
        (FRONT % ("haproxy", "data"), ["web"]),
        ("  front: {image: caddy, ports: ['80:80'], command: reverse-proxy --to web:1}\n", ["web"]),
        ("  front: {build: ./front, ports: ['80:80']}\n", ["api", "web"]),
    ],
)
def test_proxy_leads_to_what_its_configuration_names(
    tmp_path: Path, front: str, inner: list[str]
) -> None:
    services = (
        front
        + "  web: {build: ., command: gunicorn -b :1}\n"
        + "  api: {build: ., command: gunicorn -b :2, ports: ['2:2']}\n"
    )
    files = {
        "nginx.conf": "proxy_pass http://api:2; # not my-web.example.com\n",
        "conf/Caddyfile": "reverse_proxy web:1 api:2\n",
        "front/Dockerfile": "FROM nginx:1.27\nUSER web\n",
        "front/default.conf": "proxy_pass http://api;\n",
    }

    found = proposed(tmp_path, services, **files)

    assert found["front"] == {"route": {"port": 80}}
    assert [n for n in ("api", "web") if found[n]["route"].get("internal")] == inner


@pytest.mark.parametrize(
    ("proxy", "labels", "hosts"),
    [
        ("traefik", "labels: ['traefik.http.routers.a.rule=Host(`a.b`, `c.d`)']", ["a.b", "c.d"]),
        ("jwilder/nginx-proxy", "environment: {VIRTUAL_HOST: 'a.b,c.d'}", ["a.b", "c.d"]),
        ("traefik", "labels: []", None),
    ],
)
def test_proxy_that_asks_docker_gives_its_hosts_away(
    tmp_path: Path, proxy: str, labels: str, hosts: list[str] | None
) -> None:
    services = (
        f"  front: {{image: {proxy}, ports: ['80:80'], "
        "volumes: ['/var/run/docker.sock:/tmp/docker.sock']}\n"
        f"  web: {{build: ., expose: ['8000'], {labels}}}\n"
    )

    route = {**ROUTE, "host": hosts} if hosts else ROUTE
    assert proposed(tmp_path, services) == {"web": {"route": route}}


@pytest.mark.parametrize(
    ("first", "path"),
    [
        ("  a: {build: ., ports: ['80:80']}\n", "/web"),
        ("  a: {image: a, x-slipway: {route: {port: 80}}}\n", "/web"),
        ("  a: {image: a, x-slipway: {route: {port: 80, internal: true}}}\n", None),
    ],
)
def test_second_public_service_gets_a_path(tmp_path: Path, first: str, path: str | None) -> None:
    route = {**ROUTE, "path": path} if path else ROUTE

    assert proposed(tmp_path, first + WEB)["web"] == {"route": route}


def test_service_that_publishes_nothing_is_for_the_others(tmp_path: Path) -> None:
    found = proposed(tmp_path, WEB + "  api: {build: ., expose: ['9000']}\n")

    assert found == {"web": {"route": ROUTE}, "api": {"route": {"port": 9000, "internal": True}}}


@pytest.mark.parametrize(
    ("service", "files", "alone"),
    [
        ("environment: {URL: 'sqlite:////d/a.db'}, volumes: ['d:/d']", {}, True),
        ("environment: {URL: 'sqlite:////d/a.db'}, volumes: ['d:/d:ro']", {}, False),
        ("environment: {URL: 'sqlite:////d/a.db'}", {}, False),
        ("volumes: ['d:/d']", {"a/settings.py": "ENGINE = 'django.db.backends.sqlite3'\n"}, True),
        ("volumes: ['d:/d']", {"a/views.py": "# sqlite\n"}, False),
    ],
)
def test_sqlite_on_a_volume_is_for_one_at_a_time(
    tmp_path: Path, service: str, files: dict[str, str], alone: bool
) -> None:
    found = proposed(tmp_path, f"  web: {{build: ., ports: [8000], {service}}}\n", **files)

    assert found["web"].get("overlap", True) is not alone


def test_sqlite_of_a_service_that_is_decided_on_stays_as_it_is(tmp_path: Path) -> None:
    services = (
        "  web: {build: ., volumes: ['d:/d'], x-slipway: {}}\n"
        "  worker: {build: ., command: rq worker, volumes: ['d:/d'], environment: [A=sqlite:/d]}\n"
    )

    assert proposed(tmp_path, services) == {}


def test_sqlite_in_the_settings_gives_way_to_a_database(tmp_path: Path) -> None:
    services = "  web: {build: ., ports: [8000], volumes: ['d:/d']}\n  db: {image: postgres}\n"

    assert proposed(tmp_path, services, **{"settings.py": "'sqlite3'\n"}) == {
        "web": {"route": ROUTE}
    }


MANAGE = "python manage.py migrate --noinput"


@pytest.mark.parametrize(
    ("files", "command", "release"),
    [
        ({"manage.py": ""}, "x", MANAGE),
        ({"manage.py": ""}, "poetry run x", f"poetry run {MANAGE}"),
        ({"src/manage.py": ""}, "x", MANAGE.replace("manage", "src/manage")),
        ({"src/manage.py": "", "Dockerfile": f"{DOCKERFILE}COPY ./src /app\n"}, "x", MANAGE),
        (
            {"manage.py": "", "a/settings.py": "STATIC_ROOT = BASE / 's'\n"},
            "x",
            f"{MANAGE} && python manage.py collectstatic --noinput",
        ),
        (
            {
                "manage.py": "",
                "a/settings.py": "STATIC_ROOT = BASE / 's'\n",
                "Dockerfile": f"{DOCKERFILE}RUN python manage.py collectstatic\n",
            },
            "x",
            MANAGE,
        ),
        ({"alembic.ini": ""}, "uv run x", "uv run alembic upgrade head"),
        ({"db/alembic.ini": ""}, "x", "cd db && alembic upgrade head"),
        ({"migrations/alembic.ini": ""}, "x", "flask db upgrade"),
        ({"pyproject.toml": "[tool.aerich]\n"}, "x", "aerich upgrade"),
        ({"pyproject.toml": ""}, "x", None),
        ({"manage.py": ""}, "sh -c 'python manage.py migrate && x'", None),
        ({"manage.py": "", "go": "#!/bin/sh\npython manage.py migrate\n"}, "/app/go", None),
    ],
)
def test_release_command_migrates_unless_something_does(
    tmp_path: Path, files: dict[str, str], command: str, release: str | None
) -> None:
    service = f'  web: {{build: ., ports: [8000], command: "{command}"}}\n'

    assert proposed(tmp_path, service, **files)["web"].get("release") == release


@pytest.mark.parametrize(
    ("service", "settings", "headers"),
    [
        ("", "ALLOWED_HOSTS = ['.a.b', 'c.d']\n", {"Host": "a.b"}),
        ("", "ALLOWED_HOSTS = ['*']\n", None),
        ("", "ALLOWED_HOSTS = ['a.b', '127.0.0.1']\n", None),
        ("", "ALLOWED_HOSTS = []\n", None),
        ("", "ALLOWED_HOSTS = env.list('HOSTS')\n", None),
        ("environment: {DJANGO_ALLOWED_HOSTS: 'a.b c.d'}", "", {"Host": "a.b"}),
    ],
)
def test_probe_has_a_host_that_django_lets_through(
    tmp_path: Path, service: str, settings: str, headers: dict[str, str] | None
) -> None:
    files = {"a/settings.py": settings, "a/urls.py": "urlpatterns = [path('health/', x)]\n"}
    found = proposed(tmp_path, f"  web: {{build: ., ports: [8000], {service}}}\n", **files)

    probe: dict[str, Any] = {"path": "/health/"}
    assert found["web"]["probes"] == [{**probe, "headers": headers} if headers else probe]


@pytest.mark.parametrize(
    ("test", "path"),
    [
        ("curl -f http://localhost:8000/up || exit 1", "/up"),
        ("curl --fail localhost:8000/up", "/up"),
        ("wget -qO- http://127.0.0.1:8000", "/"),
        ("curl -f http://localhost:9000/other", None),
        ("curl -f http://localhost:$$PORT/up", None),
        ("curl -f https://localhost/up", None),
        ("curl -f http://localhost:8000x/up", None),
        ("pg_isready -h localhost", None),
    ],
)
def test_probe_asks_for_what_the_health_check_asks_for(
    tmp_path: Path, test: str, path: str | None
) -> None:
    service = f'  web: {{build: ., ports: [8000], healthcheck: {{test: "{test}"}}}}\n'

    assert proposed(tmp_path, service)["web"].get("probes") == ([{"path": path}] if path else None)


@pytest.mark.parametrize(
    ("dockerfile", "service", "allowed"),
    [
        ("FROM python:3.12\n", "", True),
        ("FROM python:3.12\nUSER app\nUSER root\n", "", True),
        ("FROM python:3.12\nUSER 0:0\n", "", True),
        ("FROM python:3.12\nUSER app\n", ", user: '0'", True),
        ("FROM python:3.12\n", ", user: app", False),
        ("FROM python:3.12 AS base\nUSER app\nFROM base\nRUN true\n", "", False),
    ],
)
def test_service_that_runs_as_root_is_allowed_to_with_a_word_about_it(
    tmp_path: Path, dockerfile: str, service: str, allowed: bool
) -> None:
    services = f"  job: {{build: ., command: ./run{service}}}\n"
    found = proposed(tmp_path, services, Dockerfile=dockerfile)
    assert found == ({"job": {"allow": ["root"]}} if allowed else {})
