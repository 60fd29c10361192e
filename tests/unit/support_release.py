"""Releases of every kind, and their way through the ledger: source → entry → state → entry → plan.

A secret stands in what is generated as `secret(NAME)`; `Source.project` puts a value there, as the
compose reader does. So the same source can be read with its secrets, with others, or with markers.
"""

import copy
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from slipway.blueprint import Marked, Record, markers, project_record, record
from slipway.canonical import integers
from slipway.declared import Declared
from slipway.image_plan import Image, ImagePlan, ReleasedImage
from slipway.key_lines import KeyLines
from slipway.mounted_files import Mounted, UploadedFile
from slipway.origin import Origin
from slipway.plan import ContainerPlan, plan_containers, plan_sites
from slipway.prepared import Prepared, Settings, StackName
from slipway.reference import parse_reference
from slipway.release import fingerprint
from slipway.services import BindMount, Project
from slipway.state import LiveFact, StackState, live_fact

from .support import image_plan

STACK = StackName("shop", "test", "shop", "the stack's key")
POSTGRES = f"postgres:16@sha256:{'e' * 64}"
ORIGIN = Origin("me@here")
_SECRET = re.compile(r"\x01([A-Z]+)\x02")


def secret(name: str) -> str:
    """What stands for a secret in a source."""
    return f"\x01{name}\x02"


def filled(value: Any, secrets: Mapping[str, str]) -> Any:
    """A source's value with secrets in their places."""
    if isinstance(value, Mapping):
        return {key: filled(item, secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, secrets) for item in value]
    return _SECRET.sub(lambda m: secrets[m[1]], value) if isinstance(value, str) else value


@dataclass(frozen=True)
class Source:
    """What a release is made from, before anything is put into it.

    Args:
        services: as the compose reader gives them.
        files: what is uploaded, by service: path, content, whether it is a secret.
        host_paths: what is mounted from the host, by service.
        beside: volumes and networks.
        alone: services that must be proven before others start.
    """

    services: Mapping[str, Mapping[str, Any]]
    files: Mapping[str, Sequence[tuple[str, str | bytes, bool]]] = field(default_factory=dict)
    host_paths: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    beside: Mapping[str, Any] = field(default_factory=dict)
    alone: frozenset[str] = frozenset()

    def project(self, secrets: Mapping[str, str]) -> Project:
        named = {n: {"name": n, **found} for n, found in sorted(self.services.items())}
        content = {"name": "shop", "file": "compose.yaml", "services": named, **self.beside}
        return Project.model_validate(filled(copy.deepcopy(content), secrets))

    def mounted(self, secrets: Mapping[str, str]) -> dict[str, Mounted]:
        return {name: self._mounted(name, secrets) for name in self.services}

    def _mounted(self, service: str, secrets: Mapping[str, str]) -> Mounted:
        files = [
            UploadedFile(
                filled(path, secrets),
                content if isinstance(content, bytes) else filled(content, secrets).encode(),
                "0400" if hidden else "0644",
                hidden,
            )
            for path, content, hidden in self.files.get(service, ())
        ]
        paths = [
            BindMount.model_validate(p)
            for p in filled([*self.host_paths.get(service, ())], secrets)
        ]
        return Mounted(tuple(files), tuple(paths))

    def records(self, secrets: Mapping[str, str], *, marked: bool = True) -> dict[str, Record]:
        """Its services as the ledger keeps them."""
        twin = self._twin(secrets) if marked and secrets else None
        mounted = self.mounted(secrets)
        return {
            name: record(service, mounted[name], STACK.key, secrets, twin)
            for name, service in self.project(secrets).services.items()
        }

    def _twin(self, secrets: Mapping[str, str]) -> Marked:
        marks = markers(secrets, STACK.key)
        by_mark = {mark: name for name, mark in marks.items()}
        return Marked(self.project(marks), self.mounted(marks), by_mark)

    def declared(self, secrets: Mapping[str, str], *, marked: bool = True) -> Declared:
        """The release as it is read from the source."""
        project = self.project(secrets)
        twin = self._twin(secrets) if marked and secrets else None
        return Declared(
            project,
            KeyLines(Path(project.file)),
            {name: _image(service) for name, service in project.services.items()},
            self.mounted(secrets),
            self.records(secrets, marked=marked),
            project_record(project, STACK.key, secrets, twin),
            self.alone,
        )


def _image(service: Any) -> Image:
    if service.build is None:
        return parse_reference(service.image)
    return image_plan(service.build.context.removeprefix("/src/"))


def plans_of(
    declared: Declared, state: StackState | None = None, missing: frozenset[str] = frozenset()
) -> list[ContainerPlan]:
    """The containers of a release of the stack `shop-test`."""
    return plan_containers(
        declared, STACK.key, STACK.component, "shop-test", state or StackState(), missing
    )


