"""Tells its version, which is a variable: a release of it needs no build.

FAULT says how it goes wrong: `exit` at its start, `status` at each request. It does not start with
a TOKEN that begins with `wrong`, nor if /data/refused tells its version.
"""

import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

VERSION = os.environ["VERSION"]
FAULT = os.environ.get("FAULT", "")
TOKEN = os.environ.get("TOKEN", "")
REFUSED = Path("/data/refused")


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        if asked.path == "/slow":
            time.sleep(float(parse_qs(asked.query)["seconds"][0]))
        body = json.dumps({"status": "ok", "version": VERSION, "token": len(TOKEN)}).encode()
        self.send_response(500 if FAULT == "status" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        print(self.path, "with", TOKEN, flush=True)


def serve() -> None:
    server = ThreadingHTTPServer(("", 8000), Handler)
    server.daemon_threads = False  # Requests in flight end before the process does.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.1)
    server.server_close()


def work() -> None:
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    ended.wait()


if FAULT == "exit" or TOKEN.startswith("wrong"):
    raise SystemExit(f"refused to start, with {TOKEN}")
if REFUSED.exists() and VERSION in REFUSED.read_text().split():
    raise SystemExit("refused to start, as a file says")
work() if sys.argv[1:] == ["work"] else serve()
