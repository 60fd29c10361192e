import json
import shlex
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.conventions import (
    collects_static,
    fails_softly,
    is_dev_command,
    is_scheduler,
    is_worker,
    known_image,
    listening_port,
    migrates,
    migration_in,
)

QUESTIONS: list[Callable[[Sequence[str]], object]] = [
    is_scheduler,
    is_worker,
    is_dev_command,
    migrates,
    collects_static,
    listening_port,
    fails_softly,
]


def words(command: str) -> list[str]:
    """A command as the compose reader gives it: a JSON list, or a string that it splits."""
    return list(json.loads(command)) if command.startswith("[") else shlex.split(command)


@pytest.mark.parametrize(
    ("image", "name", "kind"),
    [
        ("postgres", "postgres", "database"),
        ("postgres:16-alpine", "postgres", "database"),
        ("docker.io/library/postgres:16@sha256:" + 64 * "0", "postgres", "database"),
        ("localhost:5000/mirror/postgres", "postgres", "database"),
        ("postgres:${POSTGRES_VERSION:-16}", "postgres", "database"),
        ("${REGISTRY:-docker.io/library}/postgres:16", "postgres", "database"),
        ("postgis/postgis:16-3.4", "postgres", "database"),
        ("pgvector/pgvector:pg16", "postgres", "database"),
        ("timescale/timescaledb:latest-pg16", "postgres", "database"),
        ("mysql:8", "mysql", "database"),
        ("mariadb:11", "mariadb", "database"),
        ("mongo", "mongo", "database"),
        ("redis:7-alpine", "redis", "cache"),
        ("valkey/valkey:8", "valkey", "cache"),
        ("memcached", "memcached", "cache"),
        ("rabbitmq:3-management", "rabbitmq", "broker"),
        ("docker.elastic.co/elasticsearch/elasticsearch:8.15.0", "elasticsearch", "database"),
        ("opensearchproject/opensearch:2", "opensearch", "database"),
        ("minio/minio:RELEASE.2024-01-01T00-00-00Z", "minio", "database"),
        ("nginx:1.27-alpine", "nginx", "proxy"),
        ("nginxinc/nginx-unprivileged", "nginx", "proxy"),
        ("caddy:2", "caddy", "proxy"),
        ("traefik:v3.1", "traefik", "proxy"),
        ("mher/flower:2.0", "flower", "other"),
    ],
)
def test_image_is_known_by_the_last_part_of_its_name(image: str, name: str, kind: str) -> None:
    known = known_image(image)

    assert known is not None
    assert (known.name, known.kind) == (name, kind)


@pytest.mark.parametrize(
    "image", ["", "shop", "postgres-backup", "my/redis/exporter:1", "${IMAGE}"]
)
def test_other_images_are_not_known(image: str) -> None:
    assert known_image(image) is None


@pytest.mark.parametrize(
    ("image", "ready", "data"),
    [
        (
            "postgres",
            'pg_isready -q -h 127.0.0.1 -U "${POSTGRES_USER:-postgres}"',
            ("/var/lib/postgresql/data", "/var/lib/postgresql", "/home/postgres/pgdata"),
        ),
        ("redis", "redis-cli ping 2>&1 | grep -qE 'PONG|NOAUTH'", ("/data",)),
        ("valkey", "valkey-cli ping 2>&1 | grep -qE 'PONG|NOAUTH'", ("/data",)),
        ("mysql", "mysqladmin ping -h 127.0.0.1 --silent", ("/var/lib/mysql",)),
        ("bitnami/mysql:8", "mysqladmin ping -h 127.0.0.1 --silent", ("/bitnami/mysql",)),
    ],
)
def test_image_brings_its_check_and_where_its_data_is(
    image: str, ready: str, data: tuple[str, ...]
) -> None:
    known = known_image(image)

    assert known is not None
    assert (known.ready, known.data) == (("CMD-SHELL", ready), data)


