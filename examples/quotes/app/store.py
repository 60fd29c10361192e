"""Queries on quotations and uploads."""

from datetime import UTC, datetime

from app.database import Database
from app.models import Quotation, QuotationRequest, Upload
from app.pricing import calculate

_SELECT = """
    SELECT quotations.*, coalesce(jobs.state, 'queued') AS document_state
    FROM quotations LEFT JOIN jobs ON jobs.quotation_id = quotations.id
"""


def add_quotation(database: Database, request: QuotationRequest) -> Quotation:
    """Price and store a quotation, and queue its document in the same transaction."""
    price = calculate(
        request.width_mm, request.height_mm, request.glazing, request.frame, request.quantity
    )
    with database.transaction() as connection:
        cursor = connection.execute(
            """
            INSERT INTO quotations (
                customer, email, width_mm, height_mm, glazing, frame, quantity,
                unit_cents, discount_percent, net_cents, vat_cents, total_cents, created_at
            ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            (
                request.customer,
                request.email,
                request.width_mm,
                request.height_mm,
                request.glazing.value,
                request.frame.value,
                request.quantity,
                price.unit_cents,
                price.discount_percent,
                price.net_cents,
                price.vat_cents,
                price.total_cents,
                _now(),
            ),
        )
        connection.execute("INSERT INTO jobs (quotation_id) VALUES (?)", (cursor.lastrowid,))
        row = connection.execute(f"{_SELECT} WHERE id = ?", (cursor.lastrowid,)).fetchone()
    return Quotation(**dict(row))


def find_quotation(database: Database, quotation_id: int) -> Quotation | None:
    with database.connection() as connection:
        row = connection.execute(f"{_SELECT} WHERE id = ?", (quotation_id,)).fetchone()
    return Quotation(**dict(row)) if row else None


def newest_quotations(database: Database, before: int | None, limit: int) -> list[Quotation]:
    """Up to `limit` quotations older than the one with the id `before`, newest first."""
    with database.connection() as connection:
        rows = connection.execute(
            f"{_SELECT} WHERE (? IS NULL OR id < ?) ORDER BY id DESC LIMIT ?",
            (before, before, limit),
        ).fetchall()
    return [Quotation(**dict(row)) for row in rows]


def quotations_after(database: Database, after: int, limit: int) -> list[Quotation]:
    """Up to `limit` quotations newer than the one with the id `after`, oldest first."""
    with database.connection() as connection:
        rows = connection.execute(
            f"{_SELECT} WHERE id > ? ORDER BY id LIMIT ?", (after, limit)
        ).fetchall()
    return [Quotation(**dict(row)) for row in rows]


def count_quotations(database: Database) -> int:
    with database.connection() as connection:
        return int(connection.execute("SELECT count(*) FROM quotations").fetchone()[0])


def add_upload(
    database: Database,
    quotation_id: int,
    original_name: str,
    stored_name: str,
    media_type: str,
    size: int,
) -> Upload:
    with database.transaction() as connection:
        row = connection.execute(
            """
            INSERT INTO uploads (
                quotation_id, original_name, stored_name, media_type, size, created_at
            ) VALUES (?, ?, ?, ?, ?, ?) RETURNING *
            """,
            (quotation_id, original_name, stored_name, media_type, size, _now()),
        ).fetchone()
    return Upload(**dict(row))


def find_upload(database: Database, quotation_id: int, upload_id: int) -> Upload | None:
    with database.connection() as connection:
        row = connection.execute(
            "SELECT * FROM uploads WHERE id = ? AND quotation_id = ?", (upload_id, quotation_id)
        ).fetchone()
    return Upload(**dict(row)) if row else None


def uploads_of(database: Database, quotation_id: int) -> list[Upload]:
    with database.connection() as connection:
        rows = connection.execute(
            "SELECT * FROM uploads WHERE quotation_id = ? ORDER BY id", (quotation_id,)
        ).fetchall()
    return [Upload(**dict(row)) for row in rows]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
