import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from slipway.build_context import Entry, scan
from slipway.canonical import canonical_json
from slipway.dockerignore import IgnoreRules
from slipway.errors import ConfigError
from slipway.hash_cache import HashCache
from slipway.services import Build
from slipway.source_hash import read_source, source_hash

from .support import BASE, DIGEST, OTHER_DIGEST
from .test_hash_cache import later, later_in

DOCKERFILE = f"FROM {BASE}\nCOPY . /app\n"
PLATFORM = "linux/amd64"

# Files begin with f and folders do not, so that no name is wanted for both.
FOLDERS = st.lists(st.sampled_from(["a", "b", "é", "with space"]), max_size=2)
FILE = st.text("abXY09._-é \n\\", max_size=4).map("f{}".format)
PATH = st.builds(lambda folders, file: "/".join([*folders, file]), FOLDERS, FILE)
TREE = st.dictionaries(PATH, st.binary(max_size=20), min_size=1, max_size=5)
quick = settings(max_examples=25, deadline=None)


class Context:
    """A build context on disk."""

    def __init__(self, root: Path, files: Mapping[str, bytes]) -> None:
        self.root = root
        self.write("Dockerfile", DOCKERFILE.encode())
        for path, content in files.items():
            self.write(path, content)

    def write(self, path: str, content: bytes = b"") -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return file

    def hash(self, platform: str = PLATFORM, **build: object) -> str:
        described = Build.model_validate({"context": str(self.root), **build})
        return read_source(described, platform).hash

    def paths(self) -> list[str]:
        return [entry.path for entry in scan(self.root, IgnoreRules())]


@contextmanager
def context(files: Mapping[str, bytes]) -> Iterator[Context]:
    with tempfile.TemporaryDirectory() as folder:
        yield Context(Path(folder, "app"), files)


@pytest.fixture
def app(tmp_path: Path) -> Context:
    return Context(tmp_path / "app", {"main.py": b"print()", "static/site.css": b""})


@quick
@given(TREE, st.data())
def test_any_other_content_is_another_source(tree: dict[str, bytes], data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(tree)))
    content = data.draw(st.binary(max_size=20))
    assume(content != tree[path])
    with context(tree) as here:
        before = here.hash()
        here.write(path, content)
        assert here.hash() != before


@quick
@given(TREE, PATH, st.data())
def test_any_other_name_is_another_source(
    tree: dict[str, bytes], other: str, data: st.DataObject
) -> None:
    assume(other not in tree)
    path = data.draw(st.sampled_from(sorted(tree)))
    renamed = {other if name == path else name: content for name, content in tree.items()}
    with context(tree) as one, context(renamed) as two:
        assert one.hash() != two.hash()


@quick
@given(TREE, st.integers(0, 0o777), st.data())
def test_any_other_mode_is_another_source(
    tree: dict[str, bytes], mode: int, data: st.DataObject
) -> None:
    mode |= 0o400  # It must stay readable for whoever runs the tests.
    path = data.draw(st.sampled_from(sorted(tree)))
    with context(tree) as here:
        file = here.root / path
        assume(file.stat().st_mode & 0o777 != mode)
        before = here.hash()
        file.chmod(mode)
        assert here.hash() != before


@quick
@given(TREE, PATH)
def test_one_file_more_or_less_is_another_source(tree: dict[str, bytes], other: str) -> None:
    assume(other not in tree)
    with context(tree) as here:
        before = here.hash()
        added = here.write(other)
        assert here.hash() != before
        added.unlink()
        for folder in added.relative_to(here.root).parents:
            if folder.parts and not any(Path(path).is_relative_to(folder) for path in tree):
                (here.root / folder).rmdir()
        assert here.hash() == before


@quick
@given(st.lists(st.text("abc/.", min_size=1, max_size=5), min_size=2, max_size=2, unique=True))
def test_any_other_link_target_is_another_source(targets: list[str]) -> None:
    with context({}) as here:
        link = here.root / "link"
        hashes = set()
        for target in targets:
            link.unlink(missing_ok=True)
            link.symlink_to(target)
            hashes.add(here.hash())
        assert len(hashes) == 2


@quick
@given(TREE, st.permutations(range(5)), st.integers(0, 2**31))
def test_times_order_and_place_do_not_count(
    tree: dict[str, bytes], order: list[int], time: int
) -> None:
    names = sorted(tree)
    shuffled = {names[i]: tree[names[i]] for i in order if i < len(names)}
    with context(tree) as one, context(shuffled) as two:
        for file in [*two.root.rglob("*"), two.root]:
            os.utime(file, (time, time))
        assert one.hash() == two.hash()


