"""How findings and plans are shown: as text for people, as JSON for programs."""

import shutil
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from slipway.doctor.findings import Finding, Level, sized
from slipway.doctor.prune import Outcome, Plan
from slipway.doctor.retention import Candidate

SCHEMA = 1
"""Version of the JSON: keys may be added under it, but neither change nor go."""
_MARKS = {Level.OK: "ok", Level.WARNING: "warning", Level.PROBLEM: "PROBLEM"}
_INDENT = 24


def as_text(findings: Sequence[Finding], width: int | None = None) -> str:
    """Findings, a block for the machine and one for each stack, and how many need attention.

    Args:
        findings: in the order in which they are shown.
        width: of the terminal, in characters; default: that of this one.
    """
    columns = width or shutil.get_terminal_size((100, 24)).columns
    stacks = list(dict.fromkeys(finding.stack for finding in findings))
    lines: list[str] = []
    for stack in sorted(stacks, key=lambda name: (name is not None, name or "")):
        lines += ["machine" if stack is None else f"stack {stack}"]
        for finding in findings:
            if finding.stack == stack:
                lines += _block(finding, columns)
        lines += [""]
    return "\n".join([*lines, summary(findings)])


def _block(finding: Finding, columns: int) -> list[str]:
    head = f"  {_MARKS[finding.level]:9}{finding.check:13}"
    lines = _wrapped(head, finding.what, columns)
    if finding.why:
        lines += _wrapped(f"{'why':>{_INDENT - 2}}  ", finding.why, columns)
    if finding.command:  # In one piece, to be copied.
        lines.append(f"{'do':>{_INDENT - 2}}  {finding.command}")
    return lines


def _wrapped(head: str, text: str, columns: int) -> list[str]:
    return textwrap.wrap(
        text,
        max(columns, _INDENT + 40),
        initial_indent=head,
        subsequent_indent=" " * _INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )


def summary(findings: Iterable[Finding]) -> str:
    """How many problems and warnings there are."""
    levels = [finding.level for finding in findings]
    problems, warnings = levels.count(Level.PROBLEM), levels.count(Level.WARNING)
    if not problems and not warnings:
        return "all is well"
    return f"{_counted(problems, 'problem')}, {_counted(warnings, 'warning')}"


def _counted(count: int, noun: str) -> str:
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"


def plan_as_text(plan: Plan, now: datetime) -> str:
    """What may go, as a table."""
    lines = [f"not looked at: {line}" for line in plan.unread]
    if plan.empty:
        return "\n".join([*lines, "nothing to remove"])
    lines += [f"container {c.name}, {c.status}: its stack's state does not know it"
              for c in plan.containers]  # fmt: skip
    rows: list[tuple[str, ...]] = [("where", "image", "digest", "age", "size")]
    rows += [_row(image, now) for image in plan.images]
    if plan.images:
        lines += _table(rows)
        lines.append(
            f"up to {sized(sum(i.size for i in plan.images))}; layers that are shared stay"
        )
    return "\n".join(lines)


def _row(image: Candidate, now: datetime) -> tuple[str, ...]:
    digest = image.digest.removeprefix("sha256:")[:12]
    age = f"{(now - image.created).total_seconds() / 86400:.0f} days"
    return image.where, image.reference, digest, age, sized(image.size)


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def as_json(
    findings: Sequence[Finding],
    now: datetime,
    plan: Plan | None = None,
    outcome: Outcome | None = None,
) -> dict[str, Any]:
    """Findings and what became of a plan, for programs."""
    levels = [finding.level for finding in findings]
    return {
        "version": SCHEMA,
        "time": now.isoformat(timespec="seconds"),
        "problems": levels.count(Level.PROBLEM),
        "warnings": levels.count(Level.WARNING),
        "findings": [asdict(finding) for finding in findings],
        "prune": None if plan is None else _plan_as_json(plan, now, outcome or Outcome()),
    }


def _plan_as_json(plan: Plan, now: datetime, outcome: Outcome) -> dict[str, Any]:
    return {
        "images": [
            {
                "where": image.where,
                "reference": image.reference,
                "digest": image.digest,
                "created": image.created.isoformat(timespec="seconds"),
                "age_seconds": int((now - image.created).total_seconds()),
                "size": image.size,
            }
            for image in plan.images
        ],
        "containers": [{"name": c.name, "status": c.status} for c in plan.containers],
        "unread": list(plan.unread),
        "removed": outcome.removed,
        "failed": outcome.failed,
    }
