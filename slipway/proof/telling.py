"""What is said of the proof of an image."""

from collections.abc import Iterator

from slipway.proof.report import ProofFinding, ProofReport
from slipway.proof.subject import Subject

_SHOWN = 3


def summary(report: ProofReport) -> str:
    """What is wrong, in a line."""
    first, count = report.findings[0], len(report.findings) + report.more
    others = f", and {count - 1} more" if count > 1 else ""
    return (
        f"its image is not as it must be: {first.what}: expected {first.expected}, found "
        f"{first.found}{others}"
    )


def refusal(stack: str, subject: Subject, report: ProofReport) -> str:
    """All that is wrong, finding by finding."""
    count = len(report.findings) + report.more
    lines = [
        f"the release of {stack} was refused: service {subject.service}: its image is not as it "
        f"must be ({count} {'finding' if count == 1 else 'findings'})",
        f"image: {report.image}",
        f"settings: {subject.place}",
        *(line for finding in report.findings for line in _told(finding)),
    ]
    if report.more:
        lines.append(f"and {report.more} more")
    remedies = dict.fromkeys(f.remedy for f in report.findings if f.remedy)
    return "\n".join([*lines, *(f"next: {remedy}" for remedy in remedies)])


def _told(finding: ProofFinding) -> Iterator[str]:
    source = f" (source: {finding.source})" if finding.source else ""
    yield f"  {finding.what}{source}: expected {finding.expected}, found {finding.found}"
    yield from (f"    | {line}" for line in finding.detail.splitlines())


def _compared(report: ProofReport) -> str:
    """How many files agree: what is only allowed does not."""
    differing = report.differing
    of = f" of {report.compared}" if differing else ""
    same = report.compared - differing
    return f"{same}{of} files are those of the source"


def progress(service: str, report: ProofReport) -> list[str]:
    """What is said of an image that passed: what was looked at, what was not, and why."""
    if report.passed is None:
        return [f"{service}: {note}" for note in report.notes]
    parts = [_compared(report)] if report.compared else []
    parts += [f"{report.bytecode} compiled files are not stale"] if report.bytecode else []
    parts += [f"imports {', '.join(report.imported)}"] if report.imported else []
    parts += [f"{report.routes} routes"] if report.routes is not None else []
    lines = [f"the image of {service} is proven: {'; '.join(parts) or 'labels and user'}"]
    lines += [f"{service}: {text}" for text in [*report.allowed, *report.notes][: _SHOWN * 3]]
    for left in report.not_compared:
        examples = ", ".join(left.examples[:_SHOWN]) + (", …" if left.count > _SHOWN else "")
        lines.append(f"{service}: {left.count} not compared ({examples}): {left.reason}")
    return lines
