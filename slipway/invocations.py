"""The programs that a command runs, seen through shells, wrappers and start scripts."""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath


def one_of(names: str) -> re.Pattern[str]:
    """A pattern for names that are separated by blanks."""
    return re.compile("|".join(map(re.escape, names.split())))


_SHELLS = {"sh", "bash", "ash", "dash", "zsh"}
_OPERATORS = "();<>|&\n"
_KEYWORDS = {"exec", "if", "then", "elif", "else", "while", "until", "do", "!", "{", "}", "time"}
_ENDS_HERE = one_of(
    "alembic aerich arq celery daphne django-admin dramatiq fastapi flask granian gunicorn "
    "huey_consumer hypercorn litestar manage piccolo procrastinate quart rq sanic supervisord "
    "taskiq uvicorn uwsgi waitress-serve"
)
"""Programs whose arguments are no programs; `manage.py` and `flask` have a subcommand."""
_INERT = one_of(
    ": [ apk apt apt-get cat cd chmod chown cp curl echo export grep kill ln ls mkdir mv nc npm "
    "pg_isready pip pip3 pkill printf psql rm sed set sleep source tail test touch wget which "
    "yarn"
)
"""Programs that run no other one."""
_PYTHON = re.compile(r"(?:python|pypy)[\d.]*")
_PYTHON_VALUES = {"-W", "-X", "--check-hash-based-pycs"}
_ROLE = re.compile(r"(?:[\w.-]*/)*\w[\w-]*(?:\.sh|\.py)?")
"""What may be a program or what a start script calls a part: `beat`, `/app/start-worker.sh`."""
FLASK_VALUES = ("-A", "--app", "-e", "--env-file")
"""Options of `flask` that take a value."""


@dataclass(frozen=True)
class Call:
    """A program and its arguments.

    Args:
        name: without folder and extension: `manage` for `./src/manage.py`, the module for
            `python -m`.
        arguments: as written.
    """

    name: str
    arguments: tuple[str, ...]

    def has(self, *flags: str) -> bool:
        """Whether one of the flags is given, alone or with a value behind `=`."""
        return any(word.partition("=")[0] in flags for word in self.arguments)

    def values(self, *options: str) -> Iterator[str]:
        """What the options are given: `-b X`, `-bX`, `--bind X` or `--bind=X`."""
        for index, word in enumerate(self.arguments):
            name, sign, value = word.partition("=")
            if word in options:
                yield from self.arguments[index + 1 : index + 2]
            elif sign and name in options:
                yield value
            elif word[:2] in options and not word.startswith("--"):
                yield word[2:].removeprefix("=")

    def operands(self, *options: str) -> tuple[str, ...]:
        """The arguments that are no options, given the options that take a value."""
        operands, words = [], iter(self.arguments)
        for word in words:
            if word in options:
                next(words, None)
            elif not word.startswith("-"):
                operands.append(word)
        return tuple(operands)


def script_lines(command: Sequence[str]) -> list[str]:
    """The commands that a command consists of, as written; those of a script for `sh -c` too."""
    lines: list[str] = []
    for words in _simple_commands(command):
        while words and words[0] in _KEYWORDS:
            words = words[1:]
        scripts = [n + 1 for n, word in enumerate(words) if re.fullmatch(r"-[a-z]*c", word)]
        if words and _name(words[0]) in _SHELLS and scripts:
            lines += script_lines(_split("".join(words[scripts[0] : scripts[0] + 1])))
        elif words:
            split = any(re.search(r"\s", word) for word in words)
            lines.append(shlex.join(words) if split else " ".join(words))
    return lines


def calls(command: Sequence[str]) -> list[Call]:
    """The programs that a command runs, in order.

    `["sh", "-c", "python manage.py migrate && exec gunicorn shop.wsgi"]` gives calls of `sh`,
    `python`, `manage`, `migrate` and `gunicorn`.
    """
    return [call for words in _simple_commands(command) for call in _chain(words)]


def _simple_commands(command: Sequence[str]) -> Iterator[list[str]]:
    words: list[str] = []
    for word in command:
        if word and set(word) <= set(_OPERATORS):
            yield words
            words = []
        else:
            words.append(word)
    yield words


def _split(script: str) -> list[str]:
    lexer = shlex.shlex(script.replace("\\\n", " "), posix=True, punctuation_chars=_OPERATORS)
    lexer.whitespace, lexer.commenters, lexer.whitespace_split = " \t\r", "", True
    try:
        words = list(lexer)
    except ValueError:  # A quotation is not closed.
        return script.split()
    kept: list[str] = []
    comment = False
    for word in words:
        comment = (comment or word.startswith("#")) and "\n" not in word
        if not comment:
            kept.append(word)
    return kept


def _chain(words: list[str]) -> Iterator[Call]:
    """A program, and the one that it runs in turn, and so on."""
    while words and (words[0] in _KEYWORDS or re.match(r"\w+=", words[0])):
        words = words[1:]
    if not words:
        return
    call = Call(_name(words[0]), tuple(words[1:]))
    yield call
    if call.name in _SHELLS:
        yield from _shell(words[1:])
    elif _PYTHON.fullmatch(call.name):
        yield from _chain(_after_python(words[1:]))
    elif call.name in {"manage", "django-admin", "flask"}:
        rest = list(call.arguments)
        while rest and rest[0].startswith("-"):
            rest = rest[2 if rest[0] in FLASK_VALUES else 1 :]
        if rest:
            yield Call(_name(rest[0]), tuple(rest[1:]))
    elif not (_ENDS_HERE.fullmatch(call.name) or _INERT.fullmatch(call.name)):
        yield from _chain(_wrapped(words[1:]))


def _name(word: str) -> str:
    name = PurePosixPath(word).name
    return re.sub(r"\.(?:py|sh|bash)$", "", name).lower()


def _shell(words: list[str]) -> Iterator[Call]:
    for index, word in enumerate(words):
        if re.fullmatch(r"-[a-z]*c", word):
            # A word that is left out stands for an empty script.
            yield from calls(_split("".join(words[index + 1 : index + 2])))
            return
        if not word.startswith("-") and words[max(index - 1, 0)] != "-o":
            yield from _chain(words[index:])
            return


def _after_python(words: list[str]) -> list[str]:
    while words and words[0].startswith("-"):
        if words[0] == "-m":
            root, *_, last = (words[1:2] or [""])[0].split(".") * 2
            known = _ENDS_HERE.fullmatch(root) or root == "apscheduler"
            return [root if known else last, *words[2:]]
        if words[0] == "-c":
            return []
        words = words[2 if words[0] in _PYTHON_VALUES else 1 :]
    return words


def _wrapped(words: list[str]) -> list[str]:
    """From the program on that a wrapper or an unknown script runs, or its first operand."""
    if "--" in words:
        return words[words.index("--") + 1 :]
    for index, word in enumerate(words):
        name = _name(word)
        if name in _SHELLS or _ENDS_HERE.fullmatch(name) or _PYTHON.fullmatch(name):
            return words[index:]
    return words if words and _ROLE.fullmatch(words[0]) else []
