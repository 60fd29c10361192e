"""Sandboxes for the end-to-end tests."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import Sandbox

SHOWN = "shown"
"""A property of this name is printed at the end of the run, also when tests run in parallel."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests have measured."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, value in report.user_properties:
                if name == SHOWN:
                    terminalreporter.write_line(f"{report.nodeid}: {value}")


@pytest.fixture(scope="module")
def new_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Sandbox]]:
    """Makes sandboxes and takes them down at the end of the module."""
    made: list[Sandbox] = []

    def make(stable_for: str = "1s", **options: Any) -> Sandbox:
        folder: Path = tmp_path_factory.mktemp("sandbox")
        sandbox = Sandbox(folder, stable_for, **options)
        made.append(sandbox)
        return sandbox

    yield make
    for sandbox in made:
        sandbox.tear_down()


@pytest.fixture(scope="module")
def sandbox(new_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """A sandbox whose stack `test` has a release; tests leave one that serves."""
    made = new_sandbox()
    made.must_up()
    return made
