import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.redact import Redactor, looks_secret, url_passwords

TEXT = st.text("ab12", max_size=8)
TRACEBACK = """\
Traceback (most recent call last):
  File "app/database.py", line 9, in connect
    raise RuntimeError(f"cannot connect: {os.environ['DATABASE_URL']}")
RuntimeError: cannot connect: postgresql://shop:hunter2@db:5432/shop
"""


def test_traceback_that_prints_a_database_url_shows_no_password() -> None:
    hidden = TRACEBACK.replace("hunter2", "[secret]")

    assert Redactor([])(TRACEBACK) == hidden
    assert Redactor(["hunter2"])(TRACEBACK) == hidden


def test_known_secret_is_hidden_wherever_it_stands() -> None:
    url = "postgresql://shop:hunter2@db:5432/shop"

    assert Redactor([url])(TRACEBACK) == TRACEBACK.replace(url, "[secret]")


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("DB_PASSWORD=hunter22", "DB_PASSWORD=[secret]"),
        ("password: hunter22, user: me", "password: [secret], user: me"),
        ("{'api_key': 'abc', 'b': 1}", "{'api_key': '[secret]', 'b': 1}"),
        ('{"token": "abc"}', '{"token": "[secret]"}'),
        ("SENTRY_DSN=https://key@host/1", "SENTRY_DSN=[secret]"),
        ("redis://:pass@cache:6379/0", "redis://:[secret]@cache:6379/0"),
        ("AMQP+TLS://me:pass@mq", "AMQP+TLS://me:[secret]@mq"),
        ("http://host:8000/path", "http://host:8000/path"),
        ("http://me@host/", "http://me@host/"),
        ("the token was refused", "the token was refused"),
        ("tokens = 5", "tokens = [secret]"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str, hidden: str) -> None:
    assert Redactor([])(text) == hidden


@pytest.mark.parametrize(
    "text", ["DB_PASSWORD=hunter22", "postgres://me:hunter22@db/", "token='hunter22'"]
)
def test_known_secret_in_a_known_place_is_hidden_once(text: str) -> None:
    assert Redactor(["hunter22"])(text) == text.replace("hunter22", "[secret]")


def test_longer_secret_goes_before_one_that_is_part_of_it() -> None:
    assert Redactor(["abcd", "abcdefgh"])("abcdefgh abcd") == "[secret] [secret]"


def test_each_line_of_a_secret_is_hidden() -> None:
    assert Redactor(["-- begin\nMIIEvQ\n"])("  MIIEvQ\n-- begin") == "  [secret]\n[secret]"


def test_values_that_are_in_all_texts_are_left_alone() -> None:
    assert Redactor(["", "1", "on", "123"])("on port 1234 of 1") == "on port 1234 of 1"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("a.yaml:5 x.SECRET_KEY: has no value", "a.yaml:5 x.SECRET_KEY: has no value"),
        ("a.yaml:5 secrets.token: x: token=abc", "a.yaml:5 secrets.token: x: token=[secret]"),
        ("a.yaml:5 x.hunter22: is wrong", "a.yaml:5 x.[secret]: is wrong"),
        ("PASSWORD: abc", "PASSWORD: [secret]"),
        ("x: token={abc", "x: token=[secret]"),
        ("x: token=[abc", "x: token=[secret]"),
        ("x: token=hunter22more", "x: token=[secret]"),
        ("x: write ${TOKEN:-abc}", "x: write ${TOKEN:[secret]}"),
    ],
)
def test_key_at_the_head_of_a_message_is_no_assignment(text: str, hidden: str) -> None:
    assert Redactor(["hunter22"]).message(text) == hidden


@pytest.mark.parametrize(
    "remedy",
    [
        "a build secret, with build: {secrets: [name]}, secrets: {name: {file: …}} at the top",
        "write secrets: {token: {file: …}}",
        "write secret: [token, api_key], or token: …",
        "give it a default: ${DB_PASSWORD:-}",
        "write --token=<value>",
    ],
)
def test_what_a_message_proposes_is_no_secret(remedy: str) -> None:
    text = f"a.yaml:5 x.y: a secret stands in the file; {remedy}"
    assert Redactor(["hunter22"]).message(text) == text


@given(st.lists(TEXT.filter(lambda text: len(text) >= 4)), TEXT, TEXT)
def test_no_secret_of_four_characters_gets_through(
    secrets: list[str], head: str, tail: str
) -> None:
    shown = Redactor(secrets)("".join([head, *secrets, tail]))

    assert not [secret for secret in secrets if secret in shown]


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("DATABASE_PASSWORD", True),
        ("db_passwd", True),
        ("SESSION_SECRET", True),
        ("GITHUB_TOKEN", True),
        ("STRIPE_APIKEY", True),
        ("API_KEY", True),
        ("TLS_PRIVATE_KEY", True),
        ("SENTRY_DSN", True),
        ("AWS_CREDENTIALS", True),
        ("DATABASE_HOST", False),
        ("KEYBOARD", False),
        ("PORT", False),
    ],
)
def test_names_tell_which_variables_hold_secrets(name: str, verdict: bool) -> None:
    assert looks_secret(name) is verdict


@pytest.mark.parametrize(
    ("text", "passwords"),
    [
        ("postgres://me:s3cret@db/shop", ["s3cret"]),
        ("redis://:p@ss@cache amqp://a:b@mq", ["p@ss", "b"]),
        ("https://me@example.com:8000/", []),
        ("no address", []),
    ],
)
def test_passwords_are_found_in_addresses(text: str, passwords: list[str]) -> None:
    assert url_passwords(text) == passwords
