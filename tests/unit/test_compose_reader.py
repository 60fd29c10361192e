"""The answers of the compose readers below are recorded: those of compose-go v2.16.2."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from slipway.compose_reader import Run, reader_environment, run_command
from slipway.compose_repair import Interpreted, interpret
from slipway.errors import ConfigError, HostError
from slipway.key_lines import KeyLines

from .support import FakeRun, finished
from .support_compose import (
    COMPOSE,
    HELPER,
    NO_PLUGIN,
    PLUGIN,
    PLUGIN_ANSWER,
    RESOLVED,
    Reader,
    helper,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "compose.yaml"
    path.write_text(COMPOSE)
    return path


def reading(file: Path, run: Run) -> Interpreted:
    return interpret(file, {}, KeyLines(file), run)


def shown(file: Path, problems: object) -> list[str]:
    """Problems without the path of the file."""
    return [str(p).replace(str(file), "compose.yaml") for p in problems]


def refused(file: Path, run: Run) -> list[str]:
    with pytest.raises(ConfigError) as refusal:
        reading(file, run)
    return shown(file, refusal.value.problems)


def complaint(text: str) -> "subprocess.CompletedProcess[str]":
    return finished(1, stderr=f"compose-config: {text}\n")


# --- readers --------------------------------------------------------------------------------


def test_helper_is_asked_where_the_plugin_is_missing(file: Path) -> None:
    run = helper(RESOLVED)

    assert reading(file, run) == Interpreted(RESOLVED, [])
    assert run.commands == [["docker", "compose", "version"], ["compose-config", str(file)]]


def test_plugin_is_asked_where_it_is_installed_and_its_doubled_dollars_are_one(file: Path) -> None:
    plugin = ("docker", "compose", "--file")
    run = FakeRun({PLUGIN: finished(0), plugin: finished(0, PLUGIN_ANSWER)})

    services = reading(file, run).document["services"]
    assert services["web"]["environment"] == {"EMPTY": "", "MONEY": "a$b"}
    assert run.commands == [
        ["docker", "compose", "version"],
        ["docker", "compose", "--file", str(file), "config"],
    ]


def test_missing_reader_says_how_to_get_one(file: Path) -> None:
    missing = finished(127, stderr="compose-config: not found")

    with pytest.raises(HostError) as refusal:
        reading(file, FakeRun({PLUGIN: finished(127), HELPER: missing}))

    assert str(refusal.value) == (
        f"cannot read {file}: neither `docker compose` nor compose-config is installed; run "
        "scripts/bootstrap, then . scripts/activate"
    )


def test_variables_without_a_value_are_told_together(file: Path) -> None:
    file.write_text("services:\n  web:\n    image: a\n    environment: {A: $ONE, B: '${TWO}'}\n")
    warning = 'time="2026-01-01T00:00:00Z" level=warning msg="The \\"{}\\" variable is not set. '
    warnings = [warning.format(name) for name in ("TWO", "ONE", "TWO")]

    assert shown(file, reading(file, helper(RESOLVED, "\n".join(warnings))).problems) == [
        "compose.yaml:4 ${ONE}: has no value; set it under slipway:variables, or with pulumi "
        "config set --stack <stack> --secret --path slipway:secrets.ONE <value>, "
        "or give it a default: ${ONE:-}",
        "compose.yaml:4 ${TWO}: has no value; set it under slipway:variables, or with pulumi "
        "config set --stack <stack> --secret --path slipway:secrets.TWO <value>, "
        "or give it a default: ${TWO:-}",
    ]


# --- files of which nothing can be read -----------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("services: [", "compose.yaml:1 is no valid YAML: {}"),
        ("hello\n", "compose.yaml:1 services: the file must begin with services:, and is a text"),
        ("- web\n", "compose.yaml:1 services: the file must begin with services:, and is a list"),
        (
            "services: [web]\n",
            "compose.yaml:1 services: must hold services by their names, such as web: {{build: .}}",
        ),
        ("", "compose.yaml:1 services: the file is empty; begin it with services:"),
    ],
)
@pytest.mark.parametrize(
    ("stderr", "reason"),
    [
        (
            'time="2026-01-01T00:00:00Z" level=warning msg="version is obsolete"\n'
            "compose-config: yaml: did not find expected node content\n",
            "did not find expected node content",
        ),
        ("", "the compose reader gave no reason"),
    ],
)
def test_file_without_services_is_told_without_what_the_reader_logs(
    file: Path, text: str, told: str, stderr: str, reason: str
) -> None:
    file.write_text(text)
    run = FakeRun({PLUGIN: NO_PLUGIN, HELPER: finished(1, stderr=stderr)})

    assert refused(file, run) == [told.format(reason)]


def test_complaint_that_no_repair_ends_is_told_as_it_is(file: Path) -> None:
    run = Reader(lambda document: complaint("something is\nwrong"))

    assert refused(file, run) == ["compose.yaml: something is wrong"]


def test_reader_that_complains_without_end_is_not_asked_for_ever(file: Path) -> None:
    file.write_text("services:\n  web:\n" + "".join(f"    k{n}: 1\n" for n in range(99)))

    def next_key(document: Any) -> "subprocess.CompletedProcess[str]":
        key = next(iter(document["services"]["web"]))
        return complaint(f"validating /tmp/x.yaml: services.web.{key} false schema")

    run = Reader(next_key)
    assert len(refused(file, run)) == 50
    assert len(run.read) == 51


# --- repairs --------------------------------------------------------------------------------


def test_copy_is_read_with_the_folder_and_the_variables_of_the_file(file: Path) -> None:
    file.write_text("services:\n  web: {image: a, imge: b}\n")

    def judge(document: Any) -> "subprocess.CompletedProcess[str]":
        if "imge" in document["services"]["web"]:
            return complaint("validating /tmp/x.yaml: services.web.imge false schema")
        return finished(0, json.dumps(RESOLVED))

    run = Reader(judge)
    found = interpret(file, {"A": "1"}, KeyLines(file), run)
    assert found.document == RESOLVED
    assert run.read[-1] == {"services": {"web": {"image": "a"}}}
    assert run.commands[0] == ["compose-config", str(file)]
    assert run.commands[-1][:3] == ["compose-config", "--project-directory", str(file.parent)]
    assert run.environs == [{"A": "1"}] * 2
    assert not Path(run.commands[-1][-1]).exists()
    assert file.read_text() == "services:\n  web: {image: a, imge: b}\n"


def test_copy_is_read_by_the_plugin_where_it_is_installed(file: Path) -> None:
    file.write_text("services:\n  web: {image: a, imge: b}\n")
    first = ("docker", "compose", "--file")
    wrong = "validating /tmp/x.yaml: services.web.imge false schema"
    again = ("docker", "compose", "--project-directory")
    answers = {PLUGIN: finished(0), first: finished(1, stderr=wrong)}
    run = FakeRun({**answers, again: finished(0, PLUGIN_ANSWER)})

    assert shown(file, reading(file, run).problems) == [
        "compose.yaml:2 services.web.imge: no such key in Compose; correct its spelling, or "
        "remove it"
    ]
    assert run.commands[-1][:5] == [*again, str(file.parent), "--file"]
    assert run.commands[-1][-1] == "config"


ONE_SERVICE = """\
services:
  web:
    image: a
    command: [a, b]
    env_file: [web.env, {path: ./conf/prod.env}, ../common.env]
    networks: [front, back]
    volumes: ["data:/data", {type: volume, source: logs, target: /logs}]
    secrets: [password]
    configs: [{source: nginx, target: /etc/nginx.conf}]
    healthcheck: {interval: soon}
    environment: {A: "${A"}
    depends_on: [db, cach]
    user: ${USER_ID:?the id of the user}${OTHER?}
  worker:
    image: a
    depends_on: {cach: {condition: service_started}}
    volumes: [data]
  db: {image: b}
