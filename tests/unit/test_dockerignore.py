"""The verdicts below are those of fsutil and patternmatcher v0.6.0, which were asked for each.

tests/e2e/test_dockerignore.py asks the engine about many more.
"""

from pathlib import Path

import pytest

from slipway.dockerignore import ignore_file, read_rules

NO_CLASS = "begins no class of characters; write \\[ for a [ itself"

EXCLUDED = [
    pytest.param("foo", "foo", id="name"),
    pytest.param("foo", "foo/bar/baz", id="all-below-a-folder"),
    pytest.param("/foo", "foo", id="leading-slash-means-nothing"),
    pytest.param("//foo", "foo", id="two-leading-slashes-mean-nothing"),
    pytest.param("foo/", "foo", id="trailing-slash-means-nothing"),
    pytest.param("./a/../foo", "foo", id="path-is-cleaned"),
    pytest.param("foo   ", "foo", id="trailing-spaces"),
    pytest.param("\tfoo\r", "foo", id="tab-and-carriage-return"),
    pytest.param("\ufefffoo", "foo", id="byte-order-mark"),
    pytest.param(" #foo", "#foo", id="indented-hash-is-no-comment"),
    pytest.param("*.py", "a.py", id="star"),
    pytest.param("*/a", "x/a", id="star-folder"),
    pytest.param("*", ".hidden", id="star-takes-hidden-files"),
    pytest.param("a?c", "abc", id="question-mark"),
    pytest.param("**", "a/b/c", id="everything"),
    pytest.param("**/a", "a", id="double-star-matches-no-folder"),
    pytest.param("**/a", "x/y/a", id="double-star-matches-folders"),
    pytest.param("**/*.pyc", "x/y/a.pyc", id="double-star-and-star"),
    pytest.param("**.pyc", "a.pyc", id="end-of-name-at-the-root"),
    pytest.param("**.pyc", "x/y/a.pyc", id="end-of-name-below"),
    pytest.param("a/**", "a/x/y", id="all-below"),
    pytest.param("a/**/b", "a/b", id="double-star-between-matches-nothing"),
    pytest.param("a/**/b", "a/x/y/b", id="double-star-between-matches-folders"),
    pytest.param("a**", "abc/d", id="trailing-double-star-matches-rest"),
    pytest.param("[ab].txt", "b.txt", id="class"),
    pytest.param("[a-c].txt", "b.txt", id="range"),
    pytest.param("[^a].txt", "b.txt", id="negated-class"),
    pytest.param("[[].txt", "[.txt", id="bracket-in-a-class"),
    pytest.param("[\\]].txt", "].txt", id="escape-in-a-class"),
    pytest.param("\\*", "*", id="escaped-star"),
    pytest.param("a.b(c)+$^", "a.b(c)+$^", id="characters-that-regular-expressions-know"),
    pytest.param("a\n!b\nb", "b", id="last-match-wins"),
    pytest.param("*\n!a\na/x", "a/x", id="excluded-again-below-a-kept-folder"),
    pytest.param("a/b\n!a", "a/b", id="not-brought-back-with-its-folder"),
    pytest.param("*\n!a/*/**", "a/b/c", id="exception-ending-in-stars-points-at-its-beginning"),
    pytest.param("a/..\n./b/./c/..", "b", id="dots-are-cleaned"),
    pytest.param("/ a", "a", id="space-after-a-leading-slash"),
    pytest.param("a /", "a", id="space-before-a-trailing-slash"),
    pytest.param("\u00a0a\u3000", "a", id="any-space-that-unicode-knows"),
    pytest.param("\x1ca", "\x1ca", id="control-characters-are-no-space"),
    pytest.param("[*]", "[]", id="star-in-a-class-is-no-star-itself"),
    pytest.param("[?]", "/]", id="question-mark-in-a-class-neither"),
    pytest.param("[[:digit:]]*", "1a", id="named-class"),
    pytest.param("a\\d", "a1", id="escape-with-a-meaning"),
    pytest.param("\\a", "\a", id="escape-of-a-control-character"),
    pytest.param("*|b", "ab", id="bar-in-an-expression"),
    pytest.param("?{2}", "ab", id="braces-in-an-expression"),
    pytest.param("a|b", "a|b", id="bar-in-a-name"),
    pytest.param("{2}", "{2}", id="braces-in-a-name"),
    pytest.param("*^b", "b", id="caret-in-an-expression-is-the-beginning"),
    pytest.param("*\r\n!b\r\n", "a", id="lines-that-end-as-on-windows"),
]

