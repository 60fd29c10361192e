"""What a COPY or ADD does to a stage."""

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from slipway.built_image import words_of
from slipway.dockerfile import Instruction
from slipway.proof.expected import Expected
from slipway.proof.patterns import below, cleaned, selected
from slipway.proof.stage import Stage

_FLAGS = re.compile(r"(?:--\S+\s+)*")
_CHOOSING = ("--parents", "--exclude", "--unpack")
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*://|git@|<<", re.IGNORECASE)
_ARCHIVE = re.compile(r".*\.(?:tar(?:\.\w+)?|tgz|tbz2?|txz|tzst)", re.IGNORECASE)
_LINKS = 20


@dataclass(frozen=True)
class Copy:
    """A COPY or ADD, taken apart.

    Args:
        unpacks: whether archives are unpacked.
        line: where it is.
        origin: the stage or image that it copies from; empty for the build context.
        choosing: an option that chooses among files, and is not followed.
        sources: what is copied, as written.
        destination: where to, as written.
    """

    unpacks: bool
    line: int
    origin: str
    choosing: str
    sources: tuple[str, ...]
    destination: str


@dataclass
class Course:
    """What came of files that are not followed any more: the reason, by path in the source."""

    why: dict[str, str] = field(default_factory=dict)

    def lose(self, files: Mapping[str, Expected], paths: list[str], reason: str) -> None:
        """Note that some files are lost from sight."""
        self.why |= {files[path].source: reason for path in paths}


def parse_copy(instruction: Instruction) -> Copy:
    """A COPY or ADD, taken apart."""
    flags = _FLAGS.match(instruction.value)
    options = flags[0].split() if flags else []
    rest = instruction.value[flags.end() if flags else 0 :]
    # Docker parts a COPY at its blanks, whatever quotes there are.
    words = words_of(rest) if rest.startswith("[") else [w.strip("\"'") for w in rest.split()]
    *sources, destination = words or ["."]
    origins = [o.partition("=")[2] for o in options if o.startswith("--from=")]
    choosing = [o.partition("=")[0] for o in options if o.startswith(_CHOOSING)]
    return Copy(
        unpacks=instruction.name == "ADD",
        line=instruction.line,
        origin=origins[0] if origins else "",
        choosing=choosing[0] if choosing else "",
        sources=tuple(sources),
        destination=destination,
    )


def apply_copy(copy: Copy, files: Mapping[str, Expected], stage: Stage, course: Course) -> None:
    """Put what a COPY copies into its stage.

    Args:
        copy: the COPY.
        files: what it copies from, by path.
        stage: where to.
        course: takes the files that are lost from sight.
    """
    destination = stage.place(copy.destination)
    for source in map(stage.filled, copy.sources):
        heads = [] if _is_elsewhere(source) else selected(files, source or "*")
        for head, is_file in heads:
            reason = _refusal(copy, source, destination, head, is_file=is_file)
            if reason or destination is None:
                course.lose(files, [head] if is_file else below(files, head), reason)
                _cover(copy, stage, destination)
                continue
            many = len(copy.sources) > 1 or destination.endswith(("/", "/."))
            moves = _moved(files, head, cleaned(destination), stage, many=many)
            if not is_file and copy.origin:
                _cover(copy, stage, destination)
            _put(copy, files, moves, stage, course)
        if not heads:
            _cover(copy, stage, destination)


def _is_elsewhere(source: str | None) -> bool:
    return source is not None and _ELSEWHERE.match(source) is not None


def _refusal(
    copy: Copy, source: str | None, destination: str | None, head: str, *, is_file: bool
) -> str:
    """Why a source cannot be followed; empty if it can."""
    if source is None:
        return f"line {copy.line} copies what a variable says whose value is not known"
    if destination is None:
        return (
            f"line {copy.line} copies to {copy.destination}, which depends on what only the build "
            "knows"
        )
    if copy.choosing:
        return f"line {copy.line} has {copy.choosing}, which is not followed"
    if copy.unpacks and is_file and _ARCHIVE.fullmatch(head):
        return f"line {copy.line} unpacks it"
    return ""


@dataclass(frozen=True)
class _Move:
    """A file's way: from, to, where else if that is a folder, and the folder that is filled."""

    origin: str
    path: str
    folder: str
    inside: str | None = None


def _moved(
    files: Mapping[str, Expected], head: str, to: str, stage: Stage, *, many: bool
) -> list[_Move]:
    origin = _behind_links(files, head)
    if origin not in files:
        stage.folders.add(to)
        start = len(origin) + 1 if origin else 0
        inner = [(path, path[start:]) for path in below(files, origin)]
        return [_Move(path, posixpath.join(to, rest), to) for path, rest in inner]
    name = posixpath.join(to, posixpath.basename(head))
    if many or stage.is_folder(to):
        stage.folders.add(to)
        return [_Move(origin, name, to)]
    return [_Move(origin, to, posixpath.dirname(to), name)]


def _put(
    copy: Copy, files: Mapping[str, Expected], moves: list[_Move], stage: Stage, course: Course
) -> None:
    for move in moves:
        found = files[move.origin]
        if copy.origin and found.inside:
            reason = f"line {copy.line} copies it from a place that may be a folder or a file"
            course.why[found.source] = reason
            continue
        stage.files[move.path] = replace(
            found,
            path=f"/{move.path}",
            inside=f"/{move.inside}" if move.inside else None,
            folder=f"/{move.folder}",
            line=copy.line,
        )


def _cover(copy: Copy, stage: Stage, destination: str | None) -> None:
    """What comes from elsewhere may lie over files that are there already."""
    if destination is not None:
        stage.may_change(cleaned(destination), copy.line)


def _behind_links(files: Mapping[str, Expected], path: str) -> str:
    """What a COPY of a link copies: what it leads to, within the context."""
    for _ in range(_LINKS):
        target = files[path].target if path in files else None
        if target is None:
            break
        path = cleaned(posixpath.join("/", posixpath.dirname(path), target))
    return path
