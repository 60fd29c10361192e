"""Secrets that stand in a compose file as they are, and their way out of it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

from slipway.redact import holds_secret
from slipway.yaml_edit import Splice, entries, in_flow, items, line_of, parse, read_text, value_of

FOUND_IN_BUILD = (
    "a secret stands in the file, and build arguments can be read out of the image's history; "
    "change the secret, and give it to the build as a build secret, with build: {secrets: [name]}, "
    "secrets: {name: {file: …}} at the top level with a file that is in no commit, and "
    "RUN --mount=type=secret,id=name in the Dockerfile"
)
"""What is said of a literal secret among build arguments."""
_VARIABLE = re.compile(r"\$\$|\$\{?(?P<name>\w+)")
_TELLS_ABOUT_SECRETS = re.compile(
    # POSTGRES_PASSWORD_FILE, TOKEN_EXPIRE_MINUTES, AUTH_METHOD, …
    r"_(?:FILE|PATH|DIR|METHOD|TYPE|ALGORITHM|ALGO|ENABLED|URL|URI|HOST|PORT|USER|USERNAME|HEADER"
    r"|BACKEND|LENGTH|SIZE|TTL|TIMEOUT|AGE|LIFETIME|SECONDS|MINUTES|HOURS|DAYS"
    r"|EXPIR(?:E|ES|Y|ATION)\w*)$",
    re.IGNORECASE,
)
_SWITCH = re.compile(r"(?:true|false|yes|no|on|off|none|null)", re.IGNORECASE)
_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")
"""An anchor and a tag, which stand before a value."""


@dataclass(frozen=True)
class Finding:
    """A literal secret under a service's `environment`, or among its build arguments.

    Args:
        file: where it stands.
        line: its line, from 1.
        column: its column, from 0.
        service: the first service that has it; several may, by an anchor.
        key: the variable that holds it.
        value: what the container gets: `$$` is `$`.
        place: the part of the file's text that becomes a reference, with `reference` in it.
        written: how the reference is written there; `{}` stands for it.
    """

    file: Path
    line: int
    column: int
    service: str
    key: str
    value: SecretStr
    place: tuple[int, int]
    written: str


def literal_secrets(file: Path, text: str | None = None) -> list[Finding]:
    """The literal secrets of containers in a compose file, in the order of their places.

    Args:
        file: the compose file.
        text: what stands in it; read if not given.

    Raises:
        ConfigError: the file cannot be read.
    """
    return _found(file, text, "environment")


def build_secrets(file: Path, text: str | None = None) -> list[Finding]:
    """The literal secrets among build arguments; arguments and errors as of `literal_secrets`.

    They cannot be moved as those of containers are: a build argument is no place for a secret.
    """
    return _found(file, text, "build", "args")


def _found(file: Path, text: str | None, *path: str) -> list[Finding]:
    text = read_text(file) if text is None else text
    root = parse(file, text)
    flow = set(in_flow(root))
    found: dict[tuple[int, int], Finding] = {}
    for service, (_, node) in entries(value_of(root, "services")).items():
        for key, value, scalar in _variables(value_of(node, *path)):
            if _literal(value) and _secret(key, value):
                finding = _finding(file, text, service, key, value, scalar, id(scalar) in flow)
                found.setdefault(finding.place, finding)
    return sorted(found.values(), key=lambda finding: finding.place)


def _variables(environment: Node | None) -> Iterator[tuple[str, str, ScalarNode]]:
    if isinstance(environment, MappingNode):
        for key, (_, node) in entries(environment).items():
            if isinstance(node, ScalarNode) and node.tag != "tag:yaml.org,2002:null":
                yield key, str(node.value), node
    for item in items(environment):
        if isinstance(item, ScalarNode) and "=" in str(item.value):
            key, _, value = str(item.value).partition("=")
            yield key, value, item


def _literal(value: str) -> bool:
    return bool(value) and "$" not in value.replace("$$", "")


def _secret(key: str, value: str) -> bool:
    if _SWITCH.fullmatch(value):
        return False
    # By its value only, where the name tells about a secret and is none.
    return holds_secret("" if _TELLS_ABOUT_SECRETS.search(key) else key, value)


def _finding(
    file: Path, text: str, service: str, key: str, value: str, node: ScalarNode, in_flow: bool
) -> Finding:
    start, end = int(node.start_mark.index), int(node.end_mark.index)
    properties = _PROPERTIES.match(text, start, end)
    start = properties.end() if properties else start
    end = start + len(text[start:end].rstrip())
    head = f"{key}=" if str(node.value) != value else ""
    quote = text[start] if text[start] in "'\"" else '"' if in_flow else ""
    line_start = text.rfind("\n", 0, start) + 1
    return Finding(
        file=file,
        line=line_of(node) + text.count("\n", int(node.start_mark.index), start),
        column=start - line_start,
        service=service,
        key=key,
        value=SecretStr(value.replace("$$", "$")),
        place=(start, end),
        written=f"{quote}{head}{{}}{quote}",
    )


def variable_names(findings: Sequence[Finding], text: str) -> dict[Finding, str]:
    """The variable that is to hold each secret: its key, with the service's name where that key
    has several values, or where the file uses a variable of that name for something else.

    Args:
        findings: the secrets of one file.
        text: the file's text.
    """
    used = {match["name"] for match in _VARIABLE.finditer(text) if match["name"]}
    values: dict[str, set[str]] = {}
    for finding in findings:
        values.setdefault(finding.key, set()).add(finding.value.get_secret_value())
    names: dict[Finding, str] = {}
    taken: dict[str, str] = {}
    for finding in findings:
        secret = finding.value.get_secret_value()
        plain = _identifier(finding.key)
        name = plain
        if len(values[finding.key]) > 1 or name in used:
            name = _identifier(f"{finding.service}_{finding.key}").upper()
        base, number = name, 1
        while name in used or taken.get(name, secret) != secret:
            number += 1
            name = f"{base}_{number}"
        taken[name] = secret
        names[finding] = name
    return names


def _identifier(text: str) -> str:
    name = re.sub(r"\W", "_", text, flags=re.ASCII)
    return f"_{name}" if name[:1].isdigit() else name


def references(names: Mapping[Finding, str]) -> list[Splice]:
    """The changes to the file's text that put `${NAME}` in the place of each secret."""
    return [
        Splice(*finding.place, finding.written.replace("{}", f"${{{name}}}"))
        for finding, name in names.items()
    ]
