import re
from dataclasses import replace
from typing import Any

import pytest

from slipway import deploy
from slipway.blueprint import Record, markers
from slipway.canonical import digest
from slipway.earlier_routes import EarlierRoutes
from slipway.errors import ConfigError, HostError, RegistryError
from slipway.host import LABEL_CONFIG, LABEL_CONFIG_BEFORE, LABEL_OWNER, NetworkState
from slipway.image_plan import ImagePlan
from slipway.prepared import Prepared
from slipway.proxy import Site
from slipway.release import fingerprint
from slipway.state import CONTAINER, STASH, VOLUME, LiveFact, StackState

from .support_deploy import CADDY, DIGEST, OWNER, PASSWORD, STACK, World, bring_up
from .support_gate import FakeHost


def test_new_stack_is_prepared_from_compose_file_and_registry(world: World) -> None:
    prepared = world.prepare()
    project = world.project()
    web, worker = prepared.containers
    assert prepared == Prepared(
        stack=STACK,
        settings=world.settings,
        project=project,
        project_record=Record({"name": "shop", "volumes": {"data": {}}, "networks": {}}),
        prefix="shop-test",
        address="http://127.0.0.1:8000",
        ingress_image=CADDY,
        ingress_resource="quotes-ingress",
        replaced_ingress="",
        containers=(web, worker),
        live=LiveFact(),
        attempt={
            "release": fingerprint(
                {"web": web.revision, "worker": worker.revision},
                {name: service.extension for name, service in project.services.items()},
                "stack key",
            ),
            "look": "first",
        },
        orphans=(),
        sites=(Site("web", 8000, names=("web",)),),
        origin=prepared.origin,
    )
    assert prepared.ingress_name == "shop-test-ingress"
    assert prepared.volumes == {"data": "shop-test-data"}
    assert prepared.networks == {"default": "shop-test"}
    assert prepared.ingress_networks == {"default": ("web",)}
    assert prepared.labels == {
        "slipway.owner": OWNER,
        "slipway.project": "quotes",
        "slipway.stack": "test",
    }
    assert digest({"owner": "stack key"})[:12] == OWNER


def test_compose_file_sees_the_stack_s_values_and_of_the_environment_only_the_reader_s(
    world: World,
) -> None:
    environ = {
        "PATH": "/bin",
        "SLIPWAY_PYTHON_IMAGE": "python",
        "DOCKER_HOST": "ssh://there",
        "AWS_SECRET_ACCESS_KEY": "leak",
        "PULUMI_CONFIG_PASSPHRASE": "leak",
    }
    world.prepare(settings=replace(world.settings, variables={"LEVEL": "info"}), environ=environ)
    marked = markers({"DB_PASSWORD": PASSWORD}, "stack key")
    assert world.read == [
        (
            world.folder / "compose.yaml",
            {"PATH": "/bin", "SLIPWAY_PYTHON_IMAGE": "python"},
            {"LEVEL": "info", **secrets},
        )
        for secrets in ({"DB_PASSWORD": PASSWORD}, marked)
    ]


def test_ingress_image_comes_from_the_environment_where_the_stack_names_none(world: World) -> None:
    settings = replace(world.settings, ingress_image=None)
    environ = {"SLIPWAY_CADDY_IMAGE": CADDY}
    assert world.prepare(settings=settings, environ=environ).ingress_image == CADDY
    with pytest.raises(ConfigError, match="no ingress image"):
        world.prepare(settings=settings)


def test_address_of_the_settings_is_the_one_that_is_probed(world: World) -> None:
    settings = replace(world.settings, address="https://quotes.example")
    assert world.prepare(settings=settings).address == "https://quotes.example"


