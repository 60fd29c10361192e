"""How long a rollback takes under load, in parts, and how many requests it costs.

    . scripts/activate && python -m bench.rollback_under_load --rollbacks 6

Releases a copy of the example app of its own twice, goes back and forth between the two with
`scripts/rollback`, on 127.0.0.1 only, and takes everything away again. Beside that, before the load
and after it, an empty `pulumi preview` is timed: what a machine needs for that, it needs at least.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from tests.e2e.harness import Outcome, Sandbox
from tests.e2e.load import Load, Report

STABLE_FOR = "3s"
"""As the example's stack `test` has it."""
MARKS = (
    ("start", "rolling test back"),
    ("plan", "proving web"),
    ("prove", "switched:"),
    ("drain", "removing what served before"),
    ("remove and verify", "is verified"),
)
"""Parts of a rollback, each with the line that ends it."""


def parts(began: float, outcome: Outcome, ended: float) -> list[float]:
    """Seconds that each part took, and those after the last."""
    times = [began, *(outcome.time_of(line) for _, line in MARKS), ended]
    return [later - earlier for earlier, later in pairwise(times)]


def timed(action: Callable[[], Outcome]) -> tuple[float, Outcome, float]:
    """When an action began, what came of it, and when it ended."""
    began = time.time()
    outcome = action()
    return began, outcome, time.time()


def preview_seconds(sandbox: Sandbox) -> float:
    """Seconds that an empty preview takes."""
    began, outcome, ended = timed(sandbox.preview)
    if outcome.code:
        raise SystemExit(outcome.output)
    return ended - began


def measure(sandbox: Sandbox, rollbacks: int) -> tuple[list[list[float]], list[float], Report]:
    """Roll back and forth under load; gives the parts of each, the previews, and what users saw."""
    for number in range(2):
        sandbox.set_version(f"9.{number}.0")
        sandbox.must_up()
    previews = [preview_seconds(sandbox)]
    load = Load(sandbox.url(), held=False)
    found: list[list[float]] = []
    load.start()
    try:
        for number in range(rollbacks):
            back = str(1 + number % 2)
            found.append(parts(*timed(lambda back=back: sandbox.roll_back(back))))
    finally:
        load.stop()
    previews.append(preview_seconds(sandbox))
    return found, previews, load.report


def main() -> int:
    """Measure and print; exit code 1 if a request failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--rollbacks", type=int, default=6, help="how many (default 6)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sandbox = Sandbox(Path(folder), stable_for=STABLE_FOR)
        try:
            found, previews, report = measure(sandbox, arguments.rollbacks)
        finally:
            sandbox.tear_down()
    print(f"{'part':20}{'median s':>9}{'max':>7}")
    names = [*(name for name, _ in MARKS), "end"]
    for name, seconds in zip(names, zip(*found, strict=True), strict=True):
        print(f"{name:20}{statistics.median(seconds):9.1f}{max(seconds):7.1f}")
    totals = [sum(seconds) for seconds in found]
    median, preview = statistics.median(totals), statistics.median(previews)
    print(f"{'in all':20}{median:9.1f}{max(totals):7.1f}")
    print(f"an empty preview without load: {preview:.1f} s (1 : {median / preview:.1f})")
    print(report)
    return 1 if report.failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
