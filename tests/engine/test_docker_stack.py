import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pytest

from slipway import build_log, hooked
from slipway.errors import ConfigError, GateError
from slipway.origin import GitState
from slipway.prepared import Prepared
from slipway.proxy import Site, caddy_config, settings_id
from slipway.redact import Redactor

from .conftest import BUSYBOX, CADDY, Shop
from .support import PUSHED, SECRET, UNKNOWN, World

CONTAINER = "docker:index/container:Container"
NETWORK = "docker:index/network:Network"
REGISTRY_IMAGE = "docker:index/registryImage:RegistryImage"
REMOTE_IMAGE = "docker:index/remoteImage:RemoteImage"
VOLUME = "docker:index/volume:Volume"
STASH = "pulumi:index:Stash"
SOURCE_IMAGE = "slipway:docker:SourceImage"
WEB = Site("web", 8000, names=("web",))
PULLED = BUSYBOX.replace("busybox:1", "docker.io/library/busybox")


def labels(world: World, **more: str) -> list[dict[str, str]]:
    """The labels of a container of the stack, as they are declared."""
    own = world.one(NETWORK).inputs["labels"]
    pairs = {pair["label"]: pair["value"] for pair in own}
    pairs |= {name.replace("_", "."): value for name, value in more.items()}
    return [{"label": name, "value": value} for name, value in sorted(pairs.items())]


def source_hash(world: World) -> str:
    found: str = world.outputs[world.one(SOURCE_IMAGE).name]["source_hash"]
    return found


def without_labels(inputs: Any) -> dict[str, Any]:
    return {key: value for key, value in inputs.items() if key != "labels"}


def sorted_labels(inputs: Any) -> list[dict[str, str]]:
    return sorted(inputs["labels"], key=lambda pair: str(pair["label"]))


def test_new_stack_declares_everything_under_its_component(shop: Shop) -> None:
    world = shop.declare()

    image = f"shop-{source_hash(world)[:12]}"
    web, worker = (world.one(CONTAINER, f"shop-{name}-").name for name in ("web", "worker"))
    assert world.tree == [
        f"{CONTAINER} shop-ingress < shop-ingress",
        f"{CONTAINER} {web} < shop",
        f"{CONTAINER} {worker} < shop",
        f"{NETWORK} shop-network < shop",
        f"{REGISTRY_IMAGE} {image} < {image}",
        f"{REMOTE_IMAGE} {image} < {image}",
        f"{VOLUME} shop-data < shop",
        f"{VOLUME} shop-ingress-routes < shop-ingress",
        f"{STASH} shop-attempt < shop",
        f"{STASH} shop-files < shop",
        f"{STASH} shop-key < shop",
        f"{STASH} shop-live < shop",
        "pulumi:providers:docker shop-docker < shop",
        "slipway:docker:DockerStack shop < shop-test",
        "slipway:docker:Gate shop < shop",
        "slipway:docker:Ingress shop-ingress < shop",
        f"{SOURCE_IMAGE} {image} < shop",
    ]


def test_program_reads_its_own_state_once(shop: Shop) -> None:
    assert shop.declare().calls == [
        ("pulumi:pulumi:readStackResourceOutputs", {"stackName": "organization/shop/test"})
    ]


def test_containers_are_made_but_not_started(shop: Shop) -> None:
    world = shop.declare()
    worker = world.one(CONTAINER, "shop-worker-")
    revision = worker.name.removeprefix("shop-worker-")

    assert re.fullmatch("[0-9a-f]{12}", revision)
    assert without_labels(worker.inputs) == {
        "name": f"shop-test-worker-{revision}",
        "image": PULLED,
        "command": ["work"],
        "envs": [],
        "init": True,
        "user": "1000",
        "readOnly": False,
        "restart": "no",
        "networksAdvanced": [{"name": "shop-test", "aliases": ["worker"]}],
        "volumes": [],
        "stopTimeout": 10,
        "destroyGraceSeconds": 10,
        "start": False,
        "mustRun": False,
    }
    assert worker.inputs["labels"] == labels(
        world, slipway_role="service", slipway_service="worker", slipway_revision=revision
    )


