import pytest
from fastapi.testclient import TestClient

from app.config import Settings
from tests.conftest import WINDOW

PDF = b"%PDF-1.7 a plan"


@pytest.fixture
def quotation(client: TestClient) -> str:
    client.post("/api/quotations", json=WINDOW)
    return "/quotations/1"


def test_upload_can_be_downloaded_again(client: TestClient, quotation: str) -> None:
    response = client.post(f"{quotation}/uploads", files={"file": ("plan.pdf", PDF)})
    assert response.status_code == 303
    assert "plan.pdf" in client.get(quotation).text
    download = client.get(f"{quotation}/uploads/1")
    assert download.content == PDF
    assert download.headers["content-type"] == "application/pdf"
    assert download.headers["content-disposition"] == 'attachment; filename="plan.pdf"'
    assert download.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("../../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/data/quotes.db", "quotes.db"),
        ("..", "file"),
        ("a\u202efdp.exe", "afdp.exe"),
        ("x" * 300 + ".pdf", "x" * 96 + ".pdf"),
    ],
)
def test_senders_file_name_never_becomes_a_path(
    client: TestClient, settings: Settings, quotation: str, name: str, label: str
) -> None:
    before = {path for path in settings.data_dir.rglob("*") if path.is_file()}
    made = client.post(f"/api{quotation}/uploads", files={"file": (name, PDF)}).json()
    assert made["original_name"] == label
    assert "stored_name" not in made
    after = {path for path in settings.data_dir.rglob("*") if path.is_file()}
    (stored,) = after - before
    assert stored.parent == settings.uploads
    assert stored.suffix == ".pdf"


@pytest.mark.parametrize(
    "path", ["../quotes.db", "..%2fquotes.db", "%2e%2e%2f%2e%2e%2fquotes.db", "x", "0", "99"]
)
def test_download_takes_numbers_only(client: TestClient, quotation: str, path: str) -> None:
    assert client.get(f"{quotation}/uploads/{path}").status_code == 404


def test_upload_belongs_to_its_quotation(client: TestClient, quotation: str) -> None:
    client.post("/api/quotations", json=WINDOW)
    client.post(f"{quotation}/uploads", files={"file": ("plan.pdf", PDF)})
    assert client.get("/quotations/2/uploads/1").status_code == 404


def test_file_that_is_too_large_is_refused(
    client: TestClient, settings: Settings, quotation: str
) -> None:
    content = PDF + b" " * settings.max_upload_bytes
    response = client.post(f"/api{quotation}/uploads", files={"file": ("plan.pdf", content)})
    assert response.status_code == 413
    assert list(settings.uploads.iterdir()) == []


@pytest.mark.parametrize("content", [b"<script>alert(1)</script>", b"", b"MZ"])
def test_only_plans_and_photos_are_accepted(
    client: TestClient, settings: Settings, quotation: str, content: bytes
) -> None:
    response = client.post(f"/api{quotation}/uploads", files={"file": ("photo.png", content)})
    assert response.status_code == 415
    assert list(settings.uploads.iterdir()) == []


def test_upload_for_an_unknown_quotation_is_refused(client: TestClient) -> None:
    response = client.post("/api/quotations/7/uploads", files={"file": ("plan.pdf", PDF)})
    assert response.status_code == 404
