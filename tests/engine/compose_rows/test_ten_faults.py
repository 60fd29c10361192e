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
set --stack <stack> --secret --path slipway:secrets.LOG_LEVEL <value>, or give it a default: \
${LOG_LEVEL:-}
compose.yaml:8 ${DATABASE_URL}: has no value (where the database is); set it under \
slipway:variables, or with pulumi config set --stack <stack> --secret --path \
slipway:secrets.DATABASE_URL <value>, or give it a default: ${DATABASE_URL:-}
compose.yaml:9 services.web.healthchek: no such key in Compose; correct its spelling, or remove it
compose.yaml:11 services.web.stop_grace_period: time: unknown unit " seconds" in duration "10 \
seconds"
compose.yaml:12 services.web.networks: backend is not there; declare it under the top-level networks
compose.yaml:14 services.web.x-slipway.route.prot: no such key; there are host, internal, path, port
compose.yaml:15 services.web.x-slipway.probs: no such key; there are allow, drain, ephemeral, \
hold, interval, overlap, probes, release, release_timeout, route, singleton, stable_for, \
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


def test_file_that_is_not_there(sample: Sample) -> None:
    found = sample.prepare(preview=True)
    assert found.problems == [
        "compose.yaml: no such file; set slipway:compose in the stack's configuration"
    ]


@pytest.mark.parametrize(
    ("text", "position"),
    [
        pytest.param("services:\n  web:\n    build: .\n   image: x\n", "line 3", id="indentation"),
        pytest.param(
            "services:\n  web:\n    command: [a, b\n    init: true\n", "line 3", id="list"
        ),
        pytest.param("services:\n\tweb:\n\t\tbuild: .\n", "line 2", id="tabs"),
        pytest.param("services:\n  web:\n    <<: *base\n", "line 3", id="no_such_anchor"),
        pytest.param(
            "services:\n  web:\n    init: true\n    init: true\n", "line 4", id="twice_the_same_key"
        ),
    ],
)
def test_syntax_error_is_told_with_its_line(sample: Sample, text: str, position: str) -> None:
    (problem,) = told(sample, text)
    assert problem.startswith("compose.yaml: ")
    assert position in problem


@pytest.mark.parametrize("text", ["", "# nothing yet\n"])
def test_empty_file(sample: Sample, text: str) -> None:
    assert told(sample, text) == ["compose.yaml: compose-config: empty compose file"]


@pytest.mark.parametrize("text", ["- web\n- db\n", "hello\n", "services:\n", "services: [web]\n"])
def test_file_of_another_shape_is_refused(sample: Sample, text: str) -> None:
    (problem,) = told(sample, text)
    assert problem.startswith("compose.yaml: ")


@pytest.mark.parametrize(
    ("depends", "cycle"),
    [("[web]", "web -> web"), ("[worker]", "web -> worker -> web")],
)
def test_cycle_is_told_with_its_way(sample: Sample, depends: str, cycle: str) -> None:
    found = sample.web(
        f"depends_on: {depends}\n",
        top="  worker:\n    build: .\n    command: [work]\n    depends_on: [web]\n",
    )
    assert f"compose.yaml:2 services.web: dependency cycle detected: {cycle}" in found.problems


def test_service_name_that_compose_does_not_take(sample: Sample) -> None:
    found = sample.web(top="  'the worker':\n    build: .\n    command: [work]\n")
    assert found.problems == [
        "compose.yaml:5 services.the worker: validating compose.yaml: services additional "
        "properties 'the worker' not allowed"
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
