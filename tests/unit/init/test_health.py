import pytest

from slipway.init.health import HealthRoute, health_routes

APP = "app = FastAPI()\n"


def found(files: dict[str, str]) -> list[tuple[str, str, int, bool]]:
    return [(r.path, r.file, r.line, r.whole) for r in health_routes(files)]


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("@app.get('/health')\nasync def health(): ...", "/health"),
        ("@app.route('/healthz/')\ndef health(): ...", "/healthz/"),
        ("@app.route('/ping', methods=['GET', 'HEAD'])\ndef ping(): ...", "/ping"),
        ("@app.api_route(path='/status')\ndef status(): ...", "/status"),
        ("app.add_url_rule('/up', view_func=up)", "/up"),
        ("routes = [Route('/live', live)]", "/live"),
        ("app.router.add_get('/ready', ready)", "/ready"),
        ("urlpatterns = [path('health/', view)]", "/health/"),
        ("urlpatterns = [path('ht/health/', include('health_check.urls'))]", "/ht/health/"),
        ("urlpatterns = [re_path(r'^healthz/?$', view)]", "/healthz/"),
    ],
)
def test_path_is_found_in_every_notation(source: str, path: str) -> None:
    assert [r.path for r in health_routes({"app.py": source})] == [path]


@pytest.mark.parametrize(
    "source",
    [
        "@app.post('/health')\ndef health(): ...",
        "@app.route('/status', methods=['POST'])\ndef status(): ...",
        "@app.get('/orders/{id}/status')\ndef status(id): ...",
        "@app.get('/status')\n@login_required\ndef status(): ...",
        "@app.get('/status')\ndef status(user=Depends(get_current_user)): ...",
        "@app.get('/healthy-recipes')\ndef recipes(): ...",
        "@app.get(PATH)\ndef health(): ...",
        "client.get('/health')",
        "@app.get('/health'\n",
    ],
)
def test_what_is_no_open_health_check_is_passed_over(source: str) -> None:
    assert health_routes({"app.py": source}) == []


@pytest.mark.parametrize("file", ["test_app.py", "app/app_test.py", "conftest.py", "notes.txt"])
def test_tests_and_other_files_are_passed_over(file: str) -> None:
    assert health_routes({file: "@app.get('/health')\ndef health(): ...\n"}) == []


def test_the_most_telling_name_comes_first() -> None:
    source = "".join(
        f"@app.get('/{path}')\ndef f(): ...\n" for path in ["up", "api/health", "ping", "health"]
    )

    assert [r.path for r in health_routes({"app.py": source})] == [
        "/health",
        "/api/health",
        "/ping",
        "/up",
    ]


def test_prefixes_of_routers_are_followed() -> None:
    files = {
        "app/main.py": APP + "app.include_router(api.api_router, prefix='/api')\n",
        "app/api.py": "api_router = APIRouter()\napi_router.include_router(health.router)\n",
        "app/routes/health.py": "router = APIRouter(prefix='/v1')\n"
        "@router.get('/health')\ndef health(): ...\n",
    }

    assert found(files) == [("/api/v1/health", "app/routes/health.py", 3, True)]


def test_prefix_of_a_blueprint_gives_way_to_that_of_its_registration() -> None:
    blueprint = "ops = Blueprint('ops', __name__, url_prefix='/ops')\n"
    route = "@ops.route('/health')\ndef health(): ...\n"

    assert found({"a.py": f"{blueprint}{route}app.register_blueprint(ops)\n"}) == [
        ("/ops/health", "a.py", 3, True)
    ]
    assert found({"a.py": f"{blueprint}{route}app.register_blueprint(ops, url_prefix='/x')\n"}) == [
        ("/x/health", "a.py", 3, True)
    ]


def test_urls_of_django_are_followed() -> None:
    files = {
        "shop/urls.py": "urlpatterns = [path('api/', include('shop.api.urls'))]\n",
        "shop/api/urls.py": "urlpatterns = [path('v1/', include('shop.api.v1.urls'))]\n",
        "shop/api/v1/urls.py": "urlpatterns = [path('health', view)]\n",
    }

    assert found(files) == [("/api/v1/health", "shop/api/v1/urls.py", 1, True)]


