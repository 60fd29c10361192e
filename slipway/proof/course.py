"""The proof of one image, from what is wanted to what came of it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from slipway.host import has_digest
from slipway.image_plan import ImagePlan
from slipway.proof import bytecode
from slipway.proof.copies import BuiltFrom, map_folders, map_source
from slipway.proof.expected import Mapped
from slipway.proof.files import Compared, Found, compare, is_generated
from slipway.proof.image import ImageFacts, judge_source, judge_user, notes_on_labels
from slipway.proof.inspection import Look, Process
from slipway.proof.interpreter import Ended, command, judge_answer
from slipway.proof.report import ProofFinding, ProofReport, not_compared, with_findings
from slipway.proof.subject import Subject

_ACCOUNTS = "/etc/passwd"
EXTRA = "in the image, and from no source file: made by a build step, or there before"


class Images(Protocol):
    """Looks into images; see `slipway.proof.inspection.Inspector`."""

    def sweep(self) -> None: ...

    def facts(self, image: str) -> ImageFacts: ...

    def opened(self, image: str) -> AbstractContextManager[Look]: ...

    def run(self, image: str, process: Process) -> Ended: ...


@dataclass
class Course:
    """Proves images, each but once for the same things.

    Args:
        images: looks into them.
    """

    images: Images
    _done: dict[tuple[str, str], ProofReport] = field(default_factory=dict)

    def prove(self, subject: Subject, image: str, reference: str) -> ProofReport:
        """Prove the image of a service.

        Args:
            subject: what is to be proven.
            image: id of the image that the service's container is made from.
            reference: `repository@sha256:…` that it must be.

        Raises:
            HostError: Docker does not do what it is asked.
        """
        if subject.nothing:
            return ProofReport(image=reference, notes=[subject.skipped])
        key = (f"{image} {reference}", subject.key)
        if key not in self._done:
            self._done[key] = self._prove(subject, image, reference)
        return self._done[key]

    def _prove(self, subject: Subject, image: str, reference: str) -> ProofReport:
        facts = self.images.facts(image)
        report = ProofReport(image=reference, notes=[subject.skipped] if subject.skipped else [])
        if not has_digest(facts.digests, reference):
            return with_findings(report, [_other_image(facts, reference)])
        findings: list[ProofFinding] = []
        if subject.image is not None:
            findings += judge_source(facts, subject.image.source.hash)
            report = _noted(report, notes_on_labels(facts))
        if subject.image is not None or subject.proof.required:
            with self.images.opened(image) as look:
                inside = _Inside(subject, facts, look)
                report = inside.compare(report)
                inside.see()
                findings += inside.findings
        if subject.proof.asks_python:
            answer = judge_answer(subject.proof, self.images.run(image, _process(subject)))
            findings += answer.findings
            report = report.model_copy(
                update={"imported": list(answer.imported), "routes": answer.routes}
            )
        return with_findings(report, findings)


class _Inside:
    """What is found inside an image."""

    def __init__(self, subject: Subject, facts: ImageFacts, look: Look) -> None:
        self._subject = subject
        self._facts = facts
        self._look = look
        self.findings: list[ProofFinding] = []

    def compare(self, report: ProofReport) -> ProofReport:
        """Compare the files of the source, and look at what is compiled."""
        image = self._subject.image
        if image is None:
            return report
        mapped = _mapped(self._subject, image, self._facts)
        found = self._found(mapped)
        generated = self._subject.proof.generated
        compared = compare(mapped, found, generated, _reader(image), self._subject.dockerfile)
        paths = bytecode.compiled(found)
        stale = bytecode.judge(paths, found, self._hashed)
        meant = [f for f in stale if is_generated(generated, f.what, f.what.lstrip("/"))]
        self.findings += [*compared.findings, *(f for f in stale if f not in meant)]
        allowed = [
            *compared.allowed,
            *(f"{f.what} is stale: proof.generated allows it" for f in meant),
        ]
        left_out = dict(mapped.left_out)
        left_out[EXTRA] = tuple(path for path in compared.extra if path not in set(paths))
        report = report.model_copy(
            update={
                "compared": compared.count,
                "differing": len(compared.allowed),
                "bytecode": len(paths),
                "not_compared": not_compared(left_out),
                "allowed": allowed,
            }
        )
        return _noted(report, _nothing_compared(compared, self._subject))

    def see(self) -> None:
        """See who runs it, and whether what is required is there."""
        subject = self._subject
        if subject.image is not None:
            accounts = (self._look.content(_ACCOUNTS) or b"").decode("utf-8", "replace")
            user = subject.user or self._facts.user
            self.findings += judge_user(user, accounts, allowed=subject.allow_root)
        self.findings += [
            ProofFinding(
                kind="required",
                what=path,
                expected="something at this path",
                found="nothing",
                remedy=f"copy or make it in {subject.dockerfile or 'the image'}, or take it out of "
                "x-slipway.proof.required",
            )
            for path in subject.proof.required
            if not self._look.has(path)
        ]

    def _found(self, mapped: Mapped) -> dict[str, Found]:
        wanted = {
            path: expected.content
            for expected in mapped.expected
            for path in (expected.path, expected.inside)
            if path and expected.content
        }
        fetched = [*mapped.fetched, *mapped.shared_caches]
        found: dict[str, Found] = {}
        for path in fetched:
            found |= self._look.tree(path, wanted)
        return found

    def _hashed(self, path: str, magic: bytes) -> bytes | None:
        content = self._look.content(path)
        return None if content is None else bytecode.source_hash(magic, content)


def _mapped(subject: Subject, image: ImagePlan, facts: ImageFacts) -> Mapped:
    source = image.source
    if subject.proof.files:
        return map_folders(source.entries, subject.proof.files)
    return map_source(
        BuiltFrom(
            dockerfile=source.dockerfile,
            build=image.build,
            platform=image.platform,
            entries=source.entries,
            workdir=facts.workdir,
            environment=facts.environment,
        )
    )


def _reader(image: ImagePlan) -> Callable[[str], bytes | None]:
    context = Path(image.build.context)

    def read(path: str) -> bytes | None:
        try:
            return (context / path).read_bytes()
        except (OSError, ValueError):  # Its name is escaped, or it is gone by now.
            return None

    return read


def _process(subject: Subject) -> Process:
    return Process(
        arguments=command(subject.proof),
        environment=subject.environment,
        user=subject.user,
        workdir=subject.workdir,
        files=subject.files,
        timeout=subject.proof.timeout,
    )


def _other_image(facts: ImageFacts, reference: str) -> ProofFinding:
    return ProofFinding(
        kind="image",
        what="image",
        expected=reference,
        found=", ".join(facts.digests) or facts.id,
        remedy="run pulumi up again",
    )


def _nothing_compared(compared: Compared, subject: Subject) -> list[str]:
    if compared.count:
        return []
    return [
        f"no file of the source was compared: {subject.dockerfile} copies none into the image in a "
        "way that can be followed; if there are any, name their folders under "
        "x-slipway.proof.files"
    ]


def _noted(report: ProofReport, notes: Sequence[str]) -> ProofReport:
    return report.model_copy(update={"notes": [*report.notes, *notes]})
