"""References to images: `registry/repository:tag@sha256:…`."""

import re
from dataclasses import dataclass

from slipway.errors import ConfigError

DOCKER_HUB = "docker.io"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_REPOSITORY = re.compile(r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*")


@dataclass(frozen=True)
class ImageReference:
    """An image's name, parted.

    Args:
        registry: host and port, `docker.io` where the text names none.
        repository: path inside the registry; Docker Hub's official images get `library/`.
        tag: the tag, or None.
        digest: `sha256:…`, or None.
    """

    registry: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    @property
    def name(self) -> str:
        """Registry and repository, as Docker writes them."""
        return f"{self.registry}/{self.repository}"

    @property
    def pinned(self) -> bool:
        return self.digest is not None

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        pin = f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{pin}"


def parse_reference(text: str) -> ImageReference:
    """The reference in `text`, with Docker's defaults filled in.

    The rule that a first component is a host only if it has a dot, a colon or is `localhost`
    is the one of https://github.com/distribution/reference.

    Raises:
        ConfigError: the text is not an image reference.
    """
    rest, at, pin = text.partition("@")
    first, slash, remainder = rest.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        registry, path = first, remainder
    else:
        registry, path = DOCKER_HUB, rest
    repository, colon, tag = path.partition(":")
    if registry == DOCKER_HUB and "/" not in repository:
        repository = f"library/{repository}"
    valid = (
        _REPOSITORY.fullmatch(repository)
        and (not colon or _TAG.fullmatch(tag))
        and (not at or _DIGEST.fullmatch(pin))
    )
    if not valid:
        raise ConfigError(
            [f'"{text}" is not an image reference; write repository:tag@sha256:<64 hex digits>']
        )
    return ImageReference(registry, repository, tag or None, pin or None)
