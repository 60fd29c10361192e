"""What stands at the gate before anything starts: the images must be what the source says."""

from slipway.errors import GateError
from slipway.gate_plan import Candidate, GatePlan
from slipway.proof.course import Course
from slipway.proof.report import ProofReport, redacted
from slipway.proof.subject import Subject
from slipway.proof.telling import progress, refusal, summary
from slipway.world import World


def prove_images(plan: GatePlan, world: World) -> None:
    """Prove the images that a plan's candidates are made from; all that is wrong is told at once.

    Raises:
        GateError: one is not as it must be.
        HostError: Docker does not do what it is asked.
    """
    pairs = [(c, plan.proofs[c.service]) for c in plan.candidates if c.service in plan.proofs]
    if not pairs or world.images is None:
        return
    with world.evidence.phase("prove images"):
        world.images.sweep()
        course = Course(world.images)
        refused = [
            (subject, report)
            for candidate, subject in pairs
            if (report := _prove(candidate, subject, course, world)).findings
        ]
        if refused:
            subject, report = refused[0]
            world.report(f"refused: {subject.service}: {summary(report)}")
            world.evidence.failed(summary(report), subject.service)
            raise GateError("\n".join(refusal(plan.stack, *found) for found in refused))


def _prove(candidate: Candidate, subject: Subject, course: Course, world: World) -> ProofReport:
    container = world.host.container(candidate.container)
    if container is None:
        raise GateError(
            f"service {candidate.service}: its container {candidate.container} is gone; run "
            "pulumi up again"
        )
    found = course.prove(subject, container.image, candidate.image)
    report = redacted(found, world.redact)
    world.evidence.service(candidate.service, proof=report)
    for line in [] if report.findings else progress(subject.service, report):
        world.report(line)
    return report
