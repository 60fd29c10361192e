"""Fetching files, with a short patience for networks that are not there."""

import hashlib
import threading
import urllib.error
import urllib.request
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Protocol, cast

from slipway.toolchain.errors import DownloadError

CONNECT = 5.0
"""Seconds within which a server must answer."""
STALL = 30.0
"""Seconds without a byte after which a transfer is given up."""

_HEADERS = {"User-Agent": "slipway"}


class Downloads(Protocol):
    """What set-up steps need from the network. Tests pass a fake."""

    def reachable(self, url: str) -> bool:
        """Whether a server answers at all, found out within seconds."""

    def text(self, url: str) -> str:
        """A small text file."""

    def file(self, url: str, target: Path) -> str:
        """Write a file to `target`; gives its SHA-256 in hex."""


class Internet:
    """Downloads over HTTP, through the proxies that the environment names."""

    def reachable(self, url: str) -> bool:
        """Whether a server answers at all, found out within 5 s, name look-up included."""
        answers: list[bool] = []

        def ask() -> None:
            try:
                with _open(url, CONNECT, method="HEAD"):
                    answers.append(True)
            except urllib.error.HTTPError:
                answers.append(True)
            except (OSError, HTTPException):
                pass

        # Name look-ups have no time limit of their own; a thread gives them one.
        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        thread.join(CONNECT)
        return bool(answers)

    def text(self, url: str) -> str:
        """A small text file.

        Raises:
            DownloadError: it cannot be had.
        """
        try:
            with _open(url, CONNECT) as answer:
                return answer.read().decode("utf-8")
        except (OSError, HTTPException) as error:
            raise _failure(url, error) from error

    def file(self, url: str, target: Path) -> str:
        """Write a file to `target`; gives its SHA-256 in hex.

        Raises:
            DownloadError: it cannot be had.
        """
        digest, received = hashlib.sha256(), 0
        try:
            with _open(url, STALL) as answer, target.open("wb") as output:
                while block := answer.read(1 << 20):
                    digest.update(block)
                    output.write(block)
                    received += len(block)
                expected = answer.headers.get("Content-Length")
        except (urllib.error.URLError, TimeoutError, ConnectionError, HTTPException) as error:
            raise _failure(url, error) from error
        if expected is not None and received != int(expected):
            raise _failure(url, f"cut off after {received} of {expected} bytes")
        return digest.hexdigest()


def _open(url: str, timeout: float, method: str = "GET") -> HTTPResponse:
    # S310: the addresses are constants of ours, all https.
    request = urllib.request.Request(url, method=method, headers=_HEADERS)  # noqa: S310
    return cast(HTTPResponse, urllib.request.urlopen(request, timeout=timeout))  # noqa: S310


def _failure(url: str, error: Exception | str) -> DownloadError:
    reason = getattr(error, "reason", None) or error
    return DownloadError(
        f"cannot fetch {url}: {reason}", "check the network and any proxy settings"
    )


def checksum_of(listing: str, name: str) -> str | None:
    """The SHA-256 that a `sha256sum`-like listing has for a file name."""
    for line in listing.splitlines():
        fields = line.split()
        if len(fields) == 2 and fields[1].lstrip("*") == name:
            return fields[0].lower()
    return None
