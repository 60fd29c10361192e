"""A machine that exists in memory only, but for a folder."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from slipway.toolchain.commands import Outcome
from slipway.toolchain.errors import DownloadError
from slipway.toolchain.host import Host
from slipway.toolchain.places import Places

Answer = Outcome | Callable[[Sequence[str]], Outcome]
FAILED = Outcome(1, "", "no")
DONE = Outcome(0)


class FakeCommands:
    """Answers commands by their first words; the last rule that fits counts. Others fail."""

    def __init__(self) -> None:
        self.programs: set[str] = set()
        self.calls: list[str] = []
        self.daemons: list[str] = []
        self._rules: list[tuple[str, Answer]] = []

    def on(self, beginning: str, answer: Answer = DONE) -> None:
        self._rules.append((beginning, answer))

    def which(self, program: str) -> str | None:
        return f"/usr/bin/{program}" if program in self.programs else None

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float = 60,
    ) -> Outcome:
        line = " ".join(argv)
        self.calls.append(line)
        for beginning, answer in reversed(self._rules):
            if line.startswith(beginning):
                return answer if isinstance(answer, Outcome) else answer(argv)
        return FAILED

    def watch(
        self,
        argv: Sequence[str],
        label: str,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float = 3600,
        first_output: float | None = None,
        shielded: bool = False,
    ) -> Outcome:
        return self.run(argv)

    def start(self, argv: Sequence[str], log: Path) -> Callable[[], int | None]:
        self.daemons.append(" ".join(argv))
        return lambda: None

    def ran(self, beginning: str) -> list[str]:
        return [call for call in self.calls if call.startswith(beginning)]


class FakeDownloads:
    """Serves what it was given; everything else is out of reach."""

    def __init__(self) -> None:
        self.served: dict[str, bytes] = {}

    def reachable(self, url: str) -> bool:
        return any(served.startswith(url) for served in self.served)

    def text(self, url: str) -> str:
        return self._get(url).decode()

    def file(self, url: str, target: Path) -> str:
        target.write_bytes(self._get(url))
        return hashlib.sha256(self._get(url)).hexdigest()

    def _get(self, url: str) -> bytes:
        if url not in self.served:
            raise DownloadError(f"cannot fetch {url}: no route", "check the network")
        return self.served[url]


class Machine:
    """A host with fakes, and what it said.

    Args:
        folder: where checkout, home and PATH live.
    """

    def __init__(self, folder: Path) -> None:
        self.commands = FakeCommands()
        self.downloads = FakeDownloads()
        self.said: list[str] = []
        self.path = folder / "path"
        self.root = folder / "checkout"
        self.path.mkdir()
        self.root.mkdir()
        self.environ = {"HOME": str(folder / "home"), "PATH": str(self.path)}

    def host(self, *, is_root: bool = True, **environ: str) -> Host:
        variables = {**self.environ, **environ}
        return Host(
            Places.of(self.root, variables),
            variables,
            self.commands,
            self.downloads,
            self.said.append,
            is_root,
        )

    def go_module(self, name: str, version: str = "1.26.0") -> None:
        folder = self.root / "tools" / name
        folder.mkdir(parents=True)
        (folder / "go.mod").write_text(f"module x\n\ngo {version}\n")

    def go_builds(self) -> None:
        """Have a Go compiler that writes an empty program."""
        self.commands.programs.add("go")

        def build(argv: Sequence[str]) -> Outcome:
            executable(Path(argv[list(argv).index("-o") + 1]))
            return DONE

        self.commands.on("go build", build)


def executable(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path
