"""Files with many faults, and files that are none: what one run tells of them."""

import pytest

from .support import WEB, Sample

FAULTY = """\
name: shop
services:
  web:
    build: .
    env_file: .env
    environment:
      LEVEL: ${LOG_LEVEL}
      DATABASE_URL: ${DATABASE_URL:?where the database is}
    healthchek:
      test: [CMD, "true"]
    stop_grace_period: 10 seconds
    networks: [default, backend]
    x-slipway:
      route: {port: 8000, prot: 1}
      probs: [{path: /health}]
      probes: [{path: health}]
      stable_for: 5 min
  worker:
    build: .
    command: celery -A shop worker
    ports: ["5555:5555"]
    volumes:
      - ./shop:/app/shop
  beat:
    build: .
    command: celery -A shop beat
    depends_on: [cach]
  db:
    image: postgres:16
  watch:
    image: team/watch@PIN
    volumes: ["/var/run/docker.sock:/var/run/docker.sock"]
  edge:
    image: team/edge@PIN
    network_mode: host
volumes:
  media: {name: uploads}
"""
TOLD = """\
compose.yaml:5 services.web.env_file: .env is not there (.env); write it (is there an example \
beside it?), or give its variables under environment
compose.yaml:7 ${LOG_LEVEL}: has no value; set it under slipway:variables, or with pulumi config \
set --stack prod --secret --path slipway:secrets.LOG_LEVEL <value>, or give it a default: \
${LOG_LEVEL:-}
compose.yaml:8 ${DATABASE_URL}: has no value (where the database is); set it under \
slipway:variables, or with pulumi config set --stack prod --secret --path \
slipway:secrets.DATABASE_URL <value>, or give it a default: ${DATABASE_URL:-}
compose.yaml:9 services.web.healthchek: no such key in Compose; correct its spelling, or remove it
compose.yaml:11 services.web.stop_grace_period: "10 seconds" is not a duration; write it like 10s
compose.yaml:12 services.web.networks: backend is not there; declare it under the top-level networks
compose.yaml:14 services.web.x-slipway.route.prot: no such key; there are host, internal, path, port
compose.yaml:15 services.web.x-slipway.probs: no such key; there are allow, drain, ephemeral, \
hold, interval, overlap, probes, proof, release, release_timeout, route, singleton, stable_for, \
successes, timeout
compose.yaml:16 services.web.x-slipway.probes.0.path: "health" is not an absolute path; write \
/health
compose.yaml:17 services.web.x-slipway.stable_for: "5 min" is not a duration; write it like 15s, \
1m30s or 250ms
compose.yaml:21 services.worker.ports.0: "5555:5555" binds a port of the host, which old and new \
container cannot share; for HTTP write x-slipway: {route: {port: 5555}}, with host or path if \
another service has the public one; for anything else x-slipway: {singleton: true}; or remove it
compose.yaml:23 services.worker.volumes.0: ./shop hides /app/shop of the image, so that other code \
than the released would run; remove it here (for development it can stand in a \
compose.override.yaml)
compose.yaml:26 services.beat.command: starts jobs by the clock: while old and new container run \
side by side, each job would be started twice; write x-slipway: {singleton: true} (or false, if \
that does no harm)
compose.yaml:27 services.beat.depends_on: cach is not there; add it under services, or remove it \
from depends_on
compose.yaml:28 services.db: a database without a volume loses its data with its container; add \
volumes: [db-data:/var/lib/postgresql/data] and declare the volume, or write x-slipway: \
{ephemeral: true} if that is meant
compose.yaml:29 services.db.image: postgres:16 is not pinned by digest, so that the same file \
could run another image tomorrow; run scripts/pin compose.yaml
compose.yaml:32 services.watch.volumes.0: /var/run/docker.sock gives the container the whole host; \
remove it, or write x-slipway: {allow: [docker.sock]} if that is meant
compose.yaml:35 services.edge.network_mode: the proxy reaches services by the stack's own \
network; remove it
compose.yaml:37 volumes.media.name: Slipway names volumes after the stack, so uploads would not \
be found; remove name and copy the data over, or add external: true to adopt the volume
"""


def test_all_faults_are_told_in_one_run_with_their_lines(sample: Sample) -> None:
    found = sample.read(FAULTY)
    assert "\n".join(found.problems) + "\n" == TOLD
    assert (found.warnings, sample.host.journal) == ([], [])