@pytest.mark.parametrize(
    "main",
    [
        "app.include_router(router, prefix=settings.PREFIX)\n",
        "",
        "router.include_router(router)\n",
    ],
)
def test_prefix_that_is_not_literal_leaves_the_path_open(main: str) -> None:
    source = "router = APIRouter()\n" + main + "@router.get('/health')\ndef health(): ...\n"

    (route,) = health_routes({"app.py": source})

    assert route == HealthRoute(
        "/health", "app.py", source[: source.index("def")].count("\n") + 1, False
    )


# --- what it answers ------------------------------------------------------------------------


def answered(source: str) -> dict[str, object]:
    (route,) = health_routes({"app.py": source})
    return dict(route.answer)


OK = {"status": "ok"}


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("@app.get('/health')\ndef health(): return {'status': 'ok'}", OK),
        ("@app.get('/health')\nasync def health():\n  check()\n  return {'status': 'ok'}", OK),
        (
            "@app.get('/health', tags=['ops'])\ndef health(): return {'healthy': True}",
            {"healthy": True},
        ),
        ("@app.get('/health')\ndef health(): return {'status': 'ok', 'version': VERSION}", OK),
        ("@app.get('/health')\ndef health(): return {'status': 'ok', 'version': '1.2'}", OK),
        ("@app.route('/health')\ndef health(): return jsonify(status='ok')", OK),
        ("@app.route('/health')\ndef health(): return flask.jsonify({'status': 'ok'})", OK),
        ("@app.route('/health')\ndef health(): return {'status': 'ok'}, 200", OK),
        ("@app.get('/health')\ndef health(): return JSONResponse({'status': 'ok'})", OK),
        ("def h(r): return JsonResponse({'status': 'ok'})\nurlpatterns = [path('health/', h)]", OK),
        (
            "@never_cache\ndef h(r): return JsonResponse({'status': 'ok'})\n"
            "urlpatterns = [path('health/', views.h)]",
            OK,
        ),
    ],
)
def test_answer_that_stands_in_the_source_is_read(source: str, answer: dict[str, object]) -> None:
    assert answered(source) == answer


@pytest.mark.parametrize(
    "source",
    [
        "@app.get('/health')\ndef health(): ...",
        "@app.get('/health')\ndef health(): return 'ok'",
        "@app.get('/health')\ndef health(): return {'status': 'ok' if well() else 'bad'}",
        "@app.get('/health')\ndef health(): return {'status': STATUS}",
        "@app.get('/health')\ndef health(): return {'status': 'ok', **more()}",
        "@app.get('/health')\ndef health(): return {'version': '1.2'}",
        "@app.get('/health')\ndef health():\n  if bad(): return {'status': 'bad'}\n"
        "  return {'status': 'ok'}",
        "@app.get('/health', response_model=Health)\ndef health(): return {'status': 'ok'}",
        "@app.get('/health', status_code=204)\ndef health(): return {'status': 'ok'}",
        "@app.get('/health')\n@changes_it\ndef health(): return {'status': 'ok'}",
        "@app.route('/health')\ndef health(): return {'status': 'ok'}, 503",
        "@app.get('/health')\ndef health(): return JSONResponse({'status': 'ok'}, status_code=503)",
        "@app.get('/health')\ndef health(): return render({'status': 'ok'})",
        "@app.get('/health')\ndef health():\n  def inner(): return {'status': 'ok'}\n"
        "  return inner",
        "@app.get('/health')\ndef health(): return {'status': 'ok'}, 200, headers",
        "@login\ndef h(r): return JsonResponse({'status': 'ok'})\n"
        "urlpatterns = [path('health', h)]",
        "urlpatterns = [path('health', Health.as_view())]",
    ],
)
def test_answer_that_may_vary_is_not_guessed(source: str) -> None:
    assert answered(source) == {}


def test_view_whose_name_two_functions_have_is_not_guessed() -> None:
    view = "def h(r): return JsonResponse({'status': 'ok'})\n"
    files = {"a.py": view, "b.py": view, "urls.py": "urlpatterns = [path('health', h)]\n"}
    (route,) = health_routes(files)
    assert route.answer == {}
