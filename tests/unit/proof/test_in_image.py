"""The script is run as it is run in an image: by another Python, from the application's folder."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from slipway.proof.interpreter import MARK, command
from slipway.proof.settings import Proof

FRAMEWORK = """
class Route:
    def __init__(self, path=None, routes=None):
        self.path, self.routes = path, routes

class Rule:
    def __init__(self, rule):
        self.rule = rule

class Rules:
    def iter_rules(self):
        return [Rule("/"), Rule("/items/<int:id>"), Rule("/")]

class Starlette:
    routes = [Route("/"), Route("/api", [Route("/health"), Route("")]), Route("/static", [])]

class Flask:
    url_map = Rules()
"""
DJANGO = {
    "django/__init__.py": "import os\ndef setup():\n    os.environ['READY'] = '1'\n",
    "django/urls.py": """
class Pattern:
    def __init__(self, pattern, **more):
        self.pattern = pattern
        self.__dict__ |= more

def get_resolver():
    inner = [Pattern("items/"), Pattern("^items/(?P<id>\\\\d+)$"), Pattern("^old\\\\Z")]
    return Pattern("", url_patterns=[Pattern("api/", url_patterns=inner), Pattern("")])
""",
    "shop.py": "import os\nassert os.environ['READY']\napplication = object()\n",
}


def ask(
    folder: Path, files: dict[str, str], proof: dict[str, Any], **environ: str
) -> tuple[dict[str, Any], str]:
    """What the script answers, and what else was printed."""
    for path, text in files.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)
    ended = subprocess.run(
        [sys.executable, "-B", *command(Proof.model_validate(proof))],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    *_, answer = ended.stdout.splitlines()
    assert answer.startswith(MARK)
    found: dict[str, Any] = json.loads(answer.removeprefix(MARK))
    return found, ended.stdout + ended.stderr


# --- what goes wrong -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("import nowhere", "ModuleNotFoundError: No module named 'nowhere'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("def", "SyntaxError: invalid syntax (main.py, line 1)"),
    ],
)
def test_error_of_an_import_is_told(tmp_path: Path, text: str, error: str) -> None:
    found, printed = ask(tmp_path, {"main.py": text, "well.py": ""}, {"imports": ["well", "main"]})
    assert found == {"imported": ["well"], "at": "import main", "error": error}
    assert "Traceback" in printed


def test_application_that_is_not_there_is_told(tmp_path: Path) -> None:
    found, _ = ask(tmp_path, {"main.py": ""}, {"app": "main:app"})
    assert (found["at"], found["error"]) == (
        "main:app",
        "AttributeError: module 'main' has no attribute 'app'",
    )


def test_application_of_no_known_framework_is_told(tmp_path: Path) -> None:
    found, _ = ask(
        tmp_path, {"main.py": "app = 1\n"}, {"app": "main:app", "routes": {"at_least": 1}}
    )
    assert found["at"] == "the routes of main:app"
    assert found["error"].startswith("TypeError: routes need app: module:name of a FastAPI")


# --- what is found ---------------------------------------------------------------------------


def test_threads_and_words_of_the_application_do_no_harm(tmp_path: Path) -> None:
    text = (
        "import threading, time\n"
        "print('loud', end='')\n"
        "threading.Thread(target=time.sleep, args=[99]).start()\n"
    )
    found, printed = ask(tmp_path, {"main.py": text}, {"imports": ["main"]})
    assert found == {"imported": ["main"]}
    assert "loud\n" in printed


@pytest.mark.parametrize(
    ("app", "routes"),
    [
        ("Starlette()", ["/", "/api", "/api/health", "/static"]),
        ("Flask()", ["/", "/items/<int:id>"]),
    ],
)
def test_routes_are_those_that_the_framework_has(
    tmp_path: Path, app: str, routes: list[str]
) -> None:
    files = {"framework.py": FRAMEWORK, "main.py": f"from framework import *\napp = {app}\n"}
    found, _ = ask(tmp_path, files, {"app": "main:app", "routes": {"at_least": 1}})
    assert found == {"imported": [], "routes": routes}


def test_application_may_be_made_by_a_call(tmp_path: Path) -> None:
    files = {"framework.py": FRAMEWORK}
    found, _ = ask(tmp_path, files, {"app": "framework:Flask()", "routes": {"at_least": 1}})
    assert found["routes"] == ["/", "/items/<int:id>"]


def test_newer_fastapi_is_asked_for_the_routes_of_its_routers(tmp_path: Path) -> None:
    files = {
        "fastapi/__init__.py": "",
        "fastapi/routing.py": "def iter_route_contexts(routes):\n    yield from routes[0].inner\n",
        "main.py": """
import fastapi.routing
class Route:
    path = "/health"
class Router:
    inner = [Route()]
class App:
    routes = [Router()]
app = App()
""",
    }
    found, _ = ask(tmp_path, files, {"app": "main:app", "routes": {"at_least": 1}})
    assert found["routes"] == ["/health"]


def test_django_is_found_by_its_settings(tmp_path: Path) -> None:
    found, _ = ask(
        tmp_path,
        DJANGO,
        {"imports": ["shop"], "routes": {"at_least": 1}},
        DJANGO_SETTINGS_MODULE="shop",
    )
    assert found == {
        "imported": ["shop"],
        "routes": ["/", "/api/items/", "/api/items/(?P<id>\\d+)", "/api/old"],
    }
