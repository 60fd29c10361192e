"""The pages that people look at."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import FileResponse, RedirectResponse, Response
from pydantic import ValidationError

from app import pricing
from app.dependencies import DatabaseDep, QuotationDep, SettingsDep, require_user
from app.models import QuotationRequest
from app.store import add_quotation, count_quotations, newest_quotations, uploads_of
from app.templating import page

router = APIRouter(include_in_schema=False)
protected = APIRouter(dependencies=[Depends(require_user)])

PAGE_SIZE = 20
FIELDS = ("customer", "email", "width_mm", "height_mm", "glazing", "frame", "quantity")
BLANK = {"glazing": "double", "frame": "wood", "quantity": "1"}


async def form_fields(request: Request) -> dict[str, str]:
    """The form's fields as text, whatever else was sent; they are validated later."""
    form = await request.form()
    return {name: value for name, value in form.items() if isinstance(value, str)}


@router.get("/")
def landing(request: Request) -> Response:
    return page(request, "landing.html")


@protected.get("/quotations")
def list_quotations(
    request: Request,
    database: DatabaseDep,
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
) -> Response:
    # One more than is shown tells whether there is a next page.
    found = newest_quotations(database, before, PAGE_SIZE + 1)
    return page(
        request,
        "list.html",
        quotations=found[:PAGE_SIZE],
        older=found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else None,
        count=count_quotations(database),
    )


@protected.get("/quotations/new")
def show_form(request: Request) -> Response:
    return _form(request, BLANK, {})


@protected.post("/quotations")
def create_quotation(
    request: Request,
    database: DatabaseDep,
    fields: Annotated[dict[str, str], Depends(form_fields)],
) -> Response:
    wanted = {name: fields.get(name, "") for name in FIELDS}
    try:
        quotation = add_quotation(database, QuotationRequest.model_validate(wanted))
    except ValidationError as error:
        return _form(request, wanted, _messages(error), 422)
    return RedirectResponse(f"/quotations/{quotation.id}", 303)


@protected.get("/quotations/{quotation_id}")
def show_quotation(
    request: Request, quotation: QuotationDep, database: DatabaseDep, settings: SettingsDep
) -> Response:
    return page(
        request,
        "view.html",
        quotation=quotation,
        uploads=uploads_of(database, quotation.id),
        max_upload_mib=settings.max_upload_mib,
        vat_percent=pricing.VAT_PERCENT,
    )


@protected.get("/quotations/{quotation_id}/document.pdf")
def download_document(quotation: QuotationDep, settings: SettingsDep) -> FileResponse:
    path = settings.documents / f"{quotation.number}.pdf"
    if not path.is_file():
        raise HTTPException(404, "The document has not been rendered yet.")
    return FileResponse(path, media_type="application/pdf", filename=path.name)


router.include_router(protected)


def _form(
    request: Request, values: dict[str, str], errors: dict[str, str], status_code: int = 200
) -> Response:
    return page(
        request,
        "form.html",
        status_code,
        values=values,
        errors=errors,
        glazings=list(pricing.Glazing),
        frames=list(pricing.Frame),
        limits=pricing,
    )


def _messages(error: ValidationError) -> dict[str, str]:
    """One message for each field; "" stands for the window as a whole."""
    messages: dict[str, str] = {}
    for problem in error.errors():
        field = str(problem["loc"][0]) if problem["loc"] else ""
        text = {
            "customer": "Enter a name of up to 120 characters.",
            "email": "Enter an e-mail address such as name@example.com.",
        }.get(field, problem["msg"].removeprefix("Value error, "))
        messages.setdefault(field, text)
    return messages
