"""What is known of the commands and images that Python web projects use.

Guesses from names: good enough for a proposal or a warning, and each can be overruled in the
compose file.
"""

import re
from collections.abc import Sequence

from slipway.invocations import FLASK_VALUES, Call, calls, one_of, script_lines
from slipway.known_images import KnownImage, known_image

__all__ = [
    "KnownImage",
    "collects_static",
    "fails_softly",
    "is_dev_command",
    "is_scheduler",
    "is_worker",
    "known_image",
    "listening_port",
    "migrates",
    "migration_in",
]

_SCHEDULERS = one_of(
    "apscheduler beat celerybeat clock cron crond cronic ofelia periodiq rqscheduler "
    "runapscheduler runscheduler scheduler supercronic yacron"
)
_WORKERS = one_of(
    "arq celeryd celeryworker consumer dramatiq qcluster rqworker rundramatiq runworker saq "
    "worker workers"
)
_MIGRATIONS = one_of("migrate migrations syncdb")
_UPGRADES = one_of("upgrade db_upgrade upgrade_db")
"""A module or script of the application's own; `-` and `_` in a longer name say too little."""
_DEV_PROGRAMS = {"runserver", "runserver_plus", "runsslserver", "watchfiles", "watchmedo"}
_CELERY_VALUES = (
    "-A",
    "--app",
    "-b",
    "--broker",
    "--result-backend",
    "--loader",
    "--config",
    "--workdir",
)
_ALEMBIC_VALUES = ("-c", "--config", "-n", "--name", "-x")
_PORT = re.compile(r"(?:^|:)(?:(\d+)|\$\{\w+:?-(\d+)\})/?$")
_CURL_WITH_VALUE = "AbcCdDeEFHKmoPQrtTuUwxXyYz"
_PIPED = re.compile(r"(?<!\|)\|(?!\|)")
_FORGIVEN = re.compile(r"(?:\|\||;)\s*(?:true|:|exit\s+0)\s*$")
_UNCHECKED_GET = re.compile(r"\b(?:requests|httpx)\.(?:get|head)\(")
_CHECKED = re.compile(r"raise_for_status|status_code|\.ok\b|is_success")


def is_scheduler(command: Sequence[str]) -> bool:
    """Whether a command starts jobs by the clock, so that two at once would start each twice."""
    return any(_schedules(call) for call in calls(command))


def _schedules(call: Call) -> bool:
    if call.name == "celery":
        subcommand = _celery_subcommand(call)
        with_beat = call.has("-B", "--beat") or _clustered(call, "B")
        return subcommand == "beat" or (subcommand == "worker" and with_beat)
    if call.name in {"huey_consumer", "run_huey"}:
        return not call.has("-n", "--no-periodic")
    if call.name in {"rq", "taskiq", "airflow"}:
        return call.operands()[:1] == ("scheduler",)
    if call.name == "dagster-daemon":
        return True
    return _speaks_of(call, _SCHEDULERS)


def _celery_subcommand(call: Call) -> str:
    return next(iter(call.operands(*_CELERY_VALUES)), "")


def _clustered(call: Call, flag: str) -> bool:
    """Whether a flag without value stands in a cluster such as -EB."""
    return any(re.fullmatch(rf"-[BE]*{flag}[BE]*", word) for word in call.arguments)


def _speaks_of(call: Call, names: re.Pattern[str]) -> bool:
    return any(names.fullmatch(part) for part in re.split(r"[^a-z0-9]+", call.name))


def is_worker(command: Sequence[str]) -> bool:
    """Whether a command takes jobs from a queue."""
    return any(_works(call) for call in calls(command))


def _works(call: Call) -> bool:
    if call.name == "celery":
        return _celery_subcommand(call) in {"worker", "multi"}
    if call.name in {"rq", "taskiq", "procrastinate", "airflow"}:
        return call.operands()[:1] in {("worker",), ("worker-pool",)}
    if call.name in {"huey_consumer", "run_huey", "process_tasks", "db_worker"}:
        return True
    return _speaks_of(call, _WORKERS)


def is_dev_command(command: Sequence[str]) -> bool:
    """Whether a command starts a server that is meant for development."""
    return any(_develops(call) for call in calls(command))


def _develops(call: Call) -> bool:
    if call.name in _DEV_PROGRAMS:
        return True
    if call.name == "fastapi":
        return call.operands()[:1] == ("dev",)
    if call.name in {"flask", "quart"}:
        return _flask_runs(call)
    return call.has("--reload", "--auto-reload", "--autoreload")


