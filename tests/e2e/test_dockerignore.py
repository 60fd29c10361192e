"""What the source hash covers is what Docker puts into an image.

Each case is a tree and its ignore file, built for real. `SLIPWAY_IGNORE_CASES` is the number of
cases of each seed; more of them than by default find more, and take a third of a second each.
"""

import hashlib
import os
import socket
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st

from slipway.build_context import scan
from slipway.dockerignore import IgnoreRules, ignore_file, read_rules
from tests.e2e.image_builder import BuildError, ImageBuilder, image_builder

SEEDS = (1, 2, 3, 4)
CASES = int(os.environ.get("SLIPWAY_IGNORE_CASES", "20"))
EMPTY = hashlib.sha256(b"").hexdigest()
COPY_ALL = "FROM scratch\nCOPY . /ctx\n"

PLAIN = st.sampled_from(["a", "b", "c", "ab", "a.py"])
ODD = st.sampled_from(
    ["b.py", "a.b", ".env", "é", "a-b", "A", "Dockerfile", "node_modules"]
) | st.sampled_from(["!a", "#a", "[a]", "*", "{2}", "a|b", "\\a", "^", "a]", "a b", "x\ny"])
NAME = PLAIN | PLAIN | ODD
FRAGMENT = (
    st.sampled_from(["*", "**", "?", " "])
    | st.sampled_from(["[ab]", "[^a]", "[a-c]", "[*]", "[?]", "[[:alpha:]]", "[[]", "[\\]]"])
    | st.sampled_from(["\\a", "\\*", "\\d", "\\.", "{2}", "{1,2}", "{", "|", "^", "$", "(", "+"])
)
SEGMENT = st.one_of(
    NAME,
    NAME,
    st.sampled_from(["*", "**"]),
    st.builds("{}{}".format, FRAGMENT, PLAIN),
    st.builds("{}{}".format, PLAIN, FRAGMENT),
    st.just("*.py"),
)
START = st.sampled_from(["", "", "", "", "", "!", "!", "!", "/", "./", "../", "! ", "#", " ", "/!"])
END = st.sampled_from(["", "", "", "", "", "", "/", " ", "\t", "/..", "/.", "\u00a0", "/**", "/*"])
LINE = st.builds(
    lambda start, steps, end: start + "/".join(steps) + end,
    START,
    st.lists(SEGMENT, min_size=1, max_size=3),
    END,
)


@dataclass(frozen=True)
class Case:
    """A tree with its ignore files.

    Args:
        files: content or link target of each path; None for an empty folder.
        links: which of them are links.
        modes: of some of them.
        dockerfile: where it is.
        ignores: the ignore files.
    """

    files: Mapping[str, str | None]
    links: frozenset[str] = frozenset()
    modes: Mapping[str, int] = field(default_factory=dict)
    dockerfile: str = "Dockerfile"
    ignores: Mapping[str, str] = field(default_factory=dict)

    def lay_out(self, root: Path) -> None:
        for path, text in {self.dockerfile: COPY_ALL, **self.files, **self.ignores}.items():
            place = root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                place.mkdir(exist_ok=True)
            elif path in self.links:
                place.symlink_to(text)
            else:
                place.write_bytes(text.encode())
        for path, mode in sorted(self.modes.items(), reverse=True):
            if path not in self.links:
                (root / path).chmod(mode)


@st.composite
def ignore_texts(draw: st.DrawFn) -> str:
    lines = draw(st.lists(LINE, min_size=1, max_size=5))
    if draw(st.integers(0, 2)) == 0:
        lines.insert(0, draw(st.sampled_from(["*", "**", "a", "*/a"])))
    text = draw(st.sampled_from(["\n", "\n", "\n", "\r\n"])).join(lines)
    return draw(st.sampled_from(["", "", "", "\ufeff"])) + text


@st.composite
def cases(draw: st.DrawFn) -> Case:
    files: dict[str, str | None] = {}
    folders: set[str] = set()
    for steps in draw(st.lists(st.lists(NAME, min_size=1, max_size=3), min_size=3, max_size=14)):
        above = {"/".join(steps[:count]) for count in range(1, len(steps))}
        path = "/".join(steps)
        taken = files.keys() | {"Dockerfile"}
        if path not in folders | taken and not above & taken:
            files[path] = f"content of {path}"
            folders |= above
    links = draw(st.sets(st.sampled_from(sorted(files)), max_size=2))
    empty = draw(st.sets(st.sampled_from(sorted(files)), max_size=2)) - links
    files |= {path: draw(st.sampled_from(["a", "../c", "/etc"])) for path in links}
    files |= dict.fromkeys(empty)
    modes = st.sampled_from([0o755, 0o600, 0o4755, 0o2755, 0o1777, 0o700])
    changed = draw(st.dictionaries(st.sampled_from(sorted(files.keys() | folders)), modes))
    dockerfile = draw(st.sampled_from(["Dockerfile", "Dockerfile", "build/web.Dockerfile"]))
    ignores = {".dockerignore": draw(ignore_texts())}
    if draw(st.integers(0, 4)) == 0:
        ignores[f"{dockerfile}.dockerignore"] = draw(ignore_texts() | st.just(""))
    return Case(files, frozenset(links), changed, dockerfile, ignores)


@pytest.fixture(scope="module")
def builder() -> Iterator[ImageBuilder]:
    with image_builder() as made:
        yield made


def rules_of(context: Path, dockerfile: str = "Dockerfile") -> IgnoreRules:
    file = ignore_file(context, dockerfile)
    return read_rules(file.read_bytes().decode()) if file else IgnoreRules()


