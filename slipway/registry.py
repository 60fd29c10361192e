"""Asking an image registry which digest a tag has.

The protocol is the one of https://distribution.github.io/distribution/spec/api/ and of
https://distribution.github.io/distribution/spec/auth/token/.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx

from slipway.errors import RegistryError
from slipway.reference import DOCKER_HUB, ImageReference

_TIMEOUT = 10.0
MANIFESTS = ", ".join(
    [
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    ]
)
"""The types of manifests, as a registry is asked for them."""
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_LOCAL = re.compile(r"(localhost|127(?:\.\d+){3}|\[::1\])(:\d+)?")


@dataclass(frozen=True)
class Credentials:
    """A registry account."""

    username: str
    password: str


CredentialStore = Callable[[str], Credentials | None]
"""Gives the account for a registry's host, or None."""


def is_local(registry: str) -> bool:
    """Whether a registry is on this machine, where Docker speaks plain HTTP to it."""
    return _LOCAL.fullmatch(registry) is not None


class Registry:
    """Looks digests up.

    Args:
        credentials: gives the account for a registry's host.
        transport: for tests; default is the network.
    """

    def __init__(
        self,
        credentials: CredentialStore = lambda host: None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._credentials = credentials
        self._client = httpx.Client(timeout=_TIMEOUT, transport=transport, follow_redirects=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def digest(self, reference: ImageReference) -> str | None:
        """The digest that the reference's tag (default `latest`) has now; None if it has none.

        Raises:
            RegistryError: the registry cannot be reached, or refuses to answer.
        """
        wanted = reference.digest or reference.tag or "latest"
        answer = self.ask("HEAD", reference, f"manifests/{wanted}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if answer.status_code != httpx.codes.OK:
            raise RegistryError(
                f"{reference.registry} answered {answer.status_code} when asked for {reference}; "
                f"check the name, and that `docker login {reference.registry}` was done"
            )
        digest = answer.headers.get("Docker-Content-Digest")
        if digest is None:
            raise RegistryError(f"{reference.registry} gave no digest for {reference}")
        return str(digest)

    def ask(
        self, method: str, reference: ImageReference, path: str, accept: str = MANIFESTS
    ) -> httpx.Response:
        """The answer to one request about a repository, with a login where it wants one.

        Args:
            method: GET, HEAD or DELETE.
            reference: of the repository; its tag and digest do not count.
            path: below the repository, such as `tags/list`.
            accept: the types of answers that can be read.

        Raises:
            RegistryError: the registry cannot be reached, or wants another login.
        """
        url = f"{_base_url(reference.registry)}/v2/{reference.repository}/{path}"
        headers = {"Accept": accept}
        try:
            answer = self._client.request(method, url, headers=headers)
            if answer.status_code == httpx.codes.UNAUTHORIZED:
                headers["Authorization"] = self._authorization(answer, reference)
                answer = self._client.request(method, url, headers=headers)
        except httpx.HTTPError as error:
            raise RegistryError(_unreachable(reference.registry, error)) from error
        return answer

    def require_answer(self, registry: str) -> None:
        """See that a registry's host answers as one, be it with the wish for a login.

        Raises:
            RegistryError: it does not.
        """
        try:
            answer = self._client.get(f"{_base_url(registry)}/v2/")
        except httpx.HTTPError as error:
            raise RegistryError(_unreachable(registry, error)) from error
        if answer.status_code not in (httpx.codes.OK, httpx.codes.UNAUTHORIZED):
            raise RegistryError(f"{registry} answered {answer.status_code} when asked for /v2/")

    def _authorization(self, answer: httpx.Response, reference: ImageReference) -> str:
        account = self._credentials(reference.registry)
        basic = httpx.BasicAuth(account.username, account.password) if account else None
        scheme, _, rest = answer.headers.get("WWW-Authenticate", "").partition(" ")
        if scheme.lower() != "bearer":
            if account is None or basic is None:
                raise RegistryError(
                    f"{reference.registry} wants a login; run docker login {reference.registry}"
                )
            request = httpx.Request("GET", str(answer.url))
            return str(next(basic.auth_flow(request)).headers["Authorization"])
        fields = dict(_CHALLENGE.findall(rest))
        realm = fields.pop("realm", "")
        fields.setdefault("scope", f"repository:{reference.repository}:pull")
        granted = self._client.get(realm, params=fields, auth=basic)
        if granted.status_code != httpx.codes.OK:
            raise RegistryError(
                f"{reference.registry} refused a token for {reference.repository} "
                f"({granted.status_code}); run docker login {reference.registry}"
            )
        token = _token(granted)
        if not token:
            raise RegistryError(
                f"{realm}, to which {reference.registry} sends for a token, gave none"
            )
        return f"Bearer {token}"


def _token(granted: httpx.Response) -> str | None:
    try:
        body = granted.json()
        return str(body.get("token") or body.get("access_token") or "")
    except (ValueError, AttributeError):
        return None


def _base_url(registry: str) -> str:
    if registry == DOCKER_HUB:
        return "https://registry-1.docker.io"
    return f"http://{registry}" if is_local(registry) else f"https://{registry}"


def _unreachable(registry: str, error: httpx.HTTPError) -> str:
    remedy = (
        "run scripts/bootstrap, which starts the local registry"
        if is_local(registry)
        else "check the network, or set slipway:registry to one that can be reached"
    )
    return f"the registry {registry} cannot be reached ({error}); {remedy}"
