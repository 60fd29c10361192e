"""What of a preview takes something away, and whether that is the ordinary course of a release."""

from collections.abc import Sequence
from dataclasses import dataclass

from slipway.preview.model import Operation, Step
from slipway.state import CONTAINER, REMOTE_IMAGE, STASH

_VOLUME = "docker:index/volume:Volume"
_NETWORK = "docker:index/network:Network"
_REGISTRY_IMAGE = "docker:index/registryImage:RegistryImage"
_WORDS = {
    CONTAINER: "container",
    _VOLUME: "volume",
    _NETWORK: "network",
    REMOTE_IMAGE: "image",
    _REGISTRY_IMAGE: "image in the registry",
    STASH: "value in the state",
}
_INGRESS = "-ingress"
_OF_EACH_RELEASE = "-attempt"
_KEPT_VALUE = "-kept-"


@dataclass(frozen=True)
class Loss:
    """A resource that is deleted or replaced.

    Args:
        kind: what it is, in a word or two.
        name: its name in the program.
        consequence: what that means.
        grave: whether it is more than the ordinary course of a release.
    """

    kind: str
    name: str
    consequence: str
    grave: bool


def losses(steps: Sequence[Step]) -> list[Loss]:
    """What is deleted or replaced, the grave first."""
    gone = [step for step in steps if step.operation in (Operation.DELETE, Operation.REPLACE)]
    found = [_loss(step) for step in gone if not _is_mark(step)]
    return sorted(found, key=lambda loss: (not loss.grave, loss.kind, loss.name))


def _is_mark(step: Step) -> bool:
    """Whether it is the mark that a release is tried, which is made anew each time."""
    return step.type == STASH and step.name.endswith(_OF_EACH_RELEASE)


def _loss(step: Step) -> Loss:
    consequence, grave = _meaning(step)
    return Loss(_WORDS.get(step.type, step.type), step.name, consequence, grave)


def _meaning(step: Step) -> tuple[str, bool]:
    if step.operation is Operation.REPLACE:
        return "replaced", True
    if step.type == CONTAINER and step.name.endswith(_INGRESS):
        return "the stack's proxy, deleted", True
    if step.type == CONTAINER:
        return "goes once the release serves", False
    if step.type == STASH and _KEPT_VALUE in step.name:
        return "no release of the ledger needs it any more", False
    if step.type in (REMOTE_IMAGE, _REGISTRY_IMAGE) and step.kept:
        return "leaves the state; the image stays", False
    if step.kept:
        return "leaves the state, and stays on the host", True
    return "deleted", True
