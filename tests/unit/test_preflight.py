import os
from pathlib import Path
from typing import Any

import psutil
import pytest

from slipway import preflight
from slipway.errors import ConfigError, HostError
from slipway.host import LABEL_CONFIG, LABEL_OWNER, NetworkState
from slipway.key_lines import KeyLines
from slipway.services import Build, Project

from .support import image_plan
from .support_gate import FakeClock, FakeHost, image

PINNED = f"caddy@sha256:{'c' * 64}"


class Machine(FakeHost):
    """A host without anything on it."""

    def __init__(self) -> None:
        super().__init__(FakeClock(), [])


# --- the ingress image ----------------------------------------------------------------------


def test_pinned_ingress_image_passes() -> None:
    assert preflight.require_pinned_ingress(PINNED) == PINNED


@pytest.mark.parametrize("image_", [None, ""])
def test_missing_ingress_image_is_refused(image_: str | None) -> None:
    with pytest.raises(ConfigError) as caught:
        preflight.require_pinned_ingress(image_)
    assert caught.value.problems == (
        "no ingress image: run scripts/bootstrap and . scripts/activate, or set "
        "slipway:ingressImage to a Caddy (2.11 or newer) with its @sha256 digest",
    )


def test_ingress_image_by_tag_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        preflight.require_pinned_ingress("caddy:2.11")
    assert caught.value.problems == (
        "slipway:ingressImage: caddy:2.11 is not pinned by digest; add its @sha256:… digest",
    )


# --- what would interrupt the service -------------------------------------------------------

FOUND = {
    "name": "shop-test-ingress",
    "image": "caddy@sha256:1",
    "labels": [{"label": LABEL_OWNER, "value": "me"}, {"label": LABEL_CONFIG, "value": "one"}],
    "ports": [{"internal": 8080, "external": 8000}],
}


def test_renamed_project_is_refused_because_its_data_would_stay_behind() -> None:
    with pytest.raises(ConfigError) as caught:
        preflight.refuse_other_name(FOUND, "store-test-ingress")
    assert caught.value.problems == (
        "the compose project or the stack was renamed: this stack is shop-test on its host, and "
        "would become store-test, with other volumes and none of the data; name it back, or run "
        "pulumi destroy first and move the data",
    )


@pytest.mark.parametrize("found", [None, FOUND])
def test_new_stack_and_same_name_pass(found: dict[str, Any] | None) -> None:
    preflight.refuse_other_name(found, "shop-test-ingress")


@pytest.mark.parametrize("labels", [{}, {LABEL_CONFIG: "one"}])
def test_proxy_with_the_wanted_settings_need_not_be_made_anew(labels: dict[str, str]) -> None:
    assert preflight.has_settings(labels, "one")
    assert preflight.has_settings(preflight.labels_of(FOUND), "one")
    assert not preflight.has_settings(preflight.labels_of(FOUND), "two")


# --- names ----------------------------------------------------------------------------------


def test_container_of_someone_else_under_our_name_is_refused() -> None:
    host = Machine()
    host.add("ours", image("a"), labels={LABEL_OWNER: "me"})
    host.add("theirs", image("a"), labels={LABEL_OWNER: "them"})
    preflight.require_own_names(["ours", "not there"], LABEL_OWNER, "me", host)
    with pytest.raises(HostError) as caught:
        preflight.require_own_names(["ours", "theirs"], LABEL_OWNER, "me", host)
    assert str(caught.value) == (
        "container theirs is there already, and this stack's state has not made it; if nothing "
        "needs it, remove it (docker rm -f theirs); if another clone of the project deploys to "
        "this host, use its backend, or another stack name"
    )


def test_container_without_our_labels_is_refused() -> None:
    host = Machine()
    host.add("by-hand", image("a"), labels={})
    with pytest.raises(HostError, match=r"^container by-hand is there already"):
        preflight.require_own_names(["by-hand"], LABEL_OWNER, "me", host)


# --- secrets in builds ----------------------------------------------------------------------


LINES = KeyLines(Path("compose.yaml"))  # Nothing is there, so that all is on its first line.


def built(args: dict[str, str | None], **build: Any) -> Project:
    web = {"name": "web", "build": {"context": "/src", "args": args, **build}}
    db = {"name": "db", "image": "postgres"}
    values = {"name": "shop", "file": "compose.yaml", "services": {"web": web, "db": db}}
    return Project.model_validate(values)


def test_build_argument_that_holds_a_secret_is_refused_and_not_shown() -> None:
    project = built({"URL": "https://me:hunter2@index.example", "TOKEN": "hunter2", "V": "1"})
    with pytest.raises(ConfigError) as caught:
        preflight.refuse_secret_arguments(project, LINES, {"PASSWORD": "hunter2", "EMPTY": ""})
    assert caught.value.problems == tuple(
        f"compose.yaml:1 services.web.build.args.{name}: holds the secret PASSWORD; build "
        "arguments can be read out of the image's history; give it to the container under "
        "environment, or to the build as a build secret"
        for name in ("URL", "TOKEN")
    )


