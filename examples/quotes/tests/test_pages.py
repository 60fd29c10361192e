from fastapi.testclient import TestClient

from tests.conftest import WINDOW


def test_landing_page_says_what_this_is(client: TestClient) -> None:
    response = client.get("/")
    assert response.status_code == 200
    assert "Window quotations" in response.text
    assert "default-src 'self'" in response.headers["content-security-policy"]


def test_form_makes_a_quotation_that_can_be_viewed_and_listed(client: TestClient) -> None:
    response = client.post("/quotations", data=WINDOW)
    assert response.status_code == 303
    assert response.headers["location"] == "/quotations/1"
    view = client.get("/quotations/1").text
    assert "Q-00001" in view
    assert "1200 × 1400 mm" in view
    assert "Ada Byron" in client.get("/quotations").text


def test_bad_input_comes_back_with_a_message_and_what_was_typed(client: TestClient) -> None:
    response = client.post("/quotations", data={**WINDOW, "width_mm": "99", "email": "nobody"})
    assert response.status_code == 422
    assert "Enter an e-mail address" in response.text
    assert "greater than or equal to 300" in response.text
    assert 'value="nobody"' in response.text
    assert client.get("/api/quotations").json() == []


def test_window_that_is_too_large_is_refused_as_a_whole(client: TestClient) -> None:
    response = client.post("/quotations", data={**WINDOW, "width_mm": 4000, "height_mm": 4000})
    assert response.status_code == 422
    assert "A single window cannot be larger than 8 m²." in response.text


def test_customers_text_is_escaped(client: TestClient) -> None:
    client.post("/quotations", data={**WINDOW, "customer": "<script>alert(1)</script>"})
    assert "<script>alert" not in client.get("/quotations").text
    assert "<script>alert" not in client.get("/quotations/1").text


def test_list_goes_on_to_older_quotations(client: TestClient) -> None:
    for _ in range(21):
        client.post("/api/quotations", json=WINDOW)
    assert 'href="/quotations?before=2"' in client.get("/quotations").text
    older = client.get("/quotations?before=2").text
    assert "Q-00001" in older
    assert "Q-00002" not in older


def test_unknown_pages_are_not_found(client: TestClient) -> None:
    for path in ("/quotations/1", "/quotations/x", f"/quotations/{2**70}", "/nowhere"):
        response = client.get(path)
        assert response.status_code == 404, path
        assert response.headers["content-type"].startswith("text/html")


def test_document_is_not_found_until_it_is_rendered(client: TestClient) -> None:
    client.post("/quotations", data=WINDOW)
    assert client.get("/quotations/1/document.pdf").status_code == 404
