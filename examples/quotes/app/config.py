"""Settings, read from the environment once and passed on as a value."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MIB = 1024 * 1024


@dataclass(frozen=True)
class Settings:
    """Everything that a deployment can choose.

    `data_dir` is the one place where web and worker keep what must outlive a release; the heartbeat
    is deliberately elsewhere, because each worker container needs one of its own.
    """

    data_dir: Path = Path("/data")
    user: str = "admin"
    password: str = ""
    session_secret: str = ""
    source_hash: str = "unknown"
    max_upload_mib: int = 10
    heartbeat: Path = Path("/tmp/quotes-worker.heartbeat")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings; an empty variable counts as unset, as `${NAME:-}` in compose makes it."""

        def read(name: str, default: str) -> str:
            return environment.get(name, "").strip() or default

        max_upload = read("QUOTES_MAX_UPLOAD_MIB", "10")
        if not max_upload.isdecimal() or not 1 <= int(max_upload) <= 100:
            raise ValueError(
                f"QUOTES_MAX_UPLOAD_MIB is {max_upload!r}; it must be a whole number from 1 to 100"
            )
        return cls(
            data_dir=Path(read("QUOTES_DATA_DIR", "/data")),
            user=read("QUOTES_USER", "admin"),
            password=environment.get("QUOTES_PASSWORD", ""),
            session_secret=read("SESSION_SECRET", ""),
            source_hash=read("SLIPWAY_SOURCE_HASH", "unknown"),
            max_upload_mib=int(max_upload),
            heartbeat=Path(read("QUOTES_HEARTBEAT", "/tmp/quotes-worker.heartbeat")),
        )

    def __repr__(self) -> str:
        """Leave out the secrets, so that a logged settings object gives nothing away."""
        return f"Settings(data_dir={str(self.data_dir)!r}, login_enabled={self.login_enabled})"

    @property
    def login_enabled(self) -> bool:
        return bool(self.password)

    @property
    def max_upload_bytes(self) -> int:
        return self.max_upload_mib * MIB

    @property
    def database(self) -> Path:
        return self.data_dir / "quotes.db"

    @property
    def uploads(self) -> Path:
        return self.data_dir / "uploads"

    @property
    def documents(self) -> Path:
        return self.data_dir / "documents"

    @property
    def outbox(self) -> Path:
        return self.data_dir / "outbox"

    def create_folders(self) -> None:
        for folder in (self.uploads, self.documents, self.outbox):
            folder.mkdir(parents=True, exist_ok=True)
