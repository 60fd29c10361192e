"""Forms of YAML, variables, builds and Dockerfiles as real projects write them."""

import pytest

from slipway.services import Port, VolumeMount

from .support import DOCKERFILE, WEB, Sample

ROUTE = "    x-slipway: {route: {port: 8000}, probes: [{path: /health}]}\n"


def unset(line: int, name: str, reason: str = "") -> str:
    return (
        f"compose.yaml:{line} ${{{name}}}: has no value{reason}; set it under slipway:variables, "
        "or with pulumi config set --stack prod --secret --path "
        f"slipway:secrets.{name} <value>, or give it a default: ${{{name}:-}}"
    )


def unpinned(line: int, image: str, file: str = "Dockerfile") -> str:
    return (
        f"{file}:{line} {image}: not pinned by digest, so that the same source could give another "
        "image tomorrow; run scripts/pin compose.yaml"
    )


# --- YAML -----------------------------------------------------------------------------------


def test_anchors_and_merges(sample: Sample) -> None:
    found = sample.read(
        f"""\
x-app: &app
  build: .
  environment: &environment
    LEVEL: info
services:
  web:
    <<: *app
{ROUTE}  worker:
    <<: *app
    command: celery -A shop worker
    environment:
      <<: *environment
      QUEUE: mail
"""
    )
    assert found.order == ["web routed", "worker worker"]
    assert found.environment("web") == {"LEVEL": "info"}
    assert found.environment("worker") == {"LEVEL": "info", "QUEUE": "mail"}
    assert found.image("web") is found.image("worker")


def test_merge_of_several(sample: Sample) -> None:
    found = sample.read(
        f"""\
x-first: &first {{build: ., restart: always}}
x-second: &second {{init: true, restart: "no"}}
services:
  web:
    <<: [*first, *second]
{ROUTE}"""
    )
    assert found.made_from("web") == {"restart": "unless-stopped", "init": True}


def test_fault_in_an_anchor_has_the_anchor_s_line(sample: Sample) -> None:
    found = sample.read(
        f"""\
x-app: &app
  build: .
  privileged: true
services:
  web:
    <<: *app
{ROUTE}"""
    )
    assert found.problems == [
        "compose.yaml:3 services.web.privileged: a release must not own its host; name what it "
        "needs under cap_add"
    ]


def test_service_that_extends_one_of_another_file(sample: Sample) -> None:
    sample.write("base.yaml", "services:\n  app:\n    build: .\n    environment: {LEVEL: info}\n")
    extends = "extends: {file: base.yaml, service: app}"
    found = sample.read(WEB.replace("build: .", extends))
    assert found.environment("web") == {"LEVEL": "info"}


def test_override_file_is_not_read(sample: Sample) -> None:
    sample.write("compose.override.yaml", "services:\n  web:\n    command: [runserver]\n")
    assert sample.web().made_from("web") == {}


# --- interpolation --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "set_", "empty", "without"),
    [
        ("${V:-d}", "v", "d", "d"),
        ("${V-d}", "v", "", "d"),
        ("${V:-}", "v", "", ""),
        ("${V-}", "v", "", ""),
        ("${V:+there}", "there", "", ""),
        ("${V+there}", "there", "there", ""),
        ("${U:-${V:-x}}", "v", "x", "x"),
        ("${U:-a ${V:-x} b}", "a v b", "a x b", "a x b"),
        ("$$V", "$V", "$V", "$V"),
        ("$${V}", "${V}", "${V}", "${V}"),
        ("http://${V:-h}:${P:-80}/", "http://v:80/", "http://h:80/", "http://h:80/"),
    ],
)
def test_interpolation(sample: Sample, written: str, set_: str, empty: str, without: str) -> None:
    text = f'environment:\n  A: "{written}"\n'
    results = []
    for variables in ({"V": "v"}, {"V": ""}, {}):
        sample.variables = dict(variables)
        results.append(sample.web(text).environment("web")["A"])
    assert results == [set_, empty, without]


@pytest.mark.parametrize("written", ["${V}", "$V", "${V:?must be}", "${V?must be}"])
def test_interpolation_of_what_must_have_a_value(sample: Sample, written: str) -> None:
    sample.variables = {"V": "v"}
    found = sample.web(f'environment:\n  A: "{written}"\n')
    assert found.environment("web") == {"A": "v"}


