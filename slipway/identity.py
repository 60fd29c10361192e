"""Is what runs what was released? Docker tells of the container, and the application of itself."""

from collections.abc import Iterable, Sequence

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


def version_fault(public: Verdict, own: Iterable[str | None]) -> Fault | None:
    """What is wrong with the version that the public address tells; None if nothing is.

    Args:
        public: what the public address answered to a probe.
        own: what the release's own container answers to the same probe from now on. It is asked
            again as long as it tells another version: its processes may differ.
    """
    told = []
    for version in own if public.version is not None else ():
        if version in (None, public.version):
            return None
        told.append(version)
    if not told:
        return None
    return Fault(
        f"probe “{public.probe}”: the public address answers as version {public.version}, the "
        f"release's own container as {' or '.join(sorted({str(each) for each in told}))}: "
        "something else answers there"
    )
