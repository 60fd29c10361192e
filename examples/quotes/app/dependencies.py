"""What the request handlers need, handed to them by FastAPI."""

from typing import Annotated

from fastapi import Depends, HTTPException, Path, Request
from starlette.requests import HTTPConnection

from app.config import Settings
from app.database import Database
from app.models import Quotation
from app.sessions import COOKIE, Sessions
from app.store import find_quotation


class LoginRequired(Exception):
    """The page needs a user, and there is none."""


def get_settings(connection: HTTPConnection) -> Settings:
    settings = connection.app.state.settings
    assert isinstance(settings, Settings)
    return settings


def get_database(connection: HTTPConnection) -> Database:
    database = connection.app.state.database
    assert isinstance(database, Database)
    return database


def get_sessions(connection: HTTPConnection) -> Sessions:
    sessions = connection.app.state.sessions
    assert isinstance(sessions, Sessions)
    return sessions


def current_user(request: Request) -> str | None:
    return get_sessions(request).user(request.cookies.get(COOKIE))


def require_user(request: Request) -> None:
    """Let the request pass if someone is logged in, or if login is disabled."""
    if get_settings(request).login_enabled and current_user(request) is None:
        raise LoginRequired


SettingsDep = Annotated[Settings, Depends(get_settings)]
DatabaseDep = Annotated[Database, Depends(get_database)]
SessionsDep = Annotated[Sessions, Depends(get_sessions)]

# SQLite's integers end at 2**63; anything near that is not an id of ours anyway.
Id = Annotated[int, Path(ge=1, le=2**53)]


def get_quotation(quotation_id: Id, database: DatabaseDep) -> Quotation:
    quotation = find_quotation(database, quotation_id)
    if quotation is None:
        raise HTTPException(404, "There is no such quotation.")
    return quotation


QuotationDep = Annotated[Quotation, Depends(get_quotation)]
