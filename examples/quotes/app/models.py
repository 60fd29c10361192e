"""The records that the application works with, and the input that it accepts."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from app.pricing import MAX_QUANTITY, MAX_SIDE_MM, MIN_SIDE_MM, Frame, Glazing, check_size

# Narrower than the standard allows: what passes here is safe in a mail header as it stands.
EMAIL_PATTERN = r"^[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}$"
ONE_LINE_PATTERN = r"^[^\x00-\x1f\x7f\u2028\u2029]+$"

Side = Annotated[int, Field(ge=MIN_SIDE_MM, le=MAX_SIDE_MM)]


class Window(BaseModel):
    """What is to be priced."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    width_mm: Side
    height_mm: Side
    glazing: Glazing
    frame: Frame
    quantity: Annotated[int, Field(ge=1, le=MAX_QUANTITY)] = 1

    @model_validator(mode="after")
    def _can_be_made(self) -> Self:
        check_size(self.width_mm, self.height_mm)
        return self


class QuotationRequest(Window):
    """A window and the customer who asks for it."""

    customer: Annotated[
        str,
        StringConstraints(
            strip_whitespace=True, min_length=1, max_length=120, pattern=ONE_LINE_PATTERN
        ),
    ]
    email: Annotated[
        str, StringConstraints(strip_whitespace=True, max_length=254, pattern=EMAIL_PATTERN)
    ]


class Quotation(BaseModel):
    """A stored quotation. Its price is kept with it: a new release may price windows differently."""

    id: int
    customer: str
    email: str
    width_mm: int
    height_mm: int
    glazing: str
    frame: str
    quantity: int
    unit_cents: int
    discount_percent: int
    net_cents: int
    vat_cents: int
    total_cents: int
    created_at: str
    document_state: str

    @property
    def number(self) -> str:
        return f"Q-{self.id:05d}"


class Upload(BaseModel):
    """A photo or plan that belongs to a quotation."""

    id: int
    quotation_id: int
    original_name: str
    stored_name: str = Field(exclude=True)
    media_type: str
    size: int
    created_at: str
