"""The key `x-slipway` of a service: routes, probes and times, as typed values.

Keys that are not known are refused, so that nothing is ignored in silence.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from slipway.canonical import integers
from slipway.proof.settings import Proof
from slipway.values import Model, Seconds, texts


def _absolute(path: str) -> str:
    if path and not path.startswith("/"):
        raise ValueError(f'"{path}" is not an absolute path; write /{path}')
    return path


def _statuses(value: Any) -> Any:
    return [value] if isinstance(value, int) else value


class Probe(Model):
    """One request, and what its answer must be.

    Args:
        path: path with query, from the root; needed unless `tcp` is set.
        name: how reports call it; default: method and path.
        method: HTTP method, default GET.
        headers: request headers. `Host` is sent as given, for applications that check it.
        status: accepted status code or codes, default 200.
        json: values that the JSON answer must hold; nested mappings are compared key by key.
        text: text that the answer must contain.
        max_ms: longest acceptable answer time in milliseconds; default: no limit but the
            request time-out of 5 s.
        follow_redirects: follow redirects before judging, default no.
        tcp: it is enough that the port accepts a connection; whatever is answered will do.
    """

    path: Annotated[str, AfterValidator(_absolute)] = ""
    name: str = ""
    method: Literal["GET", "HEAD", "POST", "PUT", "OPTIONS"] = "GET"
    headers: dict[str, str] = Field(default_factory=dict)
    status: Annotated[list[Annotated[int, Field(ge=100, le=599)]], BeforeValidator(_statuses)] = (
        Field(default=[200], min_length=1)
    )
    # As the state keeps them: 1.0 is 1, in a release that comes back out of it too.
    json_values: Annotated[dict[str, Any], AfterValidator(integers)] = Field(
        default_factory=dict, alias="json"
    )
    text: str | None = Field(default=None, min_length=1)
    max_ms: int | None = Field(default=None, ge=1)
    follow_redirects: bool = False
    tcp: bool = False

    @model_validator(mode="after")
    def _path_or_tcp(self) -> "Probe":
        if self.tcp and len(self.model_fields_set - {"name", "tcp"}) > 0:
            raise ValueError("tcp goes with no other key; remove tcp, or the others")
        if not self.tcp and not self.path:
            raise ValueError("has no path; add path: /health, or tcp: true if nothing answers")
        return self

    @property
    def title(self) -> str:
        return self.name or ("tcp" if self.tcp else f"{self.method} {self.path}")


class Route(Model):
    """Requests reach this service through the stack's proxy.

    Args:
        port: the port on which the service listens inside its container.
        host: names of hosts whose requests it gets, one or a list; default: of every host.
        path: prefix of the paths that it gets, default all. It is not taken off.
        internal: only other services of the stack call it, by its name; default no.
    """

    port: int = Field(ge=1, le=65535)
    host: Annotated[list[str], BeforeValidator(texts)] = Field(default_factory=list)
    path: Annotated[str, AfterValidator(_absolute)] = "/"
    internal: bool = False


class Extension(Model):
    """The key `x-slipway` of a service.

    Args:
        route: present where the service takes requests through the proxy.
        probes: requests that a candidate must answer well; need a route.
        successes: consecutive rounds in which all probes must pass.
        interval: seconds between two rounds, default 0.5.
        timeout: seconds from start until the last of these rounds, default 60; for a service
            that others wait for to complete: until it has, default 600.
        stable_for: seconds that a candidate must stay well, counted from the first of these
            rounds; default: the stack's `slipway:stableFor`, and 3 while requests are held.
        drain: seconds that requests in flight on the old container get, default 30.
        release: command that is run once from a new image, before its containers start: a text
            for `sh -ec`, or a list. The image's entrypoint comes before it.
        release_timeout: seconds that it may take, default 600.
        singleton: never two at once: the old one stops before the new one starts.
        overlap: whether old and new may run side by side, default yes. If not, the proxy holds
            requests from the stop of the old one until the new one is proven.
        hold: seconds that a request is held at most, default 30; needs `overlap: false`.
        ephemeral: a database without a volume, whose data is meant to be lost.
        proof: what must be true of the image before a container of it starts.
        allow: what is refused unless it is allowed by name.
    """

    route: Route | None = None
    probes: list[Probe] = Field(default_factory=list)
    successes: int = Field(default=3, ge=1)
    interval: Seconds = 0.5
    timeout: Seconds = 60.0
    stable_for: Seconds | None = None
    drain: Seconds = 30.0
    release: str | list[str] | None = Field(default=None, min_length=1)
    release_timeout: Seconds = 600.0
    singleton: bool = False
    overlap: bool = True
    hold: Seconds = 30.0
    ephemeral: bool = False
    proof: Proof = Field(default_factory=Proof)
    allow: list[Literal["docker.sock", "root"]] = Field(default_factory=list)

    @model_validator(mode="after")
    def _keys_go_together(self) -> "Extension":
        if self.probes and self.route is None:
            raise ValueError("probes need a route; add route: {port: <container port>}")
        if self.singleton and self.route is not None:
            raise ValueError("a service with a route is no singleton; write overlap: false instead")
        if "hold" in self.model_fields_set and self.overlap:
            raise ValueError("hold needs overlap: false; add it, or remove hold")
        return self

    @property
    def exclusive(self) -> bool:
        """Whether never two of its containers may run at once."""
        return self.singleton or not self.overlap