SCHEDULERS = [
    "celery -A proj beat",
    "celery --app=proj.celery beat -l info --pidfile=",
    "celery -A proj -b redis://redis:6379/0 beat --loglevel=INFO",
    "celery -A proj worker -B",
    "celery -A proj worker -l info -EB",
    "celery -A proj worker --beat --scheduler django --loglevel=info",
    "celery beat -A proj",
    "python -m celery -A proj beat",
    "python3.12 -u -m celery -A proj beat -S django_celery_beat.schedulers:DatabaseScheduler",
    "poetry run celery -A proj beat",
    "uv run --no-dev celery -A proj beat",
    "/start-celerybeat",
    "bash /code/scripts/celery-beat.sh",
    '["sh", "-c", "python manage.py migrate && celery -A proj beat"]',
    '["/bin/bash", "-ec", "exec celery -A proj beat\\n"]',
    '["bash", "-o", "pipefail", "-c", "sleep 5; celery -A proj beat | tee log"]',
    '["tini", "--", "celery", "-A", "proj", "beat"]',
    '["./entrypoint.sh", "celery", "-A", "proj", "beat"]',
    "./entrypoint.sh beat",
    "./wait-for-it.sh redis:6379 -- celery -A proj beat",
    "gosu app celery -A proj beat",
    "env TZ=UTC celery -A proj beat",
    "TZ=UTC celery -A proj beat",
    "rqscheduler -H redis",
    "python manage.py rqscheduler",
    "flask rq scheduler",
    "python manage.py celery beat",
    "python manage.py runapscheduler",
    "periodiq -v tasks",
    "dramatiq-apscheduler",
    "python -m apscheduler.cli",
    "python -m app.scheduler",
    "python app/scheduler.py",
    "python manage.py run_huey",
    "huey_consumer.py app.huey -w 4",
    "taskiq scheduler app.tasks:scheduler",
    "cron -f",
    "/usr/sbin/crond -f -l 8",
    "supercronic /app/crontab",
    "dagster-daemon run",
    "scheduler",
]


@pytest.mark.parametrize("command", SCHEDULERS)
def test_schedulers_are_found(command: str) -> None:
    assert is_scheduler(words(command))


@pytest.mark.parametrize(
    "command",
    [
        "celery -A proj worker -l info",
        "celery -A beat worker",
        "celery -A proj worker -n beat@%h",
        "celery -A proj worker -b redis://beat:6379",
        "celery -A proj flower",
        "gunicorn scheduler.wsgi",
        "python manage.py runserver",
        "python manage.py loaddata scheduler.json",
        "huey_consumer.py app.huey --no-periodic",
        "rq worker --with-scheduler",  # Its scheduler takes a lock.
        "echo celery -A proj beat",
        "pip install celery beat",
        "redis-server /etc/beat.conf",
        '["sh", "-c", "# celery -A proj beat\\ngunicorn app"]',
        '["sh", "-c"]',
        "heartbeat",
        "",
    ],
)
def test_other_commands_schedule_nothing(command: str) -> None:
    assert not is_scheduler(words(command))


@pytest.mark.parametrize(
    "command",
    [
        "celery -A proj worker --loglevel=info",
        "celery worker -A proj -B",
        "celery -A proj.celery_app worker -Q default,mail -c 4",
        "newrelic-admin run-program celery -A proj worker",
        "watchmedo auto-restart -d . -p '*.py' -- celery -A proj worker",
        "/start-celeryworker",
        "rq worker --url redis://redis:6379 default",
        "python manage.py rqworker default",
        "flask rq worker",
        "python -m dramatiq tasks",
        "python manage.py rundramatiq",
        "python -m dramatiq.cli tasks",
        "arq app.worker.WorkerSettings",
        "python manage.py qcluster",
        "huey_consumer app.huey -n",
        "python manage.py db_worker",
        "python manage.py process_tasks",
        "taskiq worker app.tasks:broker",
        "procrastinate --app=app.app worker",
        "python -m app.worker",
        "python worker.py",
        "./run.sh worker",
        '["bash", "-c", "while ! nc -z redis 6379; do sleep 1; done; celery -A proj worker"]',
    ],
)
def test_workers_are_found(command: str) -> None:
    assert is_worker(words(command))


@pytest.mark.parametrize(
    "command",
    [
        "celery -A worker beat",
        "gunicorn -k uvicorn.workers.UvicornWorker app.main:app",
        "gunicorn --workers 4 app:app",
        "uvicorn app.worker:app",
        "rq info",
        "nginx -g 'daemon off;'",
    ],
)
def test_other_commands_take_no_jobs(command: str) -> None:
    assert not is_worker(words(command))


@pytest.mark.parametrize(
    "command",
    [
        "python manage.py runserver 0.0.0.0:8000",
        "python -u ./src/manage.py runserver",
        "./manage.py runserver_plus 0.0.0.0:8000",
        "django-admin runserver",
        "uvicorn app.main:app --host 0.0.0.0 --reload",
        "gunicorn app:app --reload",
        "flask run",
        "flask --app shop --debug run --host=0.0.0.0",
        "python -m flask run --host 0.0.0.0",
        "fastapi dev app/main.py",
        "watchmedo auto-restart -d . -- celery -A proj worker",
        "uv run fastapi dev",
        '["sh", "-c", "python manage.py migrate && python manage.py runserver 0:8000"]',
        "python manage.py migrate && python manage.py runserver",
    ],
)
def test_development_servers_are_found(command: str) -> None:
    assert is_dev_command(words(command))