def prepared_of(
    declared: Declared,
    live: LiveFact | None = None,
    known: Mapping[str, str] | None = None,
    **fields: Any,
) -> Prepared:
    """A stack that is ready to release this."""
    plans = plans_of(declared)
    values: dict[str, Any] = {
        "stack": STACK,
        "settings": Settings(Path("compose.yaml"), 8000),
        "project": declared.project,
        "project_record": declared.beside,
        "prefix": "shop-test",
        "address": "http://127.0.0.1:8000",
        "ingress_image": f"caddy@sha256:{'c' * 64}",
        "ingress_resource": "shop-ingress",
        "replaced_ingress": "",
        "containers": tuple(plans),
        "live": live or LiveFact(),
        "attempt": {"release": release_of(plans), "look": "first"},
        "orphans": (),
        "sites": plan_sites(declared.project),
        "origin": ORIGIN,
        "known": known or {},
        "restores": None if declared.entry is None else declared.entry["number"],
    }
    return Prepared(**{**values, **fields})


def release_of(plans: Sequence[ContainerPlan]) -> str:
    return fingerprint(
        {plan.service.name: plan.revision for plan in plans},
        {plan.service.name: plan.service.extension for plan in plans},
        STACK.key,
    )


def through_state(value: Any) -> Any:
    """What the program reads back of what it gave to the engine: keys are sorted, null values are
    dropped, and all numbers are floats on their way."""
    return integers(json.loads(json.dumps(_stored(value), sort_keys=True)))


def _stored(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _stored(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_stored(item) for item in value if item is not None]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def images_of(declared: Declared) -> dict[str, str]:
    """What each service runs, by digest, once the release is built."""
    return {n: _released_as(image) for n, image in declared.with_jobs(declared.images).items()}


def _released_as(image: Image) -> str:
    if isinstance(image, ImagePlan):
        return f"{image.reference.name}@{image.digest}"
    named = image.reference if isinstance(image, ReleasedImage) else image
    return str(replace(named, tag=None))


def released(prepared: Prepared, declared: Declared) -> LiveFact:
    """What serves once this was released, as the next run reads it."""
    containers = {
        plan.service.name: {"name": plan.name, "id": f"id-of-{plan.name}", "role": plan.role.value}
        for plan in prepared.containers
    }
    fact = {"ledger": prepared.fact(images_of(declared)), "containers": containers}
    return live_fact(through_state(fact))


@dataclass(frozen=True)
class Seen:
    """All of a release that the host and the gate see."""

    containers: Sequence[Mapping[str, Any]]
    sites: Any
    networks: Mapping[str, str]
    volumes: Mapping[str, str]
    ingress: str
    fingerprint: str


def seen(prepared: Prepared) -> Seen:
    """What is to be equal for a release that is restored and one that is read from its source."""
    return Seen(
        [
            {
                "service": plan.service.name,
                "resource": plan.resource,
                "name": plan.name,
                "revision": plan.revision,
                "role": plan.role,
                "upstream": plan.upstream,
                "alone": plan.alone,
                "job_of": plan.job_of,
                "spec": plan.spec.plain(),
                "environment": plan.spec.environment,
                "placement": plan.placement,
                "has_health_check": plan.service.has_health_check,
                "grace": plan.service.stop_grace_period,
                "extension": plan.service.extension,
                "chosen": plan.service.extension.model_fields_set,
                "hidden": plan.record.holds_secret,
            }
            for plan in prepared.containers
        ],
        prepared.sites,
        prepared.networks,
        prepared.volumes,
        prepared.ingress_settings,
        prepared.fingerprint,
    )


# --- generation -----------------------------------------------------------------------------

NAMES = ("cron", "db", "hooks", "web", "worker")
SECRETS = ("ALPHA", "BETA")
_PLAIN = st.text("abc$ {}:@/=", max_size=8) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00\x01\x02αβγδ"), max_size=8
)


def texts(min_size: int = 0) -> st.SearchStrategy[str]:
    """Texts with secrets in them."""
    parts = _PLAIN | st.sampled_from([secret(name) for name in SECRETS])
    return st.lists(parts, min_size=min_size, max_size=3).map("".join)


_TEXTS = texts()
_FILLED = texts().map(lambda text: f"x{text}")
_WORDS = st.lists(_TEXTS, max_size=3)
_KEYS = st.from_regex(r"[a-z]{1,6}", fullmatch=True)
_SECONDS = st.sampled_from(["1m30s", "250ms", "0s", "3s"]) | st.integers(0, 99) | st.floats(0, 99)
_NETWORKS = ("back", "default", "front")
_VOLUMES = ("data", "media", "there")
_PORTS = st.integers(1, 65535)
_CONDITIONS = ("service_started", "service_healthy", "service_completed_successfully")

