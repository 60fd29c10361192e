from pathlib import Path

from slipway.key_lines import KeyLines
from slipway.proof.unmapped import unmapped
from slipway.reference import parse_reference
from slipway.services import Service
from slipway.source_hash import Source
from tests.unit.support import BASE, image_plan, project

from .support import entry

TEXT = """\
services:
  web:
    x-slipway:
      proof:
        files:
          app: /srv/app
          lib: /srv/lib
  db:
    x-slipway: {proof: {files: {data: /data}}}
"""


def service(name: str, files: dict[str, str], **fields: object) -> Service:
    return Service.model_validate(
        {"name": name, "x-slipway": {"proof": {"files": files}}, **fields}
    )


def test_folder_that_is_not_in_the_source_is_told_by_its_line(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(TEXT)
    web = service("web", {"app": "/srv/app", "lib": "/srv/lib", ".": "/"}, build={"context": "/x"})
    db = service("db", {"data": "/data"}, image=BASE)
    images = {
        "web": image_plan(source=Source("c" * 64, (entry("app/main.py"),))),
        "db": parse_reference(BASE),
    }
    assert unmapped(project(web, db), KeyLines(file), images) == [
        f"{file}:9 services.db.x-slipway.proof.files.data: the service has no build to compare "
        "with; remove it",
        f"{file}:7 services.web.x-slipway.proof.files.lib: there is nothing of that name in the "
        "build context /src/app, or .dockerignore leaves it out; correct the path",
    ]
