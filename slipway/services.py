"""What a compose file says, as typed values.

Keys that are not known are refused, so that nothing in the file is ignored in silence. What stands
under `x-slipway` is in `slipway.extension`.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from slipway.extension import Extension
from slipway.values import Model, Seconds, texts

DEFAULT_NETWORK = "default"


class BuildSecret(Model):
    """A secret that a build step mounts: a name of the project's `secrets`, and its id there."""

    source: str
    target: str | None = None

    @property
    def id(self) -> str:
        """The name by which a build step asks for it."""
        return self.target or self.source


class Build(Model):
    """How an image is built.

    Args:
        context: absolute path of the build context.
        dockerfile: path of the Dockerfile, from the context.
        args: build arguments. They end up in the image's history: no place for secrets.
        target: stage to build, default the last.
        platforms: at most one platform, such as linux/amd64.
        additional_contexts: further folders or images by name, for `FROM name` and
            `COPY --from=name`.
        secrets: what `RUN --mount=type=secret` finds.
        labels: labels of the image.
    """

    context: str
    dockerfile: str = "Dockerfile"
    args: dict[str, str | None] = Field(default_factory=dict)
    target: str | None = None
    platforms: list[str] = Field(default_factory=list, max_length=1)
    additional_contexts: dict[str, str] = Field(default_factory=dict)
    secrets: list[BuildSecret] = Field(default_factory=list)
    labels: dict[str, str] = Field(default_factory=dict)


class HealthCheck(Model):
    """A Docker health check. Durations in seconds; None leaves Docker's default."""

    test: list[str] = Field(default_factory=list)
    interval: Seconds | None = None
    timeout: Seconds | None = None
    retries: int | None = None
    start_period: Seconds | None = None
    disable: bool = False


class VolumeMount(Model):
    """A named volume in a container, or, without a source, one that lives as long as it does."""

    type: Literal["volume"]
    source: str | None = None
    target: str
    read_only: bool = False
    volume: dict[str, Any] = Field(default_factory=dict, max_length=0)


class BindOptions(Model):
    """Options of a bind mount; folders of the host are never made by the way."""

    create_host_path: bool | None = None


class BindMount(Model):
    """A file or folder of the machine that reads the compose file, or of the Docker host."""

    type: Literal["bind"]
    source: str
    target: str
    read_only: bool = False
    bind: BindOptions = Field(default_factory=BindOptions)


class TmpfsOptions(Model):
    """Options of a folder in memory: bytes that it may hold, and permissions."""

    size: int | None = None
    mode: int | None = None


class TmpfsMount(Model):
    """A folder in memory."""

    type: Literal["tmpfs"]
    target: str
    read_only: bool = False
    tmpfs: TmpfsOptions = Field(default_factory=TmpfsOptions)


Mount = Annotated[VolumeMount | BindMount | TmpfsMount, Field(discriminator="type")]


def _one_port(published: str) -> str:
    if published and not published.isdigit():
        raise ValueError(f'"{published}" is a range, and a container gets one port; write one')
    return published


class Port(Model):
    """A published port.

    Args:
        target: port inside the container.
        published: port of the host; empty where Docker chooses one.
        protocol: tcp or udp.
        host_ip: address of the host, empty for all.
    """

    target: int
    published: Annotated[str, AfterValidator(_one_port)] = ""
    protocol: str = "tcp"
    host_ip: str = ""
    mode: str = "ingress"
    name: str = ""

    @property
    def loopback(self) -> bool:
        return self.host_ip.startswith("127.") or self.host_ip == "::1"

    def __str__(self) -> str:
        host = f"{self.host_ip}:{self.published}" if self.host_ip else self.published
        return f"{host}:{self.target}" + ("" if self.protocol == "tcp" else f"/{self.protocol}")


class Dependency(Model):
    """What a service waits for before it starts."""

    condition: Literal["service_started", "service_healthy", "service_completed_successfully"] = (
        "service_started"
    )
    required: bool = True
    restart: bool = False


class Attachment(Model):
    """A service's place in a network."""

    aliases: list[str] = Field(default_factory=list)


class Logging(Model):
    """How Docker keeps a container's output."""

    driver: str | None = None
    options: dict[str, str] = Field(default_factory=dict)


class Limits(Model):
    """The most that a container may use: CPUs, and bytes of memory."""

    cpus: float | None = None
    memory: int | None = None


class Resources(Model):
    """What a container may use; reservations are honoured by no single host."""

    limits: Limits = Field(default_factory=Limits)


class Deploy(Model):
    """The part of `deploy` that one host can honour."""

    replicas: Literal[1] = 1
    resources: Resources = Field(default_factory=Resources)
    placement: dict[str, Any] = Field(default_factory=dict, max_length=0)  # The reader adds it.


