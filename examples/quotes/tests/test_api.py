import csv
import time
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.config import Settings
from app.routes import api
from tests.conftest import WINDOW


def test_quotation_is_made_priced_and_kept(client: TestClient) -> None:
    response = client.post("/api/quotations", json=WINDOW)
    assert response.status_code == 201
    made = response.json()
    assert made["total_cents"] == made["net_cents"] + made["vat_cents"]
    assert made["document_state"] == "queued"
    assert client.get("/api/quotations/1").json() == made
    assert client.get("/api/quotations").json() == [made]


@pytest.mark.parametrize(
    "change",
    [
        {"width_mm": 10},
        {"width_mm": 4000, "height_mm": 4000},
        {"height_mm": "tall"},
        {"glazing": "paper"},
        {"frame": "gold"},
        {"quantity": 0},
        {"quantity": 2**70},
        {"customer": "   "},
        {"customer": "Ada\r\nBcc: all@example.com"},
        {"email": "ada@example.com\nBcc: all@example.com"},
        {"email": "a@example.com,b@example.com"},
        {"colour": "red"},
    ],
)
def test_bad_input_is_refused(client: TestClient, change: dict[str, Any]) -> None:
    assert client.post("/api/quotations", json={**WINDOW, **change}).status_code == 422
    assert client.get("/api/quotations").json() == []


def test_price_is_told_without_making_a_quotation(client: TestClient) -> None:
    window = {name: value for name, value in WINDOW.items() if name not in ("customer", "email")}
    assert client.post("/api/price", json=window).json()["discount_percent"] == 0
    assert client.get("/api/quotations").json() == []


def test_list_is_newest_first_and_paged(client: TestClient) -> None:
    for _ in range(3):
        client.post("/api/quotations", json=WINDOW)
    ids = [made["id"] for made in client.get("/api/quotations?limit=2").json()]
    assert ids == [3, 2]
    assert [made["id"] for made in client.get("/api/quotations?before=2").json()] == [1]


def test_export_holds_every_quotation(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "EXPORT_CHUNK", 2)
    for _ in range(5):
        client.post("/api/quotations", json={**WINDOW, "customer": "=cmd()"})
    response = client.get("/api/export.csv")
    rows = list(csv.DictReader(response.text.splitlines()))
    assert [row["id"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert rows[0]["customer"] == "'=cmd()"


def test_export_is_padded_and_held_up_on_demand(client: TestClient) -> None:
    client.post("/api/quotations", json=WINDOW)
    began = time.monotonic()
    lines = client.get("/api/export.csv?rows=4&delay_ms=20").text.splitlines()
    assert time.monotonic() - began >= 0.08
    assert lines[2:] == ["# row 2 of 4", "# row 3 of 4", "# row 4 of 4"]


@pytest.mark.parametrize("query", ["delay_ms=1001", "delay_ms=-1", "rows=10001", "rows=x"])
def test_export_is_bounded(client: TestClient, query: str) -> None:
    assert client.get(f"/api/export.csv?{query}").status_code == 422


def test_body_that_is_too_large_is_refused(client: TestClient, settings: Settings) -> None:
    body = b" " * (settings.max_upload_bytes + 70_000)
    assert client.post("/api/quotations", content=body).status_code == 413


def test_body_of_unknown_length_is_refused(client: TestClient) -> None:
    assert client.post("/api/quotations", content=iter([b"{}"])).status_code == 411
