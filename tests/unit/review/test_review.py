from pathlib import Path

from slipway.key_lines import KeyLines
from slipway.review import Subject, review
from slipway.services import Project

TEXT = """\
services:
  db:
    image: postgres
  web:
    image: shop
    container_name: shop
    x-slipway: {route: {port: 8000}}
"""


def test_all_findings_are_told_in_the_order_of_the_file_s_lines(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(TEXT)
    route = {"route": {"port": 8000}}
    services = {
        "db": {"name": "db", "image": "postgres"},
        "web": {"name": "web", "image": "shop", "container_name": "shop", "x-slipway": route},
    }
    project = Project.model_validate({"name": "shop", "file": str(file), "services": services})
    findings = review(Subject(project, KeyLines(file), "prod"))
    assert [(f.refused, f.text.split(": ")[0].removeprefix(f"{file}:")) for f in findings] == [
        (True, "2 services.db"),
        (True, "4 services.web"),
        (False, "6 services.web.container_name"),
    ]


def test_nothing_is_said_of_a_service_of_which_not_all_could_be_read(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text("services:\n  db: {image: postgres}\n  queue: {image: postgres}\n")
    services = {name: {"name": name, "image": "postgres"} for name in ("db", "queue")}
    project = Project.model_validate({"name": "s", "file": str(file), "services": services})
    subject = Subject(project, KeyLines(file), "prod", complete=False, unread=frozenset({"db"}))
    assert [f.text.split(": ")[0] for f in review(subject)] == [f"{file}:3 services.queue"]


def test_nothing_is_said_of_a_file_in_which_nothing_is_odd(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text("services:\n  web: {}\n")
    extension = {"route": {"port": 8000}, "probes": [{"path": "/"}]}
    web = {"name": "web", "image": "shop", "x-slipway": extension}
    project = Project.model_validate({"name": "s", "file": str(file), "services": {"web": web}})
    assert review(Subject(project, KeyLines(file), "prod")) == []