def test_file_is_well_once_what_was_told_is_done(sample: Sample) -> None:
    sample.variables = {"LOG_LEVEL": "info", "DATABASE_URL": "postgres://db/shop"}
    sample.write(".env", "REGION=eu\n")
    found = sample.read(
        """\
name: shop
services:
  web:
    build: .
    env_file: .env
    environment:
      LEVEL: ${LOG_LEVEL}
      DATABASE_URL: ${DATABASE_URL:?where the database is}
    healthcheck:
      test: [CMD, "true"]
    stop_grace_period: 10s
    networks: [default, backend]
    x-slipway:
      route: {port: 8000}
      probes: [{path: /health}]
      stable_for: 5m
  worker:
    build: .
    command: celery -A shop worker
  beat:
    build: .
    command: celery -A shop beat
    depends_on: [cache]
    x-slipway: {singleton: true}
  cache:
    image: redis:7@PIN
    healthcheck: {test: [CMD, redis-cli, ping]}
  db:
    image: postgres:16@PIN
    volumes: [db-data:/var/lib/postgresql/data]
  watch:
    image: team/watch@PIN
    volumes: ["/var/run/docker.sock:/var/run/docker.sock"]
    x-slipway: {allow: [docker.sock]}
volumes:
  db-data:
  media:
networks:
  backend:
"""
    )
    assert (found.problems, found.warnings) == ([], [])


# --- files that are no compose files --------------------------------------------------------


def told(sample: Sample, text: str) -> list[str]:
    found = sample.read(text)
    assert found.prepared is None
    return found.problems


def test_key_of_a_wrong_type_is_not_taken_for_one_that_is_missing(sample: Sample) -> None:
    found = sample.read(
        """
    services:
      web:
        build: .
        environment: {DATABASE: "sqlite:///data/db.sqlite3"}
        volumes: [data:/data]
        x-slipway: {overlap: no way, route: {port: 8000}, probes: [{path: /}]}
      db:
        image: postgres:16@PIN
        volumes: data
    volumes:
      data:
    """
    )
    assert found.problems == [
        'compose.yaml:7 services.web.x-slipway.overlap: must be true or false (found "no way")',
        "compose.yaml:10 services.db.volumes: must be a list such as [data:/data]",
    ]
    assert found.warnings == []


def test_file_that_is_not_there(sample: Sample) -> None:
    found = sample.prepare(preview=True)
    assert found.problems == [
        "compose.yaml: no such file; set slipway:compose in the stack's configuration"
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            "services:\n  web:\n    build: .\n   image: x\n",
            "4 is no valid YAML: its indentation fits no line above; give keys of one mapping the "
            "same",
            id="indentation",
        ),
        pytest.param(
            'services:\n  web:\n    ports:\n      - "80"\n      expose: [1]\n',
            "5 is no valid YAML: the list that is above goes on here without a -; begin the line "
            "with - where it is one more entry, or give it the indentation of what it belongs to",
            id="entry",
        ),
        pytest.param(
            "services:\n  web:\n    command: [a, b\n    init: true\n",
            "4 is no valid YAML: the bracket of line 3 is not closed, or a comma is missing",
            id="list",
        ),
        pytest.param(
            "services:\n\tweb:\n\t\tbuild: .\n",
            "2 is no valid YAML: it is indented with a tab; use spaces",
            id="tabs",
        ),
        pytest.param(
            "services:\n  web:\n    <<: *base\n",
            "3 is no valid YAML: no &base stands above; correct *base, or add the anchor",
            id="no_such_anchor",
        ),
        pytest.param(
            "services:\n  web:\n    init: true\n    init: true\n",
            "4 init: stands on line 3 already; remove one of them",
            id="twice_the_same_key",
        ),
        pytest.param(
            'services:\n  web:\n    user: "a\n    init: true\n',
            "4 is no valid YAML: the quote of line 3 is not closed",
            id="quote",
        ),
        pytest.param(
            "services:\n  web:\n    command: echo: hi\n",
            "3 is no valid YAML: a colon and a space begin a value; put the text in quotes",
            id="colon",
        ),
        pytest.param(
            "services:\n  web:\n    command: %run\n",
            "3 is no valid YAML: a value cannot begin with %; put it in quotes",
            id="sign",
        ),
    ],
)
def test_syntax_error_is_told_with_its_line_and_remedy(
    sample: Sample, text: str, problem: str
) -> None:
    assert told(sample, text) == [f"compose.yaml:{problem}"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the file is empty; begin it with services:"),
        ("# nothing yet\n", "the file is empty; begin it with services:"),
        ("- web\n- db\n", "the file must begin with services:, and is a list"),
        ("hello\n", "the file must begin with services:, and is a text"),
        ("version: '3'\n", "is missing; write the services below it by their names"),
        ("services:\n", "must hold services by their names, such as web: {build: .}"),
        ("services: [web]\n", "must hold services by their names, such as web: {build: .}"),
    ],
)
def test_file_of_another_shape_is_refused(sample: Sample, text: str, problem: str) -> None:
    assert told(sample, text) == [f"compose.yaml:1 services: {problem}"]


