import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from slipway import deploy, gate, preflight
from slipway.canonical import digest
from slipway.deploy import Prepared, Settings, StackName
from slipway.errors import ConfigError, GateError, HostError, RegistryError
from slipway.gate import Candidate, GatePlan
from slipway.host import LABEL_CONFIG, LABEL_OWNER, LABEL_ROLE, ContainerState, NetworkState
from slipway.plan import ImagePlan
from slipway.proxy import settings_id
from slipway.reference import ImageReference
from slipway.release import fingerprint
from slipway.services import Project
from slipway.state import CONTAINER, STASH, LiveFact, StackState

from .support_gate import FakeClock, FakeHost, image

CADDY = f"caddy@sha256:{'c' * 64}"
DIGEST = f"sha256:{'d' * 64}"
PASSWORD = "correct horse battery"
STACK = StackName("quotes", "test", "quotes", "stack key")
OWNER = STACK.owner


class Machine(FakeHost):
    """A local host on which the ingress answers with a route."""

    def __init__(self) -> None:
        self.journal: list[str] = []
        super().__init__(FakeClock(), self.journal)
        self.local = True
        self.route = ""
        self.found_networks: list[NetworkState] = []

    def publisher(self, port: int) -> ContainerState | None:
        return self.container("shop-test-ingress")

    def execute(self, name: str, command: Any) -> tuple[int, str]:
        return 0, self.route

    def networks(self, name: str) -> list[NetworkState]:
        self.journal.append(f"host: networks {name}")
        return self.found_networks

    def remove_network(self, id_: str) -> None:
        self.journal.append(f"host: remove network {id_}")


@dataclass
class World:
    """What `prepare` finds around it."""

    folder: Path
    host: Machine
    tags: dict[str, str]
    services: dict[str, dict[str, Any]]
    read: list[tuple[Path, Mapping[str, str], Mapping[str, str]]]

    @property
    def settings(self) -> Settings:
        return Settings(
            compose=self.folder / "compose.yaml",
            port=8000,
            ingress_image=CADDY,
            secrets={"DB_PASSWORD": PASSWORD},
        )

    def project(self) -> Project:
        named = {name: {"name": name, **service} for name, service in self.services.items()}
        return Project.model_validate(
            {"name": "shop", "file": "compose.yaml", "services": named, "volumes": ["data"]}
        )

    def prepare(
        self,
        state: StackState | None = None,
        *,
        preview: bool = False,
        settings: Settings | None = None,
        environ: Mapping[str, str] | None = None,
        said: list[str] | None = None,
    ) -> Prepared:
        return deploy.prepare(
            STACK,
            settings or self.settings,
            environ or {},
            state or StackState(),
            preview=preview,
            report=(said if said is not None else []).append,
        )


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    (tmp_path / "Dockerfile").write_text(f"FROM python@sha256:{'a' * 64}\nCOPY . .\n")
    build = {"context": str(tmp_path)}
    services = {
        "web": {
            "build": build,
            "environment": {"DATABASE_URL": f"postgres://quotes:{PASSWORD}@db/quotes"},
            "x-slipway": {"route": {"port": 8000}, "probes": [{"path": "/health"}]},
        },
        "worker": {"build": build, "command": ["work"], "x-slipway": {"stable_for": "3s"}},
    }
    found = World(tmp_path, Machine(), {}, services, [])

    class FakeRegistry:
        def __init__(self, credentials: Any) -> None:
            pass

        def __enter__(self) -> Self:
            return self

        def __exit__(
            self,
            kind: type[BaseException] | None,
            error: BaseException | None,
            trace: TracebackType | None,
        ) -> None:
            pass

        def digest(self, reference: ImageReference) -> str | None:
            return found.tags.get(str(reference.tag))

    def read(file: Path, environ: Mapping[str, str], variables: Mapping[str, str]) -> Project:
        found.read.append((file, environ, variables))
        return found.project()

    monkeypatch.setattr(deploy.compose, "read_project", read)
    monkeypatch.setattr(deploy, "connect", lambda: found.host)
    monkeypatch.setattr(deploy, "Registry", FakeRegistry)
    monkeypatch.setattr(preflight.psutil, "net_connections", lambda kind: [])
    return found


