from pathlib import Path

import pytest

from app.config import Settings


def test_empty_variables_count_as_unset() -> None:
    names = ("QUOTES_USER", "QUOTES_PASSWORD", "SESSION_SECRET", "SLIPWAY_SOURCE_HASH")
    assert Settings.from_environment(dict.fromkeys(names, "")) == Settings()


def test_environment_is_read() -> None:
    settings = Settings.from_environment(
        {"QUOTES_DATA_DIR": "/elsewhere", "QUOTES_PASSWORD": "p", "SLIPWAY_SOURCE_HASH": "abc"}
    )
    assert settings.database == Path("/elsewhere/quotes.db")
    assert settings.login_enabled
    assert settings.source_hash == "abc"


@pytest.mark.parametrize("size", ["0", "101", "-1", "ten"])
def test_unusable_upload_limit_is_refused(size: str) -> None:
    with pytest.raises(ValueError, match="QUOTES_MAX_UPLOAD_MIB"):
        Settings.from_environment({"QUOTES_MAX_UPLOAD_MIB": size})


def test_printed_settings_show_no_secret() -> None:
    assert "hidden" not in repr(Settings(password="hidden", session_secret="hidden"))
