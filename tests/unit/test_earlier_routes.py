from typing import Any

import pytest

from slipway.blueprint import project_record, record
from slipway.earlier_routes import EarlierRoutes, earlier_routes, recorded_project
from slipway.mounted_files import Mounted
from slipway.plan import ingress_networks, ingress_settings, plan_sites
from slipway.proxy import Site
from slipway.secret_references import references
from slipway.services import Project

from .test_plan import PULLED, containers

PUBLISHED = ("0.0.0.0", 8000)
PREFIX = "shop-test"
ROUTE: dict[str, Any] = {"route": {"port": 8000}, "probes": [{"path": "/"}]}
WEB: dict[str, Any] = {"image": PULLED, "x-slipway": ROUTE}


def project(services: dict[str, Any], networks: dict[str, Any] | None = None) -> Project:
    named = {name: {"name": name, **service} for name, service in services.items()}
    values = {"name": "shop", "file": "compose.yaml", "services": named}
    return Project.model_validate({**values, "networks": networks or {}})


def entry(stack: Project, secrets: dict[str, str]) -> dict[str, Any]:
    """A release as the ledger keeps it."""
    services = {
        name: {"record": record(service, Mounted(), "key", secrets).content}
        for name, service in stack.services.items()
    }
    beside = project_record(stack, "key", secrets).content
    return {"number": 7, "project": beside, "services": services}


def routes(before: Project | None, after: Project) -> EarlierRoutes:
    return earlier_routes(before, containers(after), after, "caddy", PUBLISHED, PREFIX)


def settings(stack: Project) -> str:
    return ingress_settings(stack, plan_sites(stack), "caddy", PUBLISHED, PREFIX)


# --- out of the ledger ----------------------------------------------------------------------


def test_routes_come_back_out_of_the_ledger_as_they_were() -> None:
    secrets = {"PASSWORD": "hunter2"}
    probes = [{"path": "/", "headers": {"Authorization": "hunter2"}}]
    route = {"port": 9000, "host": "api.example.com", "path": "/v1"}
    stack = project(
        {
            "api": {
                **WEB,
                "container_name": "backend",
                "networks": {"default": None, "back": {"aliases": ["api-v1"]}},
                "environment": {"PASSWORD": "hunter2"},
                "x-slipway": {"route": route, "probes": probes, "overlap": False, "hold": "9s"},
            },
            "web": WEB,
            "db": {"image": PULLED},
        },
        {"back": {"internal": True}},
    )
    kept = entry(stack, secrets)
    kept["services"]["web-release"] = {"job_of": "web"}
    found = recorded_project(kept, dict.fromkeys(references(kept), "x"))
    assert found is not None
    assert plan_sites(found) == plan_sites(stack)
    assert ingress_networks(found, plan_sites(found)) == ingress_networks(stack, plan_sites(stack))
    assert settings(found) == settings(stack)


def test_release_with_a_value_that_is_gone_tells_no_routes() -> None:
    secrets = {"PASSWORD": "hunter2"}
    hidden = {"route": {"port": 1, "host": "hunter2"}, "probes": [{"path": "/"}]}
    stack = project({"web": {**WEB, "x-slipway": hidden}})
    assert recorded_project(entry(stack, secrets), {}) is None


# --- beside those of the next release -------------------------------------------------------


def test_first_release_and_one_with_the_same_routes_need_no_others() -> None:
    stack = project({"web": WEB})
    assert routes(None, stack) == EarlierRoutes()
    assert routes(stack, project({"web": {**WEB, "command": ["other"]}})) == EarlierRoutes()


def test_proxy_that_has_the_routes_of_both_can_be_what_it_was() -> None:
    before = project({"web": WEB})
    after = project({"front": WEB, "web": {**WEB, "x-slipway": {"route": {"port": 9000}}}})
    assert routes(before, after) == EarlierRoutes(
        (Site("web", 8000, names=("web",)),), {"default": ("web",)}, settings(before)
    )


@pytest.mark.parametrize(
    "after",
    [
        {"web": {"image": PULLED}, "front": WEB},
        {"web": {**WEB, "x-slipway": {"singleton": True}}, "front": WEB},
    ],
    ids=["backing", "singleton"],
)
def test_name_that_a_container_has_from_now_on_is_not_the_proxy_s(after: dict[str, Any]) -> None:
    found = routes(project({"web": WEB}), project(after))
    assert (found.networks, found.settings) == ({"default": ()}, "")
    assert found.sites == (Site("web", 8000, names=("web",)),)


def test_proxy_is_in_no_network_that_the_release_does_not_have() -> None:
    networked = {**WEB, "networks": {"back": None}}
    gone = routes(project({"web": networked}, {"back": {}}), project({"front": WEB}))
    there = {"back": {"external": True, "name": "other"}}
    other = routes(project({"web": networked}, {"back": {}}), project({"front": networked}, there))
    assert (gone.networks, gone.settings) == (other.networks, other.settings) == ({}, "")
