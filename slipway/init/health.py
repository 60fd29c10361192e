"""Finding the path at which an application tells that it is well, in its sources."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from slipway.init.answers import Function, plain_answer
from slipway.init.source import literal, parsed

_NAMES = (
    "healthz",
    "health",
    "health_check",
    "health-check",
    "healthcheck",
    "readyz",
    "ready",
    "readiness",
    "livez",
    "live",
    "liveness",
    "alive",
    "heartbeat",
    "ping",
    "status",
    "up",
)
"""Last parts of paths that tell about health, the most telling first."""
_GETS = {"get", "route", "api_route", "head"}
_ROUTERS = {"APIRouter", "Blueprint"}
_DJANGO = {"path", "re_path", "url"}
_GUARDED = re.compile(r"login|auth|permission|current_user|token", re.IGNORECASE)
_DEEPEST = 5


@dataclass(frozen=True)
class HealthRoute:
    """A path that an application answers.

    Args:
        path: the path.
        file: the file that declares it, from the build context.
        line: the line there.
        whole: whether the path is complete; else a prefix could not be found out.
        answer: values that its JSON answer always has.
    """

    path: str
    file: str
    line: int
    whole: bool = True
    answer: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class _Include:
    """A router, a blueprint or a module of URLs that is hung in somewhere.

    Args:
        instead: whether the prefix comes instead of the one that the child has.
    """

    file: str
    parent: str
    child: str
    prefix: str | None
    instead: bool = False


@dataclass(frozen=True)
class _Route:
    file: str
    line: int
    owner: str
    path: str
    function: Function | None = None
    decorator: ast.Call | None = None
    view: str = ""


def health_routes(files: Mapping[str, str]) -> list[HealthRoute]:
    """The paths that tell about health, the best first.

    Args:
        files: Python sources by path.
    """
    survey = _Survey()
    for file, text in sorted(files.items()):
        tree = parsed(text) if file.endswith(".py") else None
        if tree is not None and not re.search(r"(?:^|/)(?:test_|conftest)|_test\.py$", file):
            survey.look(file, tree)
    found = [survey.resolve(route) for route in survey.routes if _tells_health(route.path)]
    return sorted(found, key=lambda r: (not r.whole, _rank(r.path), len(r.path), r.path, r.file))


def _tells_health(path: str) -> bool:
    return _last(path) in _NAMES and not re.search(r"[<{(*\[]", path)


def _last(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2].lower()


def _rank(path: str) -> int:
    return _NAMES.index(_last(path))


class _Survey:
    """What all files declare."""

    def __init__(self) -> None:
        self.routes: list[_Route] = []
        self._routers: dict[tuple[str, str], str] = {}
        self._includes: list[_Include] = []
        self._functions: dict[str, list[Function]] = {}

    def look(self, file: str, tree: ast.Module) -> None:
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                self._router(file, node.targets[0], node.value)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self.routes += _decorated(file, node)
                self._functions.setdefault(node.name, []).append(node)
            elif isinstance(node, ast.Call):
                self._call(file, node)

    def _router(self, file: str, target: ast.expr, call: ast.Call) -> None:
        if _called(call) in _ROUTERS:
            prefix = literal(_keyword(call, "prefix", "url_prefix"))
            self._routers[file, ast.unparse(target)] = str(prefix or "")

    def _call(self, file: str, call: ast.Call) -> None:
        name, first = _called(call), call.args[0] if call.args else None
        path = literal(first)
        if name in {"include_router", "register_blueprint"} and first is not None:
            prefix = _keyword(call, "prefix", "url_prefix")
            value = "" if prefix is None else literal(prefix)
            known = value if isinstance(value, str) else None
            parent = ast.unparse(call.func).rpartition(".")[0]
            instead = name == "register_blueprint" and prefix is not None
            self._includes.append(_Include(file, parent, ast.unparse(first), known, instead))
        elif name in _DJANGO and isinstance(path, str):
            self._django(file, call, _plain(path))
        elif name in {"Route", "add_url_rule", "add_get", "add_api_route"} and isinstance(
            path, str
        ):
            self.routes.append(_Route(file, call.lineno, "app", path, view=_view(call)))

    def _django(self, file: str, call: ast.Call, path: str) -> None:
        view = call.args[1] if len(call.args) > 1 else None
        if isinstance(view, ast.Call) and _called(view) == "include":
            module = literal(view.args[0] if view.args else None)
            if isinstance(module, str):
                self._includes.append(_Include(file, "urls", module, path))
        self.routes.append(_Route(file, call.lineno, "urls", path, view=_view(call)))

    def resolve(self, route: _Route) -> HealthRoute:
        prefix = self._prefix(route.file, route.owner)
        path = re.sub(r"/{2,}", "/", f"/{prefix or ''}/{route.path.lstrip('/')}")
        return HealthRoute(path, route.file, route.line, prefix is not None, self._answer(route))

    def _answer(self, route: _Route) -> Mapping[str, object]:
        named = self._functions.get(route.view, [])
        function = named[0] if len(named) == 1 else route.function
        return {} if function is None else plain_answer(function, route.decorator)

    def _prefix(self, file: str, owner: str, depth: int = 0) -> str | None:
        """What stands before the paths of a router; None if that cannot be found out."""
        own = self._routers.get((file, owner), "")
        if depth > _DEEPEST:
            return None
        including = [include for include in self._includes if _hangs_in(include, file, owner)]
        if owner != "urls" and (file, owner) not in self._routers:
            return ""  # The application itself.
        if len(including) != 1:
            return own if not including and owner == "urls" else None
        (include,) = including
        above = self._prefix(include.file, include.parent, depth + 1)
        if include.prefix is None or above is None:
            return None
        return f"{above}/{include.prefix}/{'' if include.instead else own}"


def _hangs_in(include: _Include, file: str, owner: str) -> bool:
    module = PurePosixPath(file).with_suffix("").parts
    if owner == "urls":
        parts = tuple(include.child.split("."))
        return module[-len(parts) :] == parts
    *scope, name = include.child.split(".")
    if scope:
        return name == owner and scope[-1] in (module[-1], module[-2] if len(module) > 1 else "")
    return name == owner and (include.file == file or owner != "router")


def _decorated(file: str, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[_Route]:
    others = [d for d in node.decorator_list if not isinstance(d, ast.Call)]
    guards = ast.unparse(node.args) + " ".join(ast.unparse(other) for other in others)
    for found in node.decorator_list:
        if not isinstance(found, ast.Call) or not isinstance(found.func, ast.Attribute):
            continue
        path = literal(found.args[0] if found.args else _keyword(found, "path", "rule"))
        posts_only = "GET" not in str(literal(_keyword(found, "methods")) or "GET").upper()
        guarded = _GUARDED.search(f"{guards} {ast.unparse(found)}")
        if found.func.attr in _GETS and isinstance(path, str) and not (guarded or posts_only):
            owner = ast.unparse(found.func.value)
            yield _Route(file, node.lineno, owner, path, node, found)


def _view(call: ast.Call) -> str:
    """The name of the function that a call hangs in; empty if it names none."""
    views = [arg for arg in call.args[1:2] if isinstance(arg, ast.Name | ast.Attribute)]
    return ast.unparse(views[0]).rpartition(".")[2] if views else ""


def _plain(pattern: str) -> str:
    """The path of a regular expression that is nothing but one."""
    return pattern.removeprefix("^").removesuffix("$").replace("/?", "/").replace("\\", "")


def _called(call: ast.Call) -> str:
    return ast.unparse(call.func).rpartition(".")[2]


def _keyword(call: ast.Call, *names: str) -> ast.expr | None:
    return next((k.value for k in call.keywords if k.arg in names), None)
