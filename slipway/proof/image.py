"""Judging what an image says of itself: what it was built from, and as whom it runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from slipway.image_labels import CREATED, REVISION, SOURCE, SOURCE_HASH
from slipway.proof.report import ProofFinding

_SHORT = 12


@dataclass(frozen=True)
class ImageFacts:
    """What Docker tells of an image.

    Args:
        id: of the image.
        digests: its `repository@sha256:…` names.
        user: as its Dockerfile's USER has it.
        workdir: where its process begins.
        environment: its variables.
        labels: its labels.
    """

    id: str = ""
    digests: tuple[str, ...] = ()
    user: str = ""
    workdir: str = "/"
    environment: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


def judge_source(facts: ImageFacts, source_hash: str) -> list[ProofFinding]:
    """Whether the image says that it was built from a source."""
    said = facts.labels.get(SOURCE_HASH, "")
    if said == source_hash:
        return []
    return [
        ProofFinding(
            kind="label",
            what=SOURCE_HASH,
            expected=source_hash[:_SHORT],
            found=said[:_SHORT] or "no such label",
            remedy="this image was not built by Slipway from this source: delete its tag in the "
            "registry, and deploy again",
        )
    ]


def notes_on_labels(facts: ImageFacts) -> list[str]:
    """What the image does not say of where it comes from."""
    missing = [name for name in (REVISION, SOURCE, CREATED) if not facts.labels.get(name)]
    if not missing:
        return []
    return [
        f"the image has no label {', '.join(missing)}: git did not tell where it was built, or the "
        "repository has no remote address"
    ]


def judge_user(user: str, accounts: str, *, allowed: bool) -> list[ProofFinding]:
    """Whether the container runs as somebody else than root.

    Args:
        user: of the container: user or number, with a group if it has one.
        accounts: the image's /etc/passwd; empty if it has none.
        allowed: whether root is allowed.
    """
    if allowed or not is_root(user, accounts):
        return []
    return [
        ProofFinding(
            kind="user",
            what="USER",
            expected="a user that is not root",
            found=user or "no USER, which means root",
            remedy="write USER 10001 into the Dockerfile's last stage, and chown what the "
            "application writes to; or, if that is meant, x-slipway: {allow: [root]}",
        )
    ]


def is_root(user: str, accounts: str) -> bool:
    """Whether a user is root, by whatever name."""
    name = user.partition(":")[0]
    if name.isdecimal():
        return int(name) == 0
    numbers = {
        fields[0]: fields[2]
        for fields in (line.split(":") for line in accounts.splitlines())
        if len(fields) > 2
    }
    return name in ("", "root") or numbers.get(name) == "0"
