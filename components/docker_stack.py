"""A stack of services on one Docker host."""

import dataclasses
import functools
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_docker as docker

from components.gate import Gate, GateArgs
from components.hooks import before_create
from components.ingress import Ingress, IngressArgs, NetworkPlace
from components.inventories import inventories_stash
from components.labels import labels as as_labels
from components.own_state import read_own_state, read_state
from components.service_container import ServiceContainerArgs, service_container
from components.source_image import SourceImage, SourceImageArgs
from slipway import deploy, hooked, preflight
from slipway.fixed_settings import network_resource, volume_resource
from slipway.host import registry_login
from slipway.image_labels import image_labels
from slipway.image_plan import ImagePlan, ReleasedImage
from slipway.prepared import Prepared, Settings, StackName
from slipway.registry import is_local
from slipway.release import ledger_view
from slipway.secret_references import references
from slipway.services import Network
from slipway.state import LiveFact, StackState, live_fact


@dataclass(frozen=True)
class DockerStackArgs:
    """Arguments of a DockerStack.

    Args:
        settings: what the stack's configuration says (`slipway.deploy.Settings`).
        environ: process environment; finds the compose reader, and names the ingress image.
    """

    settings: Settings
    environ: Mapping[str, str] = field(default_factory=dict)


class DockerStack(pulumi.ComponentResource):
    """Services of a compose file, behind a proxy, released through a gate.

    Outputs:
        address: public URL.
        releases: a view of the ledger, newest release first; the first one serves.

    Errors: raises `slipway.errors.UserError` for everything that the user can mend, before
    anything but the component itself is declared.

    Example:
        DockerStack("shop", DockerStackArgs(Settings(compose=Path("compose.yaml"), port=8000)))
    """

    address: pulumi.Output[str]
    releases: pulumi.Output[list[dict[str, Any]]]

    def __init__(
        self, name: str, args: DockerStackArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        # Read before anything is declared: from then on the engine writes the state.
        state = read_own_state()
        super().__init__("slipway:docker:DockerStack", name, {}, opts)
        self._name = name
        self._args = args
        known = state.stash(f"{name}-key")
        self._key = str(known) if known else secrets.token_hex(32)
        self._prepared = self._prepare(state)
        self._key_stash = self._create_key_stash()
        provider = self._create_provider()
        self._child = pulumi.ResourceOptions(parent=self, provider=provider)
        networks = self._create_networks()
        volumes = self._create_volumes()
        images = self._create_images()
        ingress = self._create_ingress(networks)
        containers = self._create_containers(networks, volumes, images)
        gate = self._create_gate(ingress, containers, images, self._create_kept())
        after_gate = pulumi.ResourceOptions(parent=self, depends_on=[gate])
        inventories_stash(self._prepared, state, after_gate)
        self.address = pulumi.Output.from_input(self._prepared.address)
        self.releases = gate.live.apply(lambda fact: ledger_view(live_fact(fact).ledger))
        self.register_outputs({"address": self.address, "releases": self.releases})

    def _create_key_stash(self) -> pulumi.Stash:
        """The stack's random key: made once, kept as a secret."""
        return pulumi.Stash(
            f"{self._name}-key",
            input=pulumi.Output.secret(self._key),
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["input"]),
        )

    def _prepare(self, state: StackState) -> Prepared:
        stack = StackName(pulumi.get_project(), pulumi.get_stack(), self._name, self._key)
        preview = pulumi.runtime.is_dry_run()
        # What the preview of the same command has warned of is not said once more.
        told = not preview and preflight.previewed(self._args.environ, preflight.ancestors())
        return deploy.prepare(
            stack,
            self._args.settings,
            self._args.environ,
            state,
            preview=preview,
            report=pulumi.log.info,
            warn=_say_nothing if told else pulumi.log.warn,
            promoted=self._promoted(),
        )

    def _promoted(self) -> LiveFact | None:
        """What serves in the stack that this one promotes from."""
        source = self._args.settings.promote_from
        if source is None:
            return None
        return live_fact(read_state(source).stash(f"{self._name}-live"))

    def _create_provider(self) -> docker.Provider:
        registry = self._args.settings.registry.split("/", 1)[0]
        auth = []
        if registry_login(registry) is not None:
            auth = [docker.ProviderRegistryAuthArgs(address=registry)]
        elif is_local(registry):
            # Without an account the provider would look for one, and fail.
            open_ = docker.ProviderRegistryAuthArgs(
                address=f"http://{registry}", auth_disabled=True
            )
            auth = [open_]
        return docker.Provider(
            f"{self._name}-docker",
            registry_auth=auth,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _create_networks(self) -> dict[str, pulumi.Input[str]]:
        """Names on the host of the networks; those that are there already are not declared."""
        declared = self._prepared.project.networks
        found: dict[str, pulumi.Input[str]] = {}
        for network, name in self._prepared.networks.items():
            settings = declared.get(network, Network())
            if settings.external:
                found[network] = name
                continue
            resource = network_resource(self._name, network)
            remove = functools.partial(hooked.remove_leftover_network, self._prepared, name)
            found[network] = docker.Network(
                resource,
                name=name,
                internal=settings.internal or None,
                labels=as_labels(self._prepared.labels, docker.NetworkLabelArgs),
                opts=self._options(
                    ignore_changes=["*"], hooks=before_create(f"{resource}-leftover", remove)
                ),
            ).name
        return found

    def _create_volumes(self) -> dict[str, pulumi.Input[str]]:
        """Names on the host of the volumes; those that are there already are not declared."""
        declared = self._prepared.project.volumes
        found: dict[str, pulumi.Input[str]] = {}
        for volume, name in self._prepared.volumes.items():
            if declared[volume].external:
                found[volume] = name
                continue
            options: Any = declared[volume].driver_opts or None
            if options and references(self._prepared.project_record.content["volumes"][volume]):
                options = pulumi.Output.secret(options)
            # What users' data lies on is never deleted with its resource.
            found[volume] = docker.Volume(
                volume_resource(self._name, volume),
                name=name,
                driver=declared[volume].driver,
                driver_opts=options,
                labels=as_labels(self._prepared.labels, docker.VolumeLabelArgs),
                opts=self._options(ignore_changes=["*"], retain_on_delete=True),
            ).name
        return found

    def _create_images(self) -> dict[str, pulumi.Output[str]]:
        """The reference of each service's image; services that share a build share the image."""
        built: dict[str, SourceImage] = {}
        references = {}
        for plan in self._prepared.containers:
            image = plan.image
            if isinstance(image, ImagePlan):
                if image.name not in built:
                    pushed = functools.partial(self._prepared.pushed.__setitem__, image.name)
                    labels = image_labels(image.source.hash, self._prepared.origin.git)
                    args = SourceImageArgs(image, self._prepared.redactor, labels, pushed)
                    built[image.name] = SourceImage(image.name, args, self._options())
                references[plan.service.name] = built[image.name].reference
            else:
                named = image.reference if isinstance(image, ReleasedImage) else image
                pinned = dataclasses.replace(named, tag=None)
                references[plan.service.name] = pulumi.Output.from_input(str(pinned))
        return references

    def _create_kept(self) -> list[pulumi.Stash]:
        """What releases of the ledger need and no configuration has, each a secret of its own.

        As resources they come before the gate and go, with the last release that needs them, after
        it: a release that fails loses nothing.
        """
        return [
            pulumi.Stash(
                deploy.kept_resource(self._name, name),
                input=pulumi.Output.secret(value),
                opts=pulumi.ResourceOptions(
                    parent=self, depends_on=[self._key_stash], ignore_changes=["input"]
                ),
            )
            for name, value in self._prepared.kept.items()
        ]

    def _create_ingress(self, networks: Mapping[str, pulumi.Input[str]]) -> Ingress:
        prepared = self._prepared
        return Ingress(
            f"{self._name}-ingress",
            IngressArgs(
                image=prepared.ingress_image,
                container_name=prepared.ingress_name,
                resource_name=prepared.ingress_resource,
                settings=prepared.ingress_settings,
                sites=prepared.sites,
                port=self._args.settings.port,
                networks={
                    network: NetworkPlace(networks[network], names)
                    for network, names in prepared.ingress_networks.items()
                },
                labels=prepared.labels,
                bind=self._args.settings.bind,
                hooks=self._leftover_hook(prepared.ingress_resource, prepared.ingress_name),
                replace=bool(prepared.replaced_ingress),
                earlier=prepared.earlier,
            ),
            self._options(),
        )

    def _create_containers(
        self,
        networks: Mapping[str, pulumi.Input[str]],
        volumes: Mapping[str, pulumi.Input[str]],
        images: Mapping[str, pulumi.Output[str]],
    ) -> dict[str, docker.Container]:
        return {
            plan.service.name: service_container(
                ServiceContainerArgs(
                    plan=plan,
                    image=images[plan.service.name],
                    networks=networks,
                    volumes=volumes,
                    labels=self._prepared.labels,
                    secret=plan.record.holds_secret,
                ),
                self._options(
                    ignore_changes=["*"], hooks=self._leftover_hook(plan.resource, plan.name)
                ),
            )
            for plan in self._prepared.containers
        }

    def _create_gate(
        self,
        ingress: Ingress,
        containers: Mapping[str, docker.Container],
        images: Mapping[str, pulumi.Output[str]],
        kept: Sequence[pulumi.Resource],
    ) -> Gate:
        prepared = self._prepared
        facts = {
            plan.service.name: {
                "name": plan.name,
                "id": containers[plan.service.name].id,
                "upstream": plan.upstream,
                "role": plan.role.value,
            }
            for plan in prepared.containers
        }
        args = GateArgs(
            attempt=prepared.attempt,
            fact={
                "ledger": prepared.fact(images),
                "containers": facts,
                "ingress": ingress.container_id,
            },
            pass_gate=functools.partial(hooked.pass_gate, prepared),
            depends_on=[ingress, *containers.values(), *kept],
        )
        return Gate(self._name, args, pulumi.ResourceOptions(parent=self))

    def _leftover_hook(self, resource: str, container: str) -> pulumi.ResourceHookBinding:
        """Before a container is created: remove what a killed run left under its name."""
        remove = functools.partial(hooked.remove_leftover, container, self._prepared)
        return before_create(f"{resource}-leftover", remove)

    def _options(self, **more: Any) -> pulumi.ResourceOptions:
        options = pulumi.ResourceOptions(depends_on=[self._key_stash], **more)
        return pulumi.ResourceOptions.merge(self._child, options)


def _say_nothing(text: str) -> None:
    """Stands for a warning that was given before."""