KEPT = [
    pytest.param("", "foo", id="no-pattern"),
    pytest.param("\n   \n", "foo", id="empty-lines"),
    pytest.param("#foo", "#foo", id="comment"),
    pytest.param("\ufeff#foo", "#foo", id="comment-after-byte-order-mark"),
    pytest.param("foo", "x/foo", id="bare-name-counts-only-at-the-root"),
    pytest.param("foo", "foobar", id="whole-names"),
    pytest.param("*.py", "x/a.py", id="star-stays-in-its-folder"),
    pytest.param("a?c", "a/c", id="question-mark-is-no-slash"),
    pytest.param("a/**", "a", id="all-below-is-not-the-folder"),
    pytest.param("**/a", "xa", id="double-star-slash-needs-whole-names"),
    pytest.param("[^a].txt", "a.txt", id="negated-class"),
    pytest.param("[!a].txt", "b.txt", id="exclamation-mark-negates-no-class"),
    pytest.param("a.b", "axb", id="dot-is-a-dot"),
    pytest.param("*\n!a", "a", id="kept-by-exception"),
    pytest.param("*\n!a", "a/b", id="all-below-a-kept-folder"),
    pytest.param("*\n!  a", "a", id="spaces-after-the-exclamation-mark"),
    pytest.param("docs\n!docs/keep.md", "docs/keep.md", id="kept-below-an-excluded-folder"),
    pytest.param("**/*.md\n!README.md", "README.md", id="one-of-many-kept"),
    pytest.param("!a", "a", id="exception-to-nothing"),
    pytest.param("foo", "FOO", id="case-counts"),
    pytest.param("a\n!a/b\na", "a/b", id="said-again-of-the-folder-only"),
    pytest.param("*\n/!a", "a", id="exception-after-a-leading-slash"),
    pytest.param("*\n./!a", "a", id="exception-after-a-dot"),
    pytest.param("*\n!*/b/c", "a/b/c", id="exception-with-a-star-points-anywhere"),
    pytest.param("*\n!a/b/*", "a/b/c", id="exception-points-below"),
    pytest.param("../a", "a", id="above-the-context-is-nothing"),
    pytest.param(".", "a", id="the-context-itself-cannot-be-left-out"),
    pytest.param("[*]", "*", id="star-in-a-class-is-no-star-itself"),
    pytest.param("**/a*", "x\ny/a1", id="star-star-ends-at-a-line-break-in-a-name"),
    pytest.param("foo\\bar", "foobar", id="escape-that-is-a-border-of-words"),
    pytest.param("*^b", "ab", id="caret-in-an-expression-is-the-beginning"),
    pytest.param("*\r\n!b\r\n", "b", id="lines-that-end-as-on-windows"),
    pytest.param("a\n\ufeffb", "b", id="byte-order-mark-counts-only-at-the-beginning"),
]


@pytest.mark.parametrize(("text", "path"), EXCLUDED)
def test_leaves_out_what_docker_leaves_out(text: str, path: str) -> None:
    assert read_rules(text).ignored(path) is True


@pytest.mark.parametrize(("text", "path"), KEPT)
def test_keeps_what_docker_keeps(text: str, path: str) -> None:
    assert read_rules(text).ignored(path) is False


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("  ! ", '"!" excludes nothing; name a path after the !'),
        ("!/", '"!/" excludes nothing; name a path after the !'),
        ("/!", '"/!" excludes nothing; name a path after the !'),
        ("a\n[a-", f'"[a-" is not a pattern: [a- {NO_CLASS}'),
        ("a/[]b", f'"a/[]b" is not a pattern: []b {NO_CLASS}'),
        ("[^]", f'"[^]" is not a pattern: [^] {NO_CLASS}'),
        ("[a-]", f'"[a-]" is not a pattern: [a-] {NO_CLASS}'),
        ("a\\", '"a\\" is not a pattern: nothing follows the backslash at its end'),
        ("[b-a]", '"[b-a]" is not a pattern: the range b-a is empty'),
        (
            "logs\\error",
            '"logs\\error" is not a pattern: a backslash must not stand before e; leave it out',
        ),
    ],
)
def test_refuses_a_line_that_is_no_pattern_and_quotes_it(text: str, message: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011  the message is compared below
        read_rules(text)
    assert str(refusal.value) == message


def test_folder_is_searched_only_if_something_in_it_may_be_kept() -> None:
    assert not read_rules("*").may_keep_below("a")
    assert read_rules("*\n!a/b/c").may_keep_below("a/b")
    assert not read_rules("*\n!a/b/c").may_keep_below("a/x")
    assert read_rules("*\n!a/*.py").may_keep_below("x")


def test_dockerfiles_own_ignore_file_comes_before_the_contexts(tmp_path: Path) -> None:
    assert ignore_file(tmp_path, "Dockerfile") is None

    general = tmp_path / ".dockerignore"
    general.touch()
    assert ignore_file(tmp_path, "Dockerfile") == general

    own = tmp_path / "Dockerfile.dockerignore"
    own.touch()
    assert ignore_file(tmp_path, "Dockerfile") == own
    assert ignore_file(tmp_path, "other/Dockerfile") == general


@pytest.mark.parametrize(
    ("target", "read"),
    [
        ("rules/docker", True),
        ("./rules/../rules/docker", True),
        ("/rules/docker", True),
        ("../docker", False),
        (".dockerignore", False),
    ],
)
def test_linked_ignore_file_is_read_within_the_context_only(
    tmp_path: Path, target: str, read: bool
) -> None:
    context = tmp_path / "app"
    (context / "rules").mkdir(parents=True)
    (context / "rules/docker").touch()
    (tmp_path / "docker").touch()
    (context / ".dockerignore").symlink_to(target)

    assert ignore_file(context, "Dockerfile") == (context / "rules/docker" if read else None)


def test_folder_of_that_name_is_no_ignore_file(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").mkdir()

    assert ignore_file(tmp_path, "Dockerfile") is None
