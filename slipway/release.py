"""Containers, revisions and releases as plain values.

A *revision* names a container: a hash of all that the container is made from, with the source
hash of a built image or the digest of a pulled one. A *release* is all services of a stack
together; its fingerprint also covers probes, routes and drain times, which no revision does:
editing a probe restarts nothing, but goes through the gate.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slipway.canonical import SHORT, keyed_digest
from slipway.extension import Extension
from slipway.mounted_files import Mounted
from slipway.services import Port, Service, TmpfsMount, VolumeMount

SOURCE_HASH_VARIABLE = "SLIPWAY_SOURCE_HASH"
_EXTENSION = "x-slipway"
_SHOWN = 5
_NOT_IN_A_CONTAINER = {
    *("name", "build", "image", "expose", "depends_on", "profiles", "pull_policy"),
    # What becomes of these, on this host, is told by `Placement`.
    *("volumes", "ports", "networks", "container_name", "secrets", "configs"),
    *(_EXTENSION, "extension"),
}


@dataclass(frozen=True)
class Placement:
    """What ties a container to its host.

    Args:
        mounts: volumes and folders in memory.
        mounted: files that are uploaded, and folders of the host.
        ports: what is published.
        aliases: by network, the names that it answers to.
        adopted_volumes: names on the host of its volumes that are not named after the stack.
        adopted_networks: the same of its networks.
    """

    mounts: tuple[VolumeMount | TmpfsMount, ...] = ()
    mounted: Mounted = field(default_factory=Mounted)
    ports: tuple[Port, ...] = ()
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    adopted_volumes: Mapping[str, str] = field(default_factory=dict)
    adopted_networks: Mapping[str, str] = field(default_factory=dict)

    def plain(self, key: str) -> dict[str, Any]:
        """The placement as JSON holds it, with a content's hash in its place."""
        dumped = [m.model_dump(mode="json", exclude_defaults=True) for m in self.mounts]
        paths = [
            p.model_dump(mode="json", include={"source", "target", "read_only"})
            for p in self.mounted.host_paths
        ]
        found = {
            "volumes": [*dumped, *paths],
            "files": {f.path: [f.identity(key), f.permissions] for f in self.mounted.files},
            "ports": [str(port) for port in self.ports],
            "networks": {name: list(names) for name, names in self.aliases.items()},
            # A container stays where it was made: one that is to be elsewhere is another.
            "adopted_volumes": dict(self.adopted_volumes),
            "adopted_networks": dict(self.adopted_networks),
        }
        return {name: value for name, value in found.items() if value}


@dataclass(frozen=True)
class ContainerSpec:
    """What a container is made from.

    Args:
        service: the compose file's service.
        identity: source hash of a built image, or digest of a pulled one.
        environment: variables with their values.
        placement: what ties it to its host, as JSON holds it.
        job: whether it runs to its end, where others serve.
    """

    service: Service
    identity: str
    environment: Mapping[str, str] = field(repr=False)
    placement: Mapping[str, Any] = field(default_factory=dict)
    job: bool = False

    def plain(self) -> dict[str, Any]:
        """The spec without its environment, as JSON holds it."""
        fields = self.service.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        kept = {key: value for key, value in fields.items() if key not in _NOT_IN_A_CONTAINER}
        kept.pop("environment", None)
        # A container that serves must not become a job by a change elsewhere in the file: it would
        # be stopped for good.
        part = {"role": "job"} if self.job else {}
        return {**kept, **self.placement, **part, "identity": self.identity}


def container_spec(
    service: Service,
    identity: str,
    source_hash: str | None,
    placement: Mapping[str, Any] | None = None,
    *,
    job: bool = False,
) -> ContainerSpec:
    """The spec of a service's container.

    Args:
        service: the compose file's service.
        identity: source hash or digest.
        source_hash: given to the application as SLIPWAY_SOURCE_HASH; None for a pulled image.
        placement: `Placement.plain`.
        job: whether it runs to its end.
    """
    environment = {name: value.get_secret_value() for name, value in service.environment.items()}
    if source_hash is not None:
        environment.setdefault(SOURCE_HASH_VARIABLE, source_hash)
    return ContainerSpec(service, identity, environment, placement or {}, job)


def revision(spec: ContainerSpec, key: str) -> str:
    """The revision of a container.

    It is keyed, because it stands in names and the environment may hold secrets: without the key
    nobody can try out passwords against it.

    Args:
        spec: what the container is made from.
        key: the stack's random key.
    """
    return keyed_digest(key, {"spec": spec.plain(), "environment": dict(spec.environment)})[:SHORT]


def fingerprint(revisions: Mapping[str, str], extensions: Mapping[str, Extension], key: str) -> str:
    """The name of a release: equal for two releases when their containers and checks are.

    It is keyed as revisions are: a probe's header may hold a secret.
    """
    checks = {
        name: extension.model_dump(mode="json", by_alias=True)
        for name, extension in extensions.items()
    }
    return keyed_digest(key, {"revisions": dict(revisions), "checks": checks})


def ledger_view(ledger: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The newest releases as people read them: when, by whom, and what each service runs.

    Not all of them: a preview shows a list that has a new head as changed from end to end.
    """
    shown = ("number", "time", "actor", "rollback_of", "hotfix")
    return [
        {
            **{key: entry[key] for key in shown if key in entry},
            **({"commit": entry["git"]["commit"]} if "git" in entry else {}),
            "images": {
                name: service["image"]
                for name, service in entry["services"].items()
                if not service.get("job_of")
            },
        }
        for entry in ledger[:_SHOWN]
    ]


def by_number(ledger: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The ledger as the state keeps it, so that a difference shows what is new and nothing else."""
    return {str(entry["number"]): entry for entry in ledger}


def prepend(
    ledger: list[dict[str, Any]], entry: Mapping[str, Any], keep: int
) -> list[dict[str, Any]]:
    """The ledger with the release at its head, numbered; unchanged where it is there already.

    Args:
        ledger: releases, newest first.
        entry: the release, without its number.
        keep: how many releases to keep, at least 1.
    """
    if ledger and ledger[0]["fingerprint"] == entry["fingerprint"]:
        return ledger
    number = ledger[0]["number"] + 1 if ledger else 1
    return [{"number": number, **entry}, *ledger][: max(keep, 1)]