@pytest.mark.parametrize("written", ["${V}", "$V", "${V?must be}"])
def test_empty_value_is_a_value(sample: Sample, written: str) -> None:
    sample.variables = {"V": ""}
    found = sample.web(f'environment:\n  A: "{written}"\n')
    assert found.environment("web") == {"A": ""}


def test_all_variables_without_a_value_are_told_once(sample: Sample) -> None:
    found = sample.web(
        """\
        environment:
          A: ${PLAIN}
          B: $BARE
          C: ${NEEDED:?ask the team}
          D: ${NEEDED:?ask the team}
          E: ${SHORT?}
          F: ${GIVEN:-default}
        """
    )
    assert found.problems == [
        unset(6, "PLAIN"),
        unset(7, "BARE"),
        unset(8, "NEEDED", " (ask the team)"),
        unset(10, "SHORT"),
    ]


def test_variables_in_every_place(sample: Sample) -> None:
    sample.variables = {"TAG": "7@PIN".replace("@PIN", f"@sha256:{'1' * 64}"), "RESTART": "always"}
    found = sample.web(
        "restart: ${RESTART}\nhealthcheck: {test: [CMD, a], retries: '${RETRIES:-5}'}\n",
        top="  cache:\n    image: redis:${TAG}\n    command: redis-server --port ${P:-6379}\n",
    )
    assert found.made_from("web") == {
        "restart": "unless-stopped",
        "healthcheck": {"test": ["CMD", "a"], "retries": 5},
    }
    assert found.made_from("cache") == {"command": ["redis-server", "--port", "6379"]}


# --- files of variables ---------------------------------------------------------------------

VARIABLES = """\
# a comment
export A=1
B=two # an inline comment
C=${A}-$B
D='as $A # it is'
E="with ${A}" # another
F=a#b
G=${NONE:-default}

H =  spaced
"""
VALUES = {
    "A": "1",
    "B": "two",
    "C": "1-two",
    "D": "as $A # it is",
    "E": "with 1",
    "F": "a#b",
    "G": "default",
    "H": "spaced",
}


def test_lines_of_a_dot_env_file(sample: Sample) -> None:
    sample.write(".env", VARIABLES)
    names = "".join(f"  {name}: ${{{name}}}\n" for name in VALUES)
    assert sample.web(f"environment:\n{names}").environment("web") == VALUES


def test_lines_of_an_env_file(sample: Sample) -> None:
    sample.write("app.env", VARIABLES)
    assert sample.web("env_file: app.env\n").environment("web") == VALUES


def test_stack_s_values_go_before_those_of_the_dot_env_file(sample: Sample) -> None:
    sample.write(".env", "A=file\nB=${A}\n")
    sample.variables = {"A": "stack"}
    found = sample.web("environment:\n  A: ${A}\n  B: ${B}\n")
    assert found.environment("web") == {"A": "stack", "B": "stack"}


def test_dot_env_file_as_env_file_too(sample: Sample) -> None:
    sample.write(".env", "LEVEL=info\nPASSWORD=swordfish\n")
    found = sample.web("env_file: .env\nenvironment:\n  OTHER: ${LEVEL}\n")
    assert found.environment("web") == {
        "LEVEL": "info",
        "PASSWORD": "swordfish",
        "OTHER": "info",
    }
    assert found.container("web").record.holds_secret


# --- traps ----------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["${MEDIA}", "${MEDIA:-data:/data}"])
def test_whole_volume_in_one_variable(sample: Sample, written: str) -> None:
    sample.variables = {"MEDIA": "media:/app/media:ro"}
    found = sample.web(f"volumes:\n  - {written}\n", top="volumes:\n  media:\n  data:\n")
    assert found.container("web").placement.mounts == (
        VolumeMount(type="volume", source="media", target="/app/media", read_only=True),
    )


