"""What the image's own Python runs: it imports modules, and asks a framework for its routes.

This file is given to it by `python -c`, whole, so it needs nothing but the standard library, and
nothing newer than Python 3.7. Its answer is a line of JSON behind a mark; all else that is printed
is the application's.
"""

import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import Any


def application(name: str) -> Any:
    """The application that `module:name` means; `name()` calls what makes it."""
    module, _, attributes = name.partition(":")
    called = attributes.endswith("()")
    found: Any = importlib.import_module(module)
    for attribute in (attributes[:-2] if called else attributes).split("."):
        found = getattr(found, attribute)
    return found() if called else found


def routes_of(app: Any) -> list:  # type: ignore[type-arg]  # an older Python has no list[str]
    """The patterns of all routes, as the application declares them.

    Raises:
        TypeError: it is of none of the frameworks that are known here.
    """
    if hasattr(app, "url_map"):
        return [rule.rule for rule in app.url_map.iter_rules()]
    if hasattr(app, "routes"):
        return list(_starlette_routes(app.routes, ""))
    if os.environ.get("DJANGO_SETTINGS_MODULE"):
        resolver = importlib.import_module("django.urls").get_resolver()
        return list(_django_routes(resolver.url_patterns, "/"))
    raise TypeError(
        "routes need app: module:name of a FastAPI, Starlette or Flask application, or "
        "DJANGO_SETTINGS_MODULE; found " + type(app).__name__
    )


def _starlette_routes(routes: "Iterable[Any]", before: str) -> "Iterator[str]":
    # Newer FastAPIs keep included routers whole, and tell of the routes in them by this function.
    fastapi = sys.modules.get("fastapi.routing")
    unfolded = getattr(fastapi, "iter_route_contexts", iter)
    for route in unfolded(routes):
        path = before + (getattr(route, "path", None) or "")
        inner = getattr(route, "routes", None)
        if inner:
            yield from _starlette_routes(inner, path)
        else:
            yield path or "/"


def _django_routes(patterns: "Iterable[Any]", before: str) -> "Iterator[str]":
    for pattern in patterns:
        text = str(pattern.pattern)
        for sign in ("$", "\\Z"):
            text = text[: -len(sign)] if text.endswith(sign) else text
        text = before + (text[1:] if text.startswith("^") else text)
        if hasattr(pattern, "url_patterns"):
            yield from _django_routes(pattern.url_patterns, text)
        else:
            yield text


def answer(asked: "dict[str, Any]", found: "dict[str, Any]") -> None:
    """Do what is asked; `found` tells at each moment what has been done, and `at` what is next."""
    if os.environ.get("DJANGO_SETTINGS_MODULE"):
        found["at"] = "django.setup()"
        importlib.import_module("django").setup()
    for module in asked["imports"]:
        found["at"] = "import " + module
        importlib.import_module(module)
        found["imported"].append(module)
    app = None
    if asked["app"]:
        found["at"] = asked["app"]
        app = application(asked["app"])
    if asked["routes"]:
        found["at"] = "the routes of " + (asked["app"] or "Django")
        found["routes"] = sorted(set(routes_of(app)))
    del found["at"]


def main(arguments: "list[str]", end: "Callable[[int], Any]" = os._exit) -> None:
    """Answer what is asked, and end with all threads that the application has begun."""
    asked = json.loads(arguments[0])
    found: dict[str, Any] = {"imported": [], "at": ""}
    try:
        answer(asked, found)
    except BaseException as error:
        traceback.print_exc()
        found["error"] = type(error).__name__ + ": " + str(error)
    sys.stdout.flush()
    sys.stderr.flush()
    os.write(1, ("\n" + asked["mark"] + json.dumps(found) + "\n").encode())
    end(0)


if __name__ == "__main__":
    main(sys.argv[1:])
