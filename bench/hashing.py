"""How long it takes to hash a source, next to `sha256sum` over the same files.

    . scripts/activate && python -m bench.hashing

Makes a tree, hashes it in turns in three ways and prints the median of each: without the cache,
with it and nothing changed, and by `find … -print0 | xargs -0 sha256sum`. The files are in the
page cache for all three.
"""

import argparse
import os
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from slipway.hash_cache import HashCache
from slipway.services import Build
from slipway.source_hash import read_source

DOCKERFILE = f"FROM python:3.12-slim@sha256:{'0' * 64}\nCOPY . /app\n"
IGNORED = ".git\n.venv\nnode_modules\n**/__pycache__\n**/*.pyc\n*.log\ndist\n.env*\n!.env.example\n"
PLATFORM = "linux/amd64"
LIMITS = {"no cache": 2.0, "unchanged": 0.1}
SETTLING = 2.5
"""Seconds after which a file is old enough to be remembered."""


def lay_out(root: Path, files: int, size: int) -> None:
    """A tree of `files` files of together `size` bytes: many small ones, some large."""
    numbers = random.Random(1)  # noqa: S311  (the same tree each time)
    weights = [numbers.lognormvariate(0, 1.5) for _ in range(files)]
    block = numbers.randbytes(max(1, int(max(weights) / sum(weights) * size) + 1))
    for number, weight in enumerate(weights):
        folder = root / f"part{number % 40}" / f"of{number % 400}"
        folder.mkdir(parents=True, exist_ok=True)
        content = block[: int(weight / sum(weights) * size)]
        (folder / f"file{number}.py").write_bytes(b"%d\n" % number + content)
    (root / "Dockerfile").write_text(DOCKERFILE)
    (root / ".dockerignore").write_text(IGNORED)


def sha256sum(root: Path) -> None:
    """What the rest is compared with."""
    command = 'find "$0" -type f -print0 | xargs -0 sha256sum > /dev/null'
    subprocess.run(["sh", "-c", command, root], check=True)


def seconds(work: Callable[[], object]) -> float:
    """How long something takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measure(folder: Path, files: int, size: int, rounds: int) -> dict[str, list[float]]:
    """Times of each way, round by round."""
    root, cache = folder / "context", HashCache(folder / "hashes")
    lay_out(root, files, size)
    build = Build(context=str(root))
    time.sleep(SETTLING)
    hashes = {read_source(build, PLATFORM, cache).hash}
    ways: dict[str, Callable[[], object]] = {
        "sha256sum": lambda: sha256sum(root),
        "no cache": lambda: hashes.add(read_source(build, PLATFORM).hash),
        "unchanged": lambda: hashes.add(read_source(build, PLATFORM, cache).hash),
    }
    times = {way: [seconds(work) for _ in range(1)] for way, work in ways.items()}
    for _ in range(rounds - 1):
        for way, work in ways.items():
            times[way].append(seconds(work))
    if len(hashes) != 1:
        raise SystemExit(f"the ways do not agree: {sorted(hashes)}")
    return times


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        size = options.megabytes * 1_000_000
        times = measure(Path(folder), options.files, size, options.rounds)
    print(
        f"{options.files} files, {options.megabytes} MB, median of {options.rounds} rounds, "
        f"{os.cpu_count()} processors"
    )
    base = statistics.median(times["sha256sum"])
    for way, found in times.items():
        ratio = statistics.median(found) / base
        limit = f"  at most {LIMITS[way]:.1f}" if way in LIMITS else ""
        print(f"{way:12}{statistics.median(found):8.3f} s  ratio {ratio:6.3f}{limit}")


if __name__ == "__main__":
    main()
