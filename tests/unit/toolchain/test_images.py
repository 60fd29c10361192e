import re
from collections.abc import Sequence

import pytest

from slipway.toolchain import base_image, caddy_image, files, go_tools, images, registry
from slipway.toolchain.commands import Outcome
from slipway.toolchain.errors import SetupError
from slipway.toolchain.plan import present

from .fakes import DONE, Machine

OLD = "sha256:" + "a" * 64
NEW = "sha256:" + "b" * 64


class FakeRegistry:
    """The local registry's answers: (repository, reference) pairs that it has."""

    def __init__(self) -> None:
        self.held: set[tuple[str, str]] = set()

    def has(self, repository: str, reference: str) -> bool:
        return (repository, reference) in self.held


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch) -> FakeRegistry:
    fake = FakeRegistry()
    monkeypatch.setattr(registry, "has", fake.has)
    return fake


def pushes(machine: Machine, local: FakeRegistry, digest: str) -> None:
    def push(argv: Sequence[str]) -> Outcome:
        local.held |= {("slipway/python", "3.11"), ("slipway/python", digest)}
        return Outcome(0, f"abc: Pushed\n3.11: digest: {digest} size: 529")

    machine.commands.on("docker push", push)
    machine.commands.on("docker tag")


def test_an_image_is_pushed_once_and_used_by_digest(machine: Machine, local: FakeRegistry) -> None:
    machine.commands.on("docker image inspect slipway/python:3.11")
    pushes(machine, local, NEW)
    host = machine.host()
    step = images.step(host, images.PYTHON, "Base image")
    assert not step.look().done
    step.act()
    assert step.look() == present(f"localhost:5000/slipway/python@{NEW}")
    assert files.read_variables(host.places.images) == {
        "SLIPWAY_PYTHON_IMAGE": f"localhost:5000/slipway/python@{NEW}",
        "SLIPWAY_PYTHON_IMAGE_TAG": f"3.11@{NEW}",
    }


def test_a_digest_stays_as_long_as_the_registry_has_it(
    machine: Machine, local: FakeRegistry
) -> None:
    host = machine.host()
    reference = f"localhost:5000/slipway/python@{OLD}"
    files.write_variables(host.places.images, {"SLIPWAY_PYTHON_IMAGE": reference})
    local.held = {("slipway/python", OLD), ("slipway/python", NEW), ("slipway/python", "3.11")}
    assert images.step(host, images.PYTHON, "Base image").look() == present(reference)


def test_a_registry_that_lost_the_image_gets_it_again(
    machine: Machine, local: FakeRegistry
) -> None:
    host = machine.host()
    variables = {"SLIPWAY_PYTHON_IMAGE": f"localhost:5000/slipway/python@{OLD}", "OTHER": "kept"}
    files.write_variables(host.places.images, variables)
    machine.commands.on("docker image inspect slipway/python:3.11")
    pushes(machine, local, NEW)
    images.step(host, images.PYTHON, "Base image").act()
    assert files.read_variables(host.places.images) == {
        "SLIPWAY_PYTHON_IMAGE": f"localhost:5000/slipway/python@{NEW}",
        "SLIPWAY_PYTHON_IMAGE_TAG": f"3.11@{NEW}",
        "OTHER": "kept",
    }


def test_another_checkout_adopts_what_is_in_the_registry(
    machine: Machine, local: FakeRegistry
) -> None:
    local.held = {("slipway/python", "3.11"), ("slipway/python", OLD)}
    machine.commands.on("docker pull", Outcome(0, f"3.11: Pulling\nDigest: {OLD}\nStatus: …"))
    host = machine.host()
    images.step(host, images.PYTHON, "Base image").act()
    assert images.pinned(host, images.PYTHON) == f"localhost:5000/slipway/python@{OLD}"
    assert machine.commands.ran("docker push") == []


def test_an_image_that_the_registry_has_is_not_replaced_when_it_cannot_be_pulled(
    machine: Machine, local: FakeRegistry
) -> None:
    local.held = {("slipway/python", "3.11")}
    machine.commands.on("docker pull", Outcome(1, "no space left on device"))
    with pytest.raises(SetupError) as caught:
        images.step(machine.host(), images.PYTHON, "Base image").act()
    assert str(caught.value).startswith(
        "localhost:5000/slipway/python:3.11 is in the registry, but could not be pulled: no space "
    )
    assert machine.commands.ran("docker push") == []


