import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.config import Settings
from app.sessions import COOKIE, Sessions, kept_secret
from tests.conftest import StartApp

RIGHT = {"user": "ada", "password": "engine"}


@pytest.fixture
def locked(start: StartApp, settings: Settings) -> TestClient:
    return start(replace(settings, user="ada", password="engine"))


def test_without_a_password_login_is_disabled_and_pages_are_open(client: TestClient) -> None:
    assert "Login is disabled" in client.get("/login").text
    assert client.post("/login", data={"user": "admin", "password": ""}).status_code == 403
    assert client.get("/quotations").status_code == 200


def test_pages_ask_for_login_and_the_api_refuses(locked: TestClient) -> None:
    response = locked.get("/quotations/1")
    assert response.status_code == 303
    assert response.headers["location"] == "/login?next=/quotations/1"
    for path in ("/api/quotations", "/api/export.csv", "/api/quotations/1/uploads"):
        assert locked.get(path).status_code == 401, path
    for path in ("/quotations/1/uploads/1", "/quotations/1/document.pdf"):
        assert locked.get(path).status_code == 303, path
    assert locked.post("/api/quotations/1/uploads").status_code == 401
    assert locked.get("/").status_code == 200


def test_right_password_opens_and_logout_closes(locked: TestClient) -> None:
    response = locked.post("/login", data={**RIGHT, "next": "/quotations/new"})
    assert response.headers["location"] == "/quotations/new"
    cookie = response.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert locked.get("/quotations").status_code == 200
    locked.post("/logout")
    assert locked.get("/quotations").status_code == 303


@pytest.mark.parametrize(
    "wrong", [{"password": "wrong"}, {"user": "eve"}, {"password": ""}, {"user": "ädä"}]
)
def test_wrong_login_is_refused(locked: TestClient, wrong: dict[str, str]) -> None:
    response = locked.post("/login", data={**RIGHT, **wrong})
    assert response.status_code == 401
    assert "set-cookie" not in response.headers
    assert "User or password is wrong" in response.text


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example"]
)
def test_login_never_leads_to_another_site(locked: TestClient, elsewhere: str) -> None:
    response = locked.post("/login", data={**RIGHT, "next": elsewhere})
    assert response.headers["location"] == "/quotations"


def test_forged_cookie_is_worthless(locked: TestClient) -> None:
    locked.cookies.set(COOKIE, Sessions("another secret").sign("ada"))
    assert locked.get("/quotations").status_code == 303


def test_session_outlives_the_release(start: StartApp, settings: Settings) -> None:
    locked = replace(settings, user="ada", password="engine")
    old, new = start(locked), start(locked)
    old.post("/login", data=RIGHT)
    new.cookies.set(COOKIE, old.cookies[COOKIE])
    assert new.get("/quotations").status_code == 200


def test_secret_is_generated_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "session-secret"
    with ThreadPoolExecutor(8) as threads:
        secrets = set(threads.map(kept_secret, [path] * 8))
    assert len(secrets) == 1
    assert len(secrets.pop()) >= 48
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