def test_preview_does_not_look_at_the_host(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_engine() -> FakeHost:
        raise HostError("no Docker engine answers")

    monkeypatch.setattr(deploy, "connect", no_engine)
    assert world.prepare(preview=True).attempt["look"] == "first"
    with pytest.raises(HostError, match="no Docker engine answers"):
        world.prepare()


def test_image_that_the_registry_has_is_used_by_its_digest(world: World) -> None:
    first = world.prepare().containers[0].image
    assert isinstance(first, ImagePlan)
    assert (first.digest, first.declared) == (None, True)
    world.tags[str(first.reference.tag)] = DIGEST
    second = world.prepare().containers[0].image
    assert second == replace(first, digest=DIGEST, declared=False)


def test_tag_that_was_moved_is_refused(world: World) -> None:
    prepared = world.prepare()
    state = bring_up(world, prepared)
    plan = prepared.containers[0].image
    assert isinstance(plan, ImagePlan)
    world.tags[str(plan.reference.tag)] = f"sha256:{'0' * 64}"
    with pytest.raises(RegistryError, match="the tag was overwritten"):
        world.prepare(state)


def test_port_of_a_running_stack_does_not_change_by_the_way(world: World) -> None:
    state = bring_up(world, world.prepare())
    settings = replace(world.settings, port=9000)
    with pytest.raises(ConfigError, match="SLIPWAY_REPLACE_INGRESS=1 pulumi up --stack test"):
        world.prepare(state, settings=settings)
    allowed = world.prepare(state, settings=settings, environ={"SLIPWAY_REPLACE_INGRESS": "1"})
    first = world.prepare()
    assert allowed.replaced_ingress == first.ingress_settings
    assert allowed.needs_replacing_back
    assert world.prepare(state, environ={"SLIPWAY_REPLACE_INGRESS": "1"}).replaced_ingress == ""


def route(**route: Any) -> dict[str, Any]:
    return {"route": route, "probes": [{"path": "/health"}]}


def test_proxy_for_other_routes_knows_those_of_the_release_that_serves(world: World) -> None:
    first = world.prepare()
    state = bring_up(world, first)
    world.services["web"]["x-slipway"] = route(port=8000, internal=True)
    world.services["worker"]["x-slipway"] = route(port=9000)
    second = world.prepare(state, environ={"SLIPWAY_REPLACE_INGRESS": "1"})
    assert second.earlier == EarlierRoutes(
        sites=first.sites, networks={"default": ("web",)}, settings=first.ingress_settings
    )
    assert second.ingress_networks == {"default": ("web", "worker")}
    assert not second.needs_replacing_back


def test_proxy_that_knows_the_routes_of_before_need_not_be_made_anew_for_them(
    world: World,
) -> None:
    first = world.prepare()
    outputs = dict(bring_up(world, first).outputs)
    labels = {LABEL_CONFIG: "of what failed", LABEL_CONFIG_BEFORE: first.ingress_settings}
    pairs = [{"label": label, "value": value} for label, value in labels.items()]
    ingress = outputs[CONTAINER, "quotes-ingress"]
    outputs[CONTAINER, "quotes-ingress"] = {**ingress, "labels": pairs}
    assert world.prepare(StackState(outputs)).replaced_ingress == ""
    world.services["web"]["x-slipway"] = route(port=8000, path="/shop")
    with pytest.raises(ConfigError, match="SLIPWAY_REPLACE_INGRESS=1"):
        world.prepare(StackState(outputs))


def test_proxy_does_not_stay_in_a_network_that_the_file_no_longer_means(world: World) -> None:
    state = bring_up(world, world.prepare())
    world.host.found_networks = [NetworkState("n", {}, used=False)]
    world.networks = {"default": {"external": True, "name": "office"}}
    with pytest.raises(ConfigError, match="SLIPWAY_REPLACE_INGRESS=1 pulumi up --stack test"):
        world.prepare(state)


def test_volume_that_was_made_otherwise_is_refused(world: World) -> None:
    state = bring_up(world, world.prepare())
    made = {**state.outputs, (VOLUME, "quotes-data"): {"driver": "rclone"}}
    with pytest.raises(ConfigError, match=r"volumes\.data: driver were others"):
        world.prepare(StackState(made))


def test_container_of_another_owner_under_the_ingress_name_is_refused(world: World) -> None:
    world.host.add("shop-test-ingress", CADDY, labels={LABEL_OWNER: "someone else"})
    with pytest.raises(HostError, match=r"^container shop-test-ingress is there already"):
        world.prepare()


def test_key_and_secrets_are_not_shown_when_printed(world: World) -> None:
    shown = repr(world.prepare())
    assert PASSWORD not in shown
    assert "stack key" not in shown


def test_database_does_not_start_where_someone_else_writes(world: World) -> None:
    world.host.add("theirs", CADDY, running=True, labels={})
    world.host.written["shop-test-data"] = ["theirs"]
    data = {"type": "volume", "source": "data", "target": "/var/lib/postgresql/data"}
    world.services["db"] = {"image": f"postgres@{DIGEST}", "volumes": [data]}
    world.prepare(preview=True)
    with pytest.raises(HostError, match="container theirs, which is not of this stack"):
        world.prepare()


# --- the mark of an attempt -----------------------------------------------------------------


def test_second_run_of_the_same_source_changes_nothing(world: World) -> None:
    first = world.prepare()
    state = bring_up(world, first)
    said: list[str] = []
    second = world.prepare(state, said=said)
    assert said == []
    assert second.attempt == first.attempt
    assert second.containers == first.containers
    assert second.live.names == {plan.name for plan in first.containers}
    images = {"web": f"localhost:5000/shop@{DIGEST}", "worker": f"localhost:5000/shop@{DIGEST}"}
    assert second.ledger(images) == first.ledger(images)[:1] == second.live.ledger


def test_mark_changes_with_the_release_only(world: World) -> None:
    first = world.prepare()
    state = bring_up(world, first)
    world.services["worker"]["command"] = ["work", "harder"]
    second = world.prepare(state)
    assert second.attempt["release"] != first.attempt["release"]
    assert second.attempt["look"] == "first"


def test_edited_probe_marks_another_release_of_the_same_containers(world: World) -> None:
    first = world.prepare()
    state = bring_up(world, first)
    world.services["web"]["x-slipway"]["probes"] = [{"path": "/other"}]
    second = world.prepare(state)
    assert second.attempt["release"] != first.attempt["release"]
    assert [p.name for p in second.containers] == [p.name for p in first.containers]


def test_mark_changes_when_the_host_is_not_as_the_state_says(world: World) -> None:
    first = world.prepare()
    state = bring_up(world, first)
    world.host.crash(first.containers[0].name)
    said: list[str] = []
    second = world.prepare(state, said=said)
    third = world.prepare(state)
    assert said == [f"the gate looks again: web: {first.containers[0].name} is exited"]
    assert second.attempt["release"] == first.attempt["release"]
    assert re.fullmatch(r"[0-9a-f]{8}", second.attempt["look"])
    assert len({first.attempt["look"], second.attempt["look"], third.attempt["look"]}) == 3


def test_mark_of_an_earlier_look_stays(world: World) -> None:
    first = world.prepare()
    state = bring_up(world, first)
    marked = dict(state.outputs)
    marked[STASH, "quotes-attempt"] = {"input": {"release": first.fingerprint, "look": "a1b2c3d4"}}
    assert world.prepare(StackState(marked)).attempt == {
        "release": first.fingerprint,
        "look": "a1b2c3d4",
    }


def test_container_that_is_gone_is_made_anew_under_another_name(world: World) -> None:
    first = world.prepare()
    state = bring_up(world, first)
    web = first.containers[0]
    world.host.vanish(web.name)
    again = world.prepare(state).containers[0]
    assert (again.resource, again.name) == (f"{web.resource}-2", f"{web.name}-2")


def test_pin_of_a_stack_that_was_destroyed_is_told_with_the_way_out(world: World) -> None:
    with pytest.raises(
        ConfigError, match=r"was it destroyed\? run scripts/deploy test --leave-pin"
    ):
        world.prepare(settings=replace(world.settings, pin=3))