def test_checkouts_with_one_recipe_take_one_proxy(machine: Machine, local: FakeRegistry) -> None:
    host = machine.host()
    machine.go_module("caddy")
    tag = caddy_image.tag(host)
    local.held = {("slipway/caddy", "2.11"), ("slipway/caddy", tag), ("slipway/caddy", OLD)}
    machine.commands.on("docker pull", Outcome(0, f"{tag}: Pulling\nDigest: {OLD}\nStatus: …"))
    machine.commands.on("docker run --rm", Outcome(0, "v2.11.9\n"))
    images.step(host, images.CADDY, "Caddy image").act()
    assert images.pinned(host, images.CADDY) == f"localhost:5000/slipway/caddy@{OLD}"
    assert machine.commands.ran("docker pull") == [
        f"docker pull localhost:5000/slipway/caddy:{tag}"
    ]


def test_a_proxy_of_another_recipe_is_no_longer_taken(
    machine: Machine, local: FakeRegistry
) -> None:
    host = machine.host()
    machine.go_module("caddy")
    variables = {
        "SLIPWAY_CADDY_IMAGE": f"localhost:5000/slipway/caddy@{OLD}",
        "SLIPWAY_CADDY_IMAGE_TAG": f"{caddy_image.tag(host)}@{OLD}",
    }
    files.write_variables(host.places.images, variables)
    local.held = {("slipway/caddy", OLD)}
    assert images.pinned(host, images.CADDY) == f"localhost:5000/slipway/caddy@{OLD}"
    (machine.root / "tools/caddy/go.mod").write_text("module x\n\ngo 1.26.1\n")
    assert images.pinned(host, images.CADDY) is None


def test_a_proxy_that_the_user_wrote_down_stays(machine: Machine, local: FakeRegistry) -> None:
    host = machine.host()
    machine.go_module("caddy")
    variables = {
        "SLIPWAY_CADDY_IMAGE": f"localhost:5000/slipway/caddy@{NEW}",
        "SLIPWAY_CADDY_IMAGE_TAG": f"2.11-of-yesterday@{OLD}",
    }
    files.write_variables(host.places.images, variables)
    local.held = {("slipway/caddy", NEW)}
    assert images.pinned(host, images.CADDY) == f"localhost:5000/slipway/caddy@{NEW}"


def test_images_stand_on_the_base_that_the_registry_has(
    machine: Machine, local: FakeRegistry
) -> None:
    host = machine.host()
    assert images.base_for_builds(host) == "slipway/python:3.11"
    reference = f"localhost:5000/slipway/python@{OLD}"
    files.write_variables(host.places.images, {"SLIPWAY_PYTHON_IMAGE": reference})
    local.held = {("slipway/python", OLD)}
    assert images.base_for_builds(host) == reference


def test_a_change_of_registry_asks_for_new_digests(machine: Machine, local: FakeRegistry) -> None:
    host = machine.host(SLIPWAY_REGISTRY="registry.example.com/team")
    reference = f"localhost:5000/slipway/python@{OLD}"
    files.write_variables(host.places.images, {"SLIPWAY_PYTHON_IMAGE": reference})
    local.held = {("slipway/python", OLD)}
    assert images.pinned(host, images.PYTHON) is None


def test_a_registry_of_the_users_own_is_asked_through_docker(machine: Machine) -> None:
    host = machine.host(SLIPWAY_REGISTRY="registry.example.com/team")
    reference = f"registry.example.com/team/slipway/python@{OLD}"
    files.write_variables(host.places.images, {"SLIPWAY_PYTHON_IMAGE": reference})
    machine.commands.on(f"docker manifest inspect {reference}")
    assert images.pinned(host, images.PYTHON) == reference


