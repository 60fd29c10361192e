"""Pinning what can be pinned, image by image."""

from collections.abc import Sequence
from dataclasses import dataclass

from slipway.errors import ConfigError, RegistryError
from slipway.pin import Edit, Finding, LookUp, plan_edits
from slipway.reference import parse_reference


@dataclass(frozen=True)
class Pinning:
    """The edits that pin images, and why others cannot be pinned."""

    edits: tuple[Edit, ...]
    problems: tuple[str, ...]


def plan_pins(findings: Sequence[Finding], look_up: LookUp) -> Pinning:
    """Pin each image that can be; unlike `scripts/pin`, one that cannot be stops no other."""
    edits: list[Edit] = []
    problems: list[str] = []
    silent: dict[str, str] = {}
    for finding in findings:
        where = f"{finding.file}:{finding.line} {finding.image}"
        try:
            registry = parse_reference(finding.image).registry
            if registry in silent:
                problems.append(f"{where}: {silent[registry]}")
                continue
            edits += plan_edits([finding], look_up)
        except RegistryError as error:
            silent[registry] = str(error).removeprefix(f"{where}: ")
            problems.append(str(error))
        except ConfigError as error:
            problems += [p if p.startswith(where) else f"{where}: {p}" for p in error.problems]
    return Pinning(tuple(edits), tuple(problems))
