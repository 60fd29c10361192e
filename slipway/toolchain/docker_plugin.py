"""The Docker provider plugin: the official one, or the bridge built from tools/.

The built one stands in Pulumi's own plugin folder as a link to our cache: found on PATH, the
engine would warn about it in every run.
"""

import os
import shutil
from pathlib import Path

from slipway.toolchain import files, go_tools, pulumi_cli
from slipway.toolchain.errors import DownloadError, SetupError
from slipway.toolchain.go_tools import PULUMI_RESOURCE_DOCKER
from slipway.toolchain.host import Host
from slipway.toolchain.places import Places
from slipway.toolchain.plan import Finding, Step, missing, present

VERSION = "5.2.0"
PROGRAM = "pulumi-resource-docker"
_OFFICIAL = "https://get.pulumi.com/"


def step(host: Host) -> Step:
    """The step that provides the plugin."""
    return Step("Docker provider plugin", lambda: look(host), lambda: act(host))


def installed(places: Places) -> Path:
    """Where the engine looks for this version of the plugin."""
    return places.plugins / f"resource-docker-v{VERSION}" / PROGRAM


def is_fallback(places: Places) -> bool:
    """Whether the plugin is the one that we built."""
    program = installed(places)
    return program.is_symlink() and program.resolve().is_relative_to(places.cache.resolve())


def look(host: Host) -> Finding:
    """The plugin is where the engine looks; if built, from the module files of today."""
    program = installed(host.places)
    unfinished = program.parent.with_name(program.parent.name + ".partial")  # the engine's mark
    if not os.access(program, os.X_OK) or unfinished.exists():
        return missing(f"no {PROGRAM} {VERSION}")
    if not is_fallback(host.places):
        return present(f"official {VERSION}")
    if program.resolve() != (_kept(host) / PROGRAM).resolve():
        return missing("the built plugin is older than tools/pulumi-resource-docker")
    return present(f"{VERSION}, built; without docker.Image")


def act(host: Host) -> None:
    """Install the official plugin; where that is out of reach, build the bridge."""
    if not is_fallback(host.places):
        try:
            _download(host)
            return
        except DownloadError as error:
            host.say(f"    official plugin not to be had: {error.what}")
    final = _kept(host)
    if not final.is_dir():
        unfinished = go_tools.scratch(host, PROGRAM)
        go_tools.build(host, PULUMI_RESOURCE_DOCKER, unfinished)
        go_tools.keep(unfinished, final)
    files.link(installed(host.places), final / PROGRAM)


def _kept(host: Host) -> Path:
    return go_tools.kept(host, (PULUMI_RESOURCE_DOCKER,))


def _download(host: Host) -> None:
    if not host.downloads.reachable(_OFFICIAL):
        raise DownloadError(f"{_OFFICIAL} does not answer", "check the network")
    program = pulumi_cli.find(host)
    if program is None:
        raise SetupError("the Pulumi CLI is not there", "run scripts/bootstrap again")
    # An unfinished installation looks like a finished one to the engine.
    shutil.rmtree(installed(host.places).parent, ignore_errors=True)
    outcome = host.commands.watch(
        [str(program), "plugin", "install", "resource", "docker", VERSION],
        "pulumi plugin install",
        timeout=180,
        env={**host.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
    )
    if not outcome.ok:
        raise DownloadError(f"pulumi plugin install: {outcome.reason}", "check the network")
