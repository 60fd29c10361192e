import json

import pytest

from slipway.proof.interpreter import MARK, Ended, command, judge_answer
from slipway.proof.settings import Proof


def said(**answer: object) -> Ended:
    return Ended(0, f"hello\n{MARK}{json.dumps({'imported': [], **answer})}\n")


# --- no answer -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ended", "found"),
    [
        (Ended(None, missing=True), "no Python"),
        (Ended(None, "still\nbusy"), "no answer within 60 s"),
        (Ended(3, "bye"), "an end with exit code 3 and no answer"),
        (Ended(0, f"{MARK}not json"), "an end with exit code 0 and no answer"),
    ],
)
def test_silence_is_no_consent(ended: Ended, found: str) -> None:
    answer = judge_answer(Proof(imports=["main"], app="main:app"), ended)
    (finding,) = answer.findings
    assert (finding.what, finding.found) == ("main, main:app", found)


def test_end_of_the_output_is_shown_and_no_more() -> None:
    lines = [f"line {number}" for number in range(100)]
    (finding,) = judge_answer(Proof(imports=["main"]), Ended(1, "\n".join(lines))).findings
    assert finding.detail.splitlines() == lines[-30:]


# --- what it says ----------------------------------------------------------------------------


def test_error_of_an_import_is_told_with_the_module() -> None:
    error = "ModuleNotFoundError: No module named 'x'"
    answer = judge_answer(
        Proof(imports=["a", "b"]), said(imported=["a"], at="import b", error=error)
    )
    (finding,) = answer.findings
    assert (finding.what, finding.found, finding.detail) == ("import b", error, "hello")
    assert answer.imported == ("a",)


def test_route_that_is_missing_is_told_with_those_that_are_there() -> None:
    proof = Proof.model_validate(
        {"app": "main:app", "routes": {"at_least": 3, "named": ["/", "/api/health"]}}
    )
    answer = judge_answer(proof, said(routes=["/", "/{rest:path}"]))
    assert [(f.what, f.expected, f.found, f.detail) for f in answer.findings] == [
        ("/api/health", "a route of the application", "no such route", "it has: /, /{rest:path}"),
        ("all routes", "3 or more", "2", "it has: /, /{rest:path}"),
    ]


def test_many_routes_are_not_all_shown() -> None:
    proof = Proof.model_validate({"app": "main:app", "routes": {"named": ["/x"]}})
    routes = [f"/{number}" for number in range(25)]
    (finding,) = judge_answer(proof, said(routes=routes)).findings
    assert finding.detail.endswith("/19 and 5 more")


def test_answer_that_has_all_is_well() -> None:
    proof = Proof.model_validate(
        {"imports": ["a"], "app": "main:app", "routes": {"at_least": 2, "named": ["/"]}}
    )
    answer = judge_answer(proof, said(imported=["a"], routes=["/", "/b"]))
    assert (answer.findings, answer.imported, answer.routes) == ((), ("a",), 2)


def test_pythons_script_needs_nothing_of_this_project() -> None:
    flag, script, asked = command(Proof(imports=["a"]))
    assert flag == "-c"
    assert "slipway" not in script
    assert json.loads(asked) == {"imports": ["a"], "app": None, "routes": False, "mark": MARK}
