"""What a release is made from, as the ledger keeps it.

A record is complete: `slipway.released` restores the release without compose file, Dockerfile or
source, for whoever has the state and the registry. Secrets stand in it by reference: `${NAME}` is
today's value of `slipway:secrets.NAME`; `${kept:…}` is a value that no configuration has, such as a
password in the compose file or the content of a mounted file, which the state keeps as a secret.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from slipway.canonical import keyed_digest
from slipway.extension import Probe, Route
from slipway.mounted_files import Mounted
from slipway.none_values import with_none, without_none
from slipway.redact import holds_secret, url_passwords
from slipway.secret_references import doubled, refer, references, resolve
from slipway.services import BindMount, Project, Service

KEPT = "kept:"
_KEPT_DIGITS = 16
_LONG_ENOUGH = 4
"""Shorter literals (a port, `1`, `on`) are in so many other texts that only their own variable is
kept by reference."""
_ELSEWHERE = {"name", "build", "environment", "secrets", "configs"}
"""What stands elsewhere in a record, or is not needed to make a container."""


@dataclass(frozen=True)
class Record:
    """One service as the ledger keeps it.

    Args:
        content: JSON, with secrets by reference.
        kept: values of the references that begin with `kept:`.
    """

    content: Mapping[str, Any]
    kept: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def holds_secret(self) -> bool:
        """Whether the service's settings hold a secret."""
        files = self.content.get("files", [])
        plain = {k: v for k, v in self.content.items() if k != "files"}
        return bool(references(plain)) or any(f.get("secret") or "text" in f for f in files)


@dataclass(frozen=True)
class Marked:
    """The same project, read with a marker in the place of each secret of the configuration.

    A value alone does not tell where it comes from: a password may be equal to a user's name.

    Args:
        project: the project with markers.
        mounted: what its services mount.
        names: each secret's name, by its marker.
    """

    project: Project
    mounted: Mapping[str, Mounted]
    names: Mapping[str, str]


def markers(secrets: Mapping[str, str], key: str) -> dict[str, str]:
    """A text for each secret that stands nowhere else."""
    return {name: f"s{keyed_digest(key, {'marker': name})[:31]}" for name in secrets}


def record(
    service: Service,
    mounted: Mounted,
    key: str,
    secrets: Mapping[str, str],
    marked: Marked | None = None,
) -> Record:
    """A service as the ledger keeps it.

    Args:
        service: the service.
        mounted: what it mounts beside named volumes.
        key: the stack's random key.
        secrets: values of the configuration's secrets, by name.
        marked: the project with markers in their place; None where it has no secrets, or cannot be
            read in that way. Then what holds a secret's value is kept.
    """
    content = _content(service, mounted)
    twin = marked and marked.project.services.get(service.name)
    if marked and twin:
        pattern = _content(twin, marked.mounted.get(service.name, Mounted()))
        values = {name: secrets[name] for name in marked.names.values()}
        # A path that holds a marker is not there.
        if len(pattern.get("files", [])) == len(content.get("files", [])):
            found = _record(pattern, key, dict(marked.names), content)
            if _resolvable(found, values) == content:
                return found
    return _record(content, key, _all_kept(secrets, key), content)


def _resolvable(found: Record, secrets: Mapping[str, str]) -> Any:
    return unpacked(resolve(found.content, {**secrets, **found.kept}))


def _all_kept(secrets: Mapping[str, str], key: str) -> dict[str, str]:
    return {v: _kept_name(v, key) for v in secrets.values() if len(v) >= _LONG_ENOUGH}


def _kept_name(value: str, key: str) -> str:
    return f"{KEPT}{keyed_digest(key, {'kept': value})[:_KEPT_DIGITS]}"


def _content(service: Service, mounted: Mounted) -> dict[str, Any]:
    """All that a service's container is made from but its image, with its secrets."""
    # What is mounted from this machine's folders is among the files.
    volumes = [mount for mount in service.volumes if not isinstance(mount, BindMount)]
    portable = service.model_copy(update={"volumes": volumes}) if service.volumes else service
    dumped = portable.model_dump(mode="json", by_alias=True, exclude_unset=True)
    environment = {name: value.get_secret_value() for name, value in service.environment.items()}
    files = [
        {"path": f.path, "permissions": f.permissions, "secret": f.secret, "content": f.content}
        for f in mounted.files
    ]
    paths = [p.model_dump(mode="json", exclude_unset=True) for p in mounted.host_paths]
    found = {
        "service": {k: v for k, v in dumped.items() if k not in _ELSEWHERE},
        "environment": environment,
        "files": files,
        "host_paths": paths,
    }
    return {name: value for name, value in found.items() if value}


