"""Where things are: in the checkout, and in the user's cache folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LOCAL_REGISTRY = "localhost:5000"


@dataclass(frozen=True)
class Places:
    """Paths of one checkout and of the cache that all checkouts of a user share.

    Example:
        >>> Places.of(Path("/srv/shop"), {"HOME": "/home/kim"}).bin
        PosixPath('/home/kim/.cache/slipway/bin')
    """

    root: Path
    cache: Path
    plugins: Path
    registry: str

    @classmethod
    def of(cls, root: Path, environ: Mapping[str, str]) -> "Places":
        """The places for a checkout, as the environment variables say."""
        home = Path(environ["HOME"]) if environ.get("HOME") else Path.home()
        base = environ.get("XDG_CACHE_HOME") or str(home / ".cache")
        pulumi_home = environ.get("PULUMI_HOME") or str(home / ".pulumi")
        return cls(
            root=root,
            cache=Path(base) / "slipway",
            plugins=Path(pulumi_home) / "plugins",
            registry=(environ.get("SLIPWAY_REGISTRY") or LOCAL_REGISTRY).rstrip("/"),
        )

    @property
    def bin(self) -> Path:
        """Programs that bootstrap provides; goes on PATH."""
        return self.cache / "bin"

    @property
    def scratch(self) -> Path:
        """Unfinished work; emptied at the start of each bootstrap."""
        return self.cache / "tmp"

    @property
    def venv(self) -> Path:
        """The virtual environment of the checkout."""
        return self.root / ".venv"

    @property
    def private(self) -> Path:
        """What belongs to this checkout and never into git."""
        return self.root / ".slipway"

    @property
    def state(self) -> Path:
        """Folder of the file backend."""
        return self.private / "state"

    @property
    def passphrase(self) -> Path:
        """File with the generated passphrase of the stacks' secrets."""
        return self.private / "passphrase"

    @property
    def images(self) -> Path:
        """File that holds the digests of base image and proxy."""
        return self.private / "images.env"

    @property
    def registry_is_local(self) -> bool:
        """Whether bootstrap runs the registry itself."""
        return self.registry == LOCAL_REGISTRY
