"""The images of a registry's repository: which there are, how old, and away with one.

The protocol is the one of https://distribution.github.io/distribution/spec/api/.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from slipway.doctor.engine import moment
from slipway.doctor.retention import RegistryImage
from slipway.errors import RegistryError
from slipway.reference import ImageReference, parse_reference
from slipway.registry import MANIFESTS, Registry, is_local

_AT_ONCE = 8
_PAGE = 200
_ANY = "*/*"
_SWITCH = "REGISTRY_STORAGE_DELETE_ENABLED=true"
_GONE = (httpx.codes.OK, httpx.codes.ACCEPTED, httpx.codes.NOT_FOUND)


class Repository:
    """A repository of a registry.

    Args:
        registry: the connection.
        name: with the registry's host, such as `localhost:5000/shop`.
    """

    def __init__(self, registry: Registry, name: str) -> None:
        self._registry = registry
        self._reference = parse_reference(name)

    @property
    def name(self) -> str:
        return self._reference.name

    def tags(self) -> dict[str, str]:
        """The digest behind each tag; empty if the registry has no such repository.

        Raises:
            RegistryError: the registry does not answer as it should.
        """
        names = self._tag_names()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            digests = list(pool.map(self._digest, names))
        # A tag that goes away in the meantime has none.
        return {n: digest for n, digest in zip(names, digests, strict=True) if digest}

    def images(self, unneeded: Mapping[str, tuple[str, ...]]) -> list[RegistryImage]:
        """Size and age of images.

        Args:
            unneeded: their digests, with all tags of each.

        Raises:
            RegistryError: the registry does not answer as it should.
        """
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(self._image, unneeded.keys(), unneeded.values()))

    def remove(self, digest: str) -> None:
        """Remove a manifest with all of its tags; one that is gone is fine.

        Raises:
            RegistryError: the registry refuses.
        """
        answer = self._registry.ask("DELETE", self._reference, f"manifests/{digest}")
        if answer.status_code in _GONE:
            return
        if answer.status_code != httpx.codes.METHOD_NOT_ALLOWED:
            raise RegistryError(
                f"{self.name}@{digest}: {self._reference.registry} answered {answer.status_code} "
                "to its removal; the account that docker login stored may not delete there"
            )
        raise RegistryError(
            f"{self._reference.registry} has deletion switched off; {_how_to_enable(self.host)}"
        )

    @property
    def host(self) -> str:
        return self._reference.registry

    def _tag_names(self) -> list[str]:
        names: list[str] = []
        last = ""
        while True:
            path = f"tags/list?n={_PAGE}" + (f"&last={last}" if last else "")
            answer = self._registry.ask("GET", self._reference, path, "application/json")
            if answer.status_code == httpx.codes.NOT_FOUND:
                return names
            page = self._json(answer, "its tags").get("tags") or []
            names += [str(tag) for tag in page]
            if 'rel="next"' not in answer.headers.get("Link", "") or not page:
                return names
            last = names[-1]

    def _digest(self, tag: str) -> str | None:
        found = self._reference
        return self._registry.digest(ImageReference(found.registry, found.repository, tag))

    def _image(self, digest: str, tags: tuple[str, ...]) -> RegistryImage:
        manifest = self._read(f"manifests/{digest}", MANIFESTS)
        parts = list(manifest.get("manifests") or [])
        single = manifest
        if parts:
            real = [p for p in parts if (p.get("platform") or {}).get("os") != "unknown"]
            single = self._read(f"manifests/{(real or parts)[0]['digest']}", MANIFESTS)
        config = single.get("config") or {}
        created = None
        if config.get("digest"):
            created = moment(self._read(f"blobs/{config['digest']}", _ANY).get("created"))
        blobs: Iterable[Any] = [config, *(single.get("layers") or [])]
        return RegistryImage(
            self.name,
            digest,
            tags,
            tuple(str(part["digest"]) for part in parts),
            created,
            sum(int(blob.get("size") or 0) for blob in blobs),
        )

    def _read(self, path: str, accept: str) -> dict[str, Any]:
        return self._json(self._registry.ask("GET", self._reference, path, accept), path)

    def _json(self, answer: httpx.Response, what: str) -> dict[str, Any]:
        try:
            if answer.status_code != httpx.codes.OK:
                raise ValueError(f"status {answer.status_code}")
            found = answer.json()
            if not isinstance(found, dict):
                raise ValueError("no JSON object")
        except ValueError as error:
            raise RegistryError(
                f"{self.name}: {self.host} did not give {what} ({error})"
            ) from error
        return found


def _how_to_enable(host: str) -> str:
    if is_local(host):
        return (
            f"it needs {_SWITCH}; if scripts/bootstrap made it, make it anew, which keeps its "
            "images: docker rm -f slipway-registry && scripts/bootstrap"
        )
    return f"set {_SWITCH} where it runs, or use its own rules for old images"
