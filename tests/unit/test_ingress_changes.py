from pathlib import Path
from typing import Any

import pytest

from slipway.errors import ConfigError
from slipway.ingress_changes import Wanted, refuse_ingress_change
from slipway.key_lines import KeyLines
from slipway.services import Project

TEXT = """\
services:
  web:
    x-slipway:
      overlap: true
      route: {port: 8000}
"""
FOUND: dict[str, Any] = {
    "image": "caddy@sha256:1",
    "ports": [{"internal": 20080, "external": 8000, "ip": "0.0.0.0"}],
}
REMEDY = (
    "; for that the proxy must be stopped and made anew, which interrupts the service for some "
    "seconds; to do it: ALLOW=1 pulumi up --stack prod"
)
ROUTE = {"route": {"port": 8000}}
WEB = {"image": "x", "x-slipway": ROUTE}


def project(**services: Any) -> Project:
    named = {name: {"name": name, **service} for name, service in services.items()}
    content = {"name": "shop", "file": "f", "services": named, "networks": {"back": {}}}
    return Project.model_validate(content)


def told(
    tmp_path: Path,
    before: Project | None,
    now: Project,
    *,
    image: str = "caddy@sha256:1",
    bind: str = "0.0.0.0",
    port: int = 8000,
    found: dict[str, Any] = FOUND,
) -> str:
    file = tmp_path / "compose.yaml"
    file.write_text(TEXT)
    wanted = Wanted("prod", image, (bind, port), now, before, "shop-prod", KeyLines(file))
    with pytest.raises(ConfigError) as caught:
        refuse_ingress_change(found, wanted, "ALLOW")
    (problem,) = caught.value.problems
    assert problem.endswith(REMEDY)
    return problem.removesuffix(REMEDY).replace(f"{file}:", "")


def web(**extension: Any) -> Project:
    return project(web={"image": "x", "x-slipway": {**ROUTE, **extension}})


def test_overlap_is_told_at_its_line_in_the_compose_file(tmp_path: Path) -> None:
    assert told(tmp_path, web(overlap=False, hold=20), web()) == (
        "4 services.web.x-slipway.overlap: was false and is true"
    )


def test_hold_is_told_where_requests_waited_before_too(tmp_path: Path) -> None:
    assert told(tmp_path, web(overlap=False, hold=20), web(overlap=False)) == (
        "3 services.web.x-slipway.hold: was 20s and is 30s"
    )


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (
            web(),
            web(route={"port": 9000, "host": ["a.example", "b.example"]}),
            "5 services.web.x-slipway.route.host: was [] and is [a.example, b.example]; "
            "5 services.web.x-slipway.route.port: was 8000 and is 9000",
        ),
        (
            web(),
            web(route={"port": 8000, "internal": True}),
            "5 services.web.x-slipway.route.internal: was false and is true",
        ),
        (
            web(),
            project(web={**WEB, "container_name": "shop"}),
            "2 services.web.networks: was [] and is [shop]",
        ),
        (
            project(web=WEB, api=WEB),
            project(web=WEB, admin=WEB),
            "1 services.admin.x-slipway.route: is new, and the proxy has no such route yet; "
            "1 services.api: had a route, and has none now",
        ),
        (
            web(),
            project(web={**WEB, "networks": {"back": None}}),
            "1 networks: the proxy was in [shop-prod], where its services were, and must be in "
            "[shop-prod-back]",
        ),
    ],
)
def test_every_change_of_a_route_is_told(
    tmp_path: Path, before: Project, now: Project, said: str
) -> None:
    assert told(tmp_path, before, now) == said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"port": 8001}, "port: was 8000 and is 8001"),
        ({"bind": "127.0.0.1"}, "bind: was 0.0.0.0 and is 127.0.0.1"),
        ({"image": "caddy@sha256:2"}, "ingressImage: was caddy@sha256:1 and is caddy@sha256:2"),
    ],
)
def test_what_is_published_is_told_of_the_stack_s_file(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    assert told(tmp_path, web(), web(), **changes) == f"stacks/Pulumi.prod.yaml slipway:{said}"


@pytest.mark.parametrize("found", [{}, {**FOUND, "image": "sha256:1", "ports": []}])
@pytest.mark.parametrize("before", [None, web()])
def test_what_cannot_be_compared_is_not_guessed(
    tmp_path: Path, found: dict[str, Any], before: Project | None
) -> None:
    assert told(tmp_path, before, web(), image="caddy@sha256:2", found=found) == (
        "stacks/Pulumi.prod.yaml: its proxy's image (slipway:ingressImage), or what this version "
        "of Slipway makes of the same routes, is another than that of the proxy that runs"
    )
