"""Items of lists that are not what they must be: each is told once, at its own place."""

import pytest

from .support import Sample

PAIR = "must be NAME=value"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("environment: [A=1, B=2, {C: 3}]", [f"environment.2: {PAIR}"]),
        ("environment: [A=1, 2, B=3, null]", [f"environment.1: {PAIR}", f"environment.3: {PAIR}"]),
        ("labels: [[a], a=b]", [f"labels.0: {PAIR}"]),
        ("cap_add: [NET_ADMIN, 1]", ["cap_add.1: must be a text"]),
        ("expose: ['8000', null]", ["expose.1: must be a port"]),
        (
            "env_file: [{a: b}]",
            ["env_file.0: has no path; write it like app.env, or {path: app.env}"],
        ),
        ("volumes: [{source: a}]", ["volumes.0: has no mount target; write it like data:/data"]),
        (
            "ports: [{published: '1'}]",
            ['ports.0: has no target port; write it like "127.0.0.1:5432:5432"'],
        ),
    ],
)
def test_item_of_a_wrong_type(sample: Sample, more: str, told: list[str]) -> None:
    assert sample.web(f"{more}\n").problems == [f"compose.yaml:5 services.web.{t}" for t in told]


def test_argument_of_a_build_that_is_no_text(sample: Sample) -> None:
    top = "  worker:\n    build: {context: ., args: [X=1, {C: 3}]}\n    command: celery worker\n"
    assert sample.web(top=top).problems == [f"compose.yaml:6 services.worker.build.args.1: {PAIR}"]


def test_items_have_their_lines_whatever_was_taken_out_before_them(sample: Sample) -> None:
    more = "environment:\n  - A=1\n  - {B: 2}\n  - C=3\n  - [D]\n  - {E: 5}\nlabels: [1]\n"
    assert sample.web(more).problems == [
        f"compose.yaml:7 services.web.environment.1: {PAIR}",
        f"compose.yaml:9 services.web.environment.3: {PAIR}",
        f"compose.yaml:10 services.web.environment.4: {PAIR}",
        f"compose.yaml:11 services.web.labels.0: {PAIR}",
    ]