def test_whole_port_in_one_variable(sample: Sample) -> None:
    found = sample.read(
        """\
services:
  web:
    build: .
    ports: ["${PORT:-443:443}"]
    x-slipway: {route: {port: 443}, probes: [{path: /health}]}
"""
    )
    assert found.warnings == [
        "compose.yaml:4 services.web.ports.0: 443:443 is not published: the stack's proxy owns the "
        "public port, and leads to 443 from slipway:port"
    ]


@pytest.mark.parametrize(
    ("variables", "port"),
    [
        ({}, Port(target=5432)),
        ({"DB_PORT": "127.0.0.1:5433"}, Port(target=5432, published="5433", host_ip="127.0.0.1")),
    ],
)
def test_empty_host_port(sample: Sample, variables: dict[str, str], port: Port) -> None:
    sample.variables = variables
    found = sample.web(
        top='  cache:\n    image: redis:7@PIN\n    ports: ["${DB_PORT-}:5432/tcp"]\n'
    )
    assert found.container("cache").placement.ports == (port,)


@pytest.mark.parametrize("more", ["volumes: ['${NONE}']", "ports: ['${NONE}']", "shm_size: $NONE"])
def test_whole_value_in_a_variable_without_a_value(sample: Sample, more: str) -> None:
    assert sample.web(f"{more}\n").problems == [unset(5, "NONE")]


def test_required_variable_that_is_empty(sample: Sample) -> None:
    sample.variables = {"T": ""}
    found = sample.web("environment:\n  A: ${T:?must be set}\n")
    assert found.problems == [unset(6, "T", " (must be set)")]


def test_variable_without_a_value_in_an_env_file(sample: Sample) -> None:
    sample.write("app.env", "# ${NONE}\nA=1\nB=${NONE}\n")
    (problem,) = sample.web("env_file: app.env\n").problems
    assert problem == unset(3, "NONE").replace("compose.yaml", "app.env")


@pytest.mark.parametrize(
    "more", ["command: sh -c 'echo $NONE'", "healthcheck: {test: [CMD-SHELL, 'echo $NONE']}"]
)
def test_variable_that_may_be_the_shell_s(sample: Sample, more: str) -> None:
    escaped = ", or write $$NONE if the shell in the container is to fill it in"
    assert sample.web(f"{more}\n").problems == [unset(5, "NONE") + escaped]


@pytest.mark.parametrize("written", ["  NONE:", "  - NONE"])
def test_variable_that_is_only_named_and_has_no_value(sample: Sample, written: str) -> None:
    (problem,) = sample.web(f"environment:\n{written}\n").problems
    assert problem.split(" ", 1)[1] == (
        "services.web.environment.NONE: has no value; set it under slipway:variables, or with "
        "pulumi config set --stack prod --secret --path slipway:secrets.NONE <value>, or remove "
        "it"
    )


# --- files that belong to the compose file --------------------------------------------------


def test_fault_in_an_included_file_has_its_place_there(sample: Sample) -> None:
    sample.write(
        "other.yaml",
        "services:\n  db:\n    image: redis:7@PIN\n    privileged: true\n    user: ${NONE}\n",
    )
    assert sample.read("include: [other.yaml]\n" + WEB).problems == [
        "other.yaml:4 services.db.privileged: a release must not own its host; name what it needs "
        "under cap_add",
        unset(5, "NONE").replace("compose.yaml", "other.yaml"),
    ]


def test_unknown_key_in_an_included_file_has_its_place_there(sample: Sample) -> None:
    sample.write("other.yaml", "services:\n  db:\n    image: redis:7@PIN\n    privilegd: true\n")
    found = sample.read("include: [{path: ./other.yaml}]\n" + WEB + "    privileged: true\n")
    assert found.problems == [
        "compose.yaml:6 services.web.privileged: a release must not own its host; name what it "
        "needs under cap_add",
        "other.yaml:4 services.db.privilegd: no such key in Compose; correct its spelling, or "
        "remove it",
    ]


def test_fault_in_an_extended_service_has_its_place_there(sample: Sample) -> None:
    sample.write("base.yaml", "services:\n  app:\n    build: .\n    privileged: true\n")
    extends = "extends: {file: base.yaml, service: app}"
    assert sample.read(WEB.replace("build: .", extends)).problems == [
        "base.yaml:4 services.web.privileged: a release must not own its host; name what it needs "
        "under cap_add"
    ]