@quick
@given(
    st.dictionaries(st.text("ABC", min_size=1, max_size=2), st.text(max_size=3), max_size=3),
    st.dictionaries(st.text("ABC", min_size=1, max_size=2), st.text(max_size=3), max_size=3),
)
def test_build_arguments_count(one: dict[str, str], two: dict[str, str]) -> None:
    with context({}) as here:
        assert (here.hash(args=one) == here.hash(args=two)) == (one == two)


def test_target_and_platform_count(app: Context) -> None:
    hashes = {
        app.hash(),
        app.hash(target="dev"),
        app.hash(platform="linux/arm64"),
        app.hash(platforms=["linux/amd64"], target="prod"),
    }

    assert len(hashes) == 4


def test_labels_of_the_image_count(app: Context) -> None:
    assert len({app.hash(), app.hash(labels={"a": "b"}), app.hash(labels={"a": "c"})}) == 3


def test_ids_of_build_secrets_count_whatever_their_order(app: Context) -> None:
    both = [{"source": "npm"}, {"source": "token", "target": "pip"}]
    hashes = {app.hash(secrets=secrets) for secrets in ([], both[:1], both)}

    assert len(hashes) == 3
    assert app.hash(secrets=both[::-1]) in hashes
    assert app.hash(secrets=[{"source": "npm"}, {"source": "pip"}]) in hashes


def test_build_without_secrets_is_hashed_as_ever(app: Context) -> None:
    head = read_source(Build(context=str(app.root)), PLATFORM).head

    assert sorted(head) == ["args", "bases", "dockerfile", "platform", "target"]


def test_further_folders_count_whatever_their_place(app: Context, tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "shared.py").write_text("a = 1")
    (one, other) = (
        app.hash(additional_contexts={"lib": str(tmp_path / n)}) for n in ("one", "other")
    )
    assert one == other != app.hash()
    assert app.hash(additional_contexts={"other": str(tmp_path / "one")}) != one
    (tmp_path / "one/shared.py").write_text("a = 2")
    assert app.hash(additional_contexts={"lib": str(tmp_path / "one")}) != one


def test_further_image_counts_by_its_digest(app: Context) -> None:
    images = [f"docker-image://alpine@{digest}" for digest in (DIGEST, OTHER_DIGEST)]
    hashes = {app.hash(additional_contexts={"base": image}) for image in images}
    assert len(hashes | {app.hash()}) == 3


def test_name_of_a_further_context_is_no_image_that_must_be_pinned(app: Context) -> None:
    app.write("Dockerfile", b"FROM base\nCOPY --from=lib . .\n")
    contexts = {"base": f"docker-image://alpine@{DIGEST}", "lib": str(app.root / "static")}
    assert app.hash(additional_contexts=contexts)


def test_further_contexts_that_are_not_there_or_not_pinned_are_refused_together(
    app: Context,
) -> None:
    contexts = {"a": "docker-image://alpine:3", "b": "/no/such/folder", "c": "https://x.example"}
    with pytest.raises(ConfigError) as caught:
        app.hash(additional_contexts=contexts)
    assert caught.value.problems == tuple(
        f"{app.root} build.additional_contexts.{name}: {source} is neither a folder that is there "
        "nor an image that is pinned by digest; download it first, or pin it"
        for name, source in contexts.items()
    )


def test_dockerfile_counts_even_where_only_a_comment_differs(app: Context) -> None:
    before = app.hash()
    app.write("Dockerfile", DOCKERFILE.encode() + b"# built by hand\n")

    assert app.hash() != before


def test_dockerfile_counts_even_where_the_ignore_file_leaves_it_out(app: Context) -> None:
    app.write(".dockerignore", b"Dockerfile\n")
    before = app.hash()
    app.write("Dockerfile", DOCKERFILE.encode() + b"USER 1000\n")

    assert app.hash() != before


def test_ends_of_lines_count_in_a_dockerfile_that_is_left_out(app: Context) -> None:
    app.write(".dockerignore", b"Dockerfile\n")
    before = app.hash()
    app.write("Dockerfile", DOCKERFILE.replace("\n", "\r\n").encode())

    assert app.hash() != before


def test_base_images_are_found_whatever_the_ends_of_lines(app: Context) -> None:
    text = f"# syntax=a@{DIGEST}\nARG B={BASE}\nFROM $B AS x\nRUN <<EOF\nFROM y\nEOF\nFROM x\n"
    app.write("Dockerfile", text.replace("\n", "\r\n").encode())

    bases = read_source(Build(context=str(app.root)), PLATFORM).head["bases"]
    assert sorted(bases) == sorted([f"a@{DIGEST}", BASE])


