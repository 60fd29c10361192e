from pathlib import Path

import pytest

from slipway.init.outline import outline
from slipway.init.proposals import Entry, Proposals
from slipway.init.writing import flow, write

ENTRY = Entry("singleton", True, ("Why.",))


def written(text: str, *services: str) -> tuple[str, list[str]]:
    found = outline(Path("compose.yaml"), text)
    return write(found, Proposals(dict.fromkeys(services or ("a",), (ENTRY,))))


BLOCK = "    x-slipway:\n      # Why.\n      singleton: true\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("    image: x", ""),
        ("    image: x\n", ""),
        ("    image: x # own\n    # own too\n", "\n\n  # of b\n  b: {}\n"),
        ("    command: |\n      run\n      # in the script\n", "# end\n"),
        ("    ports:\n    - 80\n\n    # own\n", "  b: {}\n"),
        ("    image: x\n# in between\n    init: true\n", "volumes:\n"),
        ("    command: [\n      run,\n      it\n  ]\n", "\n  # of b\n  b: {}\n"),
        ("    build: {\n  context: .,\n}\n    image: x\n", "# end\n"),
        ("    build:\n      args: {\n  a: [\nb]\n  }\n", "volumes:\n"),
        ("    image:\n", "# end\n"),
        ("    command: 'run\n  it'\n", "# end\n"),
    ],
)
def test_block_stands_below_the_services_last_line(before: str, after: str) -> None:
    head = "services:\n  a:\n"
    end = "" if before.endswith("\n") else "\n"
    block = BLOCK if before.endswith("\n") else BLOCK.removesuffix("\n")

    assert written(head + before + after) == (head + before + end + block + after, [])


def test_ends_of_lines_are_the_files_own() -> None:
    text = "services:\n  a:\n    image: x\n"

    assert written(text.replace("\n", "\r\n")) == ((text + BLOCK).replace("\n", "\r\n"), [])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{image: x}", "{image: x, x-slipway: {singleton: true}}"),
        ("{image: x, }", "{image: x, x-slipway: {singleton: true} }"),
        ("{}", "{x-slipway: {singleton: true}}"),
    ],
)
def test_braces_are_kept(before: str, after: str) -> None:
    assert written(f"services:\n  a: {before}\n") == (f"services:\n  # Why.\n  a: {after}\n", [])


def test_alias_has_no_place_of_its_own() -> None:
    text = "x: &x {image: x}\nservices:\n  a: *x\n  b:\n"

    assert written(text, "a", "b") == (text, ["a", "b"])


def test_service_that_merges_another_does_not_get_its_keys() -> None:
    text = "services:\n  a: &a\n    image: x\n  b:\n    <<: [*a]\n  c: {<<: *a, x-slipway: {}}\n"

    assert written(text) == (
        f"services:\n  a: &a\n    image: x\n{BLOCK}  b:\n    <<: [*a]\n"
        "    # Not what << would bring from a.\n    x-slipway: {}\n"
        "  c: {<<: *a, x-slipway: {}}\n",
        [],
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("/health", "/health"),
        ("python manage.py migrate && run", "python manage.py migrate && run"),
        ("yes", '"yes"'),
        ("/a?b=c", '"/a?b=c"'),
        ("8000", '"8000"'),
        (8000, "8000"),
        (False, "false"),
        ({"a": [1, "é: b"]}, '{a: [1, "é: b"]}'),
    ],
)
def test_values_are_quoted_where_yaml_needs_it(value: object, text: str) -> None:
    assert flow(value) == text
