"""What is refused before anything changes."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from slipway.dockerfile import Need, builder_needs
from slipway.errors import ConfigError, HostError
from slipway.host import LABEL_CONFIG, LABEL_CONFIG_BEFORE, Host
from slipway.image_plan import ImagePlan
from slipway.key_lines import KeyLines
from slipway.redact import SHORTEST
from slipway.reference import parse_reference
from slipway.services import Build, Project

_REFUSED_VARIABLES = {
    "PULUMI_CONTINUE_ON_ERROR": "after a failed build the engine would delete what serves",
    "PULUMI_SKIP_CHECKPOINTS": "a run that is killed would leave no trace of what it tried",
}


_BUILD_REMEDIES = {
    "args": "build arguments can be read out of the image's history; give it to the container "
    "under environment, or to the build as a build secret",
    "labels": "labels can be read out of the image; remove it",
    "additional_contexts": "where a build takes files from stands in the state; take it out of "
    "the address, and fetch what needs it with a build secret",
    "target": "a stage's name stands in the state; remove it",
}

_UPDATE = re.compile(r"(?:\S*/)?pulumi\s(?:.*\s)?(?:up|update)(?:\s|$)")
_SKIPS_PREVIEW = re.compile(r"\s(?:--skip-preview|-[a-z]*f[a-z]*)(?:[\s=]|$)")


def refuse_secret_arguments(project: Project, lines: KeyLines, secrets: Mapping[str, str]) -> None:
    """Refuse builds in which a secret would stand: in the image, in its hash or in the state.

    Raises:
        ConfigError: one or more do.
    """
    problems = [
        f"{lines.where('services', name, 'build', *key)}: holds the secret {secret}; "
        f"{_BUILD_REMEDIES[key[0]]}"
        for name, service in project.services.items()
        for key, value in (_build_texts(service.build) if service.build else ())
        for secret, hidden in secrets.items()
        if hidden and (hidden == value or (len(hidden) >= SHORTEST and hidden in value))
    ]
    if problems:
        raise ConfigError(problems)


def _build_texts(build: Build) -> Iterator[tuple[tuple[str, ...], str]]:
    """What of a build can be read later, by its key."""
    for argument, value in build.args.items():
        yield ("args", argument), value or ""
    for label, value in build.labels.items():
        yield ("labels", label), value
    for context, place in build.additional_contexts.items():
        yield ("additional_contexts", context), place
    yield ("target",), build.target or ""


def refuse_engine_options(environ: Mapping[str, str], command_lines: Iterable[str]) -> None:
    """Refuse what makes the engine go on, or forget, where the gate must be able to stop it.

    Args:
        environ: process environment.
        command_lines: of the processes that this one descends from.

    Raises:
        ConfigError: such an option is set.
    """
    problems = [
        f"{name} is set: {why}; unset it"
        for name, why in _REFUSED_VARIABLES.items()
        if environ.get(name, "").lower() not in ("", "0", "false")
    ]
    if any("--continue-on-error" in line for line in command_lines):
        why = _REFUSED_VARIABLES["PULUMI_CONTINUE_ON_ERROR"]
        problems.append(f"pulumi was called with --continue-on-error: {why}; leave it out")
    if problems:
        raise ConfigError(problems)


def previewed(environ: Mapping[str, str], command_lines: Iterable[str]) -> bool:
    """Whether the update that runs comes after a preview of the same command, which has warned.

    Args:
        environ: process environment.
        command_lines: of the processes that this one descends from.
    """
    if any("SKIP_PREVIEW" in name for name in environ):
        return False
    updates = [line for line in command_lines if _UPDATE.match(line)]
    return bool(updates) and not any(_SKIPS_PREVIEW.search(line) for line in updates)


def ancestors() -> list[str]:
    """Command lines of the processes that this one descends from."""
    lines = []
    for process in psutil.Process().parents():
        with suppress(psutil.Error):
            lines.append(" ".join(process.cmdline()))
    return lines


def require_pinned_ingress(image: str | None) -> str:
    """The ingress image, if it is pinned.

    Raises:
        ConfigError: there is none, or it is not pinned by digest.
    """
    if not image:
        raise ConfigError(
            [
                "no ingress image: run scripts/bootstrap and . scripts/activate, or set "
                "slipway:ingressImage to a Caddy (2.11 or newer) with its @sha256 digest"
            ]
        )
    if not parse_reference(image).pinned:
        raise ConfigError(
            [f"slipway:ingressImage: {image} is not pinned by digest; add its @sha256:… digest"]
        )
    return image


def require_external(project: Project, lines: KeyLines, host: Host) -> None:
    """Refuse networks and volumes that should be on the host, and are not.

    Raises:
        HostError: one or more are missing.
    """
    missing = [
        f"{lines.where('networks', name)}: there is no network {network.name or name} on the "
        f"Docker host; create it (docker network create {network.name or name}), or remove external"
        for name, network in project.networks.items()
        if network.external and not host.networks(network.name or name)
    ]
    missing += [
        f"{lines.where('volumes', name)}: there is no volume {volume.name or name} on the Docker "
        f"host; create it (docker volume create {volume.name or name}), or remove external"
        for name, volume in project.volumes.items()
        if volume.external and not host.has_volume(volume.name or name)
    ]
    if missing:
        raise HostError("\n".join(missing))


def require_builder(images: Iterable[ImagePlan], host: Host) -> None:
    """Refuse builds that the engine's BuildKit is too old for.

    Raises:
        HostError: an image that must be built needs a newer engine.
    """
    engine = host.engine_version()
    problems = []
    for image in images:
        if image.digest is not None:
            continue
        file = Path(image.build.context, image.build.dockerfile)
        needs = builder_needs(file.read_text("utf-8", "replace")) if file.is_file() else []
        if image.build.additional_contexts:
            needs.append(Need("additional_contexts", 1, (23, 0)))
        problems += [
            f"{file}:{need.line} {need.feature} needs the BuildKit of Docker Engine "
            f"{need.engine[0]}.{need.engine[1]} or newer, and this one is "
            f"{engine[0]}.{engine[1]}; update the engine, or write it another way"
            for need in needs
            if engine < need.engine
        ]
    if problems:
        raise HostError("\n".join(dict.fromkeys(problems)))


def refuse_other_name(found: Mapping[str, Any] | None, wanted: str) -> None:
    """Refuse to go on under another name than the one that the stack began with.

    Args:
        found: the ingress container in the state, None where there is none yet.
        wanted: the name that it would get now.

    Raises:
        ConfigError: the compose project or the stack was renamed.
    """
    if found is None or found.get("name") == wanted:
        return
    was = str(found.get("name")).removesuffix("-ingress")
    now = wanted.removesuffix("-ingress")
    raise ConfigError(
        [
            f"the compose project or the stack was renamed: this stack is {was} on its host, and "
            f"would become {now}, with other volumes and none of the data; name it back, or run "
            "pulumi destroy first and move the data"
        ]
    )


def has_settings(labels: Mapping[str, str], wanted: str) -> bool:
    """Whether a proxy is what is wanted, or can be it without being made anew.

    Args:
        labels: of its container.
        wanted: the settings' name (`slipway.proxy.settings_id`).
    """
    if LABEL_CONFIG not in labels:
        return True
    return wanted in (labels[LABEL_CONFIG], labels.get(LABEL_CONFIG_BEFORE))


def labels_of(found: Mapping[str, Any]) -> dict[str, str]:
    """The labels of a container in the state."""
    return {str(pair["label"]): str(pair["value"]) for pair in found.get("labels") or []}


def require_own_names(names: list[str], owner_label: str, owner: str, host: Host) -> None:
    """Refuse when containers of these names belong to someone else.

    Raises:
        HostError: another backend, or something that is not Slipway, has made one of them.
    """
    for name in names:
        found = host.container(name)
        if found is not None and found.labels.get(owner_label) != owner:
            raise HostError(
                f"container {name} is there already, and this stack's state has not made it; if "
                f"nothing needs it, remove it (docker rm -f {name}); if another clone of the "
                "project deploys to this host, use its backend, or another stack name"
            )