def test_container_with_a_secret_hides_all_that_may_hold_it(shop: Shop) -> None:
    world = shop.declare()
    web = world.one(CONTAINER, "shop-web-")

    assert dict(web.inputs) == {
        "name": f"shop-test-{web.name.removeprefix('shop-')}",
        "image": f"{shop.registry.address}/shop@{PUSHED}",
        "command": SECRET,
        "entrypoints": SECRET,
        "envs": SECRET,
        "healthcheck": SECRET,
        "labels": SECRET,
        "readOnly": False,
        "restart": "unless-stopped",
        "networksAdvanced": [{"name": "shop-test"}],
        "volumes": [{"volumeName": "shop-test-data", "containerPath": "/data", "readOnly": False}],
        "stopTimeout": 20,
        "destroyGraceSeconds": 20,
        "start": False,
        "mustRun": False,
    }


def test_secret_in_a_config_or_an_option_of_the_log_is_hidden(shop: Shop) -> None:
    shop.resolved["configs"] = {"conf": {"content": "password=hunter2"}}
    shop.web["configs"] = [{"source": "conf", "target": "/conf"}]
    shop.web["logging"] = {"driver": "splunk", "options": {"splunk-token": "hunter2"}}
    web = shop.declare().one(CONTAINER, "shop-web-")

    assert (web.inputs["logOpts"], web.inputs["uploads"]) == (SECRET, SECRET)


def test_config_of_a_service_without_a_secret_is_shown(shop: Shop) -> None:
    shop.resolved["configs"] = {"conf": {"content": "on"}}
    shop.web.update(configs=[{"source": "conf", "target": "/conf"}], environment={})
    web = shop.declare().one(CONTAINER, "shop-web-")

    assert web.inputs["uploads"] == [
        {"file": "/conf", "contentBase64": "b24=", "permissions": "0444"}
    ]


def test_container_without_a_secret_shows_its_settings(shop: Shop) -> None:
    shop.web["environment"] = {"DEBUG": "1"}
    world = shop.declare()
    web = world.one(CONTAINER, "shop-web-")

    assert web.inputs["envs"] == ["DEBUG=1", f"SLIPWAY_SOURCE_HASH={source_hash(world)}"]
    assert web.inputs["healthcheck"] == {
        "tests": ["CMD", "true"],
        "interval": "1m30s",
        "retries": 3,
    }
    assert {"label": "team", "value": "shop"} in web.inputs["labels"]


@pytest.mark.parametrize(
    ("check", "declared"),
    [
        ({"test": ["CMD", "true"], "disable": True}, {"tests": ["NONE"]}),
        ({"test": []}, None),
        (
            {"test": ["CMD", "a"], "timeout": "500ms", "start_period": "1m"},
            {"tests": ["CMD", "a"], "timeout": "500ms", "startPeriod": "1m0s"},
        ),
    ],
)
def test_health_check_is_declared_as_docker_reads_it_back(
    shop: Shop, check: dict[str, Any], declared: dict[str, Any] | None
) -> None:
    shop.web.update(environment={}, healthcheck=check)

    assert shop.declare().one(CONTAINER, "shop-web-").inputs.get("healthcheck") == declared


def test_no_secret_is_in_plain_sight(shop: Shop) -> None:
    world = shop.declare()
    seen = json.dumps([dict(resource.inputs) for resource in world.declared])

    assert "hunter2" not in seen + json.dumps(world.outputs)
    assert "postgresql://shop:${PASSWORD}@db/shop" in seen


