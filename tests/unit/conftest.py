"""Fixtures that several unit tests share."""

from pathlib import Path

import pytest

from .support_deploy import World, make_world


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return make_world(tmp_path, monkeypatch)
