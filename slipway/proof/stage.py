"""A stage of a Dockerfile in the making."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from slipway.dockerfile import Instruction
from slipway.proof.expected import SHARED, Expected
from slipway.proof.patterns import below, cleaned
from slipway.proof.variables import Values, assignments, environment, expand


@dataclass
class Stage:
    """What is known of a stage after each of its instructions.

    Args:
        workdir: where relative places begin; None if only the base image says.
        complete: whether all variables of the base image are among `env`.
        env: variables of the image.
        args: variables of the build.
        files: of the source, by their place in the stage, without its leading slash.
        folders: places that are known to be folders.
    """

    workdir: str | None = None
    complete: bool = False
    env: dict[str, str | None] = field(default_factory=dict)
    args: dict[str, str | None] = field(default_factory=dict)
    files: dict[str, Expected] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)

    def successor(self) -> "Stage":
        """A stage that is built on this one; it knows none of its ARGs."""
        return replace(
            self, env=dict(self.env), args={}, files=dict(self.files), folders=set(self.folders)
        )

    def step(
        self, instruction: Instruction, given: Mapping[str, str | None], known: Values
    ) -> None:
        """Take an instruction that copies nothing into account.

        Args:
            instruction: any.
            given: build arguments.
            known: variables from before the first FROM.
        """
        match instruction.name:
            case "WORKDIR":
                self._enter(instruction.value.strip().strip("\"'"))
            case "ENV":
                for name, value in environment(instruction.value):
                    self.env[name] = self.filled(value or "")
            case "ARG":
                for name, default in assignments(instruction.value):
                    self._declare(name, default, given, known)
            case "RUN":
                self.may_change("", instruction.line)

    def filled(self, text: str) -> str | None:
        """A text with its variables filled in; None if one is not known."""
        return expand(text, {**self.args, **self.env}, complete=self.complete)

    def place(self, text: str) -> str | None:
        """A place from the root, with the slash at its end if it has one; None if not known."""
        found = self.filled(text)
        if found is None or not (found.startswith("/") or self.workdir is not None):
            return None
        return found if found.startswith("/") else f"{self.workdir}/{found}"

    def is_folder(self, path: str) -> bool:
        """Whether a place is known to be a folder."""
        return path in self.folders or f"/{path}" in SHARED or bool(below(self.files, path))

    def may_change(self, folder: str, line: int) -> None:
        """Note that an instruction may have changed what is at a place, or below it."""
        for path, found in self.files.items():
            at = not folder or path == folder or path.startswith(f"{folder}/")
            if at and found.changed is None:
                self.files[path] = replace(found, changed=line)

    def _enter(self, text: str) -> None:
        place = self.place(text)
        self.workdir = None if place is None else f"/{cleaned(place)}"
        if place is not None:
            self.folders.add(cleaned(place))

    def _declare(
        self, name: str, default: str | None, given: Mapping[str, str | None], known: Values
    ) -> None:
        if given.get(name) is not None:
            self.args[name] = given[name]
        elif default is not None:
            self.args[name] = self.filled(default)
        elif name in known:
            self.args[name] = known[name]


@dataclass(frozen=True)
class From:
    """A FROM: its number among all instructions, the base as written, and the stage's name."""

    at: int
    base: str
    name: str


def froms_of(instructions: Iterable[Instruction]) -> list[From]:
    """All FROMs of a Dockerfile."""
    found = []
    for at, instruction in enumerate(instructions):
        if instruction.name == "FROM":
            words = [w for w in instruction.value.split() if not w.startswith("--")]
            name = words[2].lower() if len(words) > 2 else ""
            found.append(From(at, words[0] if words else "", name))
    return found


def wanted_stages(froms: list[From], target: str | None) -> tuple[int, int]:
    """The numbers of the stage that is built, and of the one at the root of what it builds on."""
    built = len(froms) - 1
    if target is not None:
        built = stage_number(froms, target, len(froms), built)
    root = built
    while True:
        earlier = stage_number(froms, froms[root].base, root, -1)
        if earlier < 0:
            return built, root
        root = earlier


def stage_number(froms: list[From], name: str, before: int, default: int) -> int:
    """The number of the stage that a name or a number means, among those before one."""
    for number in range(before - 1, -1, -1):
        if froms[number].name == name.lower():
            return number
    return int(name) if name.isdecimal() and int(name) < before else default
