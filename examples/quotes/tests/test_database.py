import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.config import Settings
from app.database import Database
from app.models import QuotationRequest
from app.store import add_quotation, count_quotations


def test_many_can_start_on_an_empty_volume_at_once(settings: Settings) -> None:
    databases = [Database(settings.database) for _ in range(8)]
    with ThreadPoolExecutor(len(databases)) as threads:
        list(threads.map(Database.create_schema, databases))
    with databases[0].connection() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    for database in databases:
        assert count_quotations(database) == 0
        database.close()


def test_schema_of_a_newer_release_is_left_alone(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute("ALTER TABLE quotations ADD COLUMN colour TEXT")
    database.create_schema()
    with database.connection() as connection:
        assert connection.execute("SELECT colour FROM quotations").fetchall() == []


def test_old_release_works_on_the_schema_of_a_newer_one(
    database: Database, request_for_window: QuotationRequest
) -> None:
    with database.transaction() as connection:
        connection.execute("ALTER TABLE quotations ADD COLUMN colour TEXT DEFAULT 'white'")
    assert add_quotation(database, request_for_window).customer == "Ada Byron"


def test_failed_transaction_leaves_nothing_behind(
    database: Database, request_for_window: QuotationRequest
) -> None:
    add_quotation(database, request_for_window)
    with pytest.raises(ZeroDivisionError), database.transaction() as connection:
        connection.execute("DELETE FROM jobs")
        _ = 1 / 0
    with database.connection() as connection:
        assert connection.execute("SELECT count(*) FROM jobs").fetchone()[0] == 1


def test_check_sees_a_deleted_database(database: Database) -> None:
    database.check()
    database.path.unlink()
    with pytest.raises(sqlite3.Error):
        database.check()