def test_a_refused_push_says_where_to(machine: Machine, local: FakeRegistry) -> None:
    machine.commands.on("docker image inspect slipway/python:3.11")
    machine.commands.on("docker push", Outcome(1, "denied: requested access is denied"))
    with pytest.raises(SetupError, match=r"slipway/python:3\.11 could not be pushed"):
        images.step(machine.host(), images.PYTHON, "Base image").act()


def test_the_official_base_image_is_tried_first(machine: Machine) -> None:
    machine.commands.on("docker pull python:3.11-slim")
    machine.commands.on("docker tag")
    base_image.provide(machine.host())
    assert machine.commands.calls == [
        "docker image inspect slipway/python:3.11",
        "docker pull python:3.11-slim",
        "docker tag python:3.11-slim slipway/python:3.11",
    ]


def test_without_it_the_base_image_comes_from_debian_packages(machine: Machine) -> None:
    machine.commands.programs |= {"mmdebstrap", "unshare"}
    machine.commands.on("unshare --mount mmdebstrap --variant=apt")
    machine.commands.on("docker import")
    base_image.provide(machine.host())
    (imported,) = machine.commands.ran("docker import")
    assert '--change CMD ["python3"]' in imported
    assert imported.endswith("base.tar slipway/python:3.11")
    assert list(machine.host().places.scratch.iterdir()) == []


def test_building_a_base_image_takes_root(machine: Machine) -> None:
    with pytest.raises(SetupError, match="building a base image takes root"):
        base_image.provide(machine.host(is_root=False))


def test_the_hosts_certificates_are_told_to_programs_in_the_image() -> None:
    bundle = "/etc/ssl/certs/ca-certificates.crt"
    assert f"ENV PIP_CERT={bundle}" in base_image.changes(trust=True)
    assert not any(bundle in line for line in base_image.changes(trust=False))


CHECK = "docker run --rm --label slipway.role=check --entrypoint sh caddy:2.11"


def test_the_official_proxy_is_taken_when_it_is_fit(machine: Machine) -> None:
    machine.commands.on("docker pull caddy:2.11")
    machine.commands.on(CHECK, Outcome(0, "v2.11.4 h1:x\n/tmp/b\n/usr/bin/wget\n"))
    machine.commands.on("docker tag")
    host = machine.host()
    caddy_image.provide(host, "base")
    tag = caddy_image.tag(host)
    assert re.fullmatch(r"2\.11-[0-9a-f]{12}", tag)
    assert machine.commands.ran("docker tag") == [f"docker tag caddy:2.11 slipway/caddy:{tag}"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Outcome(0, "v2.10.2 h1:x\n"), "its version is 2.10"),
        (Outcome(0, "unknown\n"), "its version is 0.0"),
        (
            Outcome(127, "", "sh: flock: not found"),
            "it lacks a program that the switch needs: sh: flock: not found",
        ),
    ],
)
def test_a_proxy_that_cannot_switch_is_refused(
    machine: Machine, answer: Outcome, reason: str
) -> None:
    machine.commands.on(CHECK, answer)
    assert caddy_image.unfit(machine.host(), "caddy:2.11") == reason


def test_an_unfit_proxy_is_replaced_by_a_built_one(machine: Machine) -> None:
    machine.go_module("caddy")
    machine.go_builds()
    local = f"slipway/caddy:{caddy_image.tag(machine.host())}"
    machine.commands.on(f"docker image inspect {local}")
    machine.commands.on("docker pull caddy:2.11")
    machine.commands.on(CHECK, Outcome(0, "v2.10.2\n"))
    built: list[Sequence[str]] = []

    def build(argv: Sequence[str]) -> Outcome:
        built.append(argv)
        machine.commands.on(CHECK.replace("caddy:2.11", local), Outcome(0, "v2.11.9\n"))
        return DONE

    machine.commands.on(f"docker build --tag {local}", build)
    caddy_image.provide(machine.host(), "base@sha256:1")
    assert len(built) == 1
    assert "    caddy:2.11 will not do: its version is 2.10" in machine.said


def test_the_built_proxy_runs_without_c_libraries(machine: Machine) -> None:
    assert go_tools.CADDY.static
    assert caddy_image.dockerfile("base@sha256:1").startswith("FROM base@sha256:1\n")
