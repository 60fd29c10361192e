"""The verdicts below are those of Go's regexp package."""

import pytest

from slipway.go_expression import compile_go


@pytest.mark.parametrize(
    ("expression", "text", "found"),
    [
        ("^a$", "a", True),
        ("^a$", "a\n", False),
        ("^a|b$", "xb", True),
        ("^^a$", "a", True),
        ("^{2}a$", "a", True),
        ("^a{2}$", "aa", True),
        ("^a{2,}$", "aaa", True),
        ("^a{,2}$", "a{,2}", True),
        ("^a{02}$", "a{02}", True),
        ("^a{b$", "a{b", True),
        ("^a}$", "a}", True),
        ("^a]$", "a]", True),
        ("^.*$", "a\nb", False),
        ("^[^/]*$", "a\nb", True),
        ("^[^a]$", "a", False),
        (r"^[]a]$", "]", True),
        ("^[[^/]*]$", "[[]", True),
        ("^[a&&b]$", "&", True),
        ("^[[a]$", "[", True),
        ("^[+--]$", ",", True),
        ("^[a-]$", "-", True),
        (r"^[\d-a]$", "-", True),
        (r"^[\w]$", "é", False),
        (r"^\w$", "_", True),
        (r"^\W$", "é", True),
        (r"^\s$", "\v", False),
        (r"^\S$", "\v", True),
        (r"^[\D]$", "1", False),
        (r"^\t$", "\t", True),
        (r"^a\b-$", "a-", True),
        (r"^a\Bb$", "ab", True),
        (r"^\Aa\z$", "a", True),
        (r"^\_\/$", "_/", True),
        ("^[[:punct:]]$", "`", True),
        ("^[[:punct:]]$", "a", False),
        ("^[x[:space:]]$", "\v", True),
        ("^[[:a]$", ":", True),
    ],
)
def test_reads_an_expression_as_go_does(expression: str, text: str, found: bool) -> None:
    assert bool(compile_go(expression).search(text)) is found


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        (r"^\q$", "a backslash must not stand before q; leave it out"),
        (r"^\é$", "a backslash must not stand before é; leave it out"),
        (r"^\1$", "a backslash must not stand before 1; leave it out"),
        (r"^[\b]$", "a backslash must not stand before b; leave it out"),
        ("^[b-a]$", "the range b-a is empty"),
        ("^[a", "a [ lacks its ]"),
        ("^[[:letter:]]$", "[:letter:] is not known; list the characters instead"),
        ("^[^/]*{2}$", "multiple repeat"),
        ("^a|{2}$", "nothing to repeat"),
    ],
)
def test_refuses_what_go_refuses(expression: str, problem: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011  the message is compared below
        compile_go(expression)
    assert str(refusal.value) == problem