@pytest.mark.parametrize(
    "command",
    [
        "gunicorn shop.wsgi --bind 0.0.0.0:8000",
        "gunicorn runserver.wsgi",
        "./runserver/start.sh",
        "uvicorn app.main:app --reload-dir app",
        "fastapi run app/main.py",
        "flask db upgrade",
        "echo runserver",
        '["sh", "-c", "echo \'do not use runserver\' && gunicorn a"]',
    ],
)
def test_production_servers_are_let_through(command: str) -> None:
    assert not is_dev_command(words(command))


@pytest.mark.parametrize(
    "command",
    [
        "python manage.py migrate --noinput",
        "./manage.py migrate",
        "django-admin migrate",
        "python manage.py migrate_schemas --shared",
        "alembic upgrade head",
        "alembic -c app/alembic.ini upgrade head",
        "poetry run alembic upgrade head",
        "python -m alembic upgrade head",
        "flask db upgrade",
        "flask --app shop db upgrade",
        "python manage.py db upgrade",
        "aerich upgrade",
        "piccolo migrations forwards all",
        "litestar database upgrade --no-prompt",
        "airflow db migrate",
        "./scripts/migrate.sh",
        "python -m booking.migrate",
        "python -m booking.upgrade",
        '["sh", "-c", "python -m booking.db.migrations && gunicorn booking"]',
        '["sh", "-c", "alembic upgrade head && uvicorn app.main:app"]',
        '["bash", "-c", "set -e\\nif true; then\\n  python manage.py migrate\\nfi"]',
    ],
)
def test_migrations_are_found(command: str) -> None:
    assert migrates(words(command))


@pytest.mark.parametrize(
    ("command", "part"),
    [
        (
            '["sh", "-c", "python -m booking.migrate && exec gunicorn booking -b :8000"]',
            "python -m booking.migrate",
        ),
        ('["bash", "-c", "set -e; exec ./upgrade.sh --all"]', "./upgrade.sh --all"),
        (
            '["sh", "-c", "alembic -c \'a b.ini\' upgrade head"]',
            "alembic -c 'a b.ini' upgrade head",
        ),
        ("gunicorn booking", None),
    ],
)
def test_migration_is_found_as_it_is_written(command: str, part: str | None) -> None:
    assert migration_in(words(command)) == part


@pytest.mark.parametrize(
    "command",
    [
        "python manage.py makemigrations",
        "python manage.py migrate --check",
        "python manage.py showmigrations",
        "alembic upgrade head --sql",
        "alembic current",
        "alembic revision -m upgrade",
        "flask db migrate",
        "pip install --upgrade pip",
        "apt-get upgrade -y",
        "gunicorn migrate:app",
        "echo migrate",
    ],
)
def test_what_changes_no_schema_is_no_migration(command: str) -> None:
    assert not migrates(words(command))


@pytest.mark.parametrize(
    ("command", "collected"),
    [
        ("python manage.py collectstatic --noinput", True),
        ('["sh", "-c", "./manage.py collectstatic --clear && gunicorn a"]', True),
        ("python manage.py migrate", False),
        ("echo collectstatic", False),
    ],
)
def test_collecting_static_files_is_found(command: str, collected: bool) -> None:
    assert collects_static(words(command)) is collected


@pytest.mark.parametrize(
    "test",
    [
        ["CMD", "curl", "http://localhost:8000/health"],
        ["CMD", "curl", "-s", "-o", "f", "http://localhost:8000/health"],
        ["CMD", "curl", "-sof", "http://localhost:8000/health"],
        ["CMD-SHELL", "curl http://localhost/ || exit 1"],
        ["CMD-SHELL", "curl --silent --show-error http://localhost/ || exit 1"],
        ["CMD-SHELL", "/usr/bin/curl -sS localhost:8000"],
        ["CMD-SHELL", "curl -f http://localhost/ || true"],
        ["CMD-SHELL", "wget -q http://localhost/ || exit 0"],
        ["CMD", "python", "-c", "import requests; requests.get('http://localhost:8000')"],
    ],
)
def test_checks_that_pass_on_an_error_are_found(test: list[str]) -> None:
    assert fails_softly(test)


