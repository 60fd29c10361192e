import json
import socket
from collections.abc import Container
from pathlib import Path
from typing import Any

import httpx
import pytest

from slipway import registry
from slipway.commands import init as command
from slipway.errors import HostError

from ..support import BASE, DIGEST, write_files

COMPOSE = """\
name: Shop
services:
  web:
    build: .
    command: gunicorn shop -b :8000
  cache:
    image: redis:7
  queue:
    image: gone:1
"""
ADDED = """\
    x-slipway:
      # Requests arrive at this port: its command listens there.
      route: {port: 8000}
      # app.py:2 answers there.
      probes:
        - path: /health
"""
AFTER = COMPOSE.replace("  cache:", ADDED + "  cache:").replace("redis:7", f"redis:7@{DIGEST}")
STACK = """\
config:
  slipway:compose: ../shop/compose.yaml
  slipway:port: "{}"
  # Only this machine may ask it; remove the line to listen on all of its addresses.
  slipway:bind: 127.0.0.1
"""
TEST_STACK = STACK.format(8002) + "  slipway:stableFor: 3s\n"
PROD_STACK = STACK.format(8003)
REAL_NEXT_FREE = command._next_free
GONE = "its registry has no such image; correct the name or the tag"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with two stacks, an application beside it, and a registry."""
    write_files(
        tmp_path,
        {
            "slipway/stacks/Pulumi.prod.yaml": 'config: {"slipway:port": "8000"}\n',
            "slipway/stacks/Pulumi.test.yaml": 'config: {"slipway:port": "8001"}\n',
            "shop/compose.yaml": COMPOSE,
            "shop/Dockerfile": f"FROM {BASE}\nUSER app\n",
            "shop/.dockerignore": "compose.yaml\n",
            "shop/app.py": "@app.get('/health')\ndef health(): ...\n",
        },
    )

    def answer(request: httpx.Request) -> httpx.Response:
        found = "gone" not in request.url.path
        return httpx.Response(200 if found else 404, headers={"Docker-Content-Digest": DIGEST})

    def connected(credentials: Any) -> registry.Registry:
        return registry.Registry(credentials, httpx.MockTransport(answer))

    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setattr(command, "Registry", connected)
    monkeypatch.setattr(command, "ROOT", tmp_path / "slipway")
    monkeypatch.setattr(command, "_next_free", from_one_on)
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://state")
    return tmp_path


def from_one_on(first: int, taken: Container[int]) -> int | None:
    """A host on which every port is free."""
    return next(port for port in range(first, 1 << 16) if port not in taken)


def all_files(root: Path) -> dict[str, str]:
    return {str(p.relative_to(root)): p.read_text() for p in root.rglob("*") if p.is_file()}


def test_everything_is_written_and_told(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = all_files(root)

    command.init(root / "shop")

    assert all_files(root) == {
        **before,
        "shop/compose.yaml": AFTER,
        "slipway/stacks/Pulumi.shop-test.yaml": TEST_STACK,
        "slipway/stacks/Pulumi.shop-prod.yaml": PROD_STACK,
    }
    assert capsys.readouterr().out.replace(f"{root}/", "") == (
        "shop/compose.yaml: x-slipway was added\n"
        "slipway/stacks/Pulumi.shop-test.yaml: was written\n"
        "slipway/stacks/Pulumi.shop-prod.yaml: was written\n"
        f"shop/compose.yaml:13 redis:7 -> redis:7@{DIGEST}\n"
        "\n"
        "1 left for you:\n"
        f"- shop/compose.yaml:15 gone:1: {GONE}\n"
        "\n"
        "next: scripts/deploy shop-test\n"
    )


def test_second_run_changes_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command.init(root / "shop")
    once = all_files(root)
    capsys.readouterr()

    command.init(root / "shop/compose.yaml")

    assert all_files(root) == once
    assert capsys.readouterr().out.replace(f"{root}/", "") == (
        f"\n1 left for you:\n- shop/compose.yaml:15 gone:1: {GONE}\n"
    )


def test_dry_run_shows_the_changes_and_makes_none(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = all_files(root)

    command.init(root / "shop", dry_run=True)

    assert all_files(root) == before
    added = "".join(f"+{line}" for line in ADDED.splitlines(True))
    assert capsys.readouterr().out.replace(f"{root}/", "") == (
        "--- shop/compose.yaml\n+++ shop/compose.yaml\n@@ -3,6 +3,12 @@\n"
        "   web:\n     build: .\n     command: gunicorn shop -b :8000\n"
        f"{added}"
        "   cache:\n     image: redis:7\n   queue:\n"
        "--- /dev/null\n+++ slipway/stacks/Pulumi.shop-test.yaml\n@@ -0,0 +1,6 @@\n"
        + "".join(f"+{line}" for line in TEST_STACK.splitlines(True))
        + "--- /dev/null\n+++ slipway/stacks/Pulumi.shop-prod.yaml\n@@ -0,0 +1,5 @@\n"
        + "".join(f"+{line}" for line in PROD_STACK.splitlines(True))
        + f"shop/compose.yaml:7 redis:7 -> redis:7@{DIGEST}\n"
        "\n1 left for you:\n"
        f"- shop/compose.yaml:9 gone:1: {GONE}\n"
    )


def test_stack_file_that_is_there_stays(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = root / "slipway/stacks/Pulumi.shop-test.yaml"
    mine.write_text("config: {}\n")

    command.init(root / "shop")

    assert mine.read_text() == "config: {}\n"
    assert (
        f"{mine}: is there already and stays; for this file it would be\n{TEST_STACK}"
        in capsys.readouterr().out
    )


def test_stacks_go_into_the_named_folder(root: Path) -> None:
    command.init(root / "shop", stacks_dir=root / "mine")

    assert sorted(p.name for p in (root / "mine").iterdir()) == [
        "Pulumi.shop-prod.yaml",
        "Pulumi.shop-test.yaml",
    ]


def test_folder_without_a_compose_file_is_refused(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        command.init(root)

    assert end.value.code == 2
    assert capsys.readouterr().err == (
        "slipway: 1 problem; nothing was changed:\n"
        f"{root}: has none of compose.yaml, compose.yml, docker-compose.yaml, docker-compose.yml; "
        "name the compose file itself\n"
    )


def test_missing_dockerfile_and_alias_are_told(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "shop/compose.yaml").write_text(
        "x-app: &app {build: nowhere, ports: ['80:80']}\nservices: {web: *app}\n"
    )

    command.init(root / "shop")

    told = capsys.readouterr().out.replace(f"{root}/", "").splitlines()
    assert told[-5:-2] == [
        '- shop/compose.yaml:1 web.ports: "80:80" binds a port of the host, which old and new '
        "cannot share; remove it, or move it to a compose.override.yaml for development; if it is "
        "not HTTP, write x-slipway: {singleton: true}",
        "- shop/compose.yaml:2 web: has no keys of its own, so that x-slipway cannot be written; "
        "replace *alias by {<<: *alias} and run this again",
        "- shop/nowhere/Dockerfile: cannot be read: [Errno 2] No such file or directory: "
        "'shop/nowhere/Dockerfile'",
    ]


def test_silent_registry_is_asked_once(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        raise httpx.ConnectError("no route")

    monkeypatch.setattr(
        command, "Registry", lambda _: registry.Registry(transport=httpx.MockTransport(answer))
    )

    command.init(root / "shop")

    silent = (
        "the registry docker.io cannot be reached (no route); check the network, or set "
        "slipway:registry to one that can be reached"
    )
    assert capsys.readouterr().out.replace(f"{root}/", "").splitlines()[-4:-2] == [
        f"- shop/compose.yaml:13 redis:7: {silent}",
        f"- shop/compose.yaml:15 gone:1: {silent}",
    ]
    assert len(asked) == 1


# --- what comes next ------------------------------------------------------------------------

RENAME = [
    "  # the project has the example's name still; with a release it is fixed",
    "  sed -i 's/^name: quotes$/name: shop/' Pulumi.yaml",
]
DEPLOY = "  scripts/deploy shop-test"


def next_lines(root: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    command.init(root / "shop")
    out = capsys.readouterr().out.replace(f"{root}/", "")
    return out[out.index("\nnext") + 1 :].splitlines()


def own_state(root: Path, monkeypatch: pytest.MonkeyPatch, resources: dict[str, int]) -> None:
    """A backend of the checkout's own, with stacks of the example and how much they hold."""
    (root / "slipway/Pulumi.yaml").write_text("name: quotes\n")
    folder = root / "slipway/.slipway/state"
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{folder}?metadata=skip")
    for stack, count in resources.items():
        latest = {"resources": [{}] * count} if count else {}
        write_files(
            folder / ".pulumi/stacks/quotes",
            {f"{stack}.json": json.dumps({"checkpoint": {"latest": latest}})},
        )