def test_included_file_that_is_not_there(sample: Sample) -> None:
    (problem,) = sample.read("include: [none.yaml]\n" + WEB).problems
    assert problem == (
        "compose.yaml:1 include.0: none.yaml is not there (none.yaml); correct the path, or remove "
        "it"
    )


def test_second_document_is_told_and_keeps_its_lines(sample: Sample) -> None:
    found = sample.read(WEB + "---\nservices:\n  web:\n    privileged: true\n")
    assert found.problems == [
        "compose.yaml:5 ---: a second YAML document begins here; merge it into the first",
        "compose.yaml:8 services.web.privileged: a release must not own its host; name what it "
        "needs under cap_add",
    ]


# --- messages -------------------------------------------------------------------------------


def test_key_that_looks_like_a_secret_s_hides_nothing_of_the_message(sample: Sample) -> None:
    found = sample.web(
        "environment:\n  SECRET_KEY: 5up3rs3cr3tvalue\nsecrets: [token, none]\n",
        top="secrets:\n  token: {environment: TOKEN}\n",
    )
    assert found.problems == [
        "compose.yaml:7 services.web.secrets: none is not there; declare it under the top-level "
        "secrets",
        "compose.yaml:9 secrets.token: TOKEN has no value; run pulumi config set --stack prod "
        "--secret --path slipway:secrets.TOKEN <value>",
    ]
    assert [warning.split(";")[0] for warning in found.warnings] == [
        "compose.yaml:6 services.web.environment.SECRET_KEY: a secret stands in the file"
    ]


def test_remedy_for_a_secret_is_told_as_it_must_be_written(sample: Sample) -> None:
    sample.write("Dockerfile", DOCKERFILE)
    build = "build: {context: ., args: {API_TOKEN: s3cr3tvalue}, secrets: [token]}"
    text = WEB.replace("build: .", build) + "    environment: {A: $DB_PASSWORD}\n"
    found = sample.read(text + "secrets:\n  token: {environment: TOKEN}\n")
    assert found.problems == [
        "compose.yaml:3 services.web.build.secrets: token is of no file, and a build reads its "
        "secrets from files; write secrets: {token: {file: …}} with a file that is ignored by git",
        unset(5, "DB_PASSWORD"),
    ]
    assert found.warnings == [
        "compose.yaml:3 services.web.build.args.API_TOKEN: a secret stands in the file, and build "
        "arguments can be read out of the image's history; change the secret, and give it to the "
        "build as a build secret, with build: {secrets: [name]}, secrets: {name: {file: …}} at the "
        "top level with a file that is in no commit, and RUN --mount=type=secret,id=name in the "
        "Dockerfile"
    ]


@pytest.mark.parametrize("mode", ["", ":ro"])
def test_mounted_file_that_is_not_there(sample: Sample, mode: str) -> None:
    found = sample.web(f"volumes: ['./nope.conf:/etc/nope.conf{mode}']\n")
    assert found.problems == [
        "compose.yaml:5 services.web.volumes.0: ./nope.conf is not there; correct the path, write "
        "the file, or remove the mount"
    ]


def test_folder_that_may_be_configuration(sample: Sample) -> None:
    sample.write("nginx/default.conf", "server {}\n")
    found = sample.web("volumes: ['./nginx:/etc/nginx/conf.d']\n")
    assert found.problems == [
        "compose.yaml:5 services.web.volumes.0: ./nginx is a folder of this checkout, and data "
        "does not live there; use a named volume, or an absolute path of the Docker host, or write "
        "./nginx:/etc/nginx/conf.d:ro if it is configuration"
    ]


def test_range_of_exposed_ports_proposes_a_port(sample: Sample) -> None:
    api = "  api:\n    build: .\n    command: [serve]\n    expose: ['9000-9001']\n"
    (problem,) = sample.web("depends_on: [api]\n", top=api).problems
    assert problem.endswith("write x-slipway: {route: {port: 9000, internal: true}}")


# --- one image for several services ---------------------------------------------------------


