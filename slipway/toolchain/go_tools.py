"""Programs built from the Go modules in tools/, kept once a machine.

Each set of programs has a folder of its own in the cache, named after its version and a hash of
its module files, and links to it in the bin folder.
"""

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from slipway.toolchain import files
from slipway.toolchain.errors import SetupError
from slipway.toolchain.host import Host

_PULUMI_VERSION = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"


@dataclass(frozen=True)
class GoTool:
    """A program that can be built from a Go module.

    Args:
        program: file name of the program.
        version: what the program is; part of its folder's name.
        package: import path of the command, or "." for the module's own.
        stamps: variables set at link time.
        static: built without C, so that it runs in any image.
    """

    program: str
    version: str
    package: str = "."
    stamps: tuple[tuple[str, str], ...] = ()
    static: bool = False
    module: str = field(default="")

    @property
    def folder(self) -> str:
        """Name of its module's folder below tools/."""
        return self.module or self.program


PULUMI = GoTool(
    "pulumi",
    "3.256.0",
    "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    ((_PULUMI_VERSION, "v3.256.0"),),
)
PULUMI_LANGUAGE_PYTHON = GoTool(
    "pulumi-language-python",
    "3.256.0",
    "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python",
    ((_PULUMI_VERSION, "v3.256.0"),),
)
PULUMI_RESOURCE_DOCKER = GoTool("pulumi-resource-docker", "5.2.0")
CADDY = GoTool(
    "caddy",
    "2.11.9",
    "github.com/caddyserver/caddy/v2/cmd/caddy",
    (("github.com/caddyserver/caddy/v2.CustomVersion", "v2.11.9"),),
    static=True,
)
COMPOSE_CONFIG = GoTool("compose-config", "2.16.2")
ACTIONLINT = GoTool("actionlint", "1.7.12", "github.com/rhysd/actionlint/cmd/actionlint")


def kept(host: Host, tools: Sequence[GoTool], extra: str = "") -> Path:
    """The cache folder of a set of tools; it exists only once they are complete.

    Args:
        host: the machine.
        tools: programs that belong together; the first gives the folder its name.
        extra: anything else that decides what the folder holds.
    """
    digest = hashlib.sha256(extra.encode())
    for tool in tools:
        digest.update(repr((tool, "1")).encode())
        for path in sorted((host.places.root / "tools" / tool.folder).glob("*")):
            if path.name in ("go.mod", "go.sum") or _is_source(path.name):
                digest.update(path.read_bytes())
    first = tools[0]
    return host.places.cache / f"{first.program}-{first.version}-{digest.hexdigest()[:12]}"


def _is_source(name: str) -> bool:
    return name.endswith(".go") and not name.endswith("_test.go")


def scratch(host: Host, name: str) -> Path:
    """A new folder for unfinished work, on the file system of the cache."""
    folder = host.places.scratch / f"{name}-{secrets.token_hex(4)}"
    folder.mkdir(parents=True)
    return folder


def keep(unfinished: Path, final: Path) -> None:
    """Move a complete folder to its place; another that is there already is as good."""
    try:
        unfinished.rename(final)
    except OSError:
        if not final.is_dir():
            raise
        shutil.rmtree(unfinished)


def publish(host: Host, folder: Path, programs: Sequence[str]) -> None:
    """Link programs into the bin folder."""
    for program in programs:
        files.link(host.places.bin / program, folder / program)


def published(host: Host, folder: Path, programs: Sequence[str]) -> bool:
    """Whether the bin folder has these programs, out of this folder."""
    return all(
        (host.places.bin / program).resolve() == (folder / program).resolve()
        and os.access(folder / program, os.X_OK)
        for program in programs
    )


def build(host: Host, tool: GoTool, target: Path) -> None:
    """Build a tool as `target`/<program>.

    Raises:
        SetupError: there is no Go, or the build failed.
    """
    _require_go(host, tool)
    flags = " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in tool.stamps)])
    environment = {**host.environ, **({"CGO_ENABLED": "0"} if tool.static else {})}
    host.say(
        f"    building {tool.program} {tool.version} from its Go module (minutes the first time)"
    )
    # -v prints a line for each package compiled: the count in the progress lines.
    options = ["-v", "-trimpath", "-buildvcs=false", "-ldflags", flags]
    outcome = host.commands.watch(
        ["go", "build", *options, "-o", str(target / tool.program), tool.package],
        f"building {tool.program}",
        env=environment,
        cwd=host.places.root / "tools" / tool.folder,
    )
    if not outcome.ok:
        raise SetupError(
            f"building {tool.program} in tools/{tool.folder} failed (exit code {outcome.code})",
            "check that the Go module proxy is reachable and the disk has 5 GB left (df -h), "
            "then run scripts/bootstrap again; what is compiled already is not compiled anew",
            outcome.stdout,
        )


def module_folder(host: Host, tool: GoTool, module: str) -> Path:
    """Where Go keeps the source of a module that a tool requires."""
    outcome = host.commands.run(
        ["go", "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", module],
        cwd=host.places.root / "tools" / tool.folder,
    )
    if not outcome.ok or not outcome.stdout.strip():
        raise SetupError(
            f"Go does not find the source of {module}: {outcome.reason}",
            "run scripts/bootstrap again; if that does not help, run: go clean -modcache",
        )
    return Path(outcome.stdout.strip())


def _require_go(host: Host, tool: GoTool) -> None:
    if host.commands.which("go") is None:
        raise SetupError(
            f"{tool.program} can neither be downloaded nor built here: there is no `go` on PATH",
            "give this machine access to the official downloads, or install Go "
            f"{_go_version(host, tool)} or newer, then run scripts/bootstrap again",
        )


def _go_version(host: Host, tool: GoTool) -> str:
    text = (host.places.root / "tools" / tool.folder / "go.mod").read_text(encoding="utf-8")
    match = re.search(r"^go (\S+)", text, re.MULTILINE)
    return match.group(1) if match else "1.26"
