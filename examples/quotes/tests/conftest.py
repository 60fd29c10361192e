from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.config import Settings
from app.database import Database
from app.main import create_app
from app.models import QuotationRequest

WINDOW = {
    "customer": "Ada Byron",
    "email": "ada@example.com",
    "width_mm": 1200,
    "height_mm": 1400,
    "glazing": "triple",
    "frame": "wood",
    "quantity": 3,
}

StartApp = Callable[..., TestClient]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(
        data_dir=tmp_path / "data", max_upload_mib=1, heartbeat=tmp_path / "heartbeat"
    )
    settings.create_folders()
    return settings


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    database = Database(settings.database)
    database.create_schema()
    yield database
    database.close()


@pytest.fixture
def start() -> Iterator[StartApp]:
    """Start the application with the given settings; it is stopped after the test."""
    with ExitStack() as stack:

        def start_app(settings: Settings) -> TestClient:
            client = TestClient(create_app(settings), follow_redirects=False)
            return stack.enter_context(client)

        yield start_app


@pytest.fixture
def client(start: StartApp, settings: Settings) -> TestClient:
    return start(settings)


@pytest.fixture
def request_for_window() -> QuotationRequest:
    return QuotationRequest.model_validate(WINDOW)
