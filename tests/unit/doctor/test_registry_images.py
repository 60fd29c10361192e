from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from slipway.doctor.registry_images import Repository
from slipway.doctor.retention import RegistryImage
from slipway.errors import RegistryError
from slipway.registry import Registry

A, B, C = ("sha256:" + letter * 64 for letter in "abc")
BASE = "/v2/shop/"


class Server:
    """A registry with one repository; pages of two tags."""

    def __init__(self, tags: dict[str, str], documents: dict[str, Any] | None = None) -> None:
        self.tags = tags
        self.documents = documents or {}
        self.deletion = 202
        self.deleted: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix(BASE)
        if request.method == "DELETE":
            self.deleted.append(path)
            return httpx.Response(self.deletion)
        if path == "tags/list":
            return self._page(request.url.params.get("last", ""))
        if request.method == "HEAD":
            digest = self.tags.get(path.removeprefix("manifests/"))
            headers = {"Docker-Content-Digest": digest or ""}
            return httpx.Response(200 if digest else 404, headers=headers)
        if path in self.documents:
            return httpx.Response(200, json=self.documents[path])
        return httpx.Response(404)

    def _page(self, last: str) -> httpx.Response:
        names = [name for name in sorted(self.tags) if name > last]
        more = {"Link": '</v2/shop/tags/list?n=2>; rel="next"'} if len(names) > 2 else {}
        return httpx.Response(200, json={"name": "shop", "tags": names[:2]}, headers=more)


def repository(answer: Callable[[httpx.Request], httpx.Response]) -> Repository:
    return Repository(Registry(transport=httpx.MockTransport(answer)), "localhost:5000/shop")


def answering(status: int, **fields: Any) -> Repository:
    return repository(lambda request: httpx.Response(status, **fields))


def test_all_pages_of_tags_are_read() -> None:
    tags = {"src-1": A, "src-2": A, "src-3": B, "latest": C, "v1": C}
    assert repository(Server(tags)).tags() == tags


@pytest.mark.parametrize("tags", [None, []])
def test_repository_without_tags_has_none(tags: Any) -> None:
    assert answering(200, json={"name": "shop", "tags": tags}).tags() == {}
    assert answering(404).tags() == {}


def test_tag_that_goes_away_meanwhile_has_no_digest() -> None:
    server = Server({"src-1": A, "src-2": ""})
    assert repository(server).tags() == {"src-1": A}


def test_registry_that_answers_nonsense_is_told() -> None:
    for found in (answering(500), answering(200, content=b"<html>"), answering(200, json=[])):
        with pytest.raises(RegistryError, match=r"^localhost:5000/shop: localhost:5000 did not"):
            found.tags()


def test_age_and_size_come_from_manifest_and_configuration() -> None:
    manifest = {
        "config": {"digest": C, "size": 1},
        "layers": [{"digest": A, "size": 20}, {"digest": B, "size": 300}],
    }
    documents = {
        f"manifests/{A}": manifest,
        f"blobs/{C}": {"created": "2026-10-01T10:00:00.123456789Z"},
    }
    found = repository(Server({}, documents)).images({A: ("src-1",)})
    created = datetime(2026, 10, 1, 10, tzinfo=UTC)
    assert found == [
        RegistryImage("localhost:5000/shop", A, ("src-1",), (), created, 321),
    ]


def test_index_has_the_age_of_its_image_and_not_of_its_attestation() -> None:
    index = {
        "manifests": [
            {"digest": A, "platform": {"os": "unknown"}},
            {"digest": B, "platform": {"os": "linux"}},
        ]
    }
    documents = {
        f"manifests/{C}": index,
        f"manifests/{B}": {"config": {"digest": A, "size": 1}},
        f"blobs/{A}": {"created": "2026-10-01T10:00:00Z"},
    }
    (found,) = repository(Server({}, documents)).images({C: ("src-1",)})
    assert (found.parts, found.created) == ((A, B), datetime(2026, 10, 1, 10, tzinfo=UTC))


def test_image_without_a_time_has_no_age() -> None:
    documents = {f"manifests/{A}": {"config": {"digest": C}}, f"blobs/{C}": {}}
    (found,) = repository(Server({}, documents)).images({A: ("src-1",)})
    assert found.created is None


@pytest.mark.parametrize("status", [202, 200, 404])
def test_image_is_removed_by_its_digest(status: int) -> None:
    server = Server({})
    server.deletion = status
    repository(server).remove(A)
    assert server.deleted == [f"manifests/{A}"]


def refusal(name: str, status: int) -> str:
    transport = httpx.MockTransport(lambda request: httpx.Response(status))
    with pytest.raises(RegistryError) as caught:
        Repository(Registry(transport=transport), name).remove(A)
    return str(caught.value)


def test_registry_that_does_not_delete_says_what_to_set() -> None:
    assert refusal("localhost:5000/shop", 405) == (
        "localhost:5000 has deletion switched off; it needs REGISTRY_STORAGE_DELETE_ENABLED=true; "
        "if scripts/bootstrap made it, make it anew, which keeps its images: docker rm -f "
        "slipway-registry && scripts/bootstrap"
    )
    assert refusal("reg.example.com/shop", 405) == (
        "reg.example.com has deletion switched off; set REGISTRY_STORAGE_DELETE_ENABLED=true where "
        "it runs, or use its own rules for old images"
    )


def test_account_that_may_not_delete_is_told() -> None:
    assert refusal("reg.example.com/shop", 403) == (
        f"reg.example.com/shop@{A}: reg.example.com answered 403 to its removal; the account that "
        "docker login stored may not delete there"
    )