def test_image_that_one_builds_and_others_name(sample: Sample) -> None:
    found = sample.read(
        f"""\
services:
  web:
    build: .
    image: shop:latest
{ROUTE}  worker:
    image: shop:latest
    command: celery -A shop worker
  beat:
    image: shop:latest
    command: celery -A shop beat
    x-slipway: {{singleton: true}}
"""
    )
    assert found.order == ["beat singleton", "web routed", "worker worker"]
    assert found.image("web") is found.image("worker") is found.image("beat")
    assert found.warnings == []


def test_several_services_from_one_build(sample: Sample) -> None:
    found = sample.web(
        top="""\
  worker:
    build: {context: ./, dockerfile: Dockerfile}
    command: celery -A shop worker
"""
    )
    assert found.image("web") is found.image("worker")


# --- Dockerfiles ----------------------------------------------------------------------------


def test_stages_are_no_images(sample: Sample) -> None:
    sample.write(
        "Dockerfile",
        """\
FROM node:22@PIN AS assets
RUN npm ci
FROM python:3.12@PIN AS Base
FROM base
COPY --from=assets /dist /dist
COPY --from=0 /dist /other
RUN --mount=type=bind,from=assets,target=/assets ls
FROM scratch
COPY --from=base / /
""",
    )
    assert sample.web().problems == []


def test_every_image_that_a_build_names_must_be_pinned(sample: Sample) -> None:
    sample.write(
        "Dockerfile",
        """\
# syntax=docker/dockerfile:1
ARG VERSION=3.12
FROM --platform=$BUILDPLATFORM node:22 AS assets
FROM python:${VERSION}-slim
COPY --from=ghcr.io/astral-sh/uv:0.5 /uv /bin/uv
RUN --mount=type=bind,from=busybox,target=/tools --mount=type=cache,target=/root/.cache ls
COPY --from=assets /dist /dist
""",
    )
    assert sample.web().problems == [
        unpinned(1, "docker/dockerfile:1"),
        unpinned(3, "node:22"),
        unpinned(4, "python:3.12-slim")
        + ", or add the digest where python:${VERSION}-slim gets its variables",
        unpinned(5, "ghcr.io/astral-sh/uv:0.5"),
        unpinned(6, "busybox"),
    ]


@pytest.mark.parametrize(
    ("dockerfile", "args"),
    [
        ("ARG BASE=python:3.12@PIN\nFROM ${BASE}\n", "{}"),
        ("ARG BASE=python:3.12@PIN\nFROM $BASE\n", "{}"),
        ("ARG BASE=python:3.12\nFROM ${BASE}\n", "{BASE: 'python:3.13@PIN'}"),
        ("ARG BASE\nFROM ${BASE}\n", "{BASE: 'python:3.13@PIN'}"),
        ("FROM ${BASE:-python:3.12@PIN}\n", "{}"),
        ("ARG V=3\nARG BASE=python:$V@PIN\nFROM ${BASE}\n", "{}"),
    ],
)
def test_base_from_an_argument(sample: Sample, dockerfile: str, args: str) -> None:
    sample.write("Dockerfile", dockerfile)
    build = f"build: {{context: ., args: {args}}}"
    assert sample.read(WEB.replace("build: .", build)).problems == []


def test_argument_without_a_value(sample: Sample) -> None:
    sample.write("Dockerfile", "ARG BASE\nFROM ${BASE}\n")
    assert sample.web().problems == [
        "Dockerfile:2 ${BASE}: the build argument has no value; give it under build.args in the "
        "compose file"
    ]


def test_problems_of_all_dockerfiles_are_told_together(sample: Sample) -> None:
    sample.write("Dockerfile", "FROM python:3.12\n")
    sample.write("worker/Dockerfile", "FROM python\n")
    found = sample.web(top="  worker:\n    build: worker\n  other:\n    build: nowhere\n")
    assert found.problems == [
        "nowhere/Dockerfile: no such Dockerfile; correct build.context or build.dockerfile",
        unpinned(1, "python:3.12"),
        unpinned(1, "python", "worker/Dockerfile"),
    ]


