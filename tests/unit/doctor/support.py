"""A healthy machine with one healthy stack, so that a test names only what is wrong."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from slipway.doctor.facts import (
    Disk,
    Engine,
    Facts,
    ImageFacts,
    MachineFacts,
    Passphrase,
    StackFacts,
    StateFacts,
)
from slipway.doctor.stack_file import StackFile
from slipway.state import CONTAINER, STASH

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
OWNER = "0123456789ab"
HASH = "c" * 64
TAG = f"src-{HASH[:24]}"
URN = "urn:pulumi:test::shop::slipway:docker:DockerStack$"
GB = 10**9


def machine(**fields: Any) -> MachineFacts:
    values: dict[str, Any] = {
        "engine": Engine("28.0.4", Path("/var/lib/docker"), True),
        "cli": "3.256.0",
        "plugins": ("5.2.0",),
        "registries": {"localhost:5000": None},
        "disks": (Disk("Docker", Path("/var/lib/docker"), 60 * GB, 100 * GB, 1),),
        "backend": ("test",),
        "passphrase": Passphrase(Path("/srv/passphrase"), 0o600),
    }
    return MachineFacts(**{**values, **fields})


def stack(**fields: Any) -> StackFacts:
    values: dict[str, Any] = {
        "name": "test",
        "file": StackFile(port=8000),
        "state": StateFacts(7),
        "drift": (),
    }
    return StackFacts(**{**values, **fields})


def facts(*stacks: StackFacts, **fields: Any) -> Facts:
    files = {s.name: s.file for s in stacks if isinstance(s.file, StackFile)}
    values: dict[str, Any] = {
        "machine": machine(),
        "stacks": stacks,
        "configured": files,
        "images": ImageFacts(0, 0),
        "now": NOW,
    }
    return Facts(**{**values, **fields})


def release(number: int = 1, digest: str = "a" * 64, source: str | None = HASH) -> dict[str, Any]:
    """A ledger entry with one service, built unless `source` is None."""
    service = {"image": f"localhost:5000/shop@sha256:{digest}"}
    if source:
        service["source_hash"] = source
    return {"number": number, "services": {"web": service}}


def export(*ledger: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A stack's export: proxy and one container, with what serves if there is a ledger."""
    labels = [{"label": "slipway.owner", "value": OWNER}]
    resources: list[dict[str, Any]] = [
        {"urn": "urn:pulumi:test::shop::pulumi:pulumi:Stack::shop-test",
         "outputs": {"address": "http://127.0.0.1:8000"}},
        {"urn": f"{URN}docker:index/volume:Volume::shop-ingress-routes",
         "outputs": {"name": "shop-test-ingress-routes", "labels": labels}},
        {"urn": f"{URN}{CONTAINER}::shop-ingress",
         "outputs": {"name": "shop-test-ingress", "id": "id-of-shop-test-ingress"}},
        {"urn": f"{URN}{CONTAINER}::shop-web-1",
         "outputs": {"name": "web-1", "id": "id-of-web-1"}},
    ]  # fmt: skip
    if ledger:
        live = {
            "ledger": {str(entry["number"]): dict(entry) for entry in ledger},
            "containers": {"web": {"name": "web-1", "id": "id-of-web-1", "upstream": "web-1:8000"}},
        }
        outputs = {"input": live}
        resources.append(
            {"urn": f"{URN}slipway:docker:Gate${STASH}::shop-live", "outputs": outputs}
        )
    return {"version": 3, "deployment": {"resources": resources, **more}}
