from dataclasses import replace

from fastapi.testclient import TestClient

from app import __version__
from app.config import Settings
from tests.conftest import StartApp


def test_health_names_the_release(start: StartApp, settings: Settings) -> None:
    response = start(replace(settings, source_hash="5eed")).get("/api/health")
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "version": __version__, "source_hash": "5eed"}


def test_health_fails_when_the_database_is_gone(client: TestClient, settings: Settings) -> None:
    settings.database.unlink()
    response = client.get("/api/health")
    assert response.status_code == 503
    assert response.json() == {
        "status": "failing",
        "reason": "the database does not answer: unable to open database file",
        "version": __version__,
        "source_hash": "unknown",
    }


def test_health_fails_when_the_database_is_damaged(client: TestClient, settings: Settings) -> None:
    # The write-ahead log holds the pages as well, and would stand in for the damaged file.
    for file in settings.data_dir.glob("quotes.db*"):
        file.unlink()
    settings.database.write_bytes(b"not a database" * 100)
    response = client.get("/api/health")
    assert response.status_code == 503
    assert response.json()["status"] == "failing"


def test_health_needs_no_login(start: StartApp, settings: Settings) -> None:
    assert start(replace(settings, password="p")).get("/api/health").status_code == 200
