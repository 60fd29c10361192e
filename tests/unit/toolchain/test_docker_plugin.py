from slipway.toolchain import docker_plugin, pulumi_cli
from slipway.toolchain.commands import Outcome
from slipway.toolchain.plan import missing, present

from .fakes import DONE, Machine, executable


def with_cli(machine: Machine) -> str:
    program = executable(machine.path / "pulumi")
    executable(machine.path / "pulumi-language-python")
    machine.commands.on(f"{program} version", Outcome(0, f"v{pulumi_cli.VERSION}\n"))
    return f"{program} plugin install resource docker 5.2.0"


def test_the_official_plugin_is_installed_by_the_cli(machine: Machine) -> None:
    install = with_cli(machine)
    machine.downloads.served["https://get.pulumi.com/"] = b""
    host = machine.host()

    def installs(argv: object) -> Outcome:
        executable(docker_plugin.installed(host.places))
        return DONE

    machine.commands.on(install, installs)
    docker_plugin.act(host)
    assert docker_plugin.look(host) == present("official 5.2.0")
    assert not docker_plugin.is_fallback(host.places)


def test_a_failed_download_leads_to_the_built_one(machine: Machine) -> None:
    install = with_cli(machine)
    machine.downloads.served["https://get.pulumi.com/"] = b""
    machine.commands.on(install, Outcome(255, "", "error: 403 rate limit"))
    machine.go_module("pulumi-resource-docker")
    machine.go_builds()
    host = machine.host()
    docker_plugin.act(host)
    assert docker_plugin.look(host) == present("5.2.0, built; without docker.Image")
    assert docker_plugin.is_fallback(host.places)
    assert "403 rate limit" in machine.said[0]


def test_the_built_one_follows_its_module_files(machine: Machine) -> None:
    machine.go_module("pulumi-resource-docker")
    machine.go_builds()
    host = machine.host()
    docker_plugin.act(host)
    main = machine.root / "tools" / "pulumi-resource-docker" / "main.go"
    main.write_text("package main\n")
    assert docker_plugin.look(host) == missing(
        "the built plugin is older than tools/pulumi-resource-docker"
    )
    docker_plugin.act(host)
    assert docker_plugin.look(host).done
    assert len(machine.commands.ran("go build")) == 2


def test_an_unfinished_installation_does_not_count(machine: Machine) -> None:
    host = machine.host()
    program = executable(docker_plugin.installed(host.places))
    program.parent.with_name("resource-docker-v5.2.0.partial").touch()
    assert not docker_plugin.look(host).done
