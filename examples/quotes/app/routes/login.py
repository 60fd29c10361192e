"""Logging in and out."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from app.dependencies import SessionsDep, SettingsDep
from app.sessions import COOKIE, MAX_AGE_SECONDS
from app.templating import page

router = APIRouter(include_in_schema=False)

HOME = "/quotations"


@router.get("/login")
def show(request: Request, wanted: Annotated[str, Query(alias="next")] = HOME) -> Response:
    return page(request, "login.html", next=_own_path(wanted), failed=False)


@router.post("/login")
def log_in(
    request: Request,
    settings: SettingsDep,
    sessions: SessionsDep,
    user: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    wanted: Annotated[str, Form(alias="next")] = HOME,
) -> Response:
    wanted = _own_path(wanted)
    if not settings.login_enabled:
        return page(request, "login.html", 403, next=wanted, failed=False)
    # Both are compared always, and in constant time: the answer's delay tells nothing.
    right_user = secrets.compare_digest(user.encode(), settings.user.encode())
    right_password = secrets.compare_digest(password.encode(), settings.password.encode())
    if not (right_user and right_password):
        return page(request, "login.html", 401, next=wanted, failed=True)
    response = RedirectResponse(wanted, 303)
    response.set_cookie(
        COOKIE,
        sessions.sign(settings.user),
        max_age=MAX_AGE_SECONDS,
        httponly=True,
        # Other sites' forms come without the cookie, so they cannot act for the user.
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


@router.post("/logout")
def log_out() -> Response:
    response = RedirectResponse("/", 303)
    response.delete_cookie(COOKIE)
    return response


def _own_path(wanted: str) -> str:
    """Keep `wanted` if it leads to a page of this site; a login must not redirect elsewhere."""
    leads_away = wanted.startswith(("//", "/\\")) or not wanted.startswith("/")
    return HOME if leads_away or not wanted.isprintable() else wanted
