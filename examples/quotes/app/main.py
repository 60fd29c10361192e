"""The web application: `uvicorn app.main:app`."""

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exception_handlers import (
    http_exception_handler,
    request_validation_exception_handler,
)
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from app import __version__
from app.config import Settings
from app.database import Database
from app.dependencies import LoginRequired
from app.middleware import BodyLimit, SecurityHeaders
from app.routes import api, health, login, pages, uploads, ws
from app.sessions import Sessions, kept_secret
from app.templating import FOLDER, page

log = logging.getLogger("quotes.web")


def create_app(settings: Settings) -> FastAPI:
    """Put the application together. Files are touched only when it starts."""
    app = FastAPI(
        title="Quotes",
        version=__version__,
        lifespan=_lifespan,
        openapi_url="/api/openapi.json",
        # The built-in pages load scripts from another host, which our content policy forbids.
        docs_url=None,
        redoc_url=None,
    )
    app.state.settings = settings
    app.state.database = Database(settings.database)
    app.add_middleware(BodyLimit, max_bytes=settings.max_upload_bytes)
    app.add_middleware(SecurityHeaders)
    app.mount("/static", StaticFiles(directory=FOLDER / "static"), name="static")
    for module in (health, login, ws, pages, uploads, api):
        app.include_router(module.router)
    app.add_exception_handler(LoginRequired, _ask_for_login)
    app.add_exception_handler(HTTPException, _show_http_error)
    app.add_exception_handler(RequestValidationError, _show_invalid_request)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    # Has no effect if the process has set up logging already; uvicorn sets up only its own.
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    settings.create_folders()
    app.state.database.create_schema()
    secret = settings.session_secret or kept_secret(settings.data_dir / "session-secret")
    app.state.sessions = Sessions(secret)
    log.info("web started, version %s, source %s", __version__, settings.source_hash)
    yield
    app.state.database.close()
    log.info("web stopped")


def _wants_json(request: Request) -> bool:
    return request.url.path.startswith("/api/")


async def _ask_for_login(request: Request, _error: Exception) -> Response:
    if _wants_json(request):
        return JSONResponse({"detail": "Log in first."}, 401)
    wanted = request.url.path if request.method == "GET" else "/quotations"
    return RedirectResponse(f"/login?next={quote(wanted)}", 303)


async def _show_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if _wants_json(request):
        return await http_exception_handler(request, error)
    return page(
        request, "error.html", error.status_code, code=error.status_code, detail=error.detail
    )


async def _show_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if _wants_json(request):
        return await request_validation_exception_handler(request, error)
    return page(request, "error.html", 404, code=404, detail="There is no such page.")


app = create_app(Settings.from_environment(os.environ))
