"""SQLite on a volume, shared by web and worker, and by an old and a new release for a while.

Write-ahead logging lets readers go on while one writer writes; the busy timeout makes writers queue
instead of failing. Changes to the schema are additive only: a release that is being replaced, or
that is rolled back to, must still be able to use the database.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, LifoQueue

BUSY_SECONDS = 10.0
HEALTH_SECONDS = 1.0

SCHEMA = (
    """
    CREATE TABLE IF NOT EXISTS quotations (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        customer TEXT NOT NULL,
        email TEXT NOT NULL,
        width_mm INTEGER NOT NULL,
        height_mm INTEGER NOT NULL,
        glazing TEXT NOT NULL,
        frame TEXT NOT NULL,
        quantity INTEGER NOT NULL,
        unit_cents INTEGER NOT NULL,
        discount_percent INTEGER NOT NULL,
        net_cents INTEGER NOT NULL,
        vat_cents INTEGER NOT NULL,
        total_cents INTEGER NOT NULL,
        created_at TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS jobs (
        quotation_id INTEGER PRIMARY KEY REFERENCES quotations (id),
        state TEXT NOT NULL DEFAULT 'queued',
        worker TEXT,
        attempts INTEGER NOT NULL DEFAULT 0,
        lease_until REAL NOT NULL DEFAULT 0,
        error TEXT
    )
    """,
    """
    CREATE INDEX IF NOT EXISTS jobs_open ON jobs (quotation_id)
    WHERE state IN ('queued', 'running')
    """,
    """
    CREATE TABLE IF NOT EXISTS uploads (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        quotation_id INTEGER NOT NULL REFERENCES quotations (id),
        original_name TEXT NOT NULL,
        stored_name TEXT NOT NULL UNIQUE,
        media_type TEXT NOT NULL,
        size INTEGER NOT NULL,
        created_at TEXT NOT NULL
    )
    """,
    "CREATE INDEX IF NOT EXISTS uploads_by_quotation ON uploads (quotation_id)",
)


class Database:
    """A pool of connections to one file.

    Connections are kept, not opened for each request: whenever the last one closes, SQLite folds the
    write-ahead log back into the database, which costs more than most requests.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._idle: LifoQueue[sqlite3.Connection] = LifoQueue()

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection in autocommit mode; one that saw an error is not used again."""
        try:
            connection = self._idle.get_nowait()
        except Empty:
            connection = _open(self.path, BUSY_SECONDS)
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        self._idle.put(connection)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection that holds the write lock; commit at the end, or roll all back."""
        with self.connection() as connection:
            # IMMEDIATE: a transaction that reads first and writes later could not be queued.
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                # Some errors, such as a full disk, have already ended the transaction.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def create_schema(self) -> None:
        """Create what is missing. Any number of processes may do this at the same time."""
        self._use_write_ahead_log()
        with self.transaction() as connection:
            for statement in SCHEMA:
                connection.execute(statement)

    def check(self) -> None:
        """Raise `sqlite3.Error` unless the database answers.

        A new connection is opened each time: an old one goes on working on a deleted file.
        """
        connection = _open(self.path, HEALTH_SECONDS, must_exist=True)
        try:
            connection.execute("SELECT max(id) FROM quotations").fetchone()
        finally:
            connection.close()

    def close(self) -> None:
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return

    def _use_write_ahead_log(self) -> None:
        # The switch needs the file for itself, and SQLite does not apply the busy timeout to it.
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                with self.connection() as connection:
                    connection.execute("PRAGMA journal_mode = WAL").fetchone()
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)


def _open(path: Path, busy_seconds: float, *, must_exist: bool = False) -> sqlite3.Connection:
    mode = "rw" if must_exist else "rwc"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=busy_seconds,
        isolation_level=None,
        # A connection is used by one thread at a time, but not always by the same one.
        check_same_thread=False,
    )
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = NORMAL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection
