"""What an application's sources say: its framework's files, settings and start scripts."""

import ast
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

_SKIPPED = re.compile(
    r"\..*|__pycache__|bower_components|build|dist|env|htmlcov|node_modules|site-packages|static"
    r"|staticfiles|tests?|venv"
)
_MOST_FILES = 3000
_LONGEST = 1 << 18
_OTHER_FILES = ("alembic.ini", "manage.py", "pyproject.toml")


@dataclass(frozen=True)
class Source:
    """An application's files.

    Args:
        root: the build context.
        files: Python files, and some that tell about a framework; by path from the root.
        scripts: start scripts, likewise.
    """

    root: Path
    files: Mapping[str, str] = field(default_factory=dict)
    scripts: Mapping[str, str] = field(default_factory=dict)

    def named(self, name: str) -> list[str]:
        """Paths of the files of a name, those nearest to the root first."""
        found = [path for path in self.files if PurePosixPath(path).name == name]
        return sorted(found, key=lambda path: (path.count("/"), path))

    def run_by(self, command: Sequence[str]) -> list[list[str]]:
        """A command, and what the scripts of these sources that it names run in turn."""
        names = {PurePosixPath(word).name for word in command if "/" in word or ".sh" in word}
        found = [t for p, t in sorted(self.scripts.items()) if PurePosixPath(p).name in names]
        return [list(command), *(["sh", "-c", text] for text in found)]


def read_source(root: Path) -> Source:
    """The files below a build context that can tell something."""
    files: dict[str, str] = {}
    scripts: dict[str, str] = {}
    for path in _paths(root):
        text = _text(path)
        name = path.relative_to(root).as_posix()
        if path.suffix == ".py" or path.name in _OTHER_FILES:
            files[name] = text
        elif text.startswith("#!") and "sh" in text.partition("\n")[0]:
            scripts[name] = text
    return Source(root, files, scripts)


class Sources:
    """The sources of build contexts, each read once."""

    def __init__(self) -> None:
        self._read: dict[Path, Source] = {}

    def of(self, context: Path | None) -> Source:
        """The sources of a build context; none for a service that is not built."""
        if context is None:
            return Source(Path())
        if context not in self._read:
            self._read[context] = read_source(context)
        return self._read[context]


def _paths(root: Path) -> Iterator[Path]:
    count = 0
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if not _SKIPPED.fullmatch(f))
        for name in sorted(names):
            path = Path(folder, name)
            if path.suffix in (".py", ".sh", "") or name in _OTHER_FILES:
                count += 1
                yield path
            if count >= _MOST_FILES:
                return


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as stream:
            return stream.read(_LONGEST)
    except OSError:
        return ""


@dataclass(frozen=True)
class Setting:
    """A value that a settings module gives a name, and where; None if it is no literal."""

    file: str
    line: int
    value: object


def settings(source: Source, name: str) -> list[Setting]:
    """What Django's settings modules assign to a name, production's first."""
    paths = [path for path in source.files if re.search(r"settings|(?:^|/)production", path)]
    found = [s for p in sorted(paths, key=_production_first) for s in _assigned(source, p, name)]
    return found


def _production_first(path: str) -> tuple[bool, bool, str]:
    development = re.search(r"local|dev|test|example|sample", PurePosixPath(path).name)
    return development is not None, "prod" not in path, path


def _assigned(source: Source, path: str, name: str) -> Iterator[Setting]:
    tree = parsed(source.files[path])
    for node in tree.body if tree else []:
        if isinstance(node, ast.Assign) and name in [ast.unparse(t) for t in node.targets]:
            yield Setting(path, node.lineno, literal(node.value))


def parsed(text: str) -> ast.Module | None:
    """The syntax tree of a Python file; None if it is none."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None


def literal(node: ast.expr | None) -> object:
    """The value of an expression that is written out; None for any other."""
    try:
        return None if node is None else ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
