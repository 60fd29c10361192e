"""What the complaints of Compose's reader are about, and taking that out of a copy of the file."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from slipway.compose_document import (
    Document,
    KeyPath,
    env_files_elsewhere,
    take_entry,
    take_file,
)
from slipway.compose_words import said_of, unknown_key, unread_file
from slipway.key_lines import KeyLines
from slipway.unset_variables import unset_variable, variables_in

_PLACEHOLDER = "slipway"
_REQUIRED = re.compile(
    r"required variable (\w+) is missing a value(?:: (.*?))?(?=; error while|; service |\n|$)"
)
_ENV_FILE = re.compile(r"(?:env file|Couldn't find env file:) ?(\S+)")
_NOT_READ = re.compile(r"failed to read (\S+): line \d+: ")
_NOT_THERE = re.compile(r"open (\S+): no such file")
_UNDEFINED = re.compile(
    r'service "([^"]+)" (?:refers to undefined|depends on undefined) (\w+) "?([^\s:"]+)'
)
_NO_BASE = re.compile(r'cannot extend service "([^"]+)" in \S+: service "([^"]+)" not found')
_NO_TEXT = re.compile(r"non-string key (?:in (\S+)|at top level): (\S+)")
_CYCLE = re.compile(r"dependency cycle detected: (\S+(?: -> \S+)+)")
_UNKNOWN = re.compile(
    r"validating \S+: (\S*) ?additional properties ('.+?'(?:, '.+?')*) not allowed"
)
_AT_PATH = (
    re.compile(r"validating [^:\n]+: (\S+) (.+)"),
    re.compile(r"'(services\S+)' (.+?)(?=; '|\n|$)"),
    re.compile(r"(services\S+\.\[\d+\]): (un(?:expected type|supported \w+ value) .+)"),
    re.compile(r"(services\S+\.\[\d+\]) (is missing.*)"),
    re.compile(r"invalid interpolation format for (\S+?)\.?[;\s](.*)", re.DOTALL),
    re.compile(r"error while interpolating (\S+): (failed to cast.+?)(?=; error while|\n|$)"),
)
_ELSEWHERE = re.compile(r"validating (\S+): (\S+) (.+)")
_LISTED = {"network": "networks", "volume": "volumes", "secret": "secrets", "config": "configs"}


class Faults:
    """Finds what a complaint is about, and takes it out of a copy of the compose file.

    Each kind of fault gives a line for all that was taken; None where it was told already.

    Args:
        file: the compose file.
        lines: finds lines of it.
        copy: of it.
    """

    def __init__(self, file: Path, lines: KeyLines, copy: Document) -> None:
        self._file = file
        self._lines = lines
        self._copy = copy
        self.required: dict[str, str] = {}
        """Values for variables that must have one, so that the file can be read."""
        self.complete = True
        """Whether no service was taken out, nor what one waits for."""
        self.unread: set[str] = set()
        """Services from which a key with a value was taken out that could not be read."""
        self._unset: set[str] = set()
        self._without_include = False

    def take_out(self, complaint: str) -> list[str | None]:
        """Take out all that a complaint names; empty if it names nothing."""
        kinds = (
            self._required_variables,
            self._env_files,
            self._missing_files,
            self._undefined,
            self._cycles,
            self._missing_bases,
            self._keys_that_are_no_texts,
            self._unknown_keys,
            self._at_paths,
            self._included,
        )
        return [problem for kind in kinds for problem in kind(complaint)]

    def unset(self, names: tuple[str, ...]) -> list[str]:
        """What is told of variables without a value, once each."""
        new = [name for name in names if name not in self._unset]
        self._unset.update(new)
        return [unset_variable(self._lines, name) for name in new]

    def take_empty(self) -> bool:
        """Take out what is nothing for want of a value, such as `volumes: ["${MEDIA}"]`."""
        paths: list[KeyPath] = [
            ["services", name, key, index]
            for name, service in self._copy.services()
            for key, items in service.items()
            if isinstance(items, list)
            for index, item in reversed(list(enumerate(items)))
            if isinstance(item, str) and variables_in(item) & self._unset
        ]
        for path in paths:
            self._note(path)
        taken = [self._copy.delete(path) for path in paths]
        return True in taken

    def take(self, path: KeyPath, reason: str) -> str | None:
        """Take out what stands at a path, or a whole service, and tell the reason."""
        problem = self._problem(path, reason, self._copy.get(path))
        if len(path) == 2 and path[0] == "services":
            self._leave_out(str(path[1]))
        else:
            self._copy.delete(path)
            self._note(path)
        return problem

    def _note(self, path: KeyPath) -> None:
        if path[0] == "services":
            self.unread.add(str(path[1]))
            self.complete = self.complete and path[2:3] != ["depends_on"]

    def _required_variables(self, complaint: str) -> Iterator[str | None]:
        for name, reason in _REQUIRED.findall(complaint):
            if name not in self.required:
                self.required[name] = _PLACEHOLDER
                self._unset.add(name)
                yield unset_variable(self._lines, name, reason.strip())

    def _env_files(self, complaint: str) -> Iterator[str | None]:
        missing = _ENV_FILE.findall(complaint) if "env file" in complaint else []
        for path in missing:
            taken = [name for name, service in self._copy.services() if take_file(service, path)]
            places = [self._lines.where("services", name, "env_file") for name in taken]
            for place in places or self._leave_out_users(path):
                yield (
                    f"{place}: {Path(path).name} is not there ({path}); write it (is there an "
                    "example beside it?), or give its variables under environment"
                )
        for path in _NOT_READ.findall(complaint):
            read = [take_file(service, path) for _, service in self._copy.services()]
            if any(read) or self._leave_out_users(path):
                yield unread_file(Path(path), complaint)

    def _leave_out_users(self, path: str) -> list[str]:
        """Take out what extends or includes services of other files that read an `env_file`.

        Returns:
            The places where it is named.
        """
        places = []
        for file, name, line in env_files_elsewhere(self._lines, path):
            users = self._copy.extending_of(self._file.parent, file, name)
            for user in users:
                self._leave_out(user)
            include = None if users else self._copy.include_of(str(file))
            if include is not None and self._copy.delete(include):
                self.complete, self._without_include = False, True
            if users or include:
                places.append(f"{file}:{line} services.{name}.env_file")
        return places

    def _missing_files(self, complaint: str) -> Iterator[str | None]:
        for path in _NOT_THERE.findall(complaint):
            include = self._copy.include_of(path)
            if include is not None and self._copy.delete(include):
                self.complete, self._without_include = False, True
                yield (
                    f"{self._lines.where(*include)}: {Path(path).name} is not there ({path}); "
                    "correct the path, or remove it"
                )
            for name, service in list(self._copy.services()):
                extends = service.get("extends")
                other = extends.get("file") if isinstance(extends, dict) else None
                if other and path.endswith(str(other).removeprefix("./")):
                    self._leave_out(name)
                    yield (
                        f"{self._lines.where('services', name, 'extends')}: {Path(path).name} is "
                        f"not there ({path}); correct the path, or remove extends"
                    )

    def _undefined(self, complaint: str) -> Iterator[str | None]:
        for name, kind, missing in _UNDEFINED.findall(complaint):
            key = _LISTED.get(kind, "depends_on")
            taken = [
                take_entry(service, key, missing)
                for other, service in self._copy.services()
                if other == name
            ]
            if not any(taken):
                continue
            if self._without_include or key == "volumes":
                self.unread.add(name)
            if self._without_include:  # What is missing may stand there.
                yield None
                continue
            remedy = (
                f"add it under services, or remove it from {key}"
                if key == "depends_on"
                else f"declare it under the top-level {key}"
            )
            yield f"{self._lines.where('services', name, key)}: {missing} is not there; {remedy}"

    def _cycles(self, complaint: str) -> Iterator[str | None]:
        for way in _CYCLE.findall(complaint):
            names = way.split(" -> ")[:-1]
            first = names.index(min(names))  # The reader begins anywhere.
            names = names[first:] + names[:first]
            for name, service in self._copy.services():
                if name == names[-1] and take_entry(service, "depends_on", names[0]):
                    yield (
                        f"{self._lines.where('services', name, 'depends_on')}: each waits for the "
                        f"next: {' -> '.join([*names, names[0]])}; remove {names[0]} here, or "
                        "another of these steps"
                    )

    def _missing_bases(self, complaint: str) -> Iterator[str | None]:
        for name, missing in _NO_BASE.findall(complaint):
            if name in self._copy.names():
                self._leave_out(name)
                yield (
                    f"{self._lines.where('services', name, 'extends')}: {missing} is not there; "
                    "correct its name, or remove extends"
                )

    def _keys_that_are_no_texts(self, complaint: str) -> Iterator[str | None]:
        for above, key in _NO_TEXT.findall(complaint):
            path = self._copy.find(above, "")[0]
            if key.isdigit() and self._copy.delete([*path, int(key)]):
                yield (
                    f"{self._lines.where(*path, int(key))}: a key must be a text; put it in "
                    f'quotes: "{key}"'
                )

    def _unknown_keys(self, complaint: str) -> Iterator[str | None]:
        for above, keys in _UNKNOWN.findall(complaint):
            path = self._copy.find(above, "")[0]
            for key in re.findall(r"'(.+?)'(?=, '|$)", keys):
                if self._copy.delete_item([*path, key]):
                    if path == ["services"]:
                        self.complete = False
                    where = self._lines.where(*path, key)
                    yield f"{where}: {unknown_key(path, key)}"

    def _at_paths(self, complaint: str) -> Iterator[str | None]:
        found = [
            (path, reason)
            for pattern in _AT_PATH
            for written, reason in pattern.findall(complaint)
            if not reason.startswith("additional properties")
            for path in self._copy.find(written, reason)
        ]
        # From right to left, since what is taken out moves what stands behind it.
        for path, reason in sorted(found, key=lambda each: _order(each[0]), reverse=True):
            deeper = any(other[: len(path)] == path and other != path for other, _ in found)
            if path == ["services"] or deeper:
                continue
            problem = self._problem(path, reason, self._copy.get(path))
            if self._copy.delete_item(path):
                self._note(path)
                yield problem
            elif path[0] == "services" and self._copy.get([*path[:2], "extends"]):
                self._leave_out(str(path[1]))
                yield self._problem(path, reason, None)

    def _problem(self, path: KeyPath, reason: str, written: Any) -> str | None:
        if variables_in(written) & self._unset:
            return None  # That it has no value is told.
        return f"{self._lines.where(*self._copy.in_file(path))}: {said_of(path, reason, written)}"

    def _included(self, complaint: str) -> Iterator[str | None]:
        for file, written, reason in _ELSEWHERE.findall(complaint):
            if Path(file) == self._file or Path(file).resolve() not in self._included_files():
                continue
            if not self._copy.delete(self._copy.include_of(file) or ["include"]):
                continue
            self.complete, self._without_include = False, True
            unknown = re.match(r"additional properties '(.+?)'", reason)
            path = self._copy.find(written, "")[0]
            lines = KeyLines(Path(file))
            if unknown:
                yield f"{lines.where(*path, unknown[1])}: {unknown_key(path, unknown[1])}"
            else:
                yield f"{lines.where(*path)}: {said_of(path, reason, lines.written(*path))}"

    def _included_files(self) -> list[Path]:
        return [path.resolve() for path in self._lines.files]

    def _leave_out(self, name: str) -> None:
        extending = self._copy.extending(name)
        self._copy.leave_out(name)
        self.complete = False
        for other in extending:
            self._leave_out(other)


def _order(path: KeyPath) -> list[tuple[int, str]]:
    return [(part, "") if isinstance(part, int) else (-1, part) for part in path]