def agree(builder: ImageBuilder, context: Path, dockerfile: str = "Dockerfile") -> list[str]:
    """See that hashed and built are the same; gives their paths."""
    hashed = {entry.path: entry for entry in scan(context, rules_of(context, dockerfile))}
    sent = builder.sent(context, dockerfile)
    # Docker lists files by one reading of the rules and opens them by another; what the two do not
    # agree on comes to be in the image, but empty.
    for path, entry in sent.items():
        if entry.content == EMPTY and path in hashed:
            hashed[path] = entry
    assert hashed == sent
    return sorted(sent)


@pytest.mark.parametrize("seed_number", SEEDS)
def test_hash_covers_what_is_sent(builder: ImageBuilder, seed_number: int) -> None:
    @seed(seed_number)
    @settings(
        max_examples=CASES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases())
    def check(case: Case) -> None:
        with tempfile.TemporaryDirectory() as folder:
            case.lay_out(Path(folder))
            try:
                rules_of(Path(folder), case.dockerfile)
            except ValueError:
                assume(False)
            agree(builder, Path(folder), case.dockerfile)

    check()


RULES = {
    "the last line that matches wins": ("a\n!a\na/b", "a a/c"),
    "what was left out for its own name is not brought back with its folder": ("a/b\n!a", "a a/c"),
    "a folder that is left out is searched only where a line with ! points": ("*\n!a/*/**", ""),
    "such a line with a star in its midst points anywhere": ("*\n!*/b/d", "a a/b a/b/d"),
    "a ! that cleaning brings to the front counts": ("a\n/!a/c", "a a/c"),
    "a path may be cleaned to nothing": ("a/..", "a a/b a/b/d a/c"),
}


@pytest.mark.parametrize("rule", RULES)
def test_rule_holds_in_builds(builder: ImageBuilder, tmp_path: Path, rule: str) -> None:
    lines, kept = RULES[rule]
    Case(
        {"a/b/d": "1", "a/c": "2"}, ignores={"Dockerfile.dockerignore": f"{lines}\n/[.D]*\n/D*"}
    ).lay_out(tmp_path)

    assert agree(builder, tmp_path) == kept.split()


@pytest.mark.parametrize("line", ["!", "!/", "/!", "[a-", "a[]", "a\\", "[b-a]", "\\q*"])
def test_refused_lines_are_refused_by_builds(
    builder: ImageBuilder, tmp_path: Path, line: str
) -> None:
    Case({"a/b/d": "1"}, ignores={".dockerignore": f"{line}\n"}).lay_out(tmp_path)

    with pytest.raises(ValueError, match=r"excludes nothing|is not a pattern"):
        rules_of(tmp_path)
    with pytest.raises(BuildError):
        builder.sent(tmp_path)


def test_ignored_dockerfile_and_ignore_file_are_not_in_the_image(
    builder: ImageBuilder, tmp_path: Path
) -> None:
    Case({"a": "1"}, ignores={".dockerignore": "Dockerfile\n.dockerignore"}).lay_out(tmp_path)

    assert agree(builder, tmp_path) == ["a"]


@pytest.mark.parametrize("own", ["", "# nothing\n", "b\n"])
def test_dockerfiles_own_ignore_file_wins_even_if_it_is_empty(
    builder: ImageBuilder, tmp_path: Path, own: str
) -> None:
    ignores = {".dockerignore": "a\n", "build/Dockerfile.dockerignore": own}
    Case({"a": "1", "b": "2"}, dockerfile="build/Dockerfile", ignores=ignores).lay_out(tmp_path)

    sent = agree(builder, tmp_path, "build/Dockerfile")
    assert ("a" in sent, "b" in sent) == (True, own != "b\n")


@pytest.mark.parametrize(
    ("name", "target", "followed"),
    [
        (".dockerignore", "rules/general", True),
        (".dockerignore", "../general", False),
        (".dockerignore", "/rules/general", True),
        ("Dockerfile.dockerignore", "rules/general", True),
    ],
)
def test_linked_ignore_file_counts_only_within_the_context(
    builder: ImageBuilder, tmp_path: Path, name: str, target: str, followed: bool
) -> None:
    context = tmp_path / "context"
    files = {"a": "1", "rules/general": "a\n", name: target}
    Case(files, links=frozenset([name])).lay_out(context)
    (tmp_path / "general").write_text("a\n")

    assert ("a" not in agree(builder, context)) is followed


def test_kinds_of_files_are_those_that_are_hashed(builder: ImageBuilder, tmp_path: Path) -> None:
    modes = {"suid": 0o4755, "sgid": 0o2711, "folder": 0o1777, "secret": 0o600, "empty": 0o700}
    files = {"suid": "1", "sgid": "2", "folder/file": "3", "secret": "4", "empty": None}
    links = {"broken": "/nowhere", "loop": "loop", "inside": "folder", "outside": "../.."}
    Case({**files, **links}, frozenset(links), modes).lay_out(tmp_path)
    (tmp_path / "same").hardlink_to(tmp_path / "secret")

    agree(builder, tmp_path)


def test_socket_is_in_the_image_and_in_the_hash(
    builder: ImageBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Case({"a": "1"}).lay_out(tmp_path)
    monkeypatch.chdir(tmp_path)  # The path of a socket may be short only.
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")

        hashed = {entry.path for entry in scan(tmp_path, IgnoreRules())}
        assert "socket" in hashed & builder.sent(tmp_path).keys()
