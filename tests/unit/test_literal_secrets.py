import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from slipway.commands import secrets as command
from slipway.literal_secrets import FOUND_IN_BUILD, literal_secrets, references, variable_names
from slipway.yaml_edit import splice

from .support import write_files

FILE = Path("compose.yaml")


def moved(text: str) -> tuple[str, dict[str, str]]:
    """The text without its secrets, and the secrets by the variable that holds them."""
    names = variable_names(literal_secrets(FILE, text), text)
    values = {name: finding.value.get_secret_value() for finding, name in names.items()}
    return splice(text, references(names)), values


def environment(lines: str) -> str:
    return f"services:\n  web:\n    environment:\n{lines}"


COMPOSE = """\
# The shop.
x-pw: &pw s3cret  # shared
x-env: &env
  SECRET_KEY: "a$$b\\"c"   # Django's
  DEBUG: "false"
services:
  web:
    environment:
      <<: *env
      DB_PASSWORD: *pw
      DATABASE_URL: postgres://shop:pw@db/shop
      API_TOKEN: ${API_TOKEN}
      EMPTY_PASSWORD: ""
      NULL_PASSWORD:
      POSTGRES_HOST_AUTH_METHOD: trust
      TOKEN_EXPIRE_MINUTES: 30
      PASSWORD_FILE: /run/secrets/pw
      REDIS_URL: redis://cache:6379
  worker:
    environment:
      - DEBUG=1
      - "SMTP_PASSWORD=it's"   # mail
      - AWS_SECRET_ACCESS_KEY=abc=
      - API_KEY
  flow: {environment: {JWT_SECRET: abc, LIST: x}}
  listed: {environment: [DB_PASSWORD=s3cret]}
"""
MOVED = (
    COMPOSE.replace("s3cret  #", "${DB_PASSWORD}  #")
    .replace('"a$$b\\"c"', '"${SECRET_KEY}"')
    .replace("postgres://shop:pw@db/shop", "${DATABASE_URL}")
    .replace("it's", "${SMTP_PASSWORD}")
    .replace("abc=", "${AWS_SECRET_ACCESS_KEY}")
    .replace("{JWT_SECRET: abc,", '{JWT_SECRET: "${JWT_SECRET}",')
    .replace("[DB_PASSWORD=s3cret]", '["DB_PASSWORD=${DB_PASSWORD}"]')
)
VALUES = {
    "DB_PASSWORD": "s3cret",
    "SECRET_KEY": 'a$b"c',
    "DATABASE_URL": "postgres://shop:pw@db/shop",
    "SMTP_PASSWORD": "it's",
    "AWS_SECRET_ACCESS_KEY": "abc=",
    "JWT_SECRET": "abc",
}


def test_secrets_move_and_all_else_stays() -> None:
    assert moved(COMPOSE) == (MOVED, VALUES)


def test_what_was_moved_is_not_found_again() -> None:
    assert literal_secrets(FILE, MOVED) == []


def test_ends_of_lines_stay() -> None:
    text, values = moved(COMPOSE.replace("\n", "\r\n"))

    assert (text, values) == (MOVED.replace("\n", "\r\n"), VALUES)


def test_finding_tells_its_place_and_hides_its_value() -> None:
    found = literal_secrets(FILE, COMPOSE)

    assert [(f.line, f.column, f.service, f.key) for f in found] == [
        (2, 10, "web", "DB_PASSWORD"),
        (4, 14, "web", "SECRET_KEY"),
        (11, 20, "web", "DATABASE_URL"),
        (22, 8, "worker", "SMTP_PASSWORD"),
        (23, 8, "worker", "AWS_SECRET_ACCESS_KEY"),
        (25, 35, "flow", "JWT_SECRET"),
        (26, 25, "listed", "DB_PASSWORD"),
    ]
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize(
    ("before", "after", "value"),
    [
        ("|\n        -----BEGIN\n        x\n", "${A_KEY}\n", "-----BEGIN\nx\n"),
        (">-\n        two\n        words\n\n\n", "${A_KEY}\n\n\n", "two words"),
        ("two\n        words # why\n", "${A_KEY} # why\n", "two words"),
        ("!!str 12345\n", "!!str ${A_KEY}\n", "12345"),
        ("'it''s'\n", "'${A_KEY}'\n", "it's"),
        ("\n        next\n", "\n        ${A_KEY}\n", "next"),
    ],
)
def test_value_is_replaced_in_every_notation(before: str, after: str, value: str) -> None:
    head, tail = environment("      A_KEY: "), "      # end\n      B: c\n"

    assert moved(head + before + tail) == (head + after + tail, {"A_KEY": value})


def test_a_key_with_two_values_is_told_apart_by_its_service() -> None:
    text = (
        "services:\n"
        "  web-app: {environment: {PASSWORD: a}}\n"
        "  db: {environment: {PASSWORD: b}}\n"
        "  job: {environment: {TOKEN: c}, command: 'run ${TOKEN} $$PASSWORD'}\n"
    )

    assert moved(text)[1] == {"WEB_APP_PASSWORD": "a", "DB_PASSWORD": "b", "JOB_TOKEN": "c"}


def test_a_name_that_is_taken_gets_a_number() -> None:
    text = (
        "services:\n"
        "  a: {environment: {B_PASSWORD: x}}\n"
        "  a_b: {environment: {PASSWORD: y}}\n"
        "  a-b: {environment: {PASSWORD: z, 1_KEY: w}}\n"
    )

    assert moved(text)[1] == {
        "B_PASSWORD": "x",
        "A_B_PASSWORD": "y",
        "A_B_PASSWORD_2": "z",
        "_1_KEY": "w",
    }


