"""The key `x-slipway.proof` of a service, as a typed value."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from slipway.values import Model, Seconds, texts


def _absolute(path: str) -> str:
    if not path.startswith("/"):
        raise ValueError(f'"{path}" is not an absolute path of the image; write /{path}')
    return path


def _inside(path: str) -> str:
    parts = path.split("/")
    if path.startswith("/") or ".." in parts:
        raise ValueError(f'"{path}" is not a path from the root of the build context')
    return "/".join(part for part in parts if part not in ("", "."))


def _module(name: str) -> str:
    if not all(part.isidentifier() for part in name.split(".")):
        raise ValueError(f'"{name}" is no module\'s name; write it as in import, like shop.views')
    return name


def _application(name: str) -> str:
    module, colon, attribute = name.partition(":")
    made = attribute.removesuffix("()")
    if not colon or not all(part.isidentifier() for part in made.split(".")):
        raise ValueError(f'"{name}" names no application; write module:name, like main:app')
    return f"{_module(module)}:{attribute}"


ImagePath = Annotated[str, AfterValidator(_absolute)]
SourcePath = Annotated[str, AfterValidator(_inside)]
ModuleName = Annotated[str, AfterValidator(_module)]


class Routes(Model):
    """Routes that the application must have.

    Args:
        at_least: how many; default: as many as are named.
        named: patterns as the application declares them, such as /items/{id}.
    """

    at_least: int = Field(default=0, ge=0)
    named: Annotated[list[ImagePath], BeforeValidator(texts)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _says_something(self) -> "Routes":
        if not self.at_least and not self.named:
            raise ValueError("asks for nothing; add at_least: 1, or named: [/health]")
        return self


class Proof(Model):
    """What must be true of the image.

    Args:
        files: where folders and files of the source are in the image, by path from the context's
            root; default: as the Dockerfile copies them.
        generated: patterns of paths that build steps may change, from the image's root (with a
            leading `/`) or from the source's; `*` matches `/` too.
        required: paths that must be in the image.
        imports: modules that the image's own Python must be able to import.
        app: the application as module:name, for `routes`; Django's is found by
            DJANGO_SETTINGS_MODULE.
        routes: routes that it must have.
        timeout: seconds that importing may take, default 60.
    """

    files: dict[SourcePath, ImagePath] = Field(default_factory=dict)
    generated: Annotated[list[str], BeforeValidator(texts)] = Field(default_factory=list)
    required: Annotated[list[ImagePath], BeforeValidator(texts)] = Field(default_factory=list)
    imports: Annotated[list[ModuleName], BeforeValidator(texts)] = Field(default_factory=list)
    app: Annotated[str, AfterValidator(_application)] | None = None
    routes: Routes | None = None
    timeout: Seconds = 60.0

    @property
    def asks_python(self) -> bool:
        """Whether the image's Python must be run."""
        return bool(self.imports or self.app or self.routes)

    @property
    def declared(self) -> bool:
        """Whether more is wanted than what every built image must be."""
        return bool(self.required) or self.asks_python
