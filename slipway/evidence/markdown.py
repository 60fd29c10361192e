"""Evidence as a page that reads well where Markdown does, such as in a pull request."""

import re
from collections.abc import Iterator, Sequence

from slipway.evidence.model import Evidence, Phase, ProbeResult, ServiceEvidence
from slipway.markdown import JOINER

_LONGEST_FENCE = re.compile(r"`+")
_ACTIVE = re.compile(r"([\\`*_{}\[\]<>#|~@!&])")
_STEERING = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # a terminal's colours and titles
    r"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]"
)
_SHORT_DIGEST = 19
_COMMIT = 12
_BAR = 24


def as_markdown(evidence: Evidence) -> str:
    """The page."""
    parts = [
        _head(evidence),
        _facts(evidence),
        *_failure(evidence),
        *_services(evidence.services),
        *_probes(evidence.services),
        *_timeline(evidence.phases),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(evidence: Evidence) -> str:
    stack = _text(evidence.stack)
    if evidence.outcome == "verified":
        if evidence.kind == "automatic rollback":
            return f"## ↩ Release {evidence.release} of {stack} was brought back, and is verified"
        of = f": release {evidence.rollback_of} again" if evidence.rollback_of else ""
        return f"## ✅ Release {evidence.release} of {stack} is verified{of}"
    if evidence.outcome == "unfinished":
        return f"## ⏳ A {evidence.kind} of {stack} did not come to its end"
    failure = evidence.failure
    who = f"{_text(failure.service)}: " if failure and failure.service else ""
    what = _text(failure.summary) if failure else "no reason was kept"
    return f"## ❌ The {evidence.kind} of {stack} failed: {who}{what}"


def _facts(evidence: Evidence) -> str:
    git = evidence.git
    source = ""
    if git is not None:
        branch = f" on {_text(git.branch)}" if git.branch else ""
        source = f"commit {git.commit[:_COMMIT]}{branch}" + (" with changes" * git.dirty)
    parts = [
        f"{evidence.kind} by {_text(evidence.actor) or 'unknown'}",
        source,
        f"hotfix: {_text(evidence.hotfix)}" if evidence.hotfix else "",
        f"{evidence.started} to {evidence.ended}" if evidence.ended else evidence.started,
        _text(evidence.address),
    ]
    return " · ".join(part for part in parts if part)


def _failure(evidence: Evidence) -> Iterator[str]:
    failure = evidence.failure
    if failure is None:
        return
    if failure.phase:
        yield f"It failed in the phase “{_text(failure.phase)}”."
    yield _fenced(failure.report or failure.summary)
    for service in evidence.services:
        if not _tells(failure.report, service.log_tail):
            yield f"End of the log of {_text(service.name)}:\n\n{_fenced(service.log_tail)}"


def _tells(report: str, log: str) -> bool:
    """Whether a report has a log already, as the gate's have, with a bar before each line."""
    told = {line.strip().removeprefix("|").strip() for line in report.splitlines()}
    return {line.strip() for line in log.splitlines()} - {""} <= told


def _services(services: Sequence[ServiceEvidence]) -> Iterator[str]:
    if not services:
        return
    rows = [
        [
            service.name,
            service.role,
            _digest(service.image_expected),
            _runs(service),
            service.container_started or "",
            {True: "yes", False: "**no**", None: ""}[service.started_after_image],
        ]
        for service in services
    ]
    head = ["service", "role", "image of the release", "runs it", "started", "after its image"]
    yield "### Services\n\n" + _table(head, rows)


def _runs(service: ServiceEvidence) -> str:
    digests = {name.rpartition("@")[2] for name in service.image_running}
    if not digests:
        return "not seen"
    same = service.image_expected.rpartition("@")[2] in digests
    return "yes" if same else f"**no**: {_digest(service.image_running[0])}"


def _probes(services: Sequence[ServiceEvidence]) -> Iterator[str]:
    rows = [
        [
            service.name,
            _text(probe.title),
            probe.asked,
            "✔" if probe.passed else "✘",
            _text(probe.expected),
            _text(probe.found) + _time(probe),
            str(probe.rounds),
        ]
        for service in services
        for probe in service.probes
    ]
    if rows:
        head = ["service", "probe", "asked", "", "expected", "found", "rounds"]
        yield "### Probes\n\n" + _table(head, rows)


def _time(probe: ProbeResult) -> str:
    return "" if probe.milliseconds is None else f" in {probe.milliseconds:.0f} ms"


def _timeline(phases: Sequence[Phase]) -> Iterator[str]:
    if not phases:
        return
    ordered = sorted(phases, key=lambda phase: (phase.begins, -phase.seconds))
    end = max(phase.begins + phase.seconds for phase in phases) or 1.0
    width = max(len(phase.name) for phase in phases)
    lines = [
        f"{phase.name:{width}}  {phase.begins:7.2f} s  {phase.seconds:7.2f} s  {_bar(phase, end)}"
        for phase in ordered
    ]
    yield "### Timeline\n\n" + _fenced("\n".join(lines))


def _bar(phase: Phase, end: float) -> str:
    before = round(phase.begins / end * _BAR)
    length = max(round(phase.seconds / end * _BAR), 1)
    return (" " * before + "█" * length)[: _BAR + 1]


def _digest(image: str) -> str:
    name, _, digest = image.partition("@")
    return f"{_text(name.rpartition('/')[2])}@{digest[:_SHORT_DIGEST]}" if digest else _text(name)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _text(text: str | None) -> str:
    """Text that stays text: an application's words make no table, link, tag or mention."""
    escaped = _ACTIVE.sub(r"\\\1", " ".join(_STEERING.sub("", text or "").split()))
    # Mentions and references are found in what is rendered, where a backslash is gone.
    return re.sub(r"\\(#|(?<!\w\\)@)", rf"\1{JOINER}", escaped)


def _fenced(text: str) -> str:
    """Text in a block whose fence is longer than any run of backticks in it."""
    text = _STEERING.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    longest = max((len(run) for run in _LONGEST_FENCE.findall(text)), default=0)
    fence = "`" * max(longest + 1, 3)
    return f"{fence}text\n{text.rstrip()}\n{fence}"