"""
ADD = "it under the top-level"


@pytest.mark.parametrize(
    ("said", "told", "left"),
    [
        pytest.param(
            "error while interpolating services.web.user: required variable USER_ID is missing a "
            "value: the id of the user; error while interpolating services.web.user: required "
            "variable OTHER is missing a value",
            [
                "compose.yaml:13 ${USER_ID}: has no value (the id of the user); set it under "
                "slipway:variables, or with pulumi config set --stack <stack> --secret --path "
                "slipway:secrets.USER_ID <value>, or give it a default: ${USER_ID:-}",
                "compose.yaml:13 ${OTHER}: has no value; set it under slipway:variables, or with "
                "pulumi config set --stack <stack> --secret --path slipway:secrets.OTHER <value>, "
                "or give it a default: ${OTHER:-}",
            ],
            {},
            id="variables",
        ),
        pytest.param(
            "env file {folder}/web.env not found: stat {folder}/web.env: no such file or directory",
            [
                "compose.yaml:5 services.web.env_file: web.env is not there ({folder}/web.env); "
                "write it (is there an example beside it?), or give its variables under environment"
            ],
            {"env_file": [{"path": "./conf/prod.env"}, "../common.env"]},
            id="env-file",
        ),
        pytest.param(
            "env file {folder}/conf/prod.env not found: stat {folder}/conf/prod.env: no such file",
            [
                "compose.yaml:5 services.web.env_file: prod.env is not there "
                "({folder}/conf/prod.env); write it (is there an example beside it?), or give its "
                "variables under environment"
            ],
            {"env_file": ["web.env", "../common.env"]},
            id="env-file-in-long-form",
        ),
        pytest.param(
            'service "web" refers to undefined network back: invalid compose project',
            [f"compose.yaml:6 services.web.networks: back is not there; declare {ADD} networks"],
            {"networks": ["front"]},
            id="network",
        ),
        pytest.param(
            'service "web" refers to undefined volume data: invalid compose project',
            [f"compose.yaml:7 services.web.volumes: data is not there; declare {ADD} volumes"],
            {"volumes": [{"type": "volume", "source": "logs", "target": "/logs"}]},
            id="volume",
        ),
        pytest.param(
            'service "web" refers to undefined volume logs: invalid compose project',
            [f"compose.yaml:7 services.web.volumes: logs is not there; declare {ADD} volumes"],
            {"volumes": ["data:/data"]},
            id="volume-in-long-form",
        ),
        pytest.param(
            'service "web" refers to undefined secret password: invalid compose project',
            [f"compose.yaml:8 services.web.secrets: password is not there; declare {ADD} secrets"],
            {"secrets": []},
            id="secret",
        ),
        pytest.param(
            'service "web" refers to undefined config nginx: invalid compose project',
            [f"compose.yaml:9 services.web.configs: nginx is not there; declare {ADD} configs"],
            {"configs": []},
            id="config",
        ),
        pytest.param(
            'service "web" depends on undefined service "cach": invalid compose project',
            [
                "compose.yaml:12 services.web.depends_on: cach is not there; add it under "
                "services, or remove it from depends_on"
            ],
            {"depends_on": ["db"]},
            id="dependency",
        ),
        pytest.param(
            "validating {file}: services.web.healthcheck.interval must be a string",
            ["compose.yaml:10 services.web.healthcheck.interval: must be a text"],
            {"healthcheck": {}},
            id="schema",
        ),
        pytest.param(
            "validating {file}: services.web.user false schema",
            [
                "compose.yaml:13 services.web.user: no such key in Compose; correct its spelling, "
                "or remove it"
            ],
            {"user": ...},
            id="unknown-key",
        ),
        pytest.param(
            "decoding failed due to the following error(s):; 'services[web].healthcheck.interval' "
            "time: invalid duration \"soon\"; 'services[web].command[1]' wrong",
            [
                'compose.yaml:10 services.web.healthcheck.interval: "soon" is not a duration; '
                "write it like 15s, 1m30s or 250ms",
                "compose.yaml:4 services.web.command.1: wrong",
            ],
            {"healthcheck": {}, "command": ["a"]},
            id="decoding",
        ),
        pytest.param(
            "invalid interpolation format for services.web.environment.A.; You may need to escape "
            "any $ with another $.; ${A",
            [
                'compose.yaml:11 services.web.environment.A: "${A" is no use of a variable; write '
                "${NAME}, or $$ for a plain $"
            ],
            {"environment": {}},
            id="interpolation",
        ),
    ],
)
def test_what_is_complained_of_is_taken_out_and_told_with_its_line(
    file: Path, said: str, told: list[str], left: dict[str, Any]
) -> None:
    file.write_text(ONE_SERVICE)
    places = {"folder": str(file.parent), "above": str(file.parent.parent), "file": str(file)}

    def placed(text: str) -> str:
        for name, place in places.items():
            text = text.replace(f"{{{name}}}", place)
        return text

    answers = [complaint(placed(said)), finished(0, json.dumps(RESOLVED))]
    run = Reader(lambda document: answers.pop(0))
    found = reading(file, run)

    assert shown(file, found.problems) == [
        placed(text) if "{file}" not in text else text for text in told
    ]
    before, after = (document["services"] for document in run.read)
    kept = {key: value for key, value in left.items() if value is not ...}
    expected = {key: value for key, value in before["web"].items() if key not in left}
    assert after == {**before, "web": {**expected, **kept}}


def test_required_variables_get_a_value_that_is_not_the_user_s(file: Path) -> None:
    file.write_text("services:\n  web: {image: '${IMAGE:?}'}\n")
    said = (
        "error while interpolating services.web.image: required variable IMAGE is missing a value"
    )
    answers = [complaint(said), finished(0, json.dumps(RESOLVED))]
    run = Reader(lambda document: answers.pop(0))

    reading(file, run)
    assert run.environs == [{}, {"IMAGE": "slipway"}]


def test_long_form_of_a_dependency_is_taken_out_too(file: Path) -> None:
    file.write_text(ONE_SERVICE)
    said = 'service "worker" depends on undefined service "cach": invalid compose project'
    answers = [complaint(said), finished(0, json.dumps(RESOLVED))]
    run = Reader(lambda document: answers.pop(0))

    reading(file, run)
    assert run.read[-1]["services"]["worker"]["depends_on"] == {}


def test_complaint_of_several_kinds_is_repaired_round_by_round(file: Path) -> None:
    file.write_text(ONE_SERVICE)

    def judge(document: Any) -> "subprocess.CompletedProcess[str]":
        web = document["services"]["web"]
        if "user" in web:
            return complaint("validating /tmp/x.yaml: services.web.user false schema")
        if "back" in web["networks"]:
            return complaint('service "web" refers to undefined network back: invalid')
        return finished(
            0, json.dumps(RESOLVED), 'level=warning msg="The \\"B\\" variable is not set'
        )

    found = reading(file, Reader(judge))
    assert [problem.split(" ")[1] for problem in shown(file, found.problems)] == [
        "services.web.user:",
        "services.web.networks:",
        "${B}:",
    ]


# --- complaints without a place -------------------------------------------------------------


def test_service_without_which_the_complaint_ends_is_blamed(file: Path) -> None:
    file.write_text(
        "services:\n  web: {image: a}\n  bad: {image: b}\n  worker: {image: a, depends_on: [bad]}\n"
    )

    def judge(document: Any) -> "subprocess.CompletedProcess[str]":
        if "bad" in document["services"]:
            return complaint("Invalid containerPort: x")
        return finished(0, json.dumps(RESOLVED))

    run = Reader(judge)
    found = reading(file, run)
    assert shown(file, found.problems) == [
        'compose.yaml:3 services.bad: "x" is not a port; write it like "127.0.0.1:5432:5432"'
    ]
    assert run.read[-1] == {
        "services": {"web": {"image": "a"}, "worker": {"image": "a", "depends_on": []}}
    }


def test_several_services_are_blamed_one_after_the_other(file: Path) -> None:
    file.write_text("services:\n  web: {image: a}\n  b: {image: b}\n  c: {image: c}\n")

    def judge(document: Any) -> "subprocess.CompletedProcess[str]":
        for name in ("b", "c"):
            if name in document["services"]:
                return complaint(f"{name} is wrong")
        return finished(0, json.dumps(RESOLVED))

    assert shown(file, reading(file, Reader(judge)).problems) == [
        "compose.yaml:3 services.b: b is wrong",
        "compose.yaml:4 services.c: c is wrong",
    ]


def test_service_whose_leaving_out_brings_another_complaint_is_blamed_for_the_first(
    file: Path,
) -> None:
    """A reader tells one thing at a time: another complaint means that this one has ended."""
    file.write_text("services:\n  a: {image: a}\n  b: {image: b, wrong: 1}\n")

    def judge(document: Any) -> "subprocess.CompletedProcess[str]":
        if "a" in document["services"]:
            return complaint("a is wrong")
        if "wrong" in document["services"]["b"]:
            return complaint("validating /tmp/x.yaml: services.b.wrong false schema")
        return finished(0, json.dumps(RESOLVED))

    assert shown(file, reading(file, Reader(judge)).problems) == [
        "compose.yaml:2 services.a: a is wrong",
        "compose.yaml:3 services.b.wrong: no such key in Compose; correct its spelling, or remove "
        "it",
    ]


def test_item_without_which_the_complaint_ends_is_blamed(file: Path) -> None:
    file.write_text("services:\n  web:\n    image: a\n    ports: ['80', 'x']\n    init: true\n")

    def judge(document: Any) -> "subprocess.CompletedProcess[str]":
        if "x" in document["services"].get("web", {}).get("ports", []):
            return complaint("Invalid containerPort: x")
        return finished(0, json.dumps(RESOLVED))

    run = Reader(judge)
    found = reading(file, run)
    assert shown(file, found.problems) == [
        'compose.yaml:4 services.web.ports.1: "x" is not a port; write it like '
        '"127.0.0.1:5432:5432"'
    ]
    assert found.complete
    assert run.read[-1] == {"services": {"web": {"image": "a", "ports": ["80"], "init": True}}}


def test_reading_without_a_service_is_not_complete(file: Path) -> None:
    file.write_text("services:\n  web: {image: a}\n  bad: {image: b}\n")

    def judge(document: Any) -> "subprocess.CompletedProcess[str]":
        if "bad" in document["services"]:
            return complaint("it is wrong")
        return finished(0, json.dumps(RESOLVED))

    assert not reading(file, Reader(judge)).complete


# --- commands -------------------------------------------------------------------------------


def test_command_runs_with_the_environment_that_it_is_given() -> None:
    script = "import os, sys; print(os.environ['A']); print('oh', file=sys.stderr); sys.exit(3)"
    command = [sys.executable, "-c", script]

    assert vars(run_command(command, {"A": "1"})) == vars(
        subprocess.CompletedProcess(command, 3, "1\n", "oh\n")
    )


def test_answer_that_is_not_utf_8_is_read_as_far_as_it_goes() -> None:
    script = r"import sys; sys.stderr.buffer.write(b'caf\xe9')"
    assert run_command([sys.executable, "-c", script], {}).stderr == "caf\ufffd"


def test_command_that_is_not_installed_is_told_as_a_shell_would() -> None:
    assert vars(run_command(["/no/such/command"], {})) == vars(
        subprocess.CompletedProcess(["/no/such/command"], 127, "", "/no/such/command: not found")
    )


# --- what it gets of this machine -----------------------------------------------------------


def test_reader_gets_nothing_of_the_shell_but_what_it_starts_with() -> None:
    needed = {"PATH": "/bin", "HOME": "/home/me", "SLIPWAY_PYTHON_IMAGE": "python@sha256:1"}
    others = ("PATH_PREFIX", "HOMEPAGE_URL", "DOCKER_TAG", "COMPOSE_PROFILES", "XDG_RUNTIME_DIR")

    assert reader_environment(needed | dict.fromkeys(others, "x")) == needed