@pytest.mark.parametrize(
    "test",
    [
        [],
        ["NONE"],
        ["CMD", "curl", "-f", "http://localhost:8000/health"],
        ["CMD", "curl", "-sf", "http://localhost:8000/health"],
        ["CMD", "curl", "-fsSL", "http://localhost:8000/health"],
        ["CMD", "curl", "--fail", "http://localhost:8000/health"],
        ["CMD-SHELL", "curl --fail-with-body -s http://localhost/ || exit 1"],
        ["CMD-SHELL", "curl -s http://localhost/health | grep -q ok"],
        ["CMD-SHELL", '[ "$(curl -so /dev/null -w %{http_code} localhost)" = 200 ]'],
        ["CMD", "wget", "-q", "--spider", "http://localhost:8000/"],
        ["CMD-SHELL", "pg_isready -U postgres"],
        ["CMD", "python", "-c", "import urllib.request as r; r.urlopen('http://localhost')"],
        ["CMD", "python", "-c", "import httpx; httpx.get('http://a').raise_for_status()"],
    ],
)
def test_checks_that_fail_on_an_error_are_let_through(test: list[str]) -> None:
    assert not fails_softly(test)


@pytest.mark.parametrize(
    ("command", "port"),
    [
        ("gunicorn shop.wsgi -b 0.0.0.0:8001", 8001),
        ("gunicorn shop.wsgi -b:8001", 8001),
        ("gunicorn --bind=0.0.0.0:5000 app:app", 5000),
        ("gunicorn --bind '[::]:8080' app:app", 8080),
        ("gunicorn --bind unix:/run/a.sock --bind 0.0.0.0:9000 app:app", 9000),
        ("gunicorn --bind unix:/run/a.sock app:app", None),
        ("gunicorn app:app", None),
        ('["sh", "-c", "gunicorn app:app --bind 0.0.0.0:${PORT:-8000}"]', 8000),
        ('["sh", "-c", "exec gunicorn app:app --bind 0.0.0.0:$PORT"]', None),
        ("uvicorn app.main:app --host 0.0.0.0 --port 80", 80),
        ("uvicorn app.main:app --host 0.0.0.0", 8000),
        ("uvicorn app.main:app --uds /run/app.sock", None),
        ("uvicorn app.main:app --port $PORT", None),
        ("python -m uvicorn app.main:app --port=8080", 8080),
        ("hypercorn app:app --bind 0.0.0.0:8000", 8000),
        ("daphne -b 0.0.0.0 -p 8002 shop.asgi:application", 8002),
        ("granian --interface asgi --host 0.0.0.0 --port 8003 app:app", 8003),
        ("python manage.py runserver 0.0.0.0:8004", 8004),
        ("python manage.py runserver 8005", 8005),
        ("python manage.py runserver", 8000),
        ("python manage.py runserver --settings shop.dev 0:8006", 8006),
        ("flask run --host=0.0.0.0 -p 8007", 8007),
        ("flask run", 5000),
        ("fastapi run app/main.py --port 80", 80),
        ("waitress-serve --listen=*:8041 app:app", 8041),
        ("uwsgi --http :8008 --module shop.wsgi", 8008),
        ("uwsgi --socket :3031 --module shop.wsgi", None),
        ("celery -A proj flower --port=5556", 5556),
        ("celery -A proj worker", None),
        ("streamlit run app.py --server.port 8501", 8501),
        ('["sh", "-c", "python manage.py migrate && gunicorn a -b :8009"]', 8009),
        ("flask db upgrade", None),
        ("./run.sh", None),
        ("npm start", None),
    ],
)
def test_port_is_read_from_the_command(command: str, port: int | None) -> None:
    assert listening_port(words(command)) == port


@pytest.mark.parametrize("question", QUESTIONS)
@given(command=st.lists(st.text(alphabet="abc -'\"\\$&|;\n#=/."), max_size=5))
def test_any_command_has_an_answer(
    question: Callable[[Sequence[str]], object], command: list[str]
) -> None:
    question(command)
    question(["sh", "-c", *command])
    question(["python", "-m", *command])


@given(st.sampled_from(SCHEDULERS), st.sampled_from(["sh -c", "exec", "tini --", "poetry run"]))
def test_wrapping_a_command_does_not_hide_it(command: str, wrapper: str) -> None:
    inner = words(command)
    wrapped = [shlex.join(inner)] if wrapper == "sh -c" else inner

    assert is_scheduler([*wrapper.split(), *wrapped])
