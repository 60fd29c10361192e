from pathlib import Path

import pytest

from slipway import deploy, reading

from .support import DOCKERFILE, EmptyRegistry, Sample, reader_path


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sample:
    """A project with a Dockerfile and one file of source."""
    folder = tmp_path / "shop"
    folder.mkdir()
    found = Sample(folder, reader_path(tmp_path / "bin"))
    found.write("Dockerfile", DOCKERFILE)
    found.write("shop/wsgi.py", "application = None\n")
    monkeypatch.setattr(deploy, "connect", lambda: found.host)
    monkeypatch.setattr(reading, "Registry", EmptyRegistry)
    return found
