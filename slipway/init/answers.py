"""What a health route answers, where its source leaves no doubt."""

import ast
import re
from collections.abc import Iterator, Mapping

from slipway.init.source import literal

_TELLING = {"status", "ok", "healthy", "health", "state", "alive", "ready"}
_JSON = re.compile(r"(?:.*\.)?(?:jsonify|(?:OR|U)?JSONResponse|JsonResponse|json_response)")
_HARMLESS = {"never_cache", "require_GET", "require_safe", "csrf_exempt"}
_SAY_NOTHING = {
    *("deprecated", "description", "endpoint", "include_in_schema", "methods", "name"),
    *("operation_id", "path", "rule", "strict_slashes", "summary", "tags"),
}
"""Settings of a route that leave its answer as the function gives it."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def plain_answer(function: Function, route: ast.Call | None = None) -> dict[str, object]:
    """What a function always answers: the values that tell about health; none if that may vary.

    Args:
        function: that answers.
        route: its decorator that declares the route, if it has one.
    """
    others = [d for d in function.decorator_list if d is not route]
    changed = route is not None and any(k.arg not in _SAY_NOTHING for k in route.keywords)
    if changed or any(ast.unparse(d) not in _HARMLESS for d in others):
        return {}
    returned = [node.value for node in _own_nodes(function) if isinstance(node, ast.Return)]
    if len(returned) != 1:
        return {}
    return {
        name: value
        for name, value in _values(returned[0]).items()
        if name in _TELLING and isinstance(value, str | bool | int)
    }


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function, but not those of functions within it."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from _own_nodes(child)


def _values(answer: ast.expr | None) -> Mapping[str, object]:
    if isinstance(answer, ast.Tuple) and len(answer.elts) == 2:  # Flask: body, status
        body, status = answer.elts
        return _values(body) if literal(status) == 200 else {}
    if isinstance(answer, ast.Dict):
        pairs = zip(answer.keys, answer.values, strict=True)
        # What `**others` brings may take any key's place.
        found = {} if None in answer.keys else {literal(k): literal(v) for k, v in pairs}
        return {name: value for name, value in found.items() if isinstance(name, str)}
    if isinstance(answer, ast.Call) and _JSON.fullmatch(ast.unparse(answer.func)):
        return _of_call(answer)
    return {}


def _of_call(answer: ast.Call) -> Mapping[str, object]:
    if len(answer.args) == 1 and not answer.keywords:
        return _values(answer.args[0])
    if not answer.args and ast.unparse(answer.func).endswith("jsonify"):
        return {k.arg: literal(k.value) for k in answer.keywords if k.arg}
    return {}
