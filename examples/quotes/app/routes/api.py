"""The JSON API."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from app.database import Database
from app.dependencies import DatabaseDep, QuotationDep, require_user
from app.models import Quotation, QuotationRequest, Window
from app.pricing import calculate
from app.store import add_quotation, newest_quotations, quotations_after

router = APIRouter(prefix="/api", dependencies=[Depends(require_user)])

MAX_DELAY_MS = 1000
MAX_PADDED_ROWS = 10_000
# However the delay and the rows are chosen, an export is not held up for longer than this.
MAX_DELAYED_SECONDS = 600.0
EXPORT_CHUNK = 200
EXPORT_COLUMNS = (
    "id",
    "created_at",
    "customer",
    "email",
    "width_mm",
    "height_mm",
    "glazing",
    "frame",
    "quantity",
    "net_cents",
    "vat_cents",
    "total_cents",
)


@router.get("/quotations")
def list_quotations(
    database: DatabaseDep,
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[Quotation]:
    return newest_quotations(database, before, limit)


@router.post("/quotations", status_code=201)
def create_quotation(database: DatabaseDep, request: QuotationRequest) -> Quotation:
    return add_quotation(database, request)


@router.get("/quotations/{quotation_id}")
def show_quotation(quotation: QuotationDep) -> Quotation:
    return quotation


@router.post("/price")
def price(window: Window) -> dict[str, int]:
    """Price a window without making a quotation."""
    return asdict(
        calculate(window.width_mm, window.height_mm, window.glazing, window.frame, window.quantity)
    )


@router.get("/export.csv")
def export(
    database: DatabaseDep,
    delay_ms: Annotated[int, Query(ge=0, le=MAX_DELAY_MS)] = 0,
    rows: Annotated[int, Query(ge=0, le=MAX_PADDED_ROWS)] = 0,
) -> StreamingResponse:
    """Stream all quotations as CSV.

    `delay_ms` holds each row up, and `rows` pads the file with comment lines to at least so many:
    together they make a download that lasts as long as a test of releases needs it to.
    """
    return StreamingResponse(
        _export_lines(database, delay_ms / 1000, rows),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="quotations.csv"'},
    )


async def _export_lines(database: Database, delay: float, least_rows: int) -> AsyncIterator[str]:
    yield _csv_line(EXPORT_COLUMNS)
    written, last_id = 0, 0
    # Read in chunks: one long query would keep the write-ahead log from being folded back.
    while quotations := await run_in_threadpool(quotations_after, database, last_id, EXPORT_CHUNK):
        for quotation in quotations:
            yield _csv_line([_inert(getattr(quotation, name)) for name in EXPORT_COLUMNS])
            written, last_id = written + 1, quotation.id
            await _hold_up(delay, written)
    while written < least_rows:
        written += 1
        yield f"# row {written} of {least_rows}\r\n"
        await _hold_up(delay, written)


async def _hold_up(delay: float, written: int) -> None:
    if delay and delay * written <= MAX_DELAYED_SECONDS:
        await asyncio.sleep(delay)


def _csv_line(values: list[object] | tuple[str, ...]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(values)
    return line.getvalue()


def _inert(value: object) -> object:
    """Keep a spreadsheet from taking a customer's text for a formula."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@")):
        return f"'{value}"
    return value