def state_after(prepared: Prepared) -> StackState:
    """The state as the engine has it once `prepared` was released."""
    containers = {
        plan.service.name: {
            "name": plan.name,
            "id": f"id-of-{plan.name}",
            "upstream": plan.upstream,
        }
        for plan in prepared.containers
    }
    images = {plan.service.name: f"localhost:5000/shop@{DIGEST}" for plan in prepared.containers}
    live = {"attempt": "1", "ledger": prepared.ledger(images), "containers": containers}
    settings = prepared.settings
    ingress = {
        "id": f"id-of-{prepared.ingress_name}",
        "name": prepared.ingress_name,
        "image": CADDY,
        "labels": [
            {
                "label": LABEL_CONFIG,
                "value": settings_id("web", CADDY, settings.port, settings.bind),
            }
        ],
        "ports": [{"external": settings.port}],
    }
    outputs: dict[tuple[str, str], dict[str, Any]] = {
        (STASH, "quotes-live"): {"input": live},
        (STASH, "quotes-attempt"): {"input": dict(prepared.attempt)},
        (CONTAINER, "quotes-ingress"): ingress,
    }
    for plan in prepared.containers:
        outputs[CONTAINER, plan.resource] = {"id": f"id-of-{plan.name}", "name": plan.name}
    return StackState(outputs)


def bring_up(world: World, prepared: Prepared) -> StackState:
    """The host, and the state, as they are once `prepared` was released."""
    world.host.add(prepared.ingress_name, CADDY, running=True, labels={LABEL_OWNER: OWNER})
    own = {LABEL_OWNER: OWNER, LABEL_ROLE: "service"}
    for plan in prepared.containers:
        world.host.add(plan.name, f"localhost:5000/shop@{DIGEST}", running=True, labels=own)
    web = next(plan for plan in prepared.containers if plan.upstream)
    world.host.route = f"releases/1\nweb {web.upstream}\n"
    return state_after(prepared)


# --- preparing ------------------------------------------------------------------------------


def test_new_stack_is_prepared_from_compose_file_and_registry(world: World) -> None:
    prepared = world.prepare()
    project = world.project()
    web, worker = prepared.containers
    assert prepared == Prepared(
        stack=STACK,
        settings=world.settings,
        project=project,
        prefix="shop-test",
        address="http://127.0.0.1:8000",
        ingress_image=CADDY,
        ingress_resource="quotes-ingress",
        replace_ingress=False,
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
    )
    assert prepared.ingress_name == "shop-test-ingress"
    assert prepared.volumes == {"data": "shop-test-data"}
    assert prepared.routed == "web"
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
        "DOCKER_HOST": "ssh://there",
        "AWS_SECRET_ACCESS_KEY": "leak",
        "PULUMI_CONFIG_PASSPHRASE": "leak",
    }
    world.prepare(settings=replace(world.settings, variables={"LEVEL": "info"}), environ=environ)
    assert world.read == [
        (
            world.folder / "compose.yaml",
            {"PATH": "/bin", "DOCKER_HOST": "ssh://there"},
            {"LEVEL": "info", "DB_PASSWORD": PASSWORD},
        )
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
    assert allowed.replace_ingress


def test_container_of_another_owner_under_the_ingress_name_is_refused(world: World) -> None:
    world.host.add("shop-test-ingress", CADDY, labels={LABEL_OWNER: "someone else"})
    with pytest.raises(HostError, match=r"^container shop-test-ingress is there already"):
        world.prepare()


def test_key_and_secrets_are_not_shown_when_printed(world: World) -> None:
    shown = repr(world.prepare())
    assert PASSWORD not in shown
    assert "stack key" not in shown


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


# --- secrets --------------------------------------------------------------------------------


def test_containers_with_one_of_the_stack_s_secrets_hold_a_secret(world: World) -> None:
    prepared = world.prepare()
    assert [prepared.holds_secret(plan) for plan in prepared.containers] == [True, False]


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        ({"command": ["work", "--password", PASSWORD]}, True),
        ({"labels": {"note": f"uses {PASSWORD}"}}, True),
        ({"environment": {"API_TOKEN": "literal"}}, True),
        ({"environment": {"API_TOKEN": ""}}, False),
        ({"environment": {"LEVEL": "info"}}, False),
        ({"healthcheck": {"test": ["CMD", "login", PASSWORD]}}, True),
    ],
)
def test_secret_is_found_wherever_a_container_has_it(
    world: World, change: dict[str, Any], holds: bool
) -> None:
    world.services["worker"] |= change
    prepared = world.prepare()
    assert prepared.holds_secret(prepared.containers[1]) is holds


