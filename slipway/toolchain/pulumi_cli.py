"""The Pulumi CLI with its Python language host: installed, downloaded, or built."""

import os
import platform
import re
import shutil
import tarfile
from pathlib import Path

from slipway.toolchain import download, go_tools
from slipway.toolchain.errors import DownloadError, SetupError
from slipway.toolchain.go_tools import PULUMI, PULUMI_LANGUAGE_PYTHON
from slipway.toolchain.host import Host
from slipway.toolchain.plan import Finding, Step, missing, present

VERSION = "3.256.0"
RELEASES = "https://get.pulumi.com/releases/sdk"
CHECKSUMS = (
    f"https://github.com/pulumi/pulumi/releases/download/v{VERSION}/pulumi-{VERSION}-checksums.txt"
)
PROGRAMS = ("pulumi", "pulumi-language-python", "pulumi-language-python-exec")
_SDK = "github.com/pulumi/pulumi/sdk/v3"


def step(host: Host) -> Step:
    """The step that provides the CLI."""
    return Step("Pulumi CLI", lambda: look(host), lambda: act(host))


def look(host: Host) -> Finding:
    """A CLI that works and is new enough, ours or the user's."""
    program = find(host)
    if program is None:
        return missing(f"no pulumi {VERSION} or newer with a Python language host")
    return present(f"{version(host, program)} at {program}")


def find(host: Host) -> Path | None:
    """The CLI to use: the bin folder's, else one on PATH that is new enough."""
    ours = host.places.bin / "pulumi"
    if all(os.access(host.places.bin / name, os.X_OK) for name in PROGRAMS) and _enough(host, ours):
        return ours
    for folder in host.environ.get("PATH", os.defpath).split(os.pathsep):
        program = Path(folder) / "pulumi"
        if Path(folder) == host.places.bin or not os.access(program, os.X_OK):
            continue
        # The engine looks for the language host on PATH and beside itself.
        beside = program.resolve().parent / "pulumi-language-python"
        has_python = os.access(beside, os.X_OK) or host.commands.which("pulumi-language-python")
        return program if has_python and _enough(host, program) else None
    return None


def version(host: Host, program: Path) -> str:
    """What `pulumi version` says, without the v; empty when it does not run."""
    environment = {**host.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    outcome = host.commands.run([str(program), "version"], env=environment, timeout=20)
    match = re.search(r"v?(\d+\.\d+\.\d+\S*)", outcome.stdout) if outcome.ok else None
    return match.group(1) if match else ""


def act(host: Host) -> None:
    """Download the official archive; where that is out of reach, build from Go modules."""
    try:
        _download(host)
    except DownloadError as error:
        host.say(f"    official download not possible: {error.what}")
        _build(host)


def archive_name(system: str, machine: str) -> str | None:
    """File name of the official archive for a system, or None where there is none."""
    systems = {"Linux": "linux", "Darwin": "darwin"}
    machines = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
    if system not in systems or machine.lower() not in machines:
        return None
    return f"pulumi-v{VERSION}-{systems[system]}-{machines[machine.lower()]}.tar.gz"


def _download(host: Host) -> None:
    name = archive_name(platform.system(), platform.machine())
    if name is None:
        raise DownloadError(
            f"no official archive for {platform.system()} on {platform.machine()}", "build it"
        )
    url = f"{RELEASES}/{name}"
    final = host.places.cache / f"pulumi-{VERSION}-official"
    if not final.is_dir():
        if not host.downloads.reachable(url):
            raise DownloadError(f"{url} does not answer", "check the network")
        host.say(f"    downloading {url}")
        unfinished = go_tools.scratch(host, "pulumi")
        digest = host.downloads.file(url, unfinished / name)
        _verify(host, name, digest)
        _unpack(unfinished / name, unfinished)
        go_tools.keep(unfinished / "pulumi", final)
        shutil.rmtree(unfinished, ignore_errors=True)
    go_tools.publish(host, final, PROGRAMS)


def _verify(host: Host, name: str, digest: str) -> None:
    try:
        expected = download.checksum_of(host.downloads.text(CHECKSUMS), name)
    except DownloadError as error:
        host.say(f"    not compared with the published checksums: {error.what}")
        return
    if expected != digest:
        raise SetupError(
            f"{name} has the SHA-256 {digest}, but {expected or 'none'} is published for it",
            "something between here and get.pulumi.com altered it, or the transfer was cut: run "
            f"scripts/bootstrap again, and if it persists install Pulumi {VERSION} by other means",
        )


def _unpack(archive: Path, folder: Path) -> None:
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError) as error:
        raise DownloadError(
            f"{archive.name} is not a valid archive: {error}", "try again"
        ) from error


def _build(host: Host) -> None:
    final = go_tools.kept(host, (PULUMI, PULUMI_LANGUAGE_PYTHON))
    if not final.is_dir():
        unfinished = go_tools.scratch(host, "pulumi")
        go_tools.build(host, PULUMI, unfinished)
        go_tools.build(host, PULUMI_LANGUAGE_PYTHON, unfinished)
        # The language host is older than the CLI; the script beside it must be as new as the SDK.
        source = go_tools.module_folder(host, PULUMI, _SDK)
        script = unfinished / PROGRAMS[2]
        shutil.copyfile(source / "python" / "cmd" / script.name, script)
        script.chmod(0o755)
        go_tools.keep(unfinished, final)
    go_tools.publish(host, final, PROGRAMS)


def _enough(host: Host, program: Path) -> bool:
    return _numbers(version(host, program)) >= _numbers(VERSION)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text.split("-")[0])[:3])