def _record(
    pattern: Mapping[str, Any], key: str, names: dict[str, str], actual: Mapping[str, Any]
) -> Record:
    kept: dict[str, str] = {}

    def keep(value: str) -> str:
        kept[_kept_name(value, key)] = value
        return _kept_name(value, key)

    literals = {
        name: value
        for name, value in pattern.get("environment", {}).items()
        if value and holds_secret(name, value) and not any(known in value for known in names)
    }
    own = {name: f"${{{keep(value)}}}" for name, value in literals.items()}
    # A password beside what is referred to: postgres://user:password@db/${NAME}
    partial = [
        password
        for value in pattern.get("environment", {}).values()
        for password in url_passwords(value)
        if not any(known in password for known in names)
    ]
    hidden = [*literals.values(), *partial]
    names |= {value: keep(value) for value in hidden if len(value) >= _LONG_ENOUGH}
    content = without_none(refer({k: v for k, v in pattern.items() if k != "files"}, names))
    if own:
        content["environment"] |= own
    found = [
        _file(file, real, names, keep)
        for file, real in zip(pattern.get("files", []), actual.get("files", []), strict=True)
    ]
    kept |= {n: v for v, n in names.items() if n.startswith(KEPT)}
    content = {**content, **({"files": found} if found else {})}
    return Record(content, {n: kept[n] for n in references(content) if n in kept})


def _file(
    file: Mapping[str, Any], actual: Mapping[str, Any], names: Mapping[str, str], keep: Any
) -> dict[str, Any]:
    entry = {"path": refer(file["path"], names), "permissions": file["permissions"]}
    if file["secret"]:
        entry["secret"] = True
    if file["content"] == actual["content"]:
        encoded = base64.b64encode(file["content"]).decode()
        return {**entry, "base64": f"${{{keep(encoded)}}}"}

    def beside(part: str) -> str:  # What stands beside one secret may be another.
        return f"${{{keep(part)}}}" if part.strip() else doubled(part)

    text = file["content"].decode(errors="replace")
    return {**entry, "text": refer(text, names, beside)}


def unpacked(resolved: Any) -> dict[str, Any]:
    """A record's content as its values are, once its references have theirs."""
    found: dict[str, Any] = with_none(resolved)
    for file in found.get("files", []):
        file.setdefault("secret", False)
        if "base64" in file:
            file["content"] = base64.b64decode(file.pop("base64"))
        else:
            file["content"] = file.pop("text").encode()
    return found


def project_record(
    project: Project, key: str, secrets: Mapping[str, str], marked: Marked | None = None
) -> Record:
    """What the ledger keeps of a project beside its services; see `record`.

    Options of a volume's driver may hold secrets, such as a share's password.
    """
    content = _beside(project)
    if marked:
        values = {name: secrets[name] for name in marked.names.values()}
        volumes = refer(_beside(marked.project)["volumes"], marked.names)
        if resolve(volumes, values) == content["volumes"]:
            return Record({**content, "volumes": volumes})
    names = _all_kept(secrets, key)
    volumes = refer(content["volumes"], names)
    used = references(volumes)
    kept = {name: value for value, name in names.items() if name in used}
    return Record({**content, "volumes": volumes}, kept)


def _beside(project: Project) -> dict[str, Any]:
    return {
        "name": project.name,
        "volumes": _dumped(project.volumes),
        "networks": _dumped(project.networks),
    }


def _dumped(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.model_dump(mode="json", exclude_unset=True) for name, value in values.items()
    }


def probes_of(found: Mapping[str, Any]) -> tuple[Route | None, list[tuple[str, Probe | None]]]:
    """Route and probes of a service of the ledger; None for a probe whose request holds a secret.

    Args:
        found: the service's entry.
    """
    checks = found.get("record", {}).get("service", {}).get("x-slipway") or {}
    route = with_none(checks.get("route"))
    hidden = bool(references(route))
    probes = []
    for probe in checks.get("probes", []):
        secret = hidden or references(probe)
        plain = None if secret else Probe.model_validate(with_none(resolve(probe, {})))
        title = plain.title if plain else probe.get("name") or probe.get("path", "")
        probes.append((str(title), plain))
    plain_route = Route.model_validate(resolve(route, {})) if route and not hidden else None
    return plain_route, probes


def own_services(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The services of an entry without those that others imply."""
    return {n: found for n, found in entry["services"].items() if not found.get("job_of")}


def same_release(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two entries run the same: digests and specs are equal, secrets by reference."""

    def identity(entry: Mapping[str, Any]) -> Any:
        services = own_services(entry).items()
        return entry["project"], {n: (s["image"], s["record"]) for n, s in services}

    return bool(identity(one) == identity(other))


def kept_names(entries: Any) -> set[str]:
    """The names of the values that entries of the ledger need the state to keep."""
    return {name for name in references(entries) if name.startswith(KEPT)}
