"""Notes in an SQLite file. The service holds a lock on the file: two of it would spoil it."""

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

VERSION = "1"
FOLDER = Path("/data")


class Note(BaseModel):
    text: str


@contextmanager
def alone() -> Iterator[None]:
    """Refuse to work beside another instance."""
    with (FOLDER / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # Without the traceback of the lock: what is wrong stands in one line.
            message = f"another instance has {FOLDER}: stop it first"
            raise SystemExit(message) from None
        yield


@asynccontextmanager
async def lifespan(app: FastAPI) -> Any:
    with alone(), closing(connect()) as database:
        database.execute("CREATE TABLE IF NOT EXISTS notes (text TEXT NOT NULL, version TEXT)")
        yield


app = FastAPI(lifespan=lifespan)


def connect() -> sqlite3.Connection:
    return sqlite3.connect(FOLDER / "notes.sqlite3", isolation_level=None)


@app.get("/health/")
def health() -> dict[str, str]:
    with closing(connect()) as database:
        database.execute("SELECT count(*) FROM notes")
    return {"status": "ok", "version": VERSION}


@app.post("/notes", status_code=201)
def add(note: Note) -> Note:
    with closing(connect()) as database:
        database.execute("INSERT INTO notes VALUES (?, ?)", (note.text, VERSION))
    return note


@app.get("/notes")
def notes() -> list[dict[str, str]]:
    with closing(connect()) as database:
        found = database.execute("SELECT text, version FROM notes ORDER BY rowid").fetchall()
    return [{"text": text, "version": version} for text, version in found]
