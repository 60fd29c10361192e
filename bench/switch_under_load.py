"""What users notice of releases: requests, failures and latencies in each part of them.

    . scripts/activate && python -m bench.switch_under_load --releases 5

Releases a copy of the example app of its own, under the load of the end-to-end tests, to
127.0.0.1 only, and takes everything away again.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tests.e2e.harness import Outcome, Sandbox
from tests.e2e.load import Load, Report, percentile

AROUND = 1.0
"""Seconds before and after a switch that count as the switch."""
IDLE = 5.0
"""Seconds before each release in which nothing happens, to compare with."""
PARTS = ("idle", "build", "prove", "switch", "drain")


@dataclass(frozen=True)
class Span:
    """A part of a release: its name, and when it began and ended."""

    part: str
    began: float
    ended: float


def spans(began: float, outcome: Outcome, ended: float) -> Iterator[Span]:
    """The parts of one release, from the times of what it printed."""
    proving = outcome.time_of("proving web")
    switched = outcome.time_of("switched:")
    times = [began - IDLE, began, proving, switched - AROUND, switched + AROUND, ended]
    for part, (start, stop) in zip(PARTS, pairwise(times), strict=True):
        yield Span(part, start, stop)


def row(part: str, found: list[Span], report: Report) -> str:
    """A line of the table: one part of all releases together."""

    def inside(at: float) -> bool:
        return any(span.began <= at < span.ended for span in found)

    taken = [seconds for at, seconds in report.answers if inside(at)]
    failed = sum(inside(at) for at, _ in report.failures)
    length = sum(span.ended - span.began for span in found)
    shares = [percentile(taken, share) for share in (0.5, 0.9, 0.99, 1)]
    latencies = "".join(f"{milliseconds:8.0f}" for milliseconds in shares)
    return f"{part:8}{length:8.1f}{len(taken) + failed:10}{failed:8}{latencies}"


def measure(sandbox: Sandbox, releases: int) -> tuple[list[Span], Report]:
    """Release again and again under load."""
    sandbox.must_up()
    load = Load(sandbox.url())
    found: list[Span] = []
    load.start()
    try:
        for number in range(releases):
            time.sleep(IDLE)
            sandbox.set_version(f"9.{number}.0")
            began = time.time()
            outcome = sandbox.must_up()
            found += spans(began, outcome, time.time())
    finally:
        load.stop()
    return found, load.report


def main() -> int:
    """Measure and print; exit code 1 if a request failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--releases", type=int, default=5, help="how many (default 5)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sandbox = Sandbox(Path(folder))
        try:
            found, report = measure(sandbox, arguments.releases)
        finally:
            sandbox.tear_down()
    heads = "".join(f"{head:>8}" for head in ("p50 ms", "p90", "p99", "max"))
    print(f"{'part':8}{'seconds':>8}{'requests':>10}{'failed':>8}{heads}")
    for part in PARTS:
        print(row(part, [span for span in found if span.part == part], report))
    print(report)
    return 1 if report.failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