def test_file_of_variables_that_cannot_be_read_shows_no_value(sample: Sample) -> None:
    sample.write("app.env", 'A=1\nB="swordfish\n')
    assert sample.web("env_file: app.env\n").problems == [
        "app.env:2 cannot be read: a quote is not closed"
    ]
    sample.write(".env", 'C="swordfish\n')
    assert sample.web().problems == [".env:1 cannot be read: a quote is not closed"]


def test_included_file_that_is_no_yaml(sample: Sample) -> None:
    sample.write("other.yaml", "services:\n\tweb: {}\n")
    assert told(sample, "include: [other.yaml]\n" + WEB) == [
        "other.yaml:2 cannot be read: it is indented with a tab; use spaces"
    ]


def test_unknown_key_of_a_file_that_an_included_one_includes(sample: Sample) -> None:
    sample.write("a.yaml", "include: [b.yaml]\n")
    sample.write("b.yaml", "services:\n  db:\n    image: redis:7@PIN\n    privilegd: true\n")
    assert told(sample, "include: [a.yaml]\n" + WEB) == [
        "b.yaml:4 services.db.privilegd: no such key in Compose; correct its spelling, or remove it"
    ]


def test_service_that_extends_none(sample: Sample) -> None:
    text = WEB.replace("build: .", "extends: {service: base}")
    assert told(sample, text) == [
        "compose.yaml:3 services.web.extends: base is not there; correct its name, or remove "
        "extends"
    ]


def test_key_that_is_a_number(sample: Sample) -> None:
    assert sample.web("1: 3\n").problems == [
        'compose.yaml:5 services.web.1: a key must be a text; put it in quotes: "1"'
    ]


def test_same_fault_in_several_services_is_told_of_each(sample: Sample) -> None:
    other = "  {}:\n    image: redis:7@PIN\n    ports: ['a:80']\n"
    found = sample.web(top=other.format("a") + other.format("b") + other.format("c"))
    assert found.problems == [
        f'compose.yaml:{line} services.{name}.ports.0: "a" is not a port; write it like '
        '"127.0.0.1:5432:5432"'
        for line, name in ((7, "a"), (10, "b"), (13, "c"))
    ]


def test_key_of_the_top_level_with_a_wrong_letter(sample: Sample) -> None:
    found = sample.web(top="servces: {}\nhooks: {}\n")
    assert found.problems == [
        "compose.yaml:5 servces: no such key in Compose; did you mean services?",
        "compose.yaml:6 hooks: no such key in Compose; correct its spelling, or remove it",
    ]


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("command: {a: b}", "command: must be a text or a list of texts"),
        ("ports: 80", 'ports: must be a list such as ["127.0.0.1:5432:5432"]'),
        ("depends_on: db", "depends_on: must be a list of names, or names with their settings"),
        ("environment: 5", "environment: must be names with their values, or a list of NAME=value"),
        ("healthcheck: {interval: [5s]}", "healthcheck.interval: must be a text"),
        ("user: 5", 'user: must be a text; put it in quotes: "5"'),
        ("init: maybe", 'init: must be true or false (found "maybe")'),
        ("deploy: {replicas: few}", 'deploy.replicas: must be a whole number (found "few")'),
        ("ports: [{target: a}]", 'ports.0.target: must be a whole number (found "a")'),
        (
            "ports: ['80', 'a:80']",
            'ports.1: "a" is not a port; write it like "127.0.0.1:5432:5432"',
        ),
        ("shm_size: lots", 'shm_size: "lots" is not a size; write it like 512m or 2g'),
        ("stop_grace_period: 10", "stop_grace_period: a duration has a unit; write it like 10s"),
        (
            "stop_grace_period: 10 seconds",
            'stop_grace_period: "10 seconds" is not a duration; write it like 10s',
        ),
        (
            "stop_grace_period: soon",
            'stop_grace_period: "soon" is not a duration; write it like 15s, 1m30s or 250ms',
        ),
        (
            "restart: on-failure:3",
            "restart: a count would leave the live container stopped for good after some failures; "
            "write unless-stopped",
        ),
        ("x-slipwy: {}", "x-slipwy: no such key; did you mean x-slipway?"),
    ],
)
def test_value_that_cannot_be_is_told_with_what_can(
    sample: Sample, more: str, problem: str
) -> None:
    assert f"compose.yaml:5 services.web.{problem}" in sample.web(f"{more}\n").problems


