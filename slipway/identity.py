"""Is what runs what was released? Docker tells of the container, and the application of itself."""

from collections.abc import Mapping, Sequence, Set

from slipway.gate_plan import Candidate
from slipway.host import ContainerState, has_digest
from slipway.image_labels import SOURCE_HASH
from slipway.probes import Verdict
from slipway.trial import Fault


def image_fault(
    candidate: Candidate, container: ContainerState, digests: Sequence[str]
) -> Fault | None:
    """What is wrong with the image that a container runs; None if it is the release's.

    Args:
        candidate: what must run.
        container: what does, with its image's labels among its own.
        digests: names of its image by digest.
    """
    if not has_digest(digests, candidate.image):
        found = ", ".join(digests) or container.image
        return Fault(f"it runs {found} instead of {candidate.image}")
    labelled = container.labels.get(SOURCE_HASH)
    if candidate.source_hash is None or labelled in (None, candidate.source_hash):
        return None
    return Fault(
        f"its image was built from source {labelled} instead of {candidate.source_hash}, as its "
        f"label {SOURCE_HASH} tells"
    )


def version_fault(before: Mapping[str, Set[str]], verdicts: Sequence[Verdict]) -> Fault | None:
    """What is wrong with the versions that the public address tells; None if nothing is.

    Args:
        before: versions that the release's own container told, by probe.
        verdicts: what the public address answered to the same probes.
    """
    for verdict in verdicts:
        told = before.get(verdict.probe)
        if told and verdict.version is not None and verdict.version not in told:
            return Fault(
                f"probe “{verdict.probe}”: the public address answers as version "
                f"{verdict.version}, the release's own container as {' or '.join(sorted(told))}: "
                "something else answers there"
            )
    return None
