"""What came of the proof of an image, as JSON; it is part of the evidence."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

MOST = 20
"""So many findings are told one by one."""
_EXAMPLES = 10

Kind = Literal["image", "file", "bytecode", "required", "user", "label", "import", "routes"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ProofFinding(_Part):
    """Something that is not as it must be.

    Args:
        kind: what was looked at.
        what: path in the image, module or route.
        source: path in the source, where there is one.
        expected: what had to be.
        found: what was.
        detail: more of it, line by line.
        remedy: what to do.
    """

    kind: Kind
    what: str
    source: str = ""
    expected: str
    found: str
    detail: str = ""
    remedy: str = ""


class NotCompared(_Part):
    """Files of which the proof says nothing: why, how many, and the first of them."""

    reason: str
    count: int
    examples: list[str] = Field(default_factory=list)


class ProofReport(_Part):
    """What came of the proof of a service's image.

    Args:
        image: `repository@sha256:…` that was looked at.
        passed: whether nothing was found that refuses it; null if nothing was looked at.
        compared: files of the source that were compared with those in the image.
        differing: how many of them differ, and are allowed to.
        bytecode: compiled files in the application's folders that were looked at.
        imported: modules that the image's Python has imported.
        routes: how many routes the application has; null if it was not asked.
        not_compared: files that were not.
        allowed: what differs, and is allowed by the configuration.
        notes: what else is to be known.
        findings: what refuses the image.
        more: how many further findings there are.
    """

    image: str = ""
    passed: bool | None = None
    compared: int = 0
    differing: int = 0
    bytecode: int = 0
    imported: list[str] = Field(default_factory=list)
    routes: int | None = None
    not_compared: list[NotCompared] = Field(default_factory=list)
    allowed: list[str] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)
    findings: list[ProofFinding] = Field(default_factory=list)
    more: int = 0


def not_compared(left_out: Mapping[str, Sequence[str]]) -> list[NotCompared]:
    """Files that were not compared, by the reason."""
    return [
        NotCompared(reason=reason, count=len(paths), examples=sorted(paths)[:_EXAMPLES])
        for reason, paths in sorted(left_out.items())
        if paths
    ]


def with_findings(report: ProofReport, findings: Iterable[ProofFinding]) -> ProofReport:
    """The report with its verdict."""
    found = list(findings)
    return report.model_copy(
        update={
            "passed": not found,
            "findings": found[:MOST],
            "more": max(len(found) - MOST, 0),
        }
    )


def redacted(report: ProofReport, redact: Callable[[str], str]) -> ProofReport:
    """The report with secrets hidden in all that it quotes."""

    def hidden(value: Any) -> Any:
        if isinstance(value, str):
            return redact(value)
        if isinstance(value, list):
            return [hidden(item) for item in value]
        if isinstance(value, dict):
            return {key: item if key == "kind" else hidden(item) for key, item in value.items()}
        return value

    return ProofReport.model_validate(hidden(report.model_dump()))