def test_ingress_is_declared_with_its_constant_configuration(shop: Shop) -> None:
    world = shop.declare()
    ingress = world.one(CONTAINER, "shop-ingress")

    uploads = ingress.inputs["uploads"]
    assert [upload["file"] for upload in uploads] == ["/etc/caddy/slipway.json"]
    assert json.loads(uploads[0]["content"]) == caddy_config([WEB])
    inputs = without_labels(ingress.inputs)
    del inputs["uploads"]
    assert inputs == {
        "name": "shop-test-ingress",
        "image": CADDY,
        "entrypoints": ["caddy"],
        "command": ["run", "--config", "/etc/caddy/slipway.json"],
        "restart": "unless-stopped",
        "networksAdvanced": [{"name": "shop-test", "aliases": ["web"]}],
        "ports": [{"internal": 20080, "external": 8001, "ip": "0.0.0.0"}],
        "volumes": [{"volumeName": "shop-test-ingress-routes", "containerPath": "/slipway"}],
        "stopTimeout": 35,
        "destroyGraceSeconds": 35,
        "mustRun": False,
    }
    assert ingress.inputs["labels"] == labels(
        world,
        slipway_role="ingress",
        slipway_config=settings_id([WEB], CADDY, 8001, "0.0.0.0", ["default"]),
    )


def test_image_is_built_under_the_tag_of_its_source_and_pushed(shop: Shop) -> None:
    world = shop.declare()
    hash_ = source_hash(world)
    name = f"{shop.registry.address}/shop:src-{hash_[:24]}"

    assert dict(world.one(REMOTE_IMAGE).inputs) == {
        "name": name,
        "keepLocally": True,
        "build": {
            "builder": "default",
            "buildLogFile": f".slipway/builds/shop-{hash_[:12]}.log",
            "context": f".slipway/contexts/{hash_[:12]}",
            "dockerfile": "Dockerfile",
            "buildArgs": {"V": "1"},
            "platform": "linux/amd64",
            "label": {"slipway.source-hash": hash_},
        },
    }
    assert dict(world.one(REGISTRY_IMAGE).inputs) == {"name": name, "keepRemotely": True}
    assert world.outputs[f"shop-{hash_[:12]}"] == {
        "source_hash": hash_,
        "reference": f"{shop.registry.address}/shop@{PUSHED}",
    }


