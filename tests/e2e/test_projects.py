"""Projects of three kinds, from the first release to the way back, under load."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import httpx
import pytest

from tests.e2e import faults
from tests.e2e.harness import ROOT, Sandbox, Watcher
from tests.e2e.server_images import pinned, server_image

PROJECTS = ROOT / "tests/e2e/projects"
_CLIENTS = 4


@dataclass(frozen=True)
class Kind:
    """One of the projects.

    Args:
        name: its folder.
        servers: the images that it needs.
        variables: further values for its compose file.
        module: what fails when it cannot be imported.
        job: a job that is run before the release, if there is one.
    """

    name: str
    servers: tuple[str, ...]
    variables: dict[str, str]
    module: str
    job: str = ""


KINDS = [
    Kind(
        "django",
        ("postgres",),
        {"POSTGRES_PASSWORD": "correct horse", "DJANGO_SECRET_KEY": "only for tests"},
        "stock/views.py",
        "web-release",
    ),
    Kind("flask", ("redis",), {}, "shop.py"),
    Kind("fastapi", (), {}, "main.py"),
]


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


@pytest.fixture(scope="module")
def project(kind: Kind, new_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """A project after its first release."""
    servers = {f"{name.upper()}_IMAGE": pinned(server_image(name)) for name in kind.servers}
    sandbox = new_sandbox(source=PROJECTS / kind.name, variables={**servers, **kind.variables})
    text = sandbox.read("app/compose.slipway.yaml")
    sandbox.write("app/compose.yaml", re.sub(r"(?m)^name: .*", f"name: {sandbox.name}", text))
    (sandbox.folder / "app/compose.slipway.yaml").unlink()
    first = sandbox.must_up()
    if kind.job:
        assert first.time_of(f"{kind.job} has succeeded") <= first.time_of("web before any traffic")
    return sandbox


@contextmanager
def load(sandbox: Sandbox) -> Iterator[list[str]]:
    """Users at work; none of their requests may fail. Gives the versions that they saw."""
    versions: list[str] = []
    with ExitStack() as stack:
        watchers = [
            stack.enter_context(Watcher(sandbox.url(), sandbox.health_path))
            for _ in range(_CLIENTS)
        ]
        yield versions
    versions += sorted({version for watcher in watchers for version in watcher.versions})


def use(kind: Kind, sandbox: Sandbox, word: str) -> None:
    """Do what the project is for, and see that what was done before is still there."""
    with httpx.Client(base_url=sandbox.url(), timeout=40) as client:
        match kind.name:
            case "django":
                client.post("/items/", data={"name": word}).raise_for_status()
                items = client.get("/items/").json()["items"]
                assert items[0] == "first"
                assert items[-1] == word
                assert "color" in client.get("/static/shelf.css").text
            case "flask":
                job = client.post(f"/greet/{word}").json()["id"]
                answer = client.get(f"/greet/{job}/result").json()["text"]
                assert answer.startswith(f"Hello {word}, from ")
            case "fastapi":
                client.post("/notes", json={"text": word}).raise_for_status()
                texts = [note["text"] for note in client.get("/notes").json()]
                assert texts[0] == "first"
                assert texts[-1] == word


def test_first_release_serves(kind: Kind, project: Sandbox) -> None:
    use(kind, project, "first")
    assert project.health()["version"] == "1"
    project.assert_agreement()


def test_second_preview_is_empty(project: Sandbox) -> None:
    outcome = project.preview("test", "--expect-no-changes")
    assert outcome.code == 0, outcome.output


def test_change_is_released_and_backing_services_are_left_alone(
    kind: Kind, project: Sandbox
) -> None:
    backing = {name: project.live(name) for name in ("db", "redis") if name in services(project)}
    project.set_version("2")
    with load(project) as versions:
        project.must_up()
        time.sleep(0.5)
    assert versions == ["1", "2"]
    assert {name: project.live(name) for name in backing} == backing
    if kind.name == "flask":
        assert senders(project) == 2
    use(kind, project, "second")
    project.assert_agreement()


def test_failing_change_leaves_what_served(kind: Kind, project: Sandbox) -> None:
    running = sorted(project.running())
    broken = faults.first("raise RuntimeError('broken on purpose')")
    with load(project) as versions, project.changed(f"app/{kind.module}", broken):
        outcome = project.must_fail()
    assert "broken on purpose" in outcome.output, outcome.output
    assert versions == ["2"]
    assert sorted(project.running()) == running
    use(kind, project, "third")


def test_source_of_the_release_before_is_released_again(kind: Kind, project: Sandbox) -> None:
    project.set_version("1")
    with load(project) as versions:
        outcome = project.must_up()
        time.sleep(0.5)
    assert versions == ["1", "2"]
    built = re.search(r"RemoteImage \S+ creating", outcome.output)
    assert built is None, "an image was built again"
    use(kind, project, "fourth")
    project.assert_agreement()


def senders(sandbox: Sandbox) -> int:
    """How often the scheduler that sends has changed, and 1: two at once would take turns."""
    found = httpx.get(f"{sandbox.url()}/beats").json()["senders"]
    hosts = [sender["host"] for sender in sorted(found, key=lambda sender: float(sender["at"]))]
    return len(
        [host for host, before in zip(hosts, [None, *hosts], strict=False) if host != before]
    )


def services(sandbox: Sandbox) -> set[str]:
    return set(sandbox.deployment().live.containers)
