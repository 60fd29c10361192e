from pathlib import Path

import pytest

from slipway.key_lines import KeyLines
from slipway.review import Finding, Subject
from slipway.roles import Role

from .support import subject


def test_findings_stand_at_the_line_of_their_key(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text("services:\n  web:\n    image: x\n")
    found = Subject(subject({"web": {"image": "x"}}).project, KeyLines(file), "prod")
    path = ("services", "web", "image")
    assert found.refuse("is wrong", *path) == Finding(
        3, f"{file}:3 services.web.image: is wrong", True, "web"
    )
    assert found.warn("is odd", *path) == Finding(
        3, f"{file}:3 services.web.image: is odd", False, "web"
    )


def test_services_are_found_by_the_part_that_they_play() -> None:
    found = subject({"b": {"image": "x"}, "a": {"image": "x"}, "web": {"build": {"context": "."}}})
    assert [s.name for s in found.with_role(Role.BACKING)] == ["a", "b"]
    assert [s.name for s in found.with_role(Role.WORKER, Role.HELD)] == ["web"]
    assert found.role(found.project.services["web"]) is Role.WORKER


@pytest.mark.parametrize(
    ("stack", "rehearsal"),
    [
        ("test", True),
        ("shop-dev", True),
        ("qa_2", True),
        ("pr-12-preview", True),
        ("prod", False),
        ("latest", False),
        ("attested", False),
        ("Test", False),
    ],
)
def test_stack_without_users_is_known_by_its_name(stack: str, rehearsal: bool) -> None:
    assert subject({}, stack=stack).rehearsal is rehearsal