def test_image_tells_which_commit_it_was_built_from(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    git = GitState("c0ffee", "main", dirty=True, committed="2026-01-01T00:00:00+00:00")
    monkeypatch.setattr("slipway.origin.git_state", lambda folder: git)
    shop.web["build"]["labels"] = {"team": "shop", "org.opencontainers.image.revision": "mine"}
    world = shop.declare()

    assert world.one(REMOTE_IMAGE).inputs["build"]["label"] == {
        "team": "shop",
        "slipway.source-hash": source_hash(world),
        "org.opencontainers.image.revision": "mine",
        "org.opencontainers.image.created": "2026-01-01T00:00:00+00:00",
    }


def test_services_with_one_build_share_one_image(shop: Shop) -> None:
    worker = shop.resolved["services"]["worker"]
    del worker["image"]
    worker["build"] = shop.web["build"]
    world = shop.declare()

    images = {container.inputs["image"] for container in world.of(CONTAINER).values()}
    assert images == {f"{shop.registry.address}/shop@{PUSHED}", CADDY}
    assert len(world.of(REMOTE_IMAGE)) == 1


def test_image_that_another_stack_built_is_used_by_its_digest(shop: Shop) -> None:
    hash_ = source_hash(shop.declare())
    shop.registry.digests[f"shop/manifests/src-{hash_[:24]}"] = PUSHED

    prod = shop.declare(preview=True)

    assert [prod.of(REMOTE_IMAGE), prod.of(REGISTRY_IMAGE)] == [{}, {}]
    image = f"{shop.registry.address}/shop@{PUSHED}"
    assert prod.one(CONTAINER, "shop-web-").inputs["image"] == image


def test_digest_of_what_is_not_built_yet_is_unknown_in_a_preview(shop: Shop) -> None:
    world = shop.declare(preview=True)

    assert world.one(CONTAINER, "shop-web-").inputs["image"] == UNKNOWN


def test_gate_holds_the_release_after_the_mark_of_the_attempt(shop: Shop) -> None:
    world = shop.declare()
    attempt, live = world.one(STASH, "shop-attempt"), world.one(STASH, "shop-live")
    web, worker = (world.one(CONTAINER, f"shop-{name}-") for name in ("web", "worker"))
    fact = live.inputs["input"]
    (release,) = fact.pop("ledger").values()

    assert attempt.replace_on_changes == ("input",)
    assert attempt.inputs["input"] == {"release": release["fingerprint"], "look": "first"}
    assert live.hooks == {"before_create": ("shop-gate",), "before_update": ("shop-gate",)}
    assert live.dependencies >= {"shop-attempt", "shop-ingress", web.name, worker.name}
    assert fact == {
        "attempt": "id-of-shop-attempt",
        "ingress": "id-of-shop-ingress",
        "containers": {
            "web": {
                "name": web.inputs["name"],
                "id": f"id-of-{web.name}",
                "upstream": f"{web.inputs['name']}:8000",
                "role": "routed",
            },
            "worker": {
                "name": worker.inputs["name"],
                "id": f"id-of-{worker.name}",
                "role": "backing",
            },
        },
    }
    assert world.outputs["shop"]["releases"] == [
        {
            "number": 1,
            "time": release["time"],
            "actor": release["actor"],
            "images": {"web": f"{shop.registry.address}/shop@{PUSHED}", "worker": PULLED},
        }
    ]


def test_what_holds_data_or_serves_is_never_replaced_by_the_way(shop: Shop) -> None:
    world = shop.declare()
    options = {
        (r.type, r.name): (r.ignore_changes, r.retain_on_delete)
        for r in world.declared
        if r.ignore_changes or r.retain_on_delete
    }

    image = f"shop-{source_hash(world)[:12]}"
    web, worker = (world.one(CONTAINER, f"shop-{name}-").name for name in ("web", "worker"))
    assert options == {
        (CONTAINER, web): (("*",), False),
        (CONTAINER, worker): (("*",), False),
        (CONTAINER, "shop-ingress"): (("*",), False),
        (NETWORK, "shop-network"): (("*",), False),
        (VOLUME, "shop-ingress-routes"): (("*",), False),
        (VOLUME, "shop-data"): (("*",), True),
        (REMOTE_IMAGE, image): (("build.label",), True),
        (REGISTRY_IMAGE, image): ((), True),
        (STASH, "shop-key"): (("input",), False),
    }


def test_ingress_is_made_anew_only_where_it_differs_and_that_was_asked_for(shop: Shop) -> None:
    asked = {"SLIPWAY_REPLACE_INGRESS": "1"}
    first = shop.declare()
    same = shop.declare(first.kept, preview=True, environ=asked)
    shop.web["x-slipway"]["route"] = {"port": 9000}
    other = shop.declare(first.kept, preview=True, environ=asked)

    assert same.one(CONTAINER, "shop-ingress").ignore_changes == ("*",)
    assert other.one(CONTAINER, "shop-ingress").ignore_changes == ()


def test_ingress_for_other_routes_has_those_of_the_release_that_serves_too(shop: Shop) -> None:
    first = shop.declare()
    shop.web["x-slipway"]["route"] = {"port": 9000}
    asked = {"SLIPWAY_REPLACE_INGRESS": "1"}
    second = shop.declare(first.kept, preview=True, environ=asked)

    before, after = (w.one(CONTAINER, "shop-ingress").inputs for w in (first, second))
    config = caddy_config([replace(WEB, port=9000)], [WEB])
    assert json.loads(after["uploads"][0]["content"]) == config
    was = {p["label"]: p["value"] for p in before["labels"]}["slipway.config"]
    assert {"label": "slipway.config.before", "value": was} in after["labels"]


def test_key_is_made_once_and_kept_as_a_secret(shop: Shop) -> None:
    world = shop.declare()
    (key,) = [
        resource["outputs"]["input"]
        for urn, resource in world.kept.items()
        if urn.endswith("::shop-key")
    ]

    assert re.fullmatch("[0-9a-f]{64}", key)
    assert world.one(STASH, "shop-key").inputs == {"input": SECRET}
    shop.registry.digests[f"shop/manifests/src-{source_hash(world)[:24]}"] = PUSHED
    again = shop.declare(world.kept, preview=True)
    assert key in json.dumps(again.kept)


def test_a_build_that_the_registry_has_not_is_made_anew(shop: Shop) -> None:
    first = shop.declare()
    again = shop.declare(first.kept, preview=True)
    names = [
        {r.name for r in world.sorted if r.type == "docker:index/remoteImage:RemoteImage"}
        for world in (first, again)
    ]
    assert names[1] == {f"{name}-2" for name in names[0]}


def test_second_run_declares_the_same(shop: Shop) -> None:
    first = shop.declare()
    hash_ = source_hash(first)
    shop.registry.digests[f"shop/manifests/src-{hash_[:24]}"] = PUSHED

    second = shop.declare(first.kept, preview=True)

    def shown(world: World) -> list[tuple[str, str, object, object]]:
        return [(r.type, r.name, r.parent, r.inputs) for r in world.sorted]

    assert shown(second) == shown(first)


def test_edited_probe_goes_through_the_gate_and_makes_no_container(shop: Shop) -> None:
    first = shop.declare()
    shop.web["x-slipway"]["probes"] = [{"path": "/other"}]

    second = shop.declare(first.kept, preview=True)

    assert second.of(CONTAINER).keys() == first.of(CONTAINER).keys()
    # The engine keeps no order of keys.
    numbers = second.one(STASH, "shop-live").inputs["input"]["ledger"].keys()
    assert numbers == {"1", "2"}
    marks = [w.one(STASH, "shop-attempt").inputs["input"]["release"] for w in (first, second)]
    assert marks[0] != marks[1]


def test_changed_environment_makes_another_container_beside_the_old(shop: Shop) -> None:
    first = shop.declare()
    shop.web["environment"]["DEBUG"] = "1"

    second = shop.declare(first.kept, preview=True)

    assert first.one(CONTAINER, "shop-web-").name != second.one(CONTAINER, "shop-web-").name
    assert first.one(CONTAINER, "shop-worker-").name == second.one(CONTAINER, "shop-worker-").name


# --- releases of the ledger -------------------------------------------------------------------

TOKEN = "a literal token"
ONE = {"SLIPWAY_RELEASE": "1"}


def released(shop: Shop, state: Mapping[str, Any] | None = None, token: str = TOKEN) -> World:
    """What an engine keeps of a release with a secret in its compose file."""
    shop.web["environment"] = {"API_TOKEN": token, "PASSWORD": "hunter2"}
    world = shop.declare(state)
    hash_ = source_hash(world)
    shop.registry.digests[f"shop/manifests/src-{hash_[:24]}"] = PUSHED
    return world


def kept(world: World) -> list[str]:
    """The values that are kept for releases of the ledger."""
    return sorted(
        found["outputs"]["input"] for urn, found in world.kept.items() if "::shop-kept-" in urn
    )


def test_what_only_the_ledger_needs_is_kept_as_a_secret_before_the_fact(shop: Shop) -> None:
    world = released(shop)
    stash = world.one(STASH, "shop-kept-")
    live = world.one(STASH, "shop-live")
    (release,) = live.inputs["input"]["ledger"].values()

    assert re.fullmatch("shop-kept-[0-9a-f]{16}", stash.name)
    assert (stash.inputs, stash.parent) == ({"input": SECRET}, "shop")
    assert stash.ignore_changes == ("input",)
    assert stash.dependencies == {"shop-key"}
    assert stash.name in live.dependencies
    assert kept(world) == [TOKEN]
    name = stash.name.removeprefix("shop-kept-")
    assert release["services"]["web"]["record"]["environment"] == {
        "API_TOKEN": f"${{kept:{name}}}",
        "PASSWORD": "${PASSWORD}",
    }
    assert TOKEN not in json.dumps([dict(resource.inputs) for resource in world.declared])


def test_release_comes_out_of_the_state_without_any_of_its_source(shop: Shop) -> None:
    first = released(shop)
    (shop.folder / "compose.yaml").unlink()
    (shop.folder / "app" / "Dockerfile").unlink()
    shop.resolved.clear()

    again = shop.declare(first.kept, preview=True, environ=ONE)

    built = (SOURCE_IMAGE, REMOTE_IMAGE, REGISTRY_IMAGE)
    expected = [line for line in first.tree if not line.startswith(built)]
    assert again.tree == expected
    containers = [
        {n: c.inputs["name"] for n, c in world.of(CONTAINER).items()} for world in (first, again)
    ]
    assert containers[0] == containers[1]
    facts = [dict(world.one(STASH, "shop-live").inputs["input"]) for world in (first, again)]
    assert facts[0] == facts[1]
    assert again.one(STASH, "shop-attempt").inputs == first.one(STASH, "shop-attempt").inputs
    assert kept(again) == [TOKEN]


def test_older_release_is_declared_with_all_that_its_ledger_needs(shop: Shop) -> None:
    first = released(shop)
    second = released(shop, first.kept, token="another token")

    again = shop.declare({**first.kept, **second.kept}, preview=True, environ=ONE)

    web = again.one(CONTAINER, "shop-web-")
    assert web.name == first.one(CONTAINER, "shop-web-").name
    assert web.inputs["image"] == f"{shop.registry.address}/shop@{PUSHED}"
    ledger = again.one(STASH, "shop-live").inputs["input"]["ledger"]
    made = {number: found.get("rollback_of") for number, found in ledger.items()}
    assert made == {"3": 1, "2": None, "1": None}
    assert kept(second) == kept(again) == [TOKEN, "another token"]


def test_value_goes_with_the_last_release_that_needs_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = released(shop)
    settings = replace(shop.settings(), keep_releases=1)
    monkeypatch.setattr(shop, "settings", lambda: settings)

    assert kept(released(shop, first.kept, token="another token")) == ["another token"]


# --- promotion --------------------------------------------------------------------------------


def promoting(shop: Shop, monkeypatch: pytest.MonkeyPatch, soak: float = 0.0) -> None:
    settings = replace(shop.settings(), promote_from="staging", min_soak=soak)
    monkeypatch.setattr(shop, "settings", lambda: settings)


def test_release_is_held_to_what_the_other_stack_s_state_says(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified = released(shop)
    promoting(shop, monkeypatch)
    world = shop.declare(verified.kept)
    assert [call["stackName"] for _, call in world.calls] == [
        "organization/shop/test",
        "organization/shop/staging",
    ]
    shop.registry.digests.clear()
    with pytest.raises(ConfigError, match="this source has never been built"):
        shop.declare(verified.kept)


def test_preview_of_what_may_not_be_released_yet_warns_and_goes_on(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    warned: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda text, *rest: warned.append(text))
    verified = released(shop)
    promoting(shop, monkeypatch, soak=3600.0)
    warned.clear()

    world = shop.declare(verified.kept, preview=True)

    (line,) = [line for line in warned if "could not be released now" in line]
    assert "slipway:minSoak asks for 1h0m0s" in line
    assert world.one(STASH, "shop-live")


def test_local_registry_needs_no_account(shop: Shop) -> None:
    auth = shop.declare().one("pulumi:providers:docker").inputs["registryAuth"]

    assert json.loads(auth) == [
        {"address": f"http://{shop.registry.address}", "authDisabled": True}
    ]


def test_account_of_docker_login_is_used(shop: Shop) -> None:
    login = {"auths": {shop.registry.address: {"auth": "bWU6cGFzcw=="}}}
    (shop.folder / "config.json").write_text(json.dumps(login))

    auth = shop.declare().one("pulumi:providers:docker").inputs["registryAuth"]

    assert json.loads(auth) == [{"address": shop.registry.address}]


def test_mistake_of_the_user_declares_nothing_but_the_component(shop: Shop) -> None:
    shop.web["ports"] = [{"published": "80", "target": 80}]
    world = World()

    with pytest.raises(ConfigError, match=r"services\.web\.ports"):
        shop.declare_in(world)

    assert world.tree == ["slipway:docker:DockerStack shop < shop-test"]


def test_message_about_a_mistake_shows_no_secret(shop: Shop) -> None:
    shop.web["x-slipway"]["probes"] = [{"path": "status?key=hunter2"}]

    with pytest.raises(ConfigError) as refusal:
        shop.declare()

    assert refusal.value.problems == (
        f"{shop.folder}/compose.yaml:1 services.web.x-slipway.probes.0.path: "
        '"status?key=[secret]" is not an absolute path; write /status?key=[secret]',
    )


def test_leftovers_are_removed_before_their_names_are_needed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed: list[str] = []

    def remove_leftover(container: str, prepared: Prepared) -> None:
        removed.append(container)

    def remove_leftover_network(prepared: Prepared, name: str) -> None:
        removed.append(name)

    monkeypatch.setattr(hooked, "remove_leftover", remove_leftover)
    monkeypatch.setattr(hooked, "remove_leftover_network", remove_leftover_network)
    world = shop.declare()
    web = world.one(CONTAINER, "shop-web-")
    guarded = [web, world.one(CONTAINER, "shop-ingress"), world.one(NETWORK)]
    for resource in guarded:
        (hook,) = resource.hooks["before_create"]
        world.run_hook(hook)

    assert removed == [web.inputs["name"], "shop-test-ingress", "shop-test"]


def test_hook_of_the_gate_hands_over_the_fact_with_whole_numbers(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed: list[tuple[str, Any]] = []

    def pass_gate(prepared: Prepared, fact: Any, report: Any) -> None:
        passed.append((prepared.prefix, fact))

    monkeypatch.setattr(hooked, "pass_gate", pass_gate)
    world = shop.declare()
    world.run_hook("shop-gate", input={"ledger": [{"number": 1.0}]})

    assert repr(passed) == "[('shop-test', {'ledger': [{'number': 1}]})]"


def test_release_that_does_not_pass_fails_its_hook_with_the_reason(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(prepared: Prepared, fact: Any, report: Any) -> None:
        raise GateError("the container exited with code 1")

    monkeypatch.setattr(hooked, "pass_gate", refuse)
    world = shop.declare()

    with pytest.raises(Exception, match=r"^the container exited with code 1$"):
        world.run_hook("shop-gate", input={})


def test_failed_build_shows_what_it_printed_without_secrets(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(pulumi.log, "error", lambda text, resource: shown.append(text))
    world = shop.declare()
    image = world.one(REMOTE_IMAGE)
    (begin,), (failed,) = image.hooks["before_create"], image.hooks["on_error"]

    world.run_hook(begin)
    log = Path(image.inputs["build"]["buildLogFile"])
    assert log.read_text() == ""
    log.write_text("RUN echo hunter2\n")
    args = pulumi.ErrorHookArgs("", "", "", "", errors=["build: hunter2 is wrong"])
    assert world.hooks[failed](args) is False

    report = build_log.failure_report(image.name, "app/Dockerfile", "app", args.errors)
    assert shown == [Redactor(["hunter2"])(report)]
