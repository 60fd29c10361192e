"""What the shell of whoever deploys could bring into a release, and must not."""

import pytest

from .support import WEB, Sample
from .test_forms import unset

MACHINE = "has another value on every machine; "
HOST_PATH = (
    "compose.yaml:5 services.web.volumes.0: ~ is another folder on every machine; write an "
    "absolute path of the Docker host, or a path of the project (./…)"
)


@pytest.fixture
def shell(sample: Sample) -> Sample:
    """A project, and a shell that has values for all that may be asked for."""
    names = ("DOCKER_TAG", "XDG_RUNTIME_DIR", "HOMEPAGE_URL", "PATH_PREFIX", "DOCKER_HOST")
    own = {"HOME": "/home/me", "DOCKER_CONFIG": "/home/me/.docker"}
    sample.shell = dict.fromkeys(names, "shell") | own | {"COMPOSE_PROFILES": "debug"}
    return sample


@pytest.mark.parametrize(
    "name", ["DOCKER_TAG", "XDG_RUNTIME_DIR", "HOMEPAGE_URL", "PATH_PREFIX", "DOCKER_HOST"]
)
def test_variable_that_only_looks_like_one_of_the_reader_has_no_value(
    shell: Sample, name: str
) -> None:
    assert shell.web(f"environment:\n  A: ${{{name}}}\n").problems == [unset(6, name)]
    found = shell.web(f"environment:\n  A: ${{{name}:-default}}\n")
    assert found.environment("web") == {"A": "default"}


def test_profile_of_the_shell_is_not_active(shell: Sample) -> None:
    top = "  debug:\n    image: adminer:4@PIN\n    profiles: [debug]\n"
    assert shell.web(top=top).order == ["web routed"]


@pytest.mark.parametrize("name", ["PATH", "HOME", "DOCKER_CONFIG"])
@pytest.mark.parametrize("default", ["", ":-/else"])
def test_variable_of_the_reader_is_refused_whatever_its_default(
    shell: Sample, name: str, default: str
) -> None:
    assert shell.web(f"environment:\n  A: ${{{name}{default}}}\n").problems == [
        f"compose.yaml:6 ${{{name}}}: {MACHINE}write out what is meant, or use a variable of "
        "another name, with its value under slipway:variables"
    ]


def test_variable_of_the_reader_may_be_for_a_shell(shell: Sample) -> None:
    (problem,) = shell.web("command: sh -c 'cd $HOME && serve'\n").problems
    assert problem.endswith(", or write $$HOME if the shell in the container is to fill it in")
    assert shell.web("command: sh -c 'cd $$HOME && serve'\n").problems == []


@pytest.mark.parametrize("written", ["  HOME:", "  - HOME"])
def test_variable_of_the_reader_that_is_passed_through(shell: Sample, written: str) -> None:
    assert shell.web(f"environment:\n{written}\n").problems == [
        f"compose.yaml:6 services.web.environment.HOME: {MACHINE}write its value, or remove it"
    ]


def test_variable_of_the_reader_that_is_passed_to_a_build(shell: Sample) -> None:
    text = WEB.replace("build: .", "build: {context: ., args: [HOME]}")
    assert shell.read(text).problems == [
        f"compose.yaml:3 services.web.build.args.HOME: {MACHINE}write its value, or remove it"
    ]


def test_variable_of_the_reader_in_files_beside_the_compose_file(shell: Sample) -> None:
    shell.write("app.env", "# $HOME\nA='$HOME'\nB=$HOME\n")
    (problem,) = shell.web("env_file: app.env\n").problems
    assert problem.startswith(f"app.env:3 ${{HOME}}: {MACHINE}")


@pytest.mark.parametrize(
    "top", ["include: [other.yaml]\n", "x-base: {}\n"], ids=["included", "extended"]
)
def test_variable_of_the_reader_in_other_files(shell: Sample, top: str) -> None:
    shell.write(
        "other.yaml",
        "services:\n  app:\n    image: redis:7@PIN\n    user: $HOME\n    environment: [PATH]\n",
    )
    extends = "  cache:\n    extends: {file: other.yaml, service: app}\n" * ("x-" in top)
    found = shell.read(top + WEB + extends)
    assert [problem.split(";")[0] for problem in found.problems] == [
        f"other.yaml:4 ${{HOME}}: {MACHINE}".removesuffix("; "),
        f"other.yaml:5 services.app.environment.PATH: {MACHINE}".removesuffix("; "),
    ]


@pytest.mark.parametrize("written", ["~/data:/data", "{type: bind, source: ~/data, target: /data}"])
def test_home_folder_is_no_path_of_the_docker_host(shell: Sample, written: str) -> None:
    assert shell.web(f"volumes:\n  - {written}\n").problems == [HOST_PATH.replace(":5 ", ":6 ")]


def test_value_of_the_stack_goes_before_that_of_the_machine(shell: Sample) -> None:
    shell.variables = {"HOME": "/srv"}
    found = shell.web("environment:\n  - A=$HOME\n  - HOME\n")
    assert found.environment("web") == {"A": "/srv", "HOME": "/srv"}