def test_base_digest_counts_where_it_comes_from_an_argument(app: Context) -> None:
    app.write("Dockerfile", b"ARG BASE\nFROM $BASE\n")

    one = source_hash([], DOCKERFILE, Build(context="."), PLATFORM, {BASE: DIGEST})
    two = source_hash([], DOCKERFILE, Build(context="."), PLATFORM, {BASE: OTHER_DIGEST})
    assert one != two
    assert app.hash(args={"BASE": f"a@{DIGEST}"}) != app.hash(args={"BASE": f"a@{OTHER_DIGEST}"})


def test_ignore_rule_counts_where_it_changes_what_is_sent(app: Context) -> None:
    app.write("notes.md", b"x")
    app.write("Dockerfile.dockerignore", b"*.md\nDockerfile.dockerignore\n")
    ignoring = app.hash()
    app.write("Dockerfile.dockerignore", b"# the same set\n*.md\nDockerfile.dockerignore\n")
    assert app.hash() == ignoring

    app.write("Dockerfile.dockerignore", b"Dockerfile.dockerignore\n")
    assert app.hash() != ignoring


def test_ignored_files_do_not_count(app: Context) -> None:
    app.write(".dockerignore", b"cache\n")
    before = app.hash()
    app.write("cache/deep/file", b"x")

    assert app.hash() == before


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda root: (root / "empty").rmdir(), id="gone"),
        pytest.param(lambda root: (root / "empty").chmod(0o700), id="mode"),
        pytest.param(lambda root: (root / "empty").rename(root / "other"), id="name"),
    ],
)
def test_empty_folders_count(app: Context, change: Callable[[Path], object]) -> None:
    (app.root / "empty").mkdir()
    before = app.hash()
    change(app.root)

    assert app.hash() != before


def test_file_link_and_folder_of_one_name_are_three_sources(app: Context) -> None:
    path = app.root / "thing"
    path.mkdir()
    folder = app.hash()
    path.rmdir()
    path.symlink_to("main.py")
    link = app.hash()
    path.unlink()
    path.write_bytes(b"print()")

    assert len({folder, link, app.hash()}) == 3


