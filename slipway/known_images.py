"""Images that compose files take as they are: what they are for, and when they are ready."""

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["database", "cache", "broker", "proxy", "other"]


@dataclass(frozen=True)
class KnownImage:
    """An image that many projects use.

    Args:
        name: the program in it, whatever the image is called.
        kind: what it is for. A database is whatever keeps state that two must not open at once:
            search indexes and object stores too.
        ready: a health check, as Docker takes it, that passes once it serves; None where its
            image has no program to ask it with.
        data: the folders in which its versions keep their data; a volume should be mounted on
            one of them, or above.
    """

    name: str
    kind: Kind
    ready: tuple[str, ...] | None = None
    data: tuple[str, ...] = ()


def _shell(script: str) -> tuple[str, ...]:
    return "CMD-SHELL", script


# While it is being set up, a database has a server for itself, which listens on a socket or on
# the loopback address only. Hence the addresses in these checks.
_POSTGRES = KnownImage(
    "postgres",
    "database",
    _shell('pg_isready -q -h 127.0.0.1 -U "${POSTGRES_USER:-postgres}"'),
    ("/var/lib/postgresql/data", "/var/lib/postgresql", "/home/postgres/pgdata"),
)
_MYSQL = KnownImage(
    "mysql", "database", _shell("mysqladmin ping -h 127.0.0.1 --silent"), ("/var/lib/mysql",)
)
_MARIADB = KnownImage(
    "mariadb",
    "database",
    # Old versions have the one name only, new ones the other.
    _shell(
        "mariadb-admin ping -h 127.0.0.1 --silent || mysqladmin ping -h 127.0.0.1 --silent",
    ),
    ("/var/lib/mysql",),
)
_MONGO = KnownImage(
    "mongo",
    "database",
    _shell(
        "client=$(command -v mongosh || command -v mongo); "
        '"$client" --quiet --host "$(hostname)" --eval "db.adminCommand({ping: 1}).ok" '
        "| grep -q 1"
    ),
    ("/data/db",),
)


def _redis(name: str, client: str) -> KnownImage:
    # One that asks for a password is up; one that still loads its data is not.
    check = _shell(f"{client} ping 2>&1 | grep -qE 'PONG|NOAUTH'")
    return KnownImage(name, "cache", check, ("/data",))


def _search(name: str) -> KnownImage:
    # Any answer will do: one that asks for a password is up.
    address = "//127.0.0.1:9200"
    check = f"curl -s -o /dev/null http:{address} || curl -sk -o /dev/null https:{address}"
    return KnownImage(name, "database", _shell(check), (f"/usr/share/{name}/data",))


_RABBITMQ = KnownImage(
    "rabbitmq", "broker", ("CMD", "rabbitmq-diagnostics", "-q", "ping"), ("/var/lib/rabbitmq",)
)
_MEMCACHED = KnownImage(
    "memcached",
    "cache",
    # Alpine's has nc, Debian's has bash.
    _shell("nc -z 127.0.0.1 11211 2>/dev/null || bash -c ': </dev/tcp/127.0.0.1/11211'"),
)
_MINIO = KnownImage(
    "minio",
    "database",
    _shell("mc ready local || curl -fs http://127.0.0.1:9000/minio/health/ready"),
    ("/data", "/export"),
)
_CLICKHOUSE = KnownImage(
    "clickhouse",
    "database",
    _shell("wget -qO- http://127.0.0.1:8123/ping | grep -q Ok"),
    ("/var/lib/clickhouse",),
)

_IMAGES: dict[str, KnownImage] = {
    **dict.fromkeys(["postgres", "postgresql", "postgis", "pgvector", "pgvecto-rs"], _POSTGRES),
    **dict.fromkeys(["timescaledb", "timescaledb-ha", "citus", "paradedb"], _POSTGRES),
    **dict.fromkeys(["mysql", "mysql-server", "percona", "percona-server"], _MYSQL),
    "mariadb": _MARIADB,
    **dict.fromkeys(["mongo", "mongodb", "mongodb-community-server"], _MONGO),
    **dict.fromkeys(["redis", "redis-stack", "redis-stack-server"], _redis("redis", "redis-cli")),
    "valkey": _redis("valkey", "valkey-cli"),
    "keydb": _redis("keydb", "keydb-cli"),
    "dragonfly": KnownImage("dragonfly", "cache", None, ("/data",)),  # It has a check of its own.
    "rabbitmq": _RABBITMQ,
    "memcached": _MEMCACHED,
    "elasticsearch": _search("elasticsearch"),
    "opensearch": _search("opensearch"),
    "minio": _MINIO,
    "clickhouse": _CLICKHOUSE,
    "clickhouse-server": _CLICKHOUSE,
    "meilisearch": KnownImage("meilisearch", "database", None, ("/meili_data",)),
    "qdrant": KnownImage("qdrant", "database", None, ("/qdrant/storage",)),
    "neo4j": KnownImage("neo4j", "database", None, ("/data",)),
    "influxdb": KnownImage(
        "influxdb", "database", None, ("/var/lib/influxdb2", "/var/lib/influxdb")
    ),
    "couchdb": KnownImage("couchdb", "database", None, ("/opt/couchdb/data",)),
    "solr": KnownImage("solr", "database", None, ("/var/solr",)),
    "kafka": KnownImage("kafka", "broker", None, ("/var/lib/kafka/data",)),
    "nats": KnownImage("nats", "broker"),
    "eclipse-mosquitto": KnownImage("mosquitto", "broker", None, ("/mosquitto/data",)),
    **dict.fromkeys(["nginx", "nginx-unprivileged", "openresty"], KnownImage("nginx", "proxy")),
    "caddy": KnownImage("caddy", "proxy", None, ("/data",)),
    **{name: KnownImage(name, "proxy") for name in ("traefik", "haproxy", "envoy", "httpd")},
    **{name: KnownImage(name, "proxy") for name in ("nginx-proxy", "nginx-proxy-manager", "swag")},
    **{name: KnownImage(name, "other") for name in ("adminer", "certbot", "flower", "localstack")},
    **{name: KnownImage(name, "other") for name in ("mailhog", "mailpit", "pgadmin4", "pgbouncer")},
}


def known_image(image: str) -> KnownImage | None:
    """What is known of an image, by the last part of its name.

    >>> known_image("docker.io/library/postgres:16-alpine").kind
    'database'
    """
    plain = re.sub(r"\$\{[^}]*\}", "", image).partition("@")[0]
    folder, _, last = plain.lower().rpartition("/")
    known = _IMAGES.get(last.partition(":")[0])
    if known and known.data and folder.rpartition("/")[2].startswith("bitnami"):
        return KnownImage(known.name, known.kind, known.ready, (f"/bitnami/{known.name}",))
    return known