def test_build_secret_of_a_file(sample: Sample) -> None:
    sample.write("pip.conf", "[global]\n")
    sample.write("Dockerfile", f"{DOCKERFILE}RUN --mount=type=secret,id=pip pip install .\n")
    build = "build: {context: ., secrets: [pip]}"
    top = "secrets:\n  pip: {file: ./pip.conf}\n"
    found = sample.read(WEB.replace("build: .", build) + top)
    assert found.image("web").secrets == {"pip": str(sample.folder / "pip.conf")}


@pytest.mark.parametrize(
    ("dockerfile", "need"),
    [
        ("RUN <<EOF\necho one\nEOF\n", "Dockerfile:4 a here-document in RUN"),
        ("COPY --link a b\n", "Dockerfile:4 COPY --link"),
    ],
)
def test_build_that_the_host_s_engine_cannot_do(sample: Sample, dockerfile: str, need: str) -> None:
    sample.host.engine = (20, 10)
    sample.write("Dockerfile", DOCKERFILE + dockerfile)
    assert sample.host_error(WEB) == (
        f"{need} needs the BuildKit of Docker Engine 23.0 or newer, and this one is 20.10; update "
        "the engine, or write it another way"
    )


# --- .dockerignore --------------------------------------------------------------------------

CONTEXT = {
    "a.py": "",
    "app/__pycache__/x.pyc": "",
    "__pycache__/y.pyc": "",
    "docs/a.md": "",
    "docs/keep.md": "",
    "node_modules/m/m.js": "",
}
ALWAYS = {"Dockerfile", "compose.yaml", "shop/wsgi.py", ".dockerignore"}


@pytest.mark.parametrize(
    ("ignore", "left_out"),
    [
        pytest.param("__pycache__\n", {"__pycache__/y.pyc"}, id="bare_name_only_at_the_root"),
        pytest.param(
            "**/__pycache__\n",
            {"__pycache__/y.pyc", "app/__pycache__/x.pyc"},
            id="everywhere",
        ),
        pytest.param("**/*.md\n!docs/keep.md\n", {"docs/a.md"}, id="negation"),
        pytest.param("docs\n!docs/keep.md\n", {"docs/a.md"}, id="included_below_an_excluded"),
        pytest.param("/docs/\nnode_modules/\n", {"docs", "node_modules"}, id="slashes"),
        pytest.param("# docs\n # docs\n", set(), id="comment_and_literal_pattern"),
        pytest.param("Dockerfile\n.dockerignore\n", {"Dockerfile", ".dockerignore"}, id="itself"),
    ],
)
def test_dockerignore(sample: Sample, ignore: str, left_out: set[str]) -> None:
    for path, text in CONTEXT.items():
        sample.write(path, text)
    sample.write(".dockerignore", ignore)
    expected = {
        path
        for path in CONTEXT.keys() | ALWAYS
        if not any(path == out or path.startswith(f"{out}/") for out in left_out)
    }
    assert set(sample.web().context("web")) == expected


def test_dockerignore_that_allows_only_what_it_lists(sample: Sample) -> None:
    sample.write(".dockerignore", "*\n!shop\n")
    assert sample.web().context("web") == ["shop/wsgi.py"]


def test_dockerignore_of_a_dockerfile_goes_before_that_of_the_context(sample: Sample) -> None:
    sample.write(".dockerignore", "*\n")
    sample.write("Dockerfile.dockerignore", "compose.yaml\n.dockerignore\n")
    assert sample.web().context("web") == ["Dockerfile", "Dockerfile.dockerignore", "shop/wsgi.py"]


def test_ignored_dockerfile_is_part_of_the_image_s_name_all_the_same(sample: Sample) -> None:
    sample.write(".dockerignore", "Dockerfile\n")
    before = sample.web().image("web").source.hash
    sample.write("Dockerfile", f"{DOCKERFILE}USER nobody\n")
    assert sample.web().image("web").source.hash != before


def test_file_that_a_build_step_mounts_is_part_of_the_image_s_name(sample: Sample) -> None:
    sample.write(
        "Dockerfile",
        "FROM python:3.12@PIN\nRUN --mount=type=bind,source=uv.lock,target=uv.lock uv sync\n",
    )
    sample.write("uv.lock", "1")
    before = sample.web().image("web").source.hash
    sample.write("uv.lock", "2")
    assert sample.web().image("web").source.hash != before