class FileReference(Model):
    """A secret or config in a container: which one, and where."""

    source: str
    target: str | None = None
    mode: int | str | None = None


class Ulimit(Model):
    """A limit of the kernel on a container's processes."""

    soft: int
    hard: int


def _ulimits(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {k: {"soft": v, "hard": v} if isinstance(v, int) else v for k, v in value.items()}


def _restart(policy: str) -> str:
    # The others revive stopped candidates when the Docker daemon restarts.
    return "unless-stopped" if policy in ("always", "on-failure") else policy


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
    restart: Annotated[Literal["no", "unless-stopped"], BeforeValidator(_restart)] = "no"
    stop_grace_period: Seconds = 10.0
    stop_signal: str | None = None
    user: str | None = None
    volumes: list[Mount] = Field(default_factory=list)
    working_dir: str | None = None
    ports: list[Port] = Field(default_factory=list)
    depends_on: dict[str, Dependency] = Field(default_factory=dict)
    container_name: str | None = None
    networks: Annotated[
        dict[str, Attachment],
        BeforeValidator(lambda v: {k: n or {} for k, n in v.items()} if isinstance(v, dict) else v),
    ] = Field(default_factory=lambda: {DEFAULT_NETWORK: Attachment()})
    secrets: list[FileReference] = Field(default_factory=list)
    configs: list[FileReference] = Field(default_factory=list)
    logging: Logging | None = None
    tty: bool = False
    stdin_open: bool = False
    hostname: str | None = None
    shm_size: int | None = None
    ulimits: Annotated[dict[str, Ulimit], BeforeValidator(_ulimits)] = Field(default_factory=dict)
    profiles: list[str] = Field(default_factory=list)
    pull_policy: str | None = None
    platform: str | None = None
    cap_add: list[str] = Field(default_factory=list)
    cap_drop: list[str] = Field(default_factory=list)
    extra_hosts: list[str] = Field(default_factory=list)
    security_opt: list[str] = Field(default_factory=list)
    tmpfs: Annotated[list[str], BeforeValidator(texts)] = Field(default_factory=list)
    deploy: Deploy = Field(default_factory=Deploy)
    extension: Extension = Field(default_factory=Extension, alias="x-slipway")

    @property
    def routed(self) -> bool:
        return self.extension.route is not None

    @property
    def has_health_check(self) -> bool:
        """Whether the compose file declares a Docker health check that is on."""
        check = self.healthcheck
        return check is not None and not check.disable and check.test[:1] not in ([], ["NONE"])

    @property
    def names(self) -> tuple[str, ...]:
        """The names by which other services call it."""
        aliases = [alias for place in self.networks.values() for alias in place.aliases]
        named = [self.name, *([self.container_name] if self.container_name else []), *aliases]
        return tuple(dict.fromkeys(named))


class Network(Model):
    """A network of the project.

    Args:
        external: whether it is there already, under `name`.
        name: its name on the host, where it is external.
        internal: whether it leads nowhere outside.
    """

    external: bool = False
    name: str | None = None
    internal: bool = False


class Volume(Model):
    """A named volume of the project.

    Args:
        external: whether it is there already, under `name`; it is adopted and never deleted.
        name: its name on the host, where it is external.
        driver: what keeps it, default Docker's own.
        driver_opts: settings of the driver.
    """

    external: bool = False
    name: str | None = None
    driver: str | None = None
    driver_opts: dict[str, str] = Field(default_factory=dict)


class FileSource(Model):
    """Where a secret's or config's content comes from: one of these.

    Args:
        file: absolute path.
        environment: a variable of the stack's configuration.
        content: the content itself.
        external: a name of the stack's `slipway:secrets`.
    """

    file: str | None = None
    environment: str | None = None
    content: str | None = None
    external: bool = False
    name: str | None = None


class Project(Model):
    """A compose project.

    Args:
        name: the compose file's `name`, or its folder's.
        file: path of the compose file.
        services: by name, sorted.
        volumes: the named volumes.
        networks: the networks.
        secrets: the secrets that services mount.
        configs: the configs that services mount.
    """

    name: str
    file: str
    services: dict[str, Service]
    volumes: Annotated[
        dict[str, Volume],
        BeforeValidator(lambda v: {n: {} for n in v} if isinstance(v, list) else v),
    ] = Field(default_factory=dict)
    networks: dict[str, Network] = Field(default_factory=dict)
    secrets: dict[str, FileSource] = Field(default_factory=dict)
    configs: dict[str, FileSource] = Field(default_factory=dict)

    @property
    def routed(self) -> list[Service]:
        return [service for service in self.services.values() if service.routed]