@pytest.mark.parametrize(
    "text", ["", "services:\n", "services: [a]\n", "services: {a: {environment: text}}\n"]
)
def test_file_without_environment_has_no_secrets(text: str) -> None:
    assert literal_secrets(FILE, text) == []


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"])))
def test_whatever_is_found_reads_the_same_afterwards(value: str) -> None:
    quoted = "'" + value.replace("'", "''").replace("$", "$$") + "'"
    text = environment(f"      A: b\n      SECRET: {quoted} # c\n      D: e\n")

    after, values = moved(text)

    document = YAML(typ="safe", pure=True).load(after)
    found = document["services"]["web"]["environment"]
    assert {"A": found["A"], "D": found["D"]} == {"A": "b", "D": "e"}
    if values:
        assert (found["SECRET"], values) == ("${SECRET}", {"SECRET": value})


STACK = "config:\n  slipway:compose: app/compose.yaml\n"
WEB = environment("      SECRET_KEY: s3cret\n      DB_PASSWORD: other\n")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout, and a Pulumi that writes down what it is asked."""
    kept = "  slipway:secrets:\n    DB_PASSWORD: {secure: v1:x}\n"
    write_files(
        tmp_path,
        {
            "app/compose.yaml": WEB,
            "stacks/Pulumi.test.yaml": STACK,
            "stacks/Pulumi.prod.yaml": STACK + kept,
            "stacks/Pulumi.other.yaml": "config: {}\n",
            "pulumi": f'#!/bin/sh\n{{ echo "$*"; cat; }} >> {tmp_path}/log\n',
        },
    )
    (tmp_path / "pulumi").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(command, "ROOT", tmp_path)
    return tmp_path


SET = "config set --secret --stack {} --path slipway:secrets.{}\n{}\n"


def test_secrets_are_stored_in_the_stacks_of_the_file(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = root / "app/compose.yaml"

    command.secrets(file)

    assert (root / "log").read_text() == (
        SET.format("prod", "SECRET_KEY", "s3cret")
        + SET.format("test", "DB_PASSWORD", "other")
        + SET.format("test", "SECRET_KEY", "s3cret")
    )
    assert file.read_text() == environment(
        "      SECRET_KEY: ${SECRET_KEY}\n      DB_PASSWORD: ${DB_PASSWORD}\n"
    )
    assert capsys.readouterr().out == (
        "prod has a slipway:secrets.DB_PASSWORD already; it stays\n"
        "prod keeps slipway:secrets.SECRET_KEY\n"
        "test keeps slipway:secrets.DB_PASSWORD\n"
        "test keeps slipway:secrets.SECRET_KEY\n"
        f"{file}:4 web.SECRET_KEY -> ${{SECRET_KEY}}\n"
        f"{file}:5 web.DB_PASSWORD -> ${{DB_PASSWORD}}\n"
    )

    command.secrets(file)
    assert capsys.readouterr().out == "no literal secrets\n"


def test_only_the_named_stacks_get_them(root: Path) -> None:
    command.secrets(root / "app/compose.yaml", stack=["new"])

    assert (root / "log").read_text() == (
        SET.format("new", "DB_PASSWORD", "other") + SET.format("new", "SECRET_KEY", "s3cret")
    )


def test_check_changes_nothing_and_ends_with_1(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = root / "app/compose.yaml"

    with pytest.raises(SystemExit) as end:
        command.secrets(file, check=True)

    assert (end.value.code, file.read_text()) == (1, WEB)
    assert not (root / "log").exists()
    assert capsys.readouterr().out == (
        f"{file}:4 web.SECRET_KEY is a literal secret\n"
        f"{file}:5 web.DB_PASSWORD is a literal secret\n"
    )


@pytest.mark.parametrize(
    ("check", "code", "last"),
    [(True, 1, ""), (False, None, "no literal secrets that could be moved\n")],
)
def test_secret_of_a_build_is_told_and_not_moved(
    root: Path, capsys: pytest.CaptureFixture[str], check: bool, code: int | None, last: str
) -> None:
    file = root / "app/compose.yaml"
    text = "services:\n  web:\n    build: {context: ., args: {PIP_TOKEN: hunter2}}\n"
    file.write_text(text)

    ended = None
    try:
        command.secrets(file, check=check)
    except SystemExit as end:
        ended = end.code

    assert (ended, file.read_text()) == (code, text)
    told = f"{file}:3 web.build.args.PIP_TOKEN: {FOUND_IN_BUILD}\n"
    assert capsys.readouterr().out == told + last


def test_file_stays_where_a_secret_cannot_be_stored(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "pulumi").write_text("#!/bin/sh\necho no stack; cat >&2\nexit 255\n")
    file = root / "app/compose.yaml"

    with pytest.raises(SystemExit) as end:
        command.secrets(file)

    assert (end.value.code, file.read_text()) == (2, WEB)
    assert capsys.readouterr().err == (
        "slipway: stack prod could not keep slipway:secrets.SECRET_KEY: [secret]; the compose "
        "file is as it was. scripts/bootstrap makes a stack that is new\n"
    )


def test_file_that_changes_meanwhile_stays(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = root / "app/compose.yaml"
    (root / "pulumi").write_text(f"#!/bin/sh\necho '# mine' > {file}\n")

    with pytest.raises(SystemExit):
        command.secrets(file)

    assert file.read_text() == "# mine\n"
    assert capsys.readouterr().err.endswith("was changed in the meantime; run this again\n")


def test_file_without_a_stack_is_refused(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = root / "other.yaml"
    file.write_text(WEB)

    with pytest.raises(SystemExit):
        command.secrets(file)

    assert capsys.readouterr().err == (
        "slipway: 1 problem; nothing was changed:\n"
        f"{file}: no file in stacks/ releases it; name the stacks with --stack\n"
    )
