"""A release out of the ledger, as it was when it was made from its source."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slipway.blueprint import kept_names, own_services, unpacked
from slipway.errors import ConfigError
from slipway.image_plan import ReleasedImage
from slipway.mounted_files import Mounted, UploadedFile
from slipway.reference import ImageReference, parse_reference
from slipway.secret_references import resolve
from slipway.services import BindMount, Project, Service


@dataclass(frozen=True)
class Restored:
    """A release out of the ledger.

    Args:
        project: its services, volumes and networks.
        images: by service.
        mounted: what services mount beside named volumes.
        alone: services that must be proven before others start.
    """

    project: Project
    images: Mapping[str, ReleasedImage | ImageReference]
    mounted: Mapping[str, Mounted]
    alone: frozenset[str]


def restore(entry: Mapping[str, Any], values: Mapping[str, str]) -> Restored:
    """The release that an entry of the ledger tells of.

    Args:
        entry: the entry.
        values: of all references, by name.

    Raises:
        ConfigError: values are gone; all of them are named.
    """
    found = _resolved(entry, values)
    services: dict[str, Service] = {}
    mounted: dict[str, Mounted] = {}
    for name, content in sorted(found["records"].items()):
        built = bool(entry["services"][name].get("source_hash"))
        services[name] = _service(name, content, built=built)
        mounted[name] = _mounted(content)
    project = Project(file=f"release {entry['number']}", services=services, **found["project"])
    images = {name: _image(entry["services"][name], services[name]) for name in services}
    alone = frozenset(name for name, kept in entry["services"].items() if kept.get("alone"))
    return Restored(project, images, mounted, alone)


def _resolved(entry: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """Project and records of an entry with values for references; what has none is told at once."""
    lost = kept_names(entry) - values.keys()
    records = {name: kept["record"] for name, kept in own_services(entry).items()}
    volumes = entry["project"]["volumes"]
    problems: list[str] = []
    known = {**values, **dict.fromkeys(lost, "")}
    try:
        records, volumes = resolve([records, volumes], known)
    except ConfigError as error:
        problems += error.problems
    if lost:
        problems.append(
            f"release {entry['number']} needs what the state has lost ({', '.join(sorted(lost))}), "
            "and no configuration has; release its source again"
        )
    if problems:
        raise ConfigError(problems)
    return {
        "records": {name: unpacked(record) for name, record in records.items()},
        "project": {**entry["project"], "volumes": volumes},
    }


def _service(name: str, content: Mapping[str, Any], *, built: bool) -> Service:
    fields = {**content.get("service", {}), "environment": content.get("environment", {})}
    build = {"build": {"context": ""}} if built else {}
    return Service.model_validate({**fields, **build, "name": name})


def _image(kept: Mapping[str, Any], service: Service) -> ReleasedImage | ImageReference:
    if kept.get("source_hash"):
        return ReleasedImage(parse_reference(kept["image"]), kept["source_hash"])
    return parse_reference(str(service.image))


def _mounted(content: Mapping[str, Any]) -> Mounted:
    return Mounted(
        tuple(UploadedFile(**file) for file in content.get("files", [])),
        tuple(BindMount.model_validate(path) for path in content.get("host_paths", [])),
    )
