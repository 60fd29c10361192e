"""The verdicts below are those of github.com/moby/patternmatcher v0.6.0: it was asked for each."""

from pathlib import Path

import pytest

from slipway.dockerignore import ignore_file, ignored, read_patterns

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
]


@pytest.mark.parametrize(("text", "path"), EXCLUDED)
def test_leaves_out_what_docker_leaves_out(text: str, path: str) -> None:
    assert ignored(path, read_patterns(text)) is True


@pytest.mark.parametrize(("text", "path"), KEPT)
def test_keeps_what_docker_keeps(text: str, path: str) -> None:
    assert ignored(path, read_patterns(text)) is False


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("  ! ", '"!" excludes nothing; name a path after the !'),
        ("a\n[a-", '"[a-" is not a pattern: a [ lacks its ]'),
        ("[]", '"[]" is not a pattern: a [ lacks its ]'),
        ("[b-a]", '"[b-a]" is not a pattern: bad character range b-a at position 1'),
    ],
)
def test_refuses_a_line_that_is_no_pattern_and_quotes_it(text: str, message: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011  the message is compared below
        read_patterns(text)
    assert str(refusal.value) == message


def test_dockerfiles_own_ignore_file_comes_before_the_contexts(tmp_path: Path) -> None:
    assert ignore_file(tmp_path, "Dockerfile") is None

    general = tmp_path / ".dockerignore"
    general.touch()
    assert ignore_file(tmp_path, "Dockerfile") == general

    own = tmp_path / "Dockerfile.dockerignore"
    own.touch()
    assert ignore_file(tmp_path, "Dockerfile") == own
    assert ignore_file(tmp_path, "other/Dockerfile") == general
