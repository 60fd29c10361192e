"""What a compose file says, as typed values.

`Service` holds the compose file's part, `Extension` what stands under `x-slipway`. Both refuse
keys that they do not know, so that nothing in the file is ignored in silence.
"""

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)

from slipway.durations import parse_duration

Seconds = Annotated[
    float,
    BeforeValidator(lambda v: parse_duration(v) if isinstance(v, str) else v),
    Field(ge=0, allow_inf_nan=False),
]
"""A duration: compose notation (`15s`) or a number of seconds."""


class Model(BaseModel):
    """A frozen value that refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _absolute(path: str) -> str:
    if not path.startswith("/"):
        raise ValueError(f'"{path}" is not an absolute path; write /{path}')
    return path


def _statuses(value: Any) -> Any:
    return [value] if isinstance(value, int) else value


class Probe(Model):
    """One request, and what its answer must be.

    Args:
        path: path with query, from the root.
        name: how reports call it; default: method and path.
        method: HTTP method, default GET.
        headers: request headers. `Host` is sent as given, for applications that check it.
        status: accepted status code or codes, default 200.
        json: values that the JSON answer must hold; nested mappings are compared key by key.
        text: text that the answer must contain.
        max_ms: longest acceptable answer time in milliseconds; default: no limit but the
            request time-out of 5 s.
        follow_redirects: follow redirects before judging, default no.
    """

    path: Annotated[str, AfterValidator(_absolute)]
    name: str = ""
    method: Literal["GET", "HEAD", "POST", "PUT", "OPTIONS"] = "GET"
    headers: dict[str, str] = Field(default_factory=dict)
    status: Annotated[list[Annotated[int, Field(ge=100, le=599)]], BeforeValidator(_statuses)] = (
        Field(default=[200], min_length=1)
    )
    json_values: dict[str, Any] = Field(default_factory=dict, alias="json")
    text: str | None = Field(default=None, min_length=1)
    max_ms: int | None = Field(default=None, ge=1)
    follow_redirects: bool = False

    @property
    def title(self) -> str:
        return self.name or f"{self.method} {self.path}"


class Route(Model):
    """The stack's public address leads to this service.

    Args:
        port: the port on which the service listens inside its container.
    """

    port: int = Field(ge=1, le=65535)


class Extension(Model):
    """The key `x-slipway` of a service.

    Args:
        route: present where the service takes public traffic.
        probes: requests that a candidate must answer well; need a route.
        successes: consecutive rounds in which all probes pass before the stability window.
        interval: seconds between two rounds, default 0.5.
        timeout: seconds from start until the last of these rounds, default 60.
        stable_for: seconds that a candidate must stay well after that; default: the stack's
            `slipway:stableFor`.
        drain: seconds that requests in flight on the old container get, default 30.
    """

    route: Route | None = None
    probes: list[Probe] = Field(default_factory=list)
    successes: int = Field(default=3, ge=1)
    interval: Seconds = 0.5
    timeout: Seconds = 60.0
    stable_for: Seconds | None = None
    drain: Seconds = 30.0

    @model_validator(mode="after")
    def _probes_need_a_route(self) -> "Extension":
        if self.probes and self.route is None:
            raise ValueError("probes need a route; add route: {port: <container port>}")
        return self


class Build(Model):
    """How an image is built.

    Args:
        context: absolute path of the build context.
        dockerfile: path of the Dockerfile, from the context.
        args: build arguments. They end up in the image's history: no place for secrets.
        target: stage to build, default the last.
        platforms: at most one platform, such as linux/amd64.
    """

    context: str
    dockerfile: str = "Dockerfile"
    args: dict[str, str | None] = Field(default_factory=dict)
    target: str | None = None
    platforms: list[str] = Field(default_factory=list, max_length=1)


class HealthCheck(Model):
    """A Docker health check. Durations in seconds; None leaves Docker's default."""

    test: list[str] = Field(default_factory=list)
    interval: Seconds | None = None
    timeout: Seconds | None = None
    retries: int | None = None
    start_period: Seconds | None = None
    disable: bool = False


class VolumeMount(Model):
    """A named volume in a container."""

    type: Literal["volume"]
    source: str
    target: str
    read_only: bool = False
    volume: dict[str, Any] = Field(default_factory=dict, max_length=0)


def _restart(policy: str) -> str:
    # `always` revives stopped candidates when the Docker daemon restarts.
    return "unless-stopped" if policy == "always" else policy


class Service(Model):
    """One service of a compose file, as far as Slipway honours it."""

    name: str
    build: Build | None = None
    image: str | None = None
    command: list[str] | None = None
    entrypoint: list[str] | None = None
    environment: dict[str, SecretStr] = Field(default_factory=dict)
    expose: list[str] = Field(default_factory=list)
    healthcheck: HealthCheck | None = None
    init: bool | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    read_only: bool = False
    restart: Annotated[Literal["no", "on-failure", "unless-stopped"], BeforeValidator(_restart)] = (
        "no"
    )
    stop_grace_period: Seconds = 10.0
    stop_signal: str | None = None
    user: str | None = None
    volumes: list[VolumeMount] = Field(default_factory=list)
    working_dir: str | None = None
    extension: Extension = Field(default_factory=Extension, alias="x-slipway")

    @property
    def routed(self) -> bool:
        return self.extension.route is not None

    @property
    def has_health_check(self) -> bool:
        """Whether the compose file declares a Docker health check that is on."""
        check = self.healthcheck
        return check is not None and not check.disable and check.test[:1] not in ([], ["NONE"])


class Project(Model):
    """A compose project.

    Args:
        name: the compose file's `name`, or its folder's.
        file: path of the compose file.
        services: by name, sorted.
        volumes: names of the named volumes.
    """

    name: str
    file: str
    services: dict[str, Service]
    volumes: list[str] = Field(default_factory=list)