_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXTS,
    lambda items: st.lists(items, max_size=2) | st.dictionaries(_KEYS, items, max_size=2),
    max_leaves=4,
)


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping with some of the keys; `_` at the end of a name is none of it."""
    optional = {name.rstrip("_"): strategy for name, strategy in fields.items()}
    return st.fixed_dictionaries({}, optional=optional)


def _or_none(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


_HEALTH = some(
    test=_WORDS,
    interval=_or_none(_SECONDS),
    timeout=_SECONDS,
    retries=_or_none(st.integers(0, 9)),
    start_period=_SECONDS,
    disable=st.booleans(),
)
_VOLUME_MOUNTS = st.builds(
    lambda fields, target: {"type": "volume", "target": target, **fields},
    some(
        source=_or_none(st.sampled_from(_VOLUMES)),
        read_only=st.booleans(),
        volume=st.just({}),
    ),
    _FILLED,
)
_TMPFS_MOUNTS = st.builds(
    lambda fields, target: {"type": "tmpfs", "target": target, **fields},
    some(
        read_only=st.booleans(),
        tmpfs=some(size=_or_none(st.integers(0, 2**40)), mode=st.integers(0, 511)),
    ),
    _FILLED,
)
_BINDS = st.builds(
    lambda fields, source, target: {
        "type": "bind",
        "source": f"/{source}",
        "target": target,
        **fields,
    },
    some(read_only=st.booleans(), bind=some(create_host_path=_or_none(st.booleans()))),
    _TEXTS,
    _FILLED,
)
_PUBLISHED = st.builds(
    lambda fields, target: {"target": target, **fields},
    some(
        published=st.just("") | _PORTS.map(str),
        protocol=st.sampled_from(["tcp", "udp"]),
        host_ip=st.sampled_from(["", "127.0.0.1"]),
        mode=st.just("ingress"),
        name=_TEXTS,
    ),
    _PORTS,
)
_FILE_REFERENCES = st.lists(
    st.builds(
        lambda fields: {"source": "conf", **fields},
        some(target=_or_none(_TEXTS), mode=_or_none(st.integers(0, 511) | st.just("0440"))),
    ),
    max_size=1,
)
_LIMITS = some(cpus=_or_none(st.floats(0, 8) | st.integers(0, 8)), memory=st.integers(0, 2**40))
_DEPLOY = some(replicas=st.just(1), resources=some(limits=_LIMITS), placement=st.just({}))
_ULIMITS = st.dictionaries(
    st.sampled_from(["nofile", "nproc"]),
    st.integers(0, 2**31)
    | st.fixed_dictionaries({"soft": st.integers(0, 9), "hard": st.integers(0, 9)}),
)
_VARIABLES = st.sampled_from(
    ["LEVEL", "API_TOKEN", "DATABASE_URL", "POSTGRES_PASSWORD", "SLIPWAY_SOURCE_HASH", "Z"]
)
_URLS = st.builds("postgres://{}:{}@db/{}".format, _TEXTS, _TEXTS, _TEXTS)
_PROBES = st.one_of(
    st.builds(
        lambda fields, path: {"path": f"/{path}", **fields},
        some(
            name=_TEXTS,
            method=st.sampled_from(["GET", "POST"]),
            headers=st.dictionaries(_KEYS, _TEXTS, max_size=2),
            status=st.integers(100, 599) | st.lists(st.integers(100, 599), min_size=1, max_size=2),
            json=st.dictionaries(_KEYS, _JSON, max_size=2),
            text=_or_none(_FILLED),
            max_ms=_or_none(st.integers(1, 5000)),
            follow_redirects=st.booleans(),
        ),
        _TEXTS,
    ),
    st.builds(lambda fields: {"tcp": True, **fields}, some(name=_TEXTS)),
)
_ROUTES = st.builds(
    lambda fields, port: {"port": port, **fields},
    some(
        host=_FILLED | st.lists(_FILLED, max_size=2),
        path=_TEXTS.map(lambda text: f"/{text}"),
        internal=st.booleans(),
    ),
    _PORTS,
)
_TIMES = {
    "successes": st.integers(1, 5),
    "interval": _SECONDS,
    "timeout": _SECONDS,
    "stable_for": _or_none(_SECONDS),
    "drain": _SECONDS,
    "release": _or_none(_FILLED | st.lists(_TEXTS, min_size=1, max_size=2)),
    "release_timeout": _SECONDS,
    "ephemeral": st.booleans(),
    "allow": st.sampled_from([[], ["docker.sock"]]),
}


@st.composite
def extensions(draw: st.DrawFn) -> dict[str, Any]:
    found: dict[str, Any] = draw(some(**_TIMES))
    kind = draw(st.sampled_from(["routed", "held", "singleton", "exclusive", "plain", "explicit"]))
    if kind in ("routed", "held"):
        found |= draw(
            st.fixed_dictionaries(
                {"route": _ROUTES}, optional={"probes": st.lists(_PROBES, max_size=2)}
            )
        )
    if kind in ("held", "exclusive"):
        found |= draw(
            st.fixed_dictionaries({"overlap": st.just(False)}, optional={"hold": _SECONDS})
        )
    if kind == "singleton":
        found["singleton"] = True
    if kind == "explicit":
        found |= {"route": None, "probes": [], "singleton": False, "overlap": True}
    return found


SERVICE: dict[str, st.SearchStrategy[Any]] = {
    "image": st.just("shop/app:1"),
    "command": _or_none(_WORDS),
    "entrypoint": _or_none(_WORDS),
    "environment": st.dictionaries(_VARIABLES, _TEXTS | _URLS, max_size=4),
    "expose": st.lists(_PORTS.map(str), max_size=2),
    "healthcheck": _or_none(_HEALTH),
    "init": _or_none(st.booleans()),
    "labels": st.dictionaries(_KEYS, _TEXTS, max_size=2),
    "read_only": st.booleans(),
    "restart": st.sampled_from(["no", "on-failure", "always", "unless-stopped"]),
    "stop_grace_period": _SECONDS,
    "stop_signal": _or_none(st.just("SIGINT")),
    "user": _or_none(_TEXTS),
    "volumes": st.lists(_VOLUME_MOUNTS | _TMPFS_MOUNTS | _BINDS, max_size=3),
    "working_dir": _or_none(_TEXTS),
    "ports": st.lists(_PUBLISHED, max_size=2),
    "container_name": _or_none(_TEXTS),
    "networks": st.dictionaries(
        st.sampled_from(_NETWORKS), _or_none(some(aliases=st.lists(_TEXTS, max_size=2)))
    ).map(lambda found: dict(sorted(found.items()))),  # The compose reader sorts them.
    "secrets": _FILE_REFERENCES,
    "configs": _FILE_REFERENCES,
    "logging": _or_none(
        some(
            driver=_or_none(st.just("json-file")),
            options=st.dictionaries(_KEYS, _TEXTS, max_size=2),
        )
    ),
    "tty": st.booleans(),
    "stdin_open": st.booleans(),
    "hostname": _or_none(_TEXTS),
    "shm_size": _or_none(st.integers(0, 2**40)),
    "ulimits": _ULIMITS,
    "profiles": _WORDS,
    "pull_policy": _or_none(st.just("always")),
    "platform": _or_none(st.just("linux/amd64")),
    "cap_add": _WORDS,
    "cap_drop": _WORDS,
    "extra_hosts": _WORDS,
    "security_opt": _WORDS,
    "tmpfs": _FILLED | st.lists(_FILLED, max_size=2),
    "deploy": _DEPLOY,
    "x-slipway": extensions(),
}
"""What each key of a service may be, but for those that depend on the others."""
DEPENDENT = {"name", "build", "depends_on"}


@st.composite
def sources(draw: st.DrawFn) -> Source:
    """Releases with every key that a service may have."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
    services: dict[str, dict[str, Any]] = {}
    for name in names:
        found: dict[str, Any] = draw(st.fixed_dictionaries({}, optional=SERVICE))
        if draw(st.booleans()):
            hash_ = draw(st.sampled_from(["1" * 64, "2" * 64]))
            found["build"] = {"context": f"/src/{hash_}"}
        else:
            found["image"] = POSTGRES
        if services and draw(st.booleans()):
            condition = draw(st.sampled_from(_CONDITIONS))
            needed = draw(st.sampled_from(sorted(services)))
            found["depends_on"] = {needed: {"condition": condition, "required": True}}
        services[name] = found
    content = st.tuples(
        _FILLED.map(lambda text: f"/{text}"), st.binary(max_size=9) | _TEXTS, st.booleans()
    )
    return Source(
        services,
        {name: draw(st.lists(content, max_size=2)) for name in names},
        {name: draw(st.lists(_BINDS, max_size=1)) for name in names},
        {
            "volumes": {
                "data": {},
                "media": {"driver": None, "driver_opts": {"o": "addr=nas,rw"}},
                "there": {"external": True, "name": "office"},
            },
            "networks": {"back": {"internal": True}, "front": {"external": True}},
        },
        draw(st.sets(st.sampled_from(names)).map(frozenset)),
    )
