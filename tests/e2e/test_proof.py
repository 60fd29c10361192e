"""Images that are not what their source says are refused before anything starts."""

import io
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from slipway.evidence.model import ServiceEvidence
from slipway.host import LABEL_PROJECT
from slipway.image_labels import SOURCE_HASH
from slipway.image_plan import TAG_DIGITS
from slipway.services import Build
from slipway.source_hash import read_source
from tests.e2e.harness import Outcome, Sandbox
from tests.e2e.tiny import COMPOSE, tiny_sandbox

DOCKERFILE = "app/Dockerfile"
MAIN = "app/main.py"


@pytest.fixture(scope="module")
def tiny(new_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """A sandbox with a release that serves."""
    made = tiny_sandbox(new_sandbox)
    made.must_up()
    return made


@pytest.fixture
def kept_source(tiny: Sandbox) -> Iterator[None]:
    """The source is afterwards what it was before."""
    before = {path: tiny.read(path) for path in (COMPOSE, DOCKERFILE, MAIN)}
    yield
    for path, text in before.items():
        tiny.write(path, text)
    shutil.rmtree(tiny.folder / "app/__pycache__", ignore_errors=True)
    assert left_over(tiny) == []


def left_over(sandbox: Sandbox) -> list[str]:
    """The containers of proofs that are still there."""
    labels = [f"{LABEL_PROJECT}={sandbox.name}", "slipway.role=proof"]
    found = sandbox.engine.containers.list(all=True, filters={"label": labels})
    return [str(container.name) for container in found]


def proven(sandbox: Sandbox, service: str = "web") -> ServiceEvidence:
    """What the newest evidence has of a service."""
    return next(s for s in sandbox.evidence()[0].services if s.name == service)


def refused(sandbox: Sandbox, *said: str) -> Outcome:
    """An update that is refused, and starts nothing."""
    running = sandbox.running()
    outcome = sandbox.must_fail()
    assert sandbox.running() == running
    assert "its image is not as it must be" in outcome.output
    for text in said:
        assert text in outcome.output, outcome.output
    failure = sandbox.evidence()[0].failure
    assert failure is not None
    assert failure.phase == "prove images"
    found = proven(sandbox)
    assert found.container_started is None
    assert found.proof is not None
    assert found.proof.passed is False
    return outcome


def add(sandbox: Sandbox, *lines: str) -> None:
    """Lines at the end of the Dockerfile, before its CMD."""
    text = sandbox.read(DOCKERFILE)
    sandbox.write(DOCKERFILE, text.replace("CMD [", "\n".join([*lines, "CMD ["])))


def prove(sandbox: Sandbox, settings: str) -> None:
    """What web's image must be."""
    allow = "      allow: [root]\n"
    sandbox.replace(COMPOSE, allow, f"{allow}      proof: {settings}\n")


def source_of(sandbox: Sandbox) -> tuple[str, str, str]:
    """The hash of the source as it is now, and repository and tag that an image of it has."""
    build = Build(
        context=str(sandbox.folder / "app"),
        args={"BASE_IMAGE": sandbox.environ["SLIPWAY_PYTHON_IMAGE"]},
    )
    found = read_source(build, "linux/amd64").hash
    return found, f"localhost:5000/{sandbox.name}", f"src-{found[:TAG_DIGITS]}"


def push_old(sandbox: Sandbox, labelled: str = "") -> None:
    """Push the image that serves under the name of the source as it is now."""
    source_hash, name, tag = source_of(sandbox)
    label = f"LABEL {SOURCE_HASH}={labelled or source_hash}\n"
    serving = sandbox.engine.containers.get(sandbox.live("web")).image
    text = f"FROM {serving.id}\n{label}".encode()
    sandbox.engine.images.build(fileobj=io.BytesIO(text), tag=f"{name}:{tag}", rm=True)
    sandbox.engine.images.push(name, tag)


# --- what is refused -------------------------------------------------------------------------


@pytest.mark.usefixtures("kept_source")
def test_tag_that_was_overwritten_behind_our_back_is_refused(tiny: Sandbox) -> None:
    released, running = tiny.engine.containers.get(tiny.live("web")).image, tiny.running()
    push_old(tiny, labelled="overwritten")
    try:
        outcome = tiny.must_fail()
    finally:
        _, name, tag = source_of(tiny)
        released.tag(name, tag)
        tiny.engine.images.push(name, tag)
    assert "was released from the same source: the tag was overwritten" in outcome.output
    assert tiny.running() == running
    unchanged = tiny.preview("test", "--expect-no-changes")
    assert unchanged.code == 0, unchanged.output


@pytest.mark.usefixtures("kept_source")
def test_image_with_old_code_is_refused_file_by_file(tiny: Sandbox) -> None:
    tiny.replace(MAIN, 'VERSION = os.environ["VERSION"]', 'VERSION = "new"')
    push_old(tiny)
    refused(
        tiny,
        "/srv/main.py (source: main.py): expected sha256 ",
        "(app/Dockerfile:4), found sha256 ",
        "in the source: 'VERSION = \"new\"'",
        "in the image:  'VERSION = os.environ[\"VERSION\"]'",
        "delete its tag in the registry",
    )


@pytest.mark.usefixtures("kept_source")
def test_image_that_was_not_built_from_the_source_is_refused_by_its_label(tiny: Sandbox) -> None:
    tiny.write(MAIN, tiny.read(MAIN) + "# another\n")
    push_old(tiny, labelled="0" * 64)
    refused(tiny, "slipway.source-hash: expected ", "found 000000000000")


@pytest.mark.usefixtures("kept_source")
def test_old_compiled_files_are_refused(tiny: Sandbox) -> None:
    cache = tiny.folder / "app/__pycache__"
    cache.mkdir()
    (cache / "gone.cpython-311.pyc").write_bytes(bytes(16))
    add(tiny, "COPY __pycache__ ./__pycache__")
    refused(
        tiny,
        "/srv/__pycache__/gone.cpython-311.pyc: expected its source at /srv/gone.py, found none",
        ".dockerignore",
    )


@pytest.mark.usefixtures("kept_source")
def test_file_that_a_step_edited_after_its_copy_is_refused_unless_it_is_listed(
    tiny: Sandbox,
) -> None:
    add(tiny, "RUN echo '# edited' >> main.py")
    refused(
        tiny,
        "in the image:  '# edited'",
        "app/Dockerfile:5 may have changed it: name it under x-slipway.proof.generated",
    )
    prove(tiny, "{generated: [main.py]}")
    tiny.replace(
        COMPOSE,
        "x-slipway: {allow: [root]}",
        "x-slipway: {allow: [root], proof: {generated: [main.py]}}",
    )
    passed = tiny.must_up()
    assert "/srv/main.py differs from main.py: proof.generated allows it" in passed.output


@pytest.mark.usefixtures("kept_source")
def test_image_that_runs_as_root_is_refused_unless_that_is_allowed(tiny: Sandbox) -> None:
    tiny.replace(COMPOSE, "      allow: [root]\n", "")
    add(tiny, "LABEL another=image")
    refused(tiny, "USER: expected a user that is not root, found no USER, which means root")
    grace = "    stop_grace_period: 10s\n"
    tiny.replace(COMPOSE, grace, f'{grace}    user: "0"\n')
    refused(tiny, "expected a user that is not root, found 0")


@pytest.mark.usefixtures("kept_source")
def test_all_that_is_wrong_is_told_at_once(tiny: Sandbox) -> None:
    prove(tiny, "{required: [/srv/main.py, /srv/data], imports: [json, nowhere]}")
    add(tiny, "RUN echo '# edited' >> main.py")
    refused(
        tiny,
        "/srv/data: expected something at this path, found nothing",
        "import nowhere: expected no error in the image, without network, "
        "found ModuleNotFoundError: No module named 'nowhere'",
        "service worker: its image is not as it must be (1 finding)",
        "service web: its image is not as it must be (3 findings)",
    )


@pytest.mark.usefixtures("kept_source")
def test_import_that_takes_too_long_is_ended(tiny: Sandbox) -> None:
    prove(tiny, "{imports: [slow], timeout: 2s}")
    add(tiny, "RUN echo 'import time; print(1234, flush=True); time.sleep(99)' > slow.py")
    refused(
        tiny,
        "slow: expected imported by the image's own Python, found no answer within 2 s",
        "    | 1234",
    )


@pytest.mark.usefixtures("kept_source")
def test_import_has_no_network(tiny: Sandbox) -> None:
    prove(tiny, "{imports: [caller]}")
    call = 'import socket; socket.create_connection((chr(49)+".1.1.1", 53), 1)'
    add(tiny, f"RUN echo '{call}' > caller.py")
    refused(tiny, "import caller: expected no error", "Network is unreachable")


@pytest.mark.usefixtures("kept_source")
def test_folder_that_is_not_in_the_source_is_told_by_its_line(tiny: Sandbox) -> None:
    prove(tiny, "{files: {lib: /srv/lib}}")
    outcome = tiny.must_fail()
    assert "services.web.x-slipway.proof.files.lib: there is nothing of that name" in outcome.output


# --- what passes -----------------------------------------------------------------------------


@pytest.mark.usefixtures("kept_source")
def test_release_tells_what_was_compared_and_what_was_not(tiny: Sandbox) -> None:
    add(tiny, "RUN touch made.txt")
    prove(tiny, "{required: [/srv/main.py], imports: [json]}")
    passed = tiny.must_up()
    said = "the image of web is proven: 1 files are those of the source; imports json"
    assert said in passed.output
    found = proven(tiny).proof
    assert found is not None
    assert (found.passed, found.compared, found.imported) == (True, 1, ["json"])
    assert {n.reason.partition(":")[0]: n.examples for n in found.not_compared} == {
        "the Dockerfile copies it to no place in the image": ["Dockerfile"],
        "in the image, and from no source file": ["/srv/made.txt"],
    }
    again = tiny.must_up()
    assert "is proven" not in again.output


# --- an application with routes, in a repository ---------------------------------------------


@pytest.fixture(scope="module")
def quotes(new_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """The example, released from a commit."""
    made = new_sandbox(proof=True)
    commit(made, "init", "-q", "-b", "main")
    commit(made, "remote", "add", "origin", "https://kim:token@git.example.com/quotes.git")
    commit(made, "add", "app")
    commit(made, "commit", "-q", "-m", "first")
    outcome = made.must_up()
    assert "imports app.main, app.worker; 18 routes" in outcome.output
    return made


def commit(sandbox: Sandbox, *arguments: str) -> str:
    """Run git in the sandbox."""
    who = ["-c", "user.name=me", "-c", "user.email=me@here", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", *who, *arguments],
        cwd=sandbox.folder, check=True, capture_output=True, text=True, timeout=30,
    ).stdout  # fmt: skip


def test_image_names_its_commit_and_another_commit_of_the_source_changes_nothing(
    quotes: Sandbox,
) -> None:
    head = commit(quotes, "rev-parse", "HEAD").strip()
    time = commit(quotes, "show", "-s", "--format=%ct").strip()
    labels = quotes.engine.containers.get(quotes.live("web")).image.labels
    prefix = "org.opencontainers.image."
    assert {k: v for k, v in labels.items() if k.startswith(prefix)} == {
        f"{prefix}revision": head,
        f"{prefix}source": "https://git.example.com/quotes.git",
        f"{prefix}created": datetime.fromtimestamp(int(time), UTC).isoformat(),
    }
    commit(quotes, "commit", "-q", "--allow-empty", "-m", "second")
    outcome = quotes.preview("test", "--expect-no-changes")
    assert outcome.code == 0, outcome.output
    found = proven(quotes).proof
    assert found is not None
    assert found.notes == []


def test_route_that_is_missing_is_refused_with_those_that_are_there(quotes: Sandbox) -> None:
    serving = quotes.running()
    with quotes.changed("app/app/main.py", lambda text: text.replace("(health, login", "(login")):
        outcome = quotes.must_fail()
    assert "/api/health: expected a route of the application, found no such route" in outcome.output
    assert "| it has: /, /api/export.csv, " in outcome.output
    assert "all routes: expected 18 or more, found 17" in outcome.output
    assert "proving" not in outcome.output
    assert quotes.running() == serving


def test_release_of_the_ledger_is_not_looked_at_again(quotes: Sandbox) -> None:
    quotes.set_version("9.9")
    quotes.must_up()
    outcome = quotes.roll_back()
    assert "it was proven then" in outcome.output
    found = proven(quotes).proof
    assert found is not None
    assert (found.passed, found.compared, found.routes) == (None, 0, None)