def test_redactor_hides_secrets_and_literals_that_look_like_one(world: World) -> None:
    world.services["worker"]["environment"] = {"API_TOKEN": "abcdefgh", "LEVEL": "warning"}
    redact = world.prepare().redactor
    assert redact(f"{PASSWORD} abcdefgh warning") == "[secret] [secret] warning"


# --- the ledger -----------------------------------------------------------------------------


def test_ledger_holds_the_whole_release_with_secrets_by_reference(world: World) -> None:
    world.services["worker"]["environment"] = {"API_TOKEN": "abcdefgh"}
    world.services["db"] = {"image": f"postgres@{DIGEST}"}
    probes = [{"path": "/health", "headers": {"Authorization": f"Bearer {PASSWORD}"}}]
    world.services["web"]["x-slipway"]["probes"] = probes
    prepared = world.prepare()
    db, web, worker = prepared.containers
    assert isinstance(web.image, ImagePlan)
    source = web.image.source.hash
    images = {name: f"{name}@{DIGEST}" for name in ("db", "web", "worker")}
    (entry,) = prepared.ledger(images)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", entry.pop("time"))
    assert entry == {
        "number": 1,
        "fingerprint": prepared.fingerprint,
        "services": {
            "db": {
                "revision": db.revision,
                "source_hash": None,
                "image": f"db@{DIGEST}",
                "spec": {"identity": f"docker.io/library/postgres@{DIGEST}"},
                "environment": {},
                "checks": {},
            },
            "web": {
                "revision": web.revision,
                "source_hash": source,
                "image": f"web@{DIGEST}",
                "spec": {"identity": source},
                "environment": {
                    "DATABASE_URL": "postgres://quotes:${DB_PASSWORD}@db/quotes",
                    "SLIPWAY_SOURCE_HASH": source,
                },
                "checks": {
                    "route": {"port": 8000},
                    "probes": [
                        {"path": "/health", "headers": {"Authorization": "Bearer ${DB_PASSWORD}"}}
                    ],
                },
            },
            "worker": {
                "revision": worker.revision,
                "source_hash": source,
                "image": f"worker@{DIGEST}",
                "spec": {"command": ["work"], "identity": source},
                "environment": {"API_TOKEN": "${API_TOKEN}", "SLIPWAY_SOURCE_HASH": source},
                "checks": {"stable_for": 3.0},
            },
        },
    }


def test_ledger_keeps_as_many_releases_as_the_settings_say(world: World) -> None:
    prepared = world.prepare(settings=replace(world.settings, keep_releases=2))
    ledger = [{"number": n, "fingerprint": str(n)} for n in (9, 8, 7)]
    before = replace(prepared, live=LiveFact(ledger, {}))
    found = before.ledger({"web": "w", "worker": "w"})
    assert [entry["number"] for entry in found] == [10, 9]


# --- the gate -------------------------------------------------------------------------------


