"""What a proposal cannot settle: what the user has to decide or to change, and where."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from slipway.conventions import fails_softly, is_dev_command, migration_in
from slipway.dockerignore import ignore_file
from slipway.init.fronts import is_front, looks_at_docker
from slipway.init.outline import Mount, Outline, ServiceOutline
from slipway.init.proposals import Proposals, applications
from slipway.init.source import Source, Sources, settings
from slipway.init.writing import flow
from slipway.literal_secrets import FOUND_IN_BUILD, build_secrets, literal_secrets
from slipway.redact import looks_secret
from slipway.yaml_edit import items, line_of, text_of, value_of

_SOCKET = "docker.sock"


@dataclass(frozen=True, order=True)
class Remark:
    """One thing to decide.

    Args:
        line: its line in the compose file.
        key: the key, from the service's name on.
        text: why, and what to do.
    """

    line: int
    key: str
    text: str


def remarks(outline: Outline, proposals: Proposals, sources: Sources) -> list[Remark]:
    """What is left to decide, in the order of the file's lines.

    Args:
        outline: the compose file, with what was proposed in it.
        proposals: what was proposed.
        sources: the sources of its build contexts.
    """
    found = [*_in_file(outline), *_left_open(outline, proposals)]
    found += _ignored(outline)
    apps = {app.name for app in applications(outline)}
    for service in outline.services:
        found += _in_service(outline, service)
        if service.name in apps or service.name in proposals.routed:
            found += _ports(service)
        if service.name in apps:
            found += _in_application(outline, service, sources.of(service.context))
        else:
            found += _in_backing(service)
    # What an anchor brings to several services is told once.
    first = {(remark.line, remark.text): remark for remark in reversed(found)}
    return sorted(first.values())


def _in_file(outline: Outline) -> Iterator[Remark]:
    for finding in literal_secrets(outline.file, outline.text):
        yield Remark(
            finding.line,
            f"{finding.service}.environment.{finding.key}",
            f"is a secret that everyone can read who has the file; run scripts/secrets "
            f"{outline.file}",
        )
    for found in build_secrets(outline.file, outline.text):
        yield Remark(found.line, f"{found.service}.build.args.{found.key}", FOUND_IN_BUILD)
    for name, line in outline.unset.items():
        kept = (
            f"run pulumi config set --secret --stack <stack> --path slipway:secrets.{name}"
            if looks_secret(name)
            else "set it under slipway:variables of the stacks"
        )
        text = f"has no value; {kept}, or write ${{{name}:-}} if it may be empty"
        yield Remark(line, f"${{{name}}}", text)
    for key in ("include", "extends"):
        holders = [outline.root, *(service.node for service in outline.services)]
        for node in [value_of(holder, key) for holder in holders]:
            if node is not None:
                yield Remark(line_of(node), key, "what it brings was not looked at; see to it")


def _left_open(outline: Outline, proposals: Proposals) -> Iterator[Remark]:
    services = {service.name: service for service in outline.services}
    for name, key, text in proposals.to_decide:
        if name in proposals.entries:
            yield Remark(services[name].line("x-slipway"), f"{name}.{key}", text)
    if not proposals.routed and not any(s.has_extension for s in outline.services):
        yield Remark(
            1,
            "services",
            "none is seen to answer HTTP; write x-slipway: {route: {port: …}} on the one that does",
        )


def _in_service(outline: Outline, service: ServiceOutline) -> Iterator[Remark]:
    name = service.name
    if value_of(service.node, "container_name") is not None:
        yield Remark(
            service.line("container_name"),
            f"{name}.container_name",
            "is kept as a name within the stack; the containers' own names are made by Slipway, "
            "since old and new cannot share one. Change scripts that use it",
        )
    if value_of(service.node, "network_mode") is not None:
        yield Remark(
            service.line("network_mode"),
            f"{name}.network_mode",
            "the proxy reaches services by the stack's own network; remove it, and call other "
            "services by their names",
        )
    yield from _env_files(outline, service)
    for mount in service.mounts:
        yield from _mounted(outline, service, mount)
    if fails_softly(service.health):
        yield Remark(
            service.line("healthcheck"),
            f"{name}.healthcheck",
            "passes even when the answer is an error such as 500; add --fail to curl, or check the "
            "status",
        )


def _env_files(outline: Outline, service: ServiceOutline) -> Iterator[Remark]:
    node = value_of(service.node, "env_file")
    for item in [node, *items(node)]:
        path = text_of(item) or text_of(value_of(item, "path"))
        optional = text_of(value_of(item, "required")) == "false"
        if item is None or not path or "$" in path or optional:
            continue
        if not (outline.file.parent / path).is_file():
            yield Remark(
                line_of(item),
                f"{service.name}.env_file",
                f"{path} is not there; write it (is there an example beside it?), or give its "
                "variables under environment, with ${NAME} for secrets",
            )


def _mounted(outline: Outline, service: ServiceOutline, mount: Mount) -> Iterator[Remark]:
    key = f"{service.name}.volumes"
    if _SOCKET in mount.source:
        yield Remark(
            mount.line,
            key,
            f"{mount.source} gives the container the whole host; remove it, or write x-slipway: "
            "{allow: [docker.sock]} if that is meant",
        )
        return
    if mount.source.startswith("~"):
        yield Remark(
            mount.line,
            key,
            f"{mount.source} is another folder on every machine; write an absolute path of the "
            "Docker host, or a path of the project (./…)",
        )
        return
    if not mount.is_path or mount.source.startswith("/"):
        return
    folder = outline.file.parent.resolve()
    source = (folder / mount.source).resolve()
    code = service.context is not None and (
        source == service.context.resolve() or any(source.rglob("*.py"))
    )
    if code and source.is_dir():
        yield Remark(
            mount.line,
            key,
            f"{mount.text} hides the image's code, so that other code than the released would run; "
            "move it to a compose.override.yaml for development",
        )
    elif not source.is_file() and not (mount.read_only and source.is_dir()):
        yield Remark(
            mount.line,
            key,
            f"{mount.text} keeps data in a folder of this checkout; use a named volume, or an "
            "absolute path of the Docker host. Configuration that only is read: add :ro",
        )


def _ports(service: ServiceOutline) -> Iterator[Remark]:
    route = text_of(value_of(service.node, "x-slipway", "route", "port"))
    for port in service.ports:
        key = f"{service.name}.ports"
        if route == str(port.target):
            yield Remark(
                port.line,
                key,
                f'"{port.text}" is not published: Slipway\'s proxy listens instead, on '
                "slipway:port; remove it, or move it to a compose.override.yaml for development",
            )
        elif port.target == 443 and is_front(service):
            yield Remark(
                port.line,
                key,
                f'"{port.text}": TLS does not reach it, since Slipway\'s proxy speaks HTTP to it; '
                "remove it, let what is before the proxy end TLS, and switch redirects to HTTPS "
                "off here",
            )
        else:
            also = "" if route else "; if it is not HTTP, write x-slipway: {singleton: true}"
            yield Remark(
                port.line,
                key,
                f'"{port.text}" binds a port of the host, which old and new cannot share; remove '
                f"it, or move it to a compose.override.yaml for development{also}",
            )


def _in_application(outline: Outline, service: ServiceOutline, source: Source) -> Iterator[Remark]:
    if any(is_dev_command(run) for run in source.run_by(service.command)):
        yield Remark(
            service.line("command"),
            f"{service.name}.command",
            "starts a server for development, which is refused in production; start gunicorn or "
            "uvicorn without --reload",
        )
    yield from _migrating(service, source)
    probed = value_of(service.node, "x-slipway", "probes") is not None
    for setting in settings(source, "SECURE_SSL_REDIRECT")[:1]:
        if setting.value is True and probed:
            yield Remark(
                service.line("x-slipway"),
                f"{service.name}.x-slipway.probes",
                f"{setting.file}:{setting.line} sends every plain request to HTTPS, probes too; "
                "name the health check's path in SECURE_REDIRECT_EXEMPT",
            )


def _migrating(service: ServiceOutline, source: Source) -> Iterator[Remark]:
    """A migration at each start, which could be a step of its own."""
    found = next((m for run in source.run_by(service.command) if (m := migration_in(run))), None)
    if found is None or value_of(service.node, "x-slipway", "release") is not None:
        return
    yield Remark(
        service.line("command"),
        f"{service.name}.command",
        f"changes the database's schema whenever it starts; to have it run once a release, before "
        f"the new containers start, and shown, write x-slipway: {{release: {flow(found)}}} and "
        "take it out of the command",
    )


def _ignored(outline: Outline) -> Iterator[Remark]:
    """The compose file is part of a build context, and would be of the images' identity."""
    told: set[Path] = set()
    for service in outline.services:
        context = service.context
        if context is None or outline.file.resolve().parent != context.resolve():
            continue
        dockerfile = text_of(value_of(service.node, "build", "dockerfile")) or "Dockerfile"
        ignore = ignore_file(context, dockerfile)
        place = ignore or context / ".dockerignore"
        if place in told or (ignore and _leaves_out(ignore, outline.file.name)):
            continue
        told.add(place)
        add = f"add the line {outline.file.name} to {place}"
        yield Remark(
            service.line("build"),
            f"{service.name}.build",
            f"{outline.file.name} is part of the build context, so that a changed probe makes "
            f"another image; {add if ignore else f'{add}, which is not there yet'}",
        )


def _leaves_out(ignore: Path, name: str) -> bool:
    lines = ignore.read_text("utf-8", "replace").splitlines()
    patterns = [re.escape(line.strip().strip("/")).replace(r"\*", ".*") for line in lines]
    return any(re.fullmatch(pattern, name) for pattern in patterns)


def _in_backing(service: ServiceOutline) -> Iterator[Remark]:
    known = service.known
    if looks_at_docker(service):
        yield Remark(
            line_of(service.key),
            service.name,
            f"{known.name if known else 'it'} leads to every container that it sees, unproven ones "
            "too; remove it, Slipway's proxy takes its place",
        )
    if known and known.kind == "database" and not any(m.source for m in service.mounts):
        folder = known.data[0] if known.data else "/data"
        yield Remark(
            line_of(service.key),
            service.name,
            "a database without a volume loses its data with its container; add volumes: "
            f'["{service.name}-data:{folder}"], and the volume at the top level, or write '
            "x-slipway: {ephemeral: true}",
        )
