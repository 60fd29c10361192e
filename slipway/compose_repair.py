"""Getting all its complaints out of Compose's reader.

The reader ends at the first thing that it cannot read. To report everything at once, what it
complains of is taken out of a copy of the file, and the copy is read again, until it can be.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from slipway.compose_document import Document, KeyPath
from slipway.compose_faults import Faults
from slipway.compose_reader import Answer, Reader, Run, run_command
from slipway.compose_words import too_large, unreadable
from slipway.errors import ConfigError
from slipway.key_lines import KeyLines
from slipway.unset_variables import unset_variable
from slipway.yaml_edit import read_text

_ROUNDS = 50
_NEEDED = ("build", "image", "extends")
"""Without them the reader refuses a service for another reason."""


@dataclass
class Interpreted:
    """What the reader gave.

    Args:
        document: the project, as the reader resolved it.
        problems: what the reader, or a variable without a value, complains of; a line each.
        complete: whether all services are in the document.
        unread: services of which something was taken out.
    """

    document: dict[str, Any]
    problems: list[str] = field(default_factory=list)
    complete: bool = True
    unread: set[str] = field(default_factory=set)


def interpret(
    file: Path, environ: Mapping[str, str], lines: KeyLines, run: Run = run_command
) -> Interpreted:
    """The project in a compose file, as Compose's own reader sees it.

    Args:
        file: the compose file.
        environ: the reader's environment; gives values for `${NAME}`.
        lines: finds lines of the file.
        run: runs the reader.

    Raises:
        ConfigError: nothing of it can be read.
        HostError: no reader is installed.
    """
    reader = Reader(environ, run)
    answer = reader.read(file)
    if answer.document is not None:
        unset = [unset_variable(lines, name) for name in answer.unset]
        return Interpreted(answer.document, unset)
    large = too_large(file, answer.complaint)
    if large is not None:
        raise ConfigError([large])
    return _Repair(file, lines, reader, _load(file, answer.complaint)).read(answer)


def _load(file: Path, complaint: str) -> Document:
    try:
        found = list(YAML(typ="safe").load_all(read_text(file)))
    except YAMLError:
        raise ConfigError([unreadable(file, complaint)]) from None
    roots = [root for root in found if root is not None]
    if not all(isinstance(root, dict) for root in roots) or not any(
        isinstance(root.get("services"), dict) for root in roots
    ):
        raise ConfigError([unreadable(file, complaint)])
    return Document(roots)


class _Repair:
    """Reads a copy of a file from which more and more is taken out."""

    def __init__(self, file: Path, lines: KeyLines, reader: Reader, copy: Document) -> None:
        self._file = file
        self._reader = reader
        self._copy = copy
        self._faults = Faults(file, lines, copy)
        self._problems: list[str] = []

    def read(self, answer: Answer) -> Interpreted:
        """What can be read of the file.

        Raises:
            ConfigError: nothing can.
        """
        for _ in range(_ROUNDS):
            self._tell(self._faults.unset(answer.unset))
            if not self._take_out(answer):
                break
            answer = self._ask(self._copy)
            if answer.document is not None:
                self._tell(self._faults.unset(answer.unset))
                faults = self._faults
                return Interpreted(answer.document, self._problems, faults.complete, faults.unread)
        raise ConfigError(self._problems)

    def _tell(self, problems: list[str] | list[str | None]) -> None:
        for problem in problems:
            if problem is not None and problem not in self._problems:
                self._problems.append(problem)

    def _ask(self, document: Document) -> Answer:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "compose.yaml"
            copy.write_text(document.text)
            answer = self._reader.read(copy, self._file.parent.resolve(), self._faults.required)
        complaint = answer.complaint.replace(str(copy), str(self._file))
        return Answer(answer.document, complaint, answer.unset)

    def _take_out(self, answer: Answer) -> bool:
        """Take what a complaint is about out of the copy; False if nothing could be."""
        taken = self._faults.take_out(answer.complaint)
        self._tell(taken)
        if taken or self._faults.take_empty():
            return True
        place = self._place(answer)
        if place is None:
            self._tell([unreadable(self._file, answer.complaint)])
            return False
        self._tell([self._faults.take(place, answer.complaint)])
        return True

    def _place(self, answer: Answer) -> KeyPath | None:
        """What a complaint is about that does not tell it, found by leaving things out."""
        for name in self._copy.names():
            if self._ends(answer, self._copy, ["services", name]):
                return self._narrowed(answer, self._copy, ["services", name])
        return self._first_of_several(answer)

    def _first_of_several(self, answer: Answer) -> KeyPath | None:
        """Of several that all give the same complaint, the one after which none is left."""
        names = self._copy.names()
        low, high = 0, len(names) + 1
        while high - low > 1:
            middle = (low + high) // 2
            if self._gone(answer, self._after(names[:middle])):
                high = middle
            else:
                low = middle
        if low == len(names):
            return None
        return self._narrowed(answer, self._after(names[:low]), ["services", names[low]])

    def _after(self, names: list[str]) -> Document:
        document = self._copy
        for name in names:
            document = document.without(["services", name])
        return document

    def _ends(self, answer: Answer, document: Document, path: KeyPath) -> bool:
        """Whether a complaint is gone without what stands at a path."""
        return self._gone(answer, document.without(path))

    def _gone(self, answer: Answer, document: Document) -> bool:
        again = self._ask(document)
        return again.document is not None or again.complaints != answer.complaints

    def _narrowed(self, answer: Answer, document: Document, service: KeyPath) -> KeyPath:
        for key in document.get(service) or ():
            path = [*service, key]
            if key in _NEEDED or not self._ends(answer, document, path):
                continue
            items = document.get(path)
            for index in range(len(items) if isinstance(items, list) else 0):
                if self._ends(answer, document, [*path, index]):
                    return [*path, index]
            return path
        return service