def _flask_runs(call: Call) -> bool:
    return call.operands(*FLASK_VALUES)[:1] == ("run",)


def migrates(command: Sequence[str]) -> bool:
    """Whether a command changes the schema of a database."""
    return any(_migrates(call) for call in calls(command))


def _migrates(call: Call) -> bool:
    if call.has("--check", "--plan", "--sql", "--fake"):
        return False
    operands = call.operands(*_ALEMBIC_VALUES)
    if call.name in {"alembic", "aerich"}:
        return operands[:1] == ("upgrade",)
    if call.name in {"db", "database"}:  # flask db upgrade
        return operands[:1] == ("upgrade",)
    if call.name in {"airflow", "ckan", "litestar", "superset"}:
        return operands[:2] in {("db", "upgrade"), ("db", "migrate"), ("database", "upgrade")}
    if call.name == "piccolo":
        return operands[:2] == ("migrations", "forwards")
    return _speaks_of(call, _MIGRATIONS) or _UPGRADES.fullmatch(call.name) is not None


def migration_in(command: Sequence[str]) -> str | None:
    """The part of a command that changes the schema of a database, as written; None without one."""
    return next((line for line in script_lines(command) if migrates(["sh", "-c", line])), None)


def collects_static(command: Sequence[str]) -> bool:
    """Whether a command gathers Django's static files."""
    return any(call.name == "collectstatic" for call in calls(command))


def fails_softly(test: Sequence[str]) -> bool:
    """Whether a health check passes although the application answers with an error.

    Args:
        test: as Docker takes it: `("CMD", "curl", …)` or `("CMD-SHELL", "curl … || exit 1")`.
    """
    kind, *words = test or ["NONE"]
    if kind == "NONE":
        return False
    script = " ".join(words)
    if _FORGIVEN.search(script):
        return True
    if _PIPED.search(script):
        return False  # What it prints is looked at.
    if _UNCHECKED_GET.search(script) and not _CHECKED.search(script):
        return True
    command = ["sh", "-c", *words] if kind == "CMD-SHELL" else words
    return any(call.name == "curl" and not _curl_fails(call) for call in calls(command))


def _curl_fails(call: Call) -> bool:
    if call.has("--fail", "--fail-with-body", "-w", "--write-out"):
        return True
    clusters = (word[1:] for word in call.arguments if re.match(r"-[^-]", word))
    # In -sf both are flags; in -of the f is the value of -o.
    return any(re.match(rf"[^{_CURL_WITH_VALUE}]*f", cluster) for cluster in clusters)


def listening_port(command: Sequence[str]) -> int | None:
    """The TCP port on which a command's web server listens, if the command says so.

    `${PORT:-8000}` counts as 8000. A server that is given no port has its default one, but for
    gunicorn, whose port may stand in `gunicorn.conf.py`.
    """
    ports = (_port(call) for call in calls(command))
    return next((port for port in ports if port is not None), None)


def _port(call: Call) -> int | None:
    if (
        call.name not in _SERVERS
        or call.has("--uds", "--fd")
        or (call.name == "celery" and _celery_subcommand(call) != "flower")
        or (call.name == "flask" and not _flask_runs(call))
    ):
        return None
    options, default = _SERVERS[call.name]
    values = list(call.values(*options))
    if call.name in {"runserver", "runserver_plus", "runsslserver"}:
        values = list(call.operands("--settings", "--pythonpath"))
    ports = (_PORT.search(value) for value in values)
    given = next((match for match in ports if match), None)
    if given:
        return int(given[1] or given[2])
    return None if any("$" in value or "unix:" in value for value in values) else default


_SERVERS: dict[str, tuple[tuple[str, ...], int | None]] = {
    "celery": (("--port",), 5555),
    "daphne": (("-p", "--port"), 8000),
    "fastapi": (("--port",), 8000),
    "flask": (("-p", "--port"), 5000),
    "granian": (("--port",), 8000),
    "gunicorn": (("-b", "--bind"), None),
    "hypercorn": (("-b", "--bind"), 8000),
    "litestar": (("-p", "--port"), 8000),
    "runserver": ((), 8000),
    "runserver_plus": ((), 8000),
    "runsslserver": ((), 8000),
    "sanic": (("-p", "--port"), 8000),
    "streamlit": (("--server.port",), 8501),
    "uvicorn": (("--port",), 8000),
    "uwsgi": (("--http", "--http-socket", "--http11-socket"), None),
    "waitress-serve": (("--port", "--listen"), 8080),
}
"""Servers: the options that name an address or a port, and the port without them."""
