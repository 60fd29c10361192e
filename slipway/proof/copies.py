"""Following a source through a Dockerfile: stage by stage, COPY by COPY, into the image.

What cannot be followed is left out, with the reason: a place that depends on a variable whose value
only the builder knows, an archive that ADD unpacks, options that choose among files.
"""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field

from slipway.build_context import Entry
from slipway.dockerfile import Instruction, instructions
from slipway.proof.copying import Course, apply_copy, parse_copy
from slipway.proof.expected import Expected, Mapped, is_comparable
from slipway.proof.patterns import below, cleaned
from slipway.proof.stage import From, Stage, froms_of, stage_number, wanted_stages
from slipway.proof.variables import assignments, expand, platform_values
from slipway.services import Build

NOT_COPIED = "the Dockerfile copies it to no place in the image"
NOT_MAPPED = "proof.files does not name it"
_SCRATCH = "scratch"


@dataclass(frozen=True)
class BuiltFrom:
    """What of a build tells where its files are.

    Args:
        dockerfile: its text.
        build: the build section.
        platform: what it is built for.
        entries: of the build context.
        workdir: of the finished image: its base's, where the Dockerfile names none.
        environment: of the finished image; its base's is part of it.
    """

    dockerfile: str
    build: Build
    platform: str
    entries: tuple[Entry, ...]
    workdir: str = "/"
    environment: Mapping[str, str] = field(default_factory=dict)


def map_source(source: BuiltFrom) -> Mapped:
    """Where the files of a source must be in its image, as the Dockerfile copies them."""
    return _Follower(source).follow()


def map_folders(entries: tuple[Entry, ...], files: Mapping[str, str]) -> Mapped:
    """Where the files of a source must be in an image, as a user says.

    Args:
        entries: of the build context.
        files: places in the image, by path of a folder or file of the source.
    """
    context = _context(entries)
    found: dict[str, Expected] = {}
    for source, place in files.items():
        to = cleaned(place)
        if source in context:
            name = posixpath.join(to, posixpath.basename(source)) if place.endswith("/") else to
            moves = {source: name}
        else:
            start = len(source) + 1 if source else 0
            moves = {path: posixpath.join(to, path[start:]) for path in below(context, source)}
        for path, name in moves.items():
            folder = posixpath.dirname(name) if source in context else to
            entry = context[path]
            found[name] = Expected(
                f"/{name}", path, entry.content, entry.target, 0, folder=f"/{folder}"
            )
    return _mapped(context, found, {}, NOT_MAPPED)


class _Follower:
    def __init__(self, source: BuiltFrom) -> None:
        self._source = source
        self._context = _context(source.entries)
        self._instructions = instructions(source.dockerfile)
        self._froms = froms_of(self._instructions)
        self._known = platform_values(source.platform)
        self._stages: list[Stage] = []
        self._course = Course()

    def follow(self) -> Mapped:
        if not self._froms:
            return _mapped(self._context, {}, {}, NOT_COPIED)
        built, root = wanted_stages(self._froms, self._source.build.target)
        for instruction in self._instructions:
            if instruction.name == "FROM":
                if len(self._stages) > built:
                    break
                here = self._froms[len(self._stages)]
                self._stages.append(self._begin(here, of_image=len(self._stages) == root))
            elif not self._stages:
                self._before_stages(instruction)
            elif instruction.name in ("COPY", "ADD"):
                self._copy(instruction)
            else:
                self._stages[-1].step(instruction, self._source.build.args, self._known)
        return _mapped(self._context, self._stages[built].files, self._course.why, NOT_COPIED)

    def _begin(self, here: From, *, of_image: bool) -> Stage:
        base = expand(here.base, self._known, complete=True) or ""
        known = self._stage(base)
        if known is not None:
            return known.successor()
        if of_image:
            # The finished image has what its base had.
            env: dict[str, str | None] = dict(self._source.environment)
            return Stage(self._source.workdir or "/", complete=True, env=env)
        return Stage("/", complete=True) if base == _SCRATCH else Stage()

    def _stage(self, name: str) -> Stage | None:
        """The stage of a name, unless a further context has that name."""
        if name in self._source.build.additional_contexts:
            return None
        number = stage_number(self._froms, name, len(self._stages), -1)
        return None if number < 0 else self._stages[number]

    def _before_stages(self, instruction: Instruction) -> None:
        if instruction.name != "ARG":
            return
        for name, default in assignments(instruction.value):
            given = self._source.build.args.get(name)
            if given is not None:
                self._known[name] = given
            elif default is not None:
                self._known[name] = expand(default, self._known, complete=True)

    def _copy(self, instruction: Instruction) -> None:
        copy, stage = parse_copy(instruction), self._stages[-1]
        if not copy.origin:
            apply_copy(copy, self._of_context(), stage, self._course)
            return
        # The stage that is being made cannot copy from itself.
        number = stage_number(self._froms, copy.origin, len(self._stages) - 1, -1)
        named = copy.origin in self._source.build.additional_contexts
        origin = self._stages[number].files if number >= 0 and not named else {}
        apply_copy(copy, dict(origin), stage, self._course)

    def _of_context(self) -> dict[str, Expected]:
        return {
            path: Expected(path, path, entry.content, entry.target, 0)
            for path, entry in self._context.items()
        }


def _context(entries: tuple[Entry, ...]) -> dict[str, Entry]:
    return {entry.path: entry for entry in entries if is_comparable(entry)}


def _mapped(
    context: Mapping[str, Entry],
    files: Mapping[str, Expected],
    why: Mapping[str, str],
    default: str,
) -> Mapped:
    there = {expected.source for expected in files.values()}
    left_out: dict[str, tuple[str, ...]] = {}
    for path in sorted(context.keys() - there):
        reason = why.get(path, default)
        left_out[reason] = (*left_out.get(reason, ()), path)
    return Mapped(tuple(files[path] for path in sorted(files)), left_out)
