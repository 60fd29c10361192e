import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from slipway.engine import Ended, OnEvent
from slipway.errors import ConfigError
from slipway.explain.model import Explanation
from slipway.preview.course import preview_stack
from slipway.preview.model import Operation, StackPreview
from slipway.redact import Redactor

SECRET = "correct horse battery"
FOUND = Explanation("test", (), notes=(f"said {SECRET}",))
SECOND_RELEASE = Path(__file__).parents[1] / "events/second_release.jsonl"


class Engine:
    """An engine that can do nothing but preview."""

    def __init__(self, ends: Ended, *events: Mapping[str, Any]) -> None:
        self.ends = ends
        self.events = events
        self.asked: list[list[str]] = []

    def preview(
        self, on_event: OnEvent, environ: Mapping[str, str], options: Sequence[str] = ()
    ) -> Ended:
        self.asked.append([*options, *environ])
        for event in self.events:
            on_event(event)
        return self.ends


def said(severity: str, message: str) -> dict[str, Any]:
    return {"diagnosticEvent": {"severity": severity, "message": message, "urn": ""}}


def preview(engine: Engine, explain: Any = lambda: FOUND) -> StackPreview:
    return preview_stack("test", engine, explain, Redactor([SECRET]))


def not_asked() -> Explanation:
    raise AssertionError("what cannot be released was explained")


def test_failed_preview_tells_the_errors_without_secrets() -> None:
    engine = Engine(
        Ended(255, "", "error: noise"),
        said("error", f"compose.yaml:3: {SECRET}"),
        said("error", "and this"),
    )
    found = preview(engine, not_asked)
    assert found == StackPreview("test", error="compose.yaml:3: [secret]\nand this")


def test_preview_that_never_began_tells_what_the_engine_printed() -> None:
    engine = Engine(Ended(255, "", f"error: no stack {SECRET}\n"))
    assert preview(engine, not_asked).error == "error: no stack [secret]"


def test_silent_failure_has_an_error_all_the_same() -> None:
    assert preview(Engine(Ended(-9, "", "")), not_asked).error == "exit code -9 and no message"


def test_source_that_cannot_be_explained_leaves_the_preview() -> None:
    def explain() -> Explanation:
        raise ConfigError([f"compose.yaml:3: {SECRET}"])

    found = preview(Engine(Ended(0, "diff", "")), explain)
    assert (found.diff, found.explanation, found.error) == ("diff", None, None)
    assert found.unexplained == "1 problem; nothing was changed:\ncompose.yaml:3: [secret]"
    assert found.failed


def test_diff_warnings_and_explanation_have_no_secrets() -> None:
    engine = Engine(Ended(0, f'+ "A={SECRET}"', ""), said("warning", f"careful: {SECRET}"))
    assert preview(engine) == StackPreview(
        "test",
        Explanation("test", (), notes=("said [secret]",)),
        (),
        ("careful: [secret]",),
        '+ "A=[secret]"',
    )


def test_engine_is_asked_for_a_preview_in_full_and_nothing_else() -> None:
    engine = Engine(Ended(0, "", ""))
    preview(engine)
    assert engine.asked == [["--diff", "--color", "never"]]


def test_resources_are_told_in_the_engine_s_order() -> None:
    events = [json.loads(line) for line in SECOND_RELEASE.read_text().splitlines()]
    found = preview(Engine(Ended(0, "", ""), *events))
    assert {step.operation for step in found.steps} >= {Operation.CREATE, Operation.DELETE}
    assert [step.name for step in found.steps][-1].startswith("shop-")
