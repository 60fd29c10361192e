"""The labels that tell where an image comes from."""

from slipway.origin import GitState

SOURCE_HASH = "slipway.source-hash"
REVISION = "org.opencontainers.image.revision"
SOURCE = "org.opencontainers.image.source"
CREATED = "org.opencontainers.image.created"


def image_labels(source_hash: str, git: GitState | None) -> dict[str, str]:
    """The labels of an image that is built now.

    Nothing in them differs between two builds of one commit: the time is the commit's.

    Args:
        source_hash: of what it is built from.
        git: where the source stands; None outside a repository.
    """
    found = {SOURCE_HASH: source_hash}
    if git is not None:
        # A commit alone would be said to have what is only in the folder.
        found[REVISION] = f"{git.commit}-dirty" if git.dirty else git.commit
        found |= {SOURCE: git.remote} if git.remote else {}
        found |= {CREATED: git.committed} if git.committed else {}
    return found
