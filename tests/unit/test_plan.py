from pathlib import Path
from typing import Any

import pytest

from slipway.blueprint import project_record, record
from slipway.declared import Declared
from slipway.image_plan import ImagePlan, plan_images
from slipway.key_lines import KeyLines
from slipway.mounted_files import Mounted, UploadedFile
from slipway.plan import (
    ContainerPlan,
    ingress_networks,
    ingress_resource,
    plan_containers,
    plan_sites,
)
from slipway.proxy import Site
from slipway.reference import ImageReference, parse_reference
from slipway.release import Placement, container_spec, revision
from slipway.roles import Role
from slipway.services import Build, Project
from slipway.source_hash import read_source
from slipway.state import CONTAINER, StackState

PULLED = f"docker.io/library/postgres:16@sha256:{'e' * 64}"
EMPTY = StackState()


def nothing(reference: ImageReference) -> None:
    return None


@pytest.fixture
def context(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text(f"FROM python@sha256:{'a' * 64}\nCOPY . .\n")
    (tmp_path / "app.py").write_text("print('hello')\n")
    return tmp_path


def project(services: dict[str, dict[str, Any]]) -> Project:
    named = {name: {"name": name, **service} for name, service in services.items()}
    return Project.model_validate({"name": "shop", "file": "compose.yaml", "services": named})


def images(stack: Project) -> dict[str, ImagePlan]:
    return plan_images(stack, "shop", "localhost:5000/team", "linux/amd64", EMPTY, nothing)


def containers(
    stack: Project,
    state: StackState = EMPTY,
    missing: frozenset[str] = frozenset(),
    mounted: dict[str, Mounted] | None = None,
) -> list[ContainerPlan]:
    pulled = {
        name: parse_reference(str(service.image))
        for name, service in stack.services.items()
        if service.build is None
    }
    declared = Declared(
        stack,
        KeyLines(Path("compose.yaml")),
        {**pulled, **images(stack)},
        mounted or {},
        {name: record(service, Mounted(), "key", {}) for name, service in stack.services.items()},
        project_record(stack, "key", {}),
    )
    return plan_containers(declared, "key", "shop", "shop-test", state, missing)


def test_containers_are_named_after_their_revision(context: Path) -> None:
    stack = project(
        {
            "web": {
                "build": {"context": str(context)},
                "x-slipway": {"route": {"port": 8000}, "probes": [{"path": "/"}]},
            },
            "db": {"image": PULLED},
        }
    )
    db, web = stack.services["db"], stack.services["web"]
    hash_ = read_source(Build(context=str(context)), "linux/amd64").hash
    db_place = Placement(aliases={"default": ("db",)})
    web_place = Placement(aliases={"default": ()})
    db_spec = container_spec(db, PULLED, None, db_place.plain("key"))
    web_spec = container_spec(web, hash_, hash_, web_place.plain("key"))
    db_revision, web_revision = revision(db_spec, "key"), revision(web_spec, "key")
    plans = containers(stack)
    assert plans == [
        ContainerPlan(
            service=db,
            resource=f"shop-db-{db_revision}",
            name=f"shop-test-db-{db_revision}",
            revision=db_revision,
            spec=db_spec,
            image=parse_reference(PULLED),
            role=Role.BACKING,
            placement=db_place,
            record=record(db, Mounted(), "key", {}),
        ),
        ContainerPlan(
            service=web,
            resource=f"shop-web-{web_revision}",
            name=f"shop-test-web-{web_revision}",
            revision=web_revision,
            spec=web_spec,
            image=images(stack)["web"],
            role=Role.ROUTED,
            placement=web_place,
            record=record(web, Mounted(), "key", {}),
        ),
    ]
    assert [plan.upstream for plan in plans] == [None, f"shop-test-web-{web_revision}:8000"]


def test_service_that_others_now_wait_for_to_complete_gets_another_container() -> None:
    """The one that serves would be stopped for good, as a job that is done."""

    def names(condition: str) -> dict[str, str]:
        waits = {"depends_on": {"mail": {"condition": condition}}}
        stack = project({"mail": {"image": PULLED}, "web": {"image": PULLED, **waits}})
        return {plan.service.name: plan.name for plan in containers(stack)}

    serves, runs = names("service_started"), names("service_completed_successfully")
    assert serves["mail"] != runs["mail"]
    assert serves["web"] == runs["web"]


def named(state_has: list[str], missing: list[str]) -> tuple[str, str]:
    """Resource and name on the host, with `*` for the revision's part."""
    stack = project({"db": {"image": PULLED}})
    base = containers(stack)[0].resource
    state = StackState({(CONTAINER, base + suffix): {} for suffix in state_has})
    gone = frozenset(base + suffix for suffix in missing)
    plan = containers(stack, state, gone)[0]
    return plan.resource.replace(base, "*"), plan.name.replace(base.replace("shop-", "", 1), "*")


@pytest.mark.parametrize(
    ("state_has", "missing", "suffix"),
    [
        ([], [], ""),
        ([""], [], ""),
        ([""], [""], "-2"),
        (["", "-2"], [""], "-2"),
        (["-2"], [], "-2"),
        (["-2"], ["-2"], "-3"),
        (["", "-2"], ["", "-2"], "-3"),
        (["-9", "-10"], ["-10"], "-11"),
        (["-2-more", "-x"], [], ""),
    ],
)
def test_container_that_was_lost_comes_back_under_a_name_of_its_own(
    state_has: list[str], missing: list[str], suffix: str
) -> None:
    assert named(state_has, missing) == (f"*{suffix}", f"shop-test-*{suffix}")


def test_ingress_that_was_lost_comes_back_as_another_resource() -> None:
    state = StackState({(CONTAINER, "shop-ingress"): {}})
    assert ingress_resource("shop", EMPTY, frozenset()) == "shop-ingress"
    assert ingress_resource("shop", state, frozenset()) == "shop-ingress"
    assert ingress_resource("shop", state, frozenset({"shop-ingress"})) == "shop-ingress-2"


# --- placement ------------------------------------------------------------------------------


def placed(service: dict[str, Any], mounted: Mounted | None = None) -> Placement:
    plans = containers(project({"s": service}), mounted={"s": mounted} if mounted else None)
    return plans[0].placement


PORTS = [{"target": 8000, "published": "80"}, {"target": 9000, "published": "9000"}]
ROUTE = {"route": {"port": 8000}, "probes": [{"path": "/"}]}


def test_backing_service_has_its_ports_and_names() -> None:
    service = {
        "image": PULLED,
        "ports": PORTS,
        "container_name": "records",
        "networks": {"default": None, "back": {"aliases": ["db"]}},
    }
    found = placed(service)
    assert [str(port) for port in found.ports] == ["80:8000", "9000:9000"]
    names = ("s", "records", "db")
    assert found.aliases == {"default": names, "back": names}


def test_service_that_runs_twice_during_a_release_has_neither(context: Path) -> None:
    service = {"build": {"context": str(context)}, "ports": PORTS, "x-slipway": ROUTE}
    found = placed(service)
    assert found.ports == ()
    assert found.aliases == {"default": ()}


def test_held_service_publishes_all_but_the_port_of_its_route(context: Path) -> None:
    held = {**ROUTE, "overlap": False}
    service = {"build": {"context": str(context)}, "ports": PORTS, "x-slipway": held}
    assert [str(port) for port in placed(service).ports] == ["9000:9000"]


def test_content_of_an_uploaded_file_makes_another_revision(context: Path) -> None:
    stack = project({"s": {"build": {"context": str(context)}}})

    def revised(content: bytes, *, secret: bool) -> str:
        file = UploadedFile("/etc/s.conf", content, secret=secret)
        return containers(stack, mounted={"s": Mounted((file,))})[0].revision

    assert len({revised(c, secret=s) for c in (b"a", b"b") for s in (True, False)}) == 4
    assert revised(b"a", secret=True) == revised(b"a", secret=True)


def test_containers_start_after_what_they_depend_on() -> None:
    stack = project(
        {
            "a": {"image": PULLED, "depends_on": {"c": {}}},
            "b": {"image": PULLED},
            "c": {"image": PULLED, "depends_on": {"d": {}}},
            "d": {"image": PULLED},
        }
    )
    assert [plan.service.name for plan in containers(stack)] == ["d", "c", "a", "b"]


def test_sites_are_those_of_routed_services() -> None:
    stack = project(
        {
            "web": {"image": PULLED, "x-slipway": {**ROUTE, "overlap": False, "hold": "9s"}},
            "api": {
                "image": PULLED,
                "container_name": "backend",
                "networks": {"back": {"aliases": ["api-v1"]}},
                "x-slipway": {
                    "route": {"port": 9000, "host": "api.example.com", "path": "/v1"},
                    "probes": [{"path": "/v1"}],
                },
            },
            "db": {"image": PULLED},
        }
    )
    sites = plan_sites(stack)
    names = ("api", "backend", "api-v1")
    assert sites == (
        Site("web", 8000, names=("web",), hold=9.0),
        Site("api", 9000, hosts=("api.example.com",), path="/v1", names=names),
    )
    assert ingress_networks(stack, sites) == {"default": ("web",), "back": names}


# --- what is there already ------------------------------------------------------------------


def revision_on(volumes: dict[str, Any], networks: dict[str, Any]) -> str:
    """The revision of a database on a project's volume and networks."""
    mount = {"type": "volume", "source": "records", "target": "/data"}
    db = {
        "name": "db",
        "image": PULLED,
        "volumes": [mount],
        "networks": {"default": {}, "back": {}},
    }
    text = {"name": "shop", "file": "compose.yaml", "services": {"db": db}}
    stack = Project.model_validate({**text, "volumes": volumes, "networks": networks})
    (plan,) = containers(stack)
    return plan.revision


BEFORE = "d534dc9ed86c"


@pytest.mark.parametrize(
    ("volumes", "networks"),
    [
        ({"records": {}}, {"back": {}}),
        ({"records": {"external": True, "name": "shop-test-records"}}, {"back": {}}),
        ({"records": {}, "other": {"external": True}}, {"back": {}, "far": {"external": True}}),
    ],
    ids=["named after the stack", "adopted under that name", "of no concern to it"],
)
def test_revision_is_what_it_was_where_the_container_is_on_the_stack_s_own(
    volumes: dict[str, Any], networks: dict[str, Any]
) -> None:
    assert revision_on(volumes, networks) == BEFORE


def test_container_on_another_volume_or_network_of_the_host_is_another() -> None:
    def adopted(name: str) -> dict[str, Any]:
        return {"external": True, "name": name}

    places = [
        ({"records": {}}, {"back": {}}),
        ({"records": adopted("old")}, {"back": {}}),
        ({"records": adopted("new")}, {"back": {}}),
        ({"records": {}}, {"back": adopted("old")}),
        ({"records": {}}, {"back": adopted("new")}),
        ({"records": {}}, {"back": {}, "default": adopted("old")}),
    ]
    assert len({revision_on(volumes, networks) for volumes, networks in places}) == len(places)
