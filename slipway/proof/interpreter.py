"""What the image's own Python is asked: whether modules import, and which routes there are."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway.proof import in_image
from slipway.proof.report import ProofFinding
from slipway.proof.settings import Proof, Routes

MARK = "slipway-proof:"
"""Begins the line that holds the answer; all else is what the application prints."""
PYTHONS = ("python", "python3")
"""What the image's Python may be called; the first one that is there counts."""
_SHOWN = 20
_TAIL = 30


@dataclass(frozen=True)
class Ended:
    """How the image's Python ended.

    Args:
        code: exit code; None if it did not end in time.
        output: what it printed.
        missing: whether the image has no Python.
    """

    code: int | None
    output: str = ""
    missing: bool = False


@dataclass(frozen=True)
class Answer:
    """What the image's Python said: findings, what it imported, and how many routes there are."""

    findings: tuple[ProofFinding, ...] = ()
    imported: tuple[str, ...] = ()
    routes: int | None = None


def command(proof: Proof) -> list[str]:
    """What is run, behind the name of the Python."""
    asked = {
        "imports": proof.imports,
        "app": proof.app,
        "routes": proof.routes is not None,
        "mark": MARK,
    }
    return ["-c", Path(in_image.__file__).read_text("utf-8"), json.dumps(asked)]


def judge_answer(proof: Proof, ended: Ended) -> Answer:
    """What the image's Python said of what is wanted."""
    said = _said(ended.output)
    if said is None:
        return Answer((_silent(proof, ended),))
    imported = tuple(str(module) for module in said.get("imported", []))
    if "error" in said:
        return Answer((_failed(proof, said, ended.output),), imported)
    routes = said.get("routes")
    if proof.routes is None or routes is None:
        return Answer((), imported)
    return Answer(tuple(_judge_routes(proof.routes, routes)), imported, len(routes))


def _said(output: str) -> dict[str, Any] | None:
    for line in reversed(output.splitlines()):
        if line.startswith(MARK):
            try:
                found: dict[str, Any] = json.loads(line.removeprefix(MARK))
            except ValueError:
                return None
            return found
    return None


def _silent(proof: Proof, ended: Ended) -> ProofFinding:
    if ended.missing:
        found, remedy = "no Python", "leave imports, app and routes out, or build on a Python image"
    elif ended.code is None:
        found = f"no answer within {proof.timeout:g} s"
        remedy = "raise x-slipway.proof.timeout, or do less when a module is imported"
    else:
        found = f"an end with exit code {ended.code} and no answer"
        remedy = "importing must not end the process"
    wanted = ", ".join([*proof.imports, *([proof.app] if proof.app else [])]) or "Django's routes"
    return ProofFinding(
        kind="import",
        what=wanted,
        expected="imported by the image's own Python",
        found=found,
        detail=_tail(ended.output),
        remedy=remedy,
    )


def _failed(proof: Proof, said: dict[str, Any], output: str) -> ProofFinding:
    return ProofFinding(
        kind="import",
        what=str(said.get("at") or proof.app),
        expected="no error in the image, without network",
        found=str(said["error"]),
        detail=_tail(output),
        remedy="mend the source, or what the Dockerfile installs and copies",
    )


def _judge_routes(wanted: Routes, routes: Sequence[str]) -> list[ProofFinding]:
    shown = ", ".join(routes[:_SHOWN]) or "none"
    more = f" and {len(routes) - _SHOWN} more" if len(routes) > _SHOWN else ""
    findings = [
        ProofFinding(
            kind="routes",
            what=name,
            expected="a route of the application",
            found="no such route",
            detail=f"it has: {shown}{more}",
            remedy="mend the source, or x-slipway.proof.routes",
        )
        for name in wanted.named
        if name not in routes
    ]
    if len(routes) < wanted.at_least:
        findings.append(
            ProofFinding(
                kind="routes",
                what="all routes",
                expected=f"{wanted.at_least} or more",
                found=str(len(routes)),
                detail=f"it has: {shown}{more}",
                remedy="mend the source, or x-slipway.proof.routes",
            )
        )
    return findings


def _tail(output: str) -> str:
    lines = [line for line in output.splitlines() if line.strip() and not line.startswith(MARK)]
    return "\n".join(lines[-_TAIL:])
