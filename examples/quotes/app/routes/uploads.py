"""Photos and plans of a quotation."""

import secrets
import shutil
import unicodedata
from typing import Annotated

from fastapi import APIRouter, Depends, File, HTTPException, UploadFile
from fastapi.responses import FileResponse, RedirectResponse, Response

from app.config import Settings
from app.database import Database
from app.dependencies import DatabaseDep, Id, QuotationDep, SettingsDep, require_user
from app.models import Quotation, Upload
from app.store import add_upload, find_upload, uploads_of

router = APIRouter(dependencies=[Depends(require_user)])

MAX_FILES = 20
MAX_NAME_CHARACTERS = 100
# A file is what it begins with; its name and the type that the browser sends are only claims.
SIGNATURES = (
    (b"%PDF-", "application/pdf", ".pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png", ".png"),
    (b"\xff\xd8\xff", "image/jpeg", ".jpg"),
)


@router.post("/quotations/{quotation_id}/uploads", include_in_schema=False)
def upload_from_page(
    quotation: QuotationDep,
    database: DatabaseDep,
    settings: SettingsDep,
    file: Annotated[UploadFile, File()],
) -> Response:
    _keep(database, settings, quotation, file)
    return RedirectResponse(f"/quotations/{quotation.id}", 303)


@router.post("/api/quotations/{quotation_id}/uploads", status_code=201)
def upload(
    quotation: QuotationDep,
    database: DatabaseDep,
    settings: SettingsDep,
    file: Annotated[UploadFile, File()],
) -> Upload:
    return _keep(database, settings, quotation, file)


@router.get("/api/quotations/{quotation_id}/uploads")
def list_uploads(quotation: QuotationDep, database: DatabaseDep) -> list[Upload]:
    return uploads_of(database, quotation.id)


@router.get("/quotations/{quotation_id}/uploads/{upload_id}", include_in_schema=False)
def download(
    quotation_id: Id, upload_id: Id, database: DatabaseDep, settings: SettingsDep
) -> FileResponse:
    found = find_upload(database, quotation_id, upload_id)
    if found is None or not (settings.uploads / found.stored_name).is_file():
        raise HTTPException(404, "There is no such file.")
    return FileResponse(
        settings.uploads / found.stored_name,
        media_type=found.media_type,
        # As an attachment: what strangers upload is never shown as a page of this site.
        filename=found.original_name,
    )


def _keep(database: Database, settings: Settings, quotation: Quotation, file: UploadFile) -> Upload:
    """Store the file under a name of our own; the sender's is only a label in the database."""
    if len(uploads_of(database, quotation.id)) >= MAX_FILES:
        raise HTTPException(409, f"A quotation can have {MAX_FILES} files at most.")
    size = file.size or 0
    if size > settings.max_upload_bytes:
        raise HTTPException(413, f"The file is larger than {settings.max_upload_mib} MiB.")
    media_type, suffix = _recognise(file)
    stored_name = secrets.token_hex(16) + suffix
    path = settings.uploads / stored_name
    try:
        with path.open("xb") as target:
            shutil.copyfileobj(file.file, target)
        return add_upload(
            database, quotation.id, _label(file.filename), stored_name, media_type, size
        )
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _recognise(file: UploadFile) -> tuple[str, str]:
    start = file.file.read(16)
    file.file.seek(0)
    for signature, media_type, suffix in SIGNATURES:
        if start.startswith(signature):
            return media_type, suffix
    raise HTTPException(415, "Only PDF, PNG and JPEG files are accepted.")


def _label(name: str | None) -> str:
    """The last part of the sender's file name, on one line and not too long."""
    last_part = (name or "").replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(c for c in last_part if unicodedata.category(c)[0] != "C").strip(" .")
    return kept[-MAX_NAME_CHARACTERS:] or "file"
