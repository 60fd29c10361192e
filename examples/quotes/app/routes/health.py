"""Whether this release works: asked by Slipway before and after it switches traffic."""

import sqlite3

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from app import __version__
from app.dependencies import DatabaseDep, SettingsDep

router = APIRouter()


@router.get("/api/health")
def health(database: DatabaseDep, settings: SettingsDep) -> JSONResponse:
    release = {"version": __version__, "source_hash": settings.source_hash}
    try:
        database.check()
    except sqlite3.Error as error:
        reason = f"the database does not answer: {error}"
        return JSONResponse({"status": "failing", "reason": reason, **release}, 503)
    return JSONResponse({"status": "ok", **release})
