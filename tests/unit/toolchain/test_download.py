import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from slipway.toolchain import download
from slipway.toolchain.download import Internet, checksum_of
from slipway.toolchain.errors import DownloadError


class Handler(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self.send_response(403)
        self.end_headers()

    def do_GET(self) -> None:
        if self.path == "/cut":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"half")
            return
        self.send_response(200 if self.path == "/file" else 404)
        self.end_headers()
        self.wfile.write(b"content")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with HTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_a_server_that_answers_anything_is_reachable(server: str) -> None:
    assert Internet().reachable(f"{server}/x")


def test_a_silent_server_is_given_up_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "CONNECT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        assert not Internet().reachable(f"http://127.0.0.1:{silent.getsockname()[1]}/")
    assert time.monotonic() - began < 3


def test_a_file_comes_with_its_hash(server: str, tmp_path: Path) -> None:
    digest = Internet().file(f"{server}/file", tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == b"content"
    assert digest == hashlib.sha256(b"content").hexdigest()


@pytest.mark.parametrize("path", ["/missing", "/cut"])
def test_what_cannot_be_had_is_a_download_error_with_the_address(
    server: str, tmp_path: Path, path: str
) -> None:
    with pytest.raises(DownloadError, match=f"cannot fetch {server}{path}"):
        Internet().file(f"{server}{path}", tmp_path / "got")


def test_checksums_are_found_by_file_name() -> None:
    listing = "AA11  pulumi-a.tar.gz\nbb22 *pulumi-b.tar.gz\n"
    assert checksum_of(listing, "pulumi-a.tar.gz") == "aa11"
    assert checksum_of(listing, "pulumi-b.tar.gz") == "bb22"
    assert checksum_of(listing, "pulumi-c.tar.gz") is None