@pytest.mark.parametrize(
    ("build", "told"),
    [
        (
            {"labels": {"by": "hunter2"}},
            "labels.by: holds the secret P; labels can be read out of the image; remove it",
        ),
        (
            {"target": "hunter2"},
            "target: holds the secret P; a stage's name stands in the state; remove it",
        ),
        (
            {"additional_contexts": {"lib": "https://me:hunter2@git.example/lib.git"}},
            "additional_contexts.lib: holds the secret P; where a build takes files from stands in "
            "the state; take it out of the address, and fetch what needs it with a build secret",
        ),
    ],
)
def test_secret_in_another_part_of_a_build_is_refused(build: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        preflight.refuse_secret_arguments(built({}, **build), LINES, {"P": "hunter2"})
    assert caught.value.problems == (f"compose.yaml:1 services.web.build.{told}",)


@pytest.mark.parametrize(
    ("secret", "value", "refused"),
    [
        ("3", "3", True),
        ("3", "3.12", False),
        ("312", "3.12-312", False),
        ("3120", "3.12-3120", True),
    ],
)
def test_short_secret_is_found_where_it_is_the_whole_value(
    secret: str, value: str, refused: bool
) -> None:
    problems = 0
    try:
        preflight.refuse_secret_arguments(built({"V": value}), LINES, {"PIN": secret})
    except ConfigError as error:
        problems = len(error.problems)
    assert problems == refused


def test_builds_without_secrets_pass() -> None:
    plain = built({"V": "1", "NONE": None, "E": ""}, labels={"by": "me"}, target="run")
    preflight.refuse_secret_arguments(plain, LINES, {"P": "hunter2"})


# --- options of the engine ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "lines", "told"),
    [
        (
            {"PULUMI_CONTINUE_ON_ERROR": "true"},
            [],
            [
                "PULUMI_CONTINUE_ON_ERROR is set: after a failed build the engine would delete "
                "what serves; unset it"
            ],
        ),
        (
            {"PULUMI_SKIP_CHECKPOINTS": "1"},
            [],
            [
                "PULUMI_SKIP_CHECKPOINTS is set: a run that is killed would leave no trace of what "
                "it tried; unset it"
            ],
        ),
        (
            {},
            ["bash", "pulumi up --continue-on-error --yes"],
            [
                "pulumi was called with --continue-on-error: after a failed build the engine would "
                "delete what serves; leave it out"
            ],
        ),
    ],
)
def test_option_that_takes_the_gate_its_power_is_refused(
    environ: dict[str, str], lines: list[str], told: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        preflight.refuse_engine_options(environ, lines)
    assert list(caught.value.problems) == told


def test_options_that_are_off_pass() -> None:
    off = {"PULUMI_CONTINUE_ON_ERROR": "False", "PULUMI_SKIP_CHECKPOINTS": "0"}
    preflight.refuse_engine_options(off, ["pulumi up", ""])


@pytest.mark.parametrize(
    ("line", "environ", "after"),
    [
        ("pulumi up --stack test", {}, True),
        ("/opt/bin/pulumi --non-interactive up --yes", {}, True),
        ("pulumi update", {}, True),
        ("pulumi --non-interactive up --yes --skip-preview --event-log x", {}, False),
        ("pulumi up -yf", {}, False),
        ("pulumi up -f --stack test", {}, False),
        ("pulumi up", {"PULUMI_SKIP_PREVIEW": "true"}, False),
        ("pulumi preview", {}, False),
        ("vim pulumi up", {}, False),
        ("", {}, False),
    ],
)
def test_update_after_a_preview_is_known_by_its_command(
    line: str, environ: dict[str, str], after: bool
) -> None:
    assert preflight.previewed(environ, ["bash", line, "init"]) is after


def test_ancestors_are_those_of_this_process() -> None:
    parent = psutil.Process().parent()
    assert parent is not None
    assert " ".join(parent.cmdline()) in preflight.ancestors()


# --- what must be there ---------------------------------------------------------------------


class Stocked(Machine):
    """A host with the networks and volumes whose names begin with `there`."""

    version = (28, 0)

    def networks(self, name: str) -> list[NetworkState]:
        return [NetworkState("n", {}, used=False)] if name.startswith("there") else []

    def has_volume(self, name: str) -> bool:
        return name.startswith("there")

    def engine_version(self) -> tuple[int, int]:
        return self.version


def with_external(prefix: str) -> Project:
    external = {
        "a": {"external": True, "name": f"{prefix}-named"},
        f"{prefix}-bare": {"external": True},
        "own": {},
    }
    values = {"name": "shop", "file": "c", "services": {}, "networks": external}
    return Project.model_validate({**values, "volumes": external})


def test_external_networks_and_volumes_that_are_missing_are_told_together() -> None:
    lines = KeyLines(Path(os.devnull))
    with pytest.raises(HostError) as caught:
        preflight.require_external(with_external("gone"), lines, Stocked())
    assert str(caught.value).replace(os.devnull, "compose.yaml").splitlines() == [
        f"compose.yaml:1 {kind}s.{key}: there is no {kind} {name} on the Docker host; create it "
        f"(docker {kind} create {name}), or remove external"
        for kind in ("network", "volume")
        for key, name in (("a", "gone-named"), ("gone-bare", "gone-bare"))
    ]


def test_external_networks_and_volumes_that_are_there_pass() -> None:
    preflight.require_external(with_external("there"), KeyLines(Path(os.devnull)), Stocked())


def test_build_that_the_engine_is_too_old_for_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM x\nCOPY --link . /app\n")
    build = Build(context=str(tmp_path), additional_contexts={"lib": "/lib"})
    host = Stocked()
    host.version = (20, 10)
    images = [image_plan(digest=None, build=build)] * 2
    with pytest.raises(HostError) as caught:
        preflight.require_builder(images, host)
    needs = (
        "needs the BuildKit of Docker Engine 23.0 or newer, and this one is 20.10; update the "
        "engine, or write it another way"
    )
    assert str(caught.value).splitlines() == [
        f"{tmp_path}/Dockerfile:2 COPY --link {needs}",
        f"{tmp_path}/Dockerfile:1 additional_contexts {needs}",
    ]
    host.version = (23, 0)
    preflight.require_builder(images, host)


def test_image_that_is_there_already_needs_no_builder(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM x\nCOPY --link . /app\n")
    host = Stocked()
    host.version = (20, 10)
    preflight.require_builder([image_plan(build=Build(context=str(tmp_path)))], host)
