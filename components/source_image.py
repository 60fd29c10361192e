"""An image that is named by its source."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pulumi
import pulumi_docker as docker

from components.hooks import before_create
from slipway import build_log
from slipway.build_context_link import context_for, link_context
from slipway.image_labels import SOURCE_HASH
from slipway.image_plan import ImagePlan, relative_context, require_unchanged


@dataclass(frozen=True)
class SourceImageArgs:
    """Arguments of a SourceImage.

    Args:
        plan: what to build, and what the registry has of it (`slipway.plan.plan_images`).
        labels: what the image tells of itself; those of the compose file go before them.
        redact: hides secrets in the output of a build that failed.
        pushed: takes the time, in ISO's notation, at which the image was in the registry.
    """

    plan: ImagePlan
    redact: Callable[[str], str]
    labels: Mapping[str, str] = field(default_factory=dict)
    pushed: Callable[[str], None] = lambda time: None


class SourceImage(pulumi.ComponentResource):
    """An immutable image: built once for a source, then found again by its source hash.

    The tag `src-<hash>` is never moved. Where the registry has it already, nothing is built; so
    two stacks with the same source run the same digest.

    Outputs:
        source_hash: the source hash.
        reference: `repository@sha256:…`.

    Example:
        plans = plan_images(project, "shop", "registry.example.com", "linux/amd64", state, look_up)
        image = SourceImage("shop-web", SourceImageArgs(plans["web"], Redactor([])))
    """

    source_hash: pulumi.Output[str]
    reference: pulumi.Output[str]

    def __init__(
        self, name: str, args: SourceImageArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("slipway:docker:SourceImage", name, {}, opts)
        plan = args.plan
        self._redact = args.redact
        self._pushed = args.pushed
        self._labels = {**args.labels, **plan.build.labels, SOURCE_HASH: plan.source.hash}
        digest = self._build_and_push(name, plan) if plan.declared else str(plan.digest)
        self.source_hash = pulumi.Output.from_input(plan.source.hash)
        self.reference = pulumi.Output.concat(plan.reference.name, "@", digest)
        self.register_outputs({"source_hash": self.source_hash, "reference": self.reference})

    def _build_and_push(self, name: str, plan: ImagePlan) -> pulumi.Output[str] | str:
        # What was pushed is never deleted with its resource: a release of the ledger may need it.
        kept = pulumi.ResourceOptions(parent=self, retain_on_delete=True)
        hooks = self._log_hooks(name, plan)
        unchanged = before_create(f"{name}-unchanged", lambda: require_unchanged(plan))
        pushed_hook = pulumi.ResourceHook(f"{name}-pushed", self._note_push)
        hooks_of_push = pulumi.ResourceHookBinding(
            before_create=unchanged.before_create, after_create=[pushed_hook]
        )
        image = docker.RemoteImage(
            name,
            name=str(plan.reference),
            keep_locally=True,
            build=docker.RemoteImageBuildArgs(
                # Without it the provider falls back to the builder that cannot mount caches.
                builder="default",
                build_log_file=str(build_log.log_file(name)),
                context=context_for(plan, Path.cwd()),
                dockerfile=plan.build.dockerfile,
                build_args={k: v for k, v in plan.build.args.items() if v is not None},
                target=plan.build.target,
                platform=plan.platform,
                additional_contexts=_contexts(plan) or None,
                secrets=_secrets(plan) or None,
                # The provider hands `labels` to the old builder only.
                label=self._labels,
            ),
            # The image is named after its source: a commit of something else is no reason to
            # build it again.
            opts=pulumi.ResourceOptions.merge(
                kept, pulumi.ResourceOptions(hooks=hooks, ignore_changes=["build.label"])
            ),
        )
        pushed = docker.RegistryImage(
            name,
            name=image.name,
            keep_remotely=True,
            opts=pulumi.ResourceOptions.merge(
                kept, pulumi.ResourceOptions(depends_on=[image], hooks=hooks_of_push)
            ),
        )
        if plan.digest is not None:
            return plan.digest
        return pushed.sha256_digest

    def _note_push(self, args: pulumi.ResourceHookArgs) -> None:
        self._pushed(datetime.now(UTC).isoformat())

    def _log_hooks(self, name: str, plan: ImagePlan) -> pulumi.ResourceHookBinding:
        """The provider tells which step of a build failed, but not what it printed."""
        context = relative_context(plan.build, Path.cwd())
        dockerfile = os.path.normpath(os.path.join(context, plan.build.dockerfile))

        def begin(args: pulumi.ResourceHookArgs) -> None:
            build_log.begin(name)
            link_context(plan, Path.cwd())

        def show(args: pulumi.ErrorHookArgs) -> bool:
            report = build_log.failure_report(name, dockerfile, context, args.errors)
            pulumi.log.error(self._redact(report), self)
            return False  # no second try

        return pulumi.ResourceHookBinding(
            before_create=[pulumi.ResourceHook(f"{name}-log", begin)],
            on_error=[pulumi.ErrorHook(f"{name}-failed", show)],
        )


def _contexts(plan: ImagePlan) -> list[str]:
    """`name=place`, with folders as seen from the program's own."""
    return [
        f"{name}={place if '://' in place else os.path.relpath(place, Path.cwd())}"
        for name, place in sorted(plan.build.additional_contexts.items())
    ]


def _secrets(plan: ImagePlan) -> list[docker.RemoteImageBuildSecretArgs]:
    """What build steps mount; it is in no layer, no label and no log."""
    return [
        docker.RemoteImageBuildSecretArgs(id=id_, src=os.path.relpath(file, Path.cwd()))
        for id_, file in sorted(plan.secrets.items())
    ]
