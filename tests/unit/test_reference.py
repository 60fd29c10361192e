import pytest

from slipway.errors import ConfigError
from slipway.reference import ImageReference, parse_reference

from .support import DIGEST


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("python", ImageReference("docker.io", "library/python")),
        ("python:3.11", ImageReference("docker.io", "library/python", "3.11")),
        ("me/app", ImageReference("docker.io", "me/app")),
        ("docker.io/python", ImageReference("docker.io", "library/python")),
        ("localhost/app", ImageReference("localhost", "app")),
        ("localhost:5000/app:1", ImageReference("localhost:5000", "app", "1")),
        ("reg.example.com/a/b/c", ImageReference("reg.example.com", "a/b/c")),
        (
            "reg.example.com:443/a@" + DIGEST,
            ImageReference("reg.example.com:443", "a", None, DIGEST),
        ),
        ("a:1@" + DIGEST, ImageReference("docker.io", "library/a", "1", DIGEST)),
        ("me/a-b_c.d", ImageReference("docker.io", "me/a-b_c.d")),
    ],
)
def test_parts_names_as_docker_does(text: str, reference: ImageReference) -> None:
    assert parse_reference(text) == reference


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Python",
        "a b",
        "/a",
        "a/",
        "a//b",
        "-a",
        "a:",
        "a:b:c",
        "a:-b",
        "a:b c",
        "a@",
        "a@sha256:12",
        f"a@{DIGEST}0",
        f"a@{DIGEST.upper()}",
        "${BASE}",
    ],
)
def test_refuses_what_is_no_reference(text: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        parse_reference(text)

    assert refusal.value.problems == (
        f'"{text}" is not an image reference; write repository:tag@sha256:<64 hex digits>',
    )


@pytest.mark.parametrize(
    "text",
    ["docker.io/library/python:3.11", "localhost:5000/app", f"reg.example.com/a/b:1@{DIGEST}"],
)
def test_full_references_print_as_they_were_read(text: str) -> None:
    assert str(parse_reference(text)) == text


def test_name_has_neither_tag_nor_digest() -> None:
    reference = parse_reference(f"localhost:5000/app:1@{DIGEST}")

    assert (reference.name, reference.pinned) == ("localhost:5000/app", True)
    assert parse_reference("app:1").pinned is False
