"""Ways to break the example application."""

from collections.abc import Callable

_ANSWERING = """

_healthy = app


async def app(scope, receive, send):
    answer = {answers!r}.get(scope.get("path")) if scope["type"] == "http" else None
    if answer is None:
        await _healthy(scope, receive, send)
        return
    status, location = answer
    headers = [(b"location", location.encode())] if location else []
    await send({{"type": "http.response.start", "status": status, "headers": headers}})
    await send({{"type": "http.response.body", "body": b"broken on purpose"}})
"""


def first(statement: str) -> Callable[[str], str]:
    """The module does this before anything else."""
    return lambda text: f"{statement}\n{text}"


def last(statement: str) -> Callable[[str], str]:
    """The module does this once it is loaded."""
    return lambda text: f"{text}\n{statement}\n"


def answering(answers: dict[str, tuple[int, str]]) -> Callable[[str], str]:
    """The application answers paths with a status and, if not empty, a Location."""
    return lambda text: text + _ANSWERING.format(answers=answers)


def ending(seconds: float, code: int) -> Callable[[str], str]:
    """The process ends by itself after a time."""
    return last(f"import threading\nthreading.Timer({seconds}, lambda: os._exit({code})).start()")