def test_setting_of_a_mount_is_told_by_its_key(sample: Sample) -> None:
    found = sample.web(
        "volumes:\n  - {type: volume, source: media, target: /m, volume: {nocopy: true}}\n",
        top="volumes:\n  media:\n",
    )
    assert found.problems == [
        "compose.yaml:6 services.web.volumes.0.volume.nocopy: Slipway does not honour it; remove it"
    ]


def test_route_of_a_service_that_cannot_be_read_is_not_missed(sample: Sample) -> None:
    sample.write("base.yaml", "services:\n  app:\n    build: .\n    privilegd: true\n")
    extends = "extends: {file: base.yaml, service: app}"
    found = sample.read(WEB.replace("build: .", extends) + "  other:\n    build: .\n")
    assert found.problems == [
        "base.yaml:4 services.web.privilegd: no such key in Compose; correct its spelling, or "
        "remove it"
    ]


@pytest.mark.parametrize(
    ("depends", "told"),
    [
        ("[web]", "5 services.web.depends_on: each waits for the next: web -> web; "),
        (
            "[worker]",
            "9 services.worker.depends_on: each waits for the next: web -> worker -> web; ",
        ),
    ],
)
def test_cycle_is_told_with_a_step_to_remove(sample: Sample, depends: str, told: str) -> None:
    found = sample.web(
        f"depends_on: {depends}\n",
        top="  worker:\n    build: .\n    command: [work]\n    depends_on: [web]\n",
    )
    assert found.problems == [f"compose.yaml:{told}remove web here, or another of these steps"]


def test_service_name_that_compose_does_not_take(sample: Sample) -> None:
    found = sample.web(top="  'the worker':\n    build: .\n    command: [work]\n")
    assert found.problems == [
        "compose.yaml:5 services.the worker: no name of a service; write it with letters, digits, "
        "- and _ only"
    ]


def test_byte_order_mark_and_windows_line_ends(sample: Sample) -> None:
    text = "\ufeff" + WEB.replace("\n", "\r\n") + "    privileged: true\r\n"
    assert told(sample, text) == [
        "compose.yaml:5 services.web.privileged: a release must not own its host; name what it "
        "needs under cap_add"
    ]


def test_file_of_five_megabytes_is_read(sample: Sample) -> None:
    sample.write(sample.file, WEB + "# a long comment that says nothing at all\n" * 120_000)
    found = sample.prepare(preview=True)
    assert (found.problems, found.order) == ([], ["web routed"])


def test_file_that_is_too_large_is_refused_at_once_and_as_a_whole(sample: Sample) -> None:
    found = sample.web("environment:\n" + "".join(f"  A{n}: a\n" for n in range(150_000)))
    assert found.problems == [
        "compose.yaml:1 cannot be read: compose file exceeds maximum node visit limit (100000); "
        "move long lists, such as variables, to an env_file"
    ]


def test_many_wrong_keys_are_all_told(sample: Sample) -> None:
    wrong = [f"wrong_{n:02d}" for n in range(12)]
    found = sample.web("".join(f"{key}: 1\n" for key in wrong))
    assert found.problems == [
        f"compose.yaml:{line} services.web.{key}: no such key in Compose; correct its spelling, or "
        "remove it"
        for line, key in enumerate(wrong, 5)
    ]


def test_secret_in_a_fault_is_not_shown(sample: Sample) -> None:
    sample.secrets = {"PASSWORD": "correct horse"}
    found = sample.web("stop_grace_period: ${PASSWORD}\nuser: a\nlinks: ['${PASSWORD}:b']\n")
    assert "correct horse" not in "\n".join(found.problems)