def test_links_are_not_followed(app: Context, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (app.root / "link").symlink_to(outside)
    (app.root / "loop").symlink_to(app.root)
    before = app.hash()
    (outside / "new").touch()

    assert app.hash() == before
    assert app.paths() == ["Dockerfile", "link", "loop", "main.py", "static", "static/site.css"]


def test_names_that_are_no_utf_8_count(app: Context) -> None:
    hashes = {app.hash()}
    names = [b"\xff", b"\xfe", b"\\xff", b"\\\\xff"]
    for name in names:
        path = os.path.join(os.fsencode(app.root), name)
        with open(path, "wb"):
            hashes.add(app.hash())
        os.unlink(path)

    assert len(hashes) == len(names) + 1


@quick
@given(st.text(st.characters(codec="utf-8")), st.none() | st.text(st.characters(codec="utf-8")))
def test_entries_are_hashed_as_canonical_json(path: str, target: str | None) -> None:
    entry = Entry(path, "120000", target)
    head = {"args": {}, "bases": {}, "dockerfile": "", "platform": PLATFORM, "target": None}
    lines = [{**head, "scheme": "slipway-source-2"}, [path, "120000", target, None]]

    assert source_hash([entry], "", Build(context="."), PLATFORM, {}) == (
        hashlib.sha256(b"".join(canonical_json(line) + b"\n" for line in lines)).hexdigest()
    )


def test_source_hash_is_the_same_on_every_machine() -> None:
    entries = [Entry("b", "100644", content="0"), Entry("a", "40755")]
    build = Build(context="/anywhere", args={"B": "1", "A": None}, target="web")

    # Known from before: a change of the rule needs another scheme name, and new builds everywhere.
    assert source_hash(entries, DOCKERFILE, build, PLATFORM, {BASE: DIGEST}) == (
        "37f4a5803fc0d2896bc09e2189f08e2c744d37814e42c57006338e808d20d83c"
    )


def test_cache_spares_reading_and_changes_no_hash(
    app: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/shared.py").write_text("a = 1")
    cache = HashCache(tmp_path / "hashes", later, later_in)
    described = {"context": str(app.root), "additional_contexts": {"lib": str(tmp_path / "lib")}}
    build = Build.model_validate(described)
    hashes = {read_source(build, PLATFORM).hash, read_source(build, PLATFORM, cache).hash}
    opened: list[str] = []
    open_ = os.open
    monkeypatch.setattr(os, "open", lambda path, *more: opened.append(path) or open_(path, *more))
    hashes.add(read_source(build, PLATFORM, cache).hash)

    assert len(hashes) == 1
    assert [
        path for path in opened if path.startswith((str(app.root), str(tmp_path / "lib")))
    ] == []


def test_unpinned_bases_are_refused_together(app: Context) -> None:
    app.write("Dockerfile", b"FROM node:22 AS assets\nFROM python:3.11\nARG X\nFROM $X\n")

    with pytest.raises(ConfigError) as refusal:
        app.hash()

    file = app.root / "Dockerfile"
    reason = (
        "so that the same source could give another image tomorrow; run scripts/pin compose.yaml"
    )
    assert refusal.value.problems == (
        f"{file}:1 node:22: not pinned by digest, {reason}",
        f"{file}:2 python:3.11: not pinned by digest, {reason}",
        f"{file}:4 $X: the build argument has no value; give it under build.args in the compose "
        "file",
    )


def test_base_without_a_digest_names_the_compose_file_that_is_to_be_pinned(app: Context) -> None:
    app.write("Dockerfile", b"ARG X\nFROM ${X}\nFROM b:1\n")
    build = Build(context=str(app.root), args={"X": "a:1"})

    with pytest.raises(ConfigError) as refusal:
        read_source(build, PLATFORM, compose_file="../shop/compose.yaml")

    file = app.root / "Dockerfile"
    why = "not pinned by digest, so that the same source could give another image tomorrow"
    remedy = "run scripts/pin ../shop/compose.yaml"
    assert refusal.value.problems == (
        f"{file}:2 a:1: {why}; {remedy}, or add the digest where ${{X}} gets its variables",
        f"{file}:3 b:1: {why}; {remedy}",
    )


def test_name_that_is_none_is_refused_with_its_place(app: Context) -> None:
    app.write("Dockerfile", b"FROM a:\nARG X\nFROM a:${X} AS b\nFROM a-$BUILDARCH\n")

    with pytest.raises(ConfigError) as refusal:
        app.hash()

    file = app.root / "Dockerfile"
    remedy = (
        "with the arguments that are known here, which is no image; give them a value under "
        "build.args in the compose file, or write the image out"
    )
    assert refusal.value.problems == (
        f'{file}:1 "a:" is not an image reference; write repository:tag@sha256:<64 hex digits>',
        f'{file}:3 a:${{X}}: gives "a:" {remedy}',
        f'{file}:4 a-$BUILDARCH: gives "a-" {remedy}',
    )


def test_base_of_the_platform_counts(app: Context) -> None:
    app.write("Dockerfile", f"FROM a:${{TARGETARCH}}@{DIGEST}\n".encode())
    build = Build(context=str(app.root))

    assert read_source(build, "linux/arm64").head["bases"] == {f"a:arm64@{DIGEST}": DIGEST}


def test_missing_dockerfile_is_refused(app: Context) -> None:
    with pytest.raises(ConfigError) as refusal:
        app.hash(dockerfile="docker/Dockerfile")

    assert refusal.value.problems == (
        f"{app.root}/docker/Dockerfile: no such Dockerfile; correct build.context or "
        "build.dockerfile",
    )


def test_broken_ignore_file_is_refused(app: Context) -> None:
    file = app.write(".dockerignore", b"[a\n")

    with pytest.raises(ConfigError) as refusal:
        app.hash()

    assert refusal.value.problems == (
        f'{file}: "[a" is not a pattern: [a begins no class of characters; write \\[ for a [ '
        "itself",
    )


@pytest.mark.parametrize("name", ["Dockerfile", ".dockerignore"])
def test_file_that_is_no_text_is_refused(app: Context, name: str) -> None:
    file = app.write(name, b"# caf\xe9\n")

    with pytest.raises(ConfigError) as refusal:
        app.hash()

    assert refusal.value.problems == (f"{file}:1 is not UTF-8 text; save it as UTF-8",)


def test_clone_elsewhere_has_the_same_source(app: Context, tmp_path: Path) -> None:
    shutil.copytree(app.root, tmp_path / "elsewhere")

    assert Context(tmp_path / "elsewhere", {}).hash() == app.hash()


def test_context_that_holds_slipway_s_own_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM python@sha256:{'a' * 64}\nCOPY . .\n")
    (tmp_path / ".slipway").mkdir()
    (tmp_path / ".slipway/passphrase").write_text("secret")
    with pytest.raises(ConfigError, match=r"write \.slipway and backups into .*/\.dockerignore"):
        read_source(Build(context=str(tmp_path)), "linux/amd64")
    (tmp_path / ".dockerignore").write_text(".slipway\nbackups\n")
    assert read_source(Build(context=str(tmp_path)), "linux/amd64").hash