def test_gate_is_given_the_digests_that_were_released(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans: list[GatePlan] = []

    class Recorder:
        def __init__(self, plan: GatePlan, *rest: Any) -> None:
            plans.append(plan)

        def run(self) -> None:
            pass

    monkeypatch.setattr(deploy, "Gate", Recorder)
    first = world.prepare()
    prepared = world.prepare(bring_up(world, first))
    web, worker = prepared.containers
    fact = {"ledger": prepared.ledger({"web": image("a"), "worker": image("b")})}
    fact["ledger"][0]["services"]["web"]["image"] = image("a")
    deploy.pass_gate(prepared, fact, lambda line: None)
    assert plans == [
        GatePlan(
            stack="shop-test",
            fingerprint=prepared.fingerprint,
            ingress="shop-test-ingress",
            candidates=(
                Candidate("web", web.name, image("a"), web.service.extension, 15.0, web.upstream),
                Candidate(
                    "worker",
                    worker.name,
                    f"localhost:5000/shop@{DIGEST}",
                    worker.service.extension,
                    3.0,
                    None,
                ),
            ),
            live=frozenset({web.name, worker.name}),
            served={"web": str(first.containers[0].upstream)},
        )
    ]
    assert world.host.journal[-1:] == ["host: close"]


def test_connection_is_closed_after_a_gate_that_failed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: gate.Gate) -> None:
        raise GateError("no")

    monkeypatch.setattr(gate.Gate, "run", refuse)
    prepared = world.prepare()
    fact = {"ledger": prepared.ledger({"web": image("a"), "worker": image("b")})}
    with pytest.raises(GateError, match=r"^no$"):
        deploy.pass_gate(prepared, fact, lambda line: None)
    assert world.host.journal[-1:] == ["host: close"]


# --- leftovers ------------------------------------------------------------------------------


def test_container_that_a_killed_run_left_is_removed(world: World) -> None:
    prepared = world.prepare()
    world.host.journal.clear()
    world.host.add("left", image("a"), labels={LABEL_OWNER: OWNER})
    deploy.remove_leftover("left", prepared)
    assert world.host.names == []
    assert world.host.journal == ["host: remove left", "host: close"]


def test_nothing_is_there_to_remove_as_a_rule(world: World) -> None:
    prepared = world.prepare()
    world.host.journal.clear()
    deploy.remove_leftover("not there", prepared)
    assert world.host.journal == ["host: remove not there", "host: close"]


def test_container_of_someone_else_is_not_removed(world: World) -> None:
    prepared = world.prepare()
    world.host.journal.clear()
    world.host.add("theirs", image("a"), labels={})
    with pytest.raises(HostError, match=r"^container theirs is there already"):
        deploy.remove_leftover("theirs", prepared)
    assert world.host.names == ["theirs"]
    assert world.host.journal == ["host: close"]


def test_network_that_a_killed_run_left_is_removed(world: World) -> None:
    prepared = world.prepare()
    world.host.journal.clear()
    world.host.found_networks = [NetworkState("n1", {LABEL_OWNER: OWNER}, False)]
    deploy.remove_leftover_network(prepared)
    assert world.host.journal == [
        "host: networks shop-test",
        "host: remove network n1",
        "host: close",
    ]


@pytest.mark.parametrize(
    "network",
    [NetworkState("n1", {LABEL_OWNER: OWNER}, True), NetworkState("n1", {}, False)],
    ids=["in use", "not ours"],
)
def test_network_that_is_used_or_not_ours_is_refused(world: World, network: NetworkState) -> None:
    prepared = world.prepare()
    world.host.journal.clear()
    world.host.found_networks = [network]
    with pytest.raises(HostError) as caught:
        deploy.remove_leftover_network(prepared)
    assert str(caught.value) == (
        "network shop-test is there already, and this stack's state has not made it; remove it "
        "(docker network rm shop-test), or use another stack name"
    )
    assert world.host.journal == ["host: networks shop-test", "host: close"]