def test_name_and_secrets_come_before_the_first_deploy(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    own_state(root, monkeypatch, {"test": 0})
    secret = "    environment: {SECRET_KEY: hunter2}\n  cache:"
    (root / "shop/compose.yaml").write_text(COMPOSE.replace("  cache:", secret))

    assert next_lines(root, capsys) == [
        "next, in this order:",
        *RENAME,
        "  # moves the secrets of the file into the stacks' configuration",
        "  scripts/secrets shop/compose.yaml",
        DEPLOY,
    ]


def test_name_with_releases_stays_unless_they_are_destroyed(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    own_state(root, monkeypatch, {"prod": 0, "test": 3})

    assert next_lines(root, capsys) == [
        "next: scripts/deploy shop-test",
        "(Pulumi.yaml has the example's name still, and its stacks with it: test. It may stay; to "
        "change it, pulumi destroy these first, or their releases are out of reach)",
    ]


def test_name_is_changed_with_care_where_the_state_is_elsewhere(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "slipway/Pulumi.yaml").write_text("name: quotes\n")

    assert next_lines(root, capsys) == [
        "next, in this order:",
        f"{RENAME[0]}, if no stack has a release yet",
        RENAME[1],
        DEPLOY,
    ]


def test_name_of_one_s_own_is_left_alone(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "slipway/Pulumi.yaml").write_text("name: store\n")

    assert next_lines(root, capsys) == ["next: scripts/deploy shop-test"]


# --- the ports ------------------------------------------------------------------------------


class Engine:
    """An engine on another machine, on which a container has some ports."""

    local = False

    def publisher(self, port: int) -> object:
        return "other" if port in (8002, 8003) else None

    def close(self) -> None:
        pass


def test_ports_that_others_have_are_not_proposed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "_next_free", REAL_NEXT_FREE)
    monkeypatch.setattr(command, "connect", Engine)

    command.init(root / "shop")

    written = sorted((root / "slipway/stacks").glob("*shop*"))
    ports = [line for f in written for line in f.read_text().splitlines() if "port" in line]
    assert ports == ['  slipway:port: "8005"', '  slipway:port: "8004"']


def test_without_an_engine_this_machine_tells_which_ports_are_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def silent() -> None:
        raise HostError("no Docker engine answers")

    monkeypatch.setattr(command, "connect", silent)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert REAL_NEXT_FREE(port, {port + 1}) not in (port, port + 1, None)
