from fastapi.testclient import TestClient

from app import __version__
from tests.conftest import WINDOW


def test_status_is_sent_and_ping_answered(client: TestClient) -> None:
    client.post("/api/quotations", json=WINDOW)
    with client.websocket_connect("/ws/status") as socket:
        status = socket.receive_json()
        assert status["quotations"] == 1
        assert status["version"] == __version__
        assert set(status) == {"quotations", "time", "version"}
        socket.send_text("ping")
        assert socket.receive_text() == "pong"


def test_other_messages_are_ignored(client: TestClient) -> None:
    with client.websocket_connect("/ws/status") as socket:
        socket.receive_json()
        socket.send_bytes(b"ping")
        socket.send_text("nonsense")
        socket.send_text("ping")
        assert socket.receive_text() == "pong"
