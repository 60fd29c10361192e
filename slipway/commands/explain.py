"""scripts/explain: which files and settings of which service a release would change."""

import json
import os
from contextlib import chdir
from dataclasses import replace
from typing import Annotated

import typer
from ruamel.yaml import YAML

from slipway.commands.edge import errors_shown
from slipway.commands.locks import ROOT
from slipway.commands.run import require_stack
from slipway.configuration import parse_settings
from slipway.engine import Engine
from slipway.errors import ConfigError, RegistryError
from slipway.explain import views
from slipway.explain.course import explain_source
from slipway.explain.model import Explanation, SourceImage
from slipway.host import registry_login
from slipway.origin import git_in
from slipway.reference import ImageReference, parse_reference
from slipway.registry import Registry
from slipway.verify import state_of


class Digests:
    """Asks registries, and goes on without those that do not answer.

    Args:
        registry: to ask.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._silent: dict[str, str] = {}

    def __call__(self, reference: ImageReference) -> str | None:
        """The digest of an image; None if there is none, or its registry does not answer."""
        if reference.registry in self._silent:
            return None
        try:
            return self._registry.digest(reference)
        except RegistryError as error:
            self._silent[reference.registry] = str(error)
            return None

    def judged(self, image: SourceImage) -> SourceImage:
        """The image, of which nothing is known if its registry did not answer."""
        return replace(image, known=parse_reference(image.name).registry not in self._silent)

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be asked."""
        return tuple(
            f"whether images are built already is not known: {said}"
            for said in self._silent.values()
        )


def explain(
    stack: Annotated[str, typer.Argument(help="stack whose source to compare")],
    as_json: Annotated[bool, typer.Option("--json", help="for programs: a JSON document")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="a page, for a review")] = False,
) -> None:
    """Show, service by service, what releasing the source would change against what serves."""
    with errors_shown():
        if as_json and markdown:
            raise ConfigError(["--json and --markdown: only one of them can be had"])
        require_stack(stack)
        # The paths of the configuration start here.
        with chdir(ROOT):
            found = explained(Engine(ROOT, stack))
    if as_json:
        print(json.dumps(views.document(found), indent=2))
    else:
        print(views.markdown(found) if markdown else views.text(found))


def explained(engine: Engine) -> Explanation:
    """What releasing the source of an engine's stack would change.

    The working folder must be the project's.

    Args:
        engine: for the stack.

    Raises:
        ConfigError: the source cannot be released; with all that must be mended.
        HostError: configuration or state cannot be read.
    """
    stack, configuration = engine.stack, engine.configuration()
    settings = parse_settings(configuration, stack, os.environ.get("SLIPWAY_REGISTRY"))
    state = state_of(engine.export(secrets=True))
    project = str(YAML(typ="safe").load(ROOT / "Pulumi.yaml")["name"])
    with Registry(registry_login) as registry:
        ask = Digests(registry)
        found = explain_source(project, stack, settings, os.environ, state, ask, git_in)
    images = tuple(ask.judged(image) for image in found.images)
    return replace(found, notes=(*found.notes, *ask.notes), images=images)


if __name__ == "__main__":
    typer.run(explain)
