"""What a window costs: pure arithmetic on whole cents, no I/O."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

MIN_SIDE_MM = 300
MAX_SIDE_MM = 4000
MAX_AREA_MM2 = 8_000_000
MAX_QUANTITY = 500

VAT_PERCENT = 20
FITTING_CENTS = 95_00
# Small panes cost as much to cut as this one.
MIN_BILLED_AREA_MM2 = 500_000


class Glazing(StrEnum):
    DOUBLE = "double"
    TRIPLE = "triple"
    LAMINATED = "laminated"
    ACOUSTIC = "acoustic"


class Frame(StrEnum):
    WOOD = "wood"
    PVC = "pvc"
    ALUMINIUM = "aluminium"


GLASS_CENTS_PER_M2 = {
    Glazing.DOUBLE: 98_00,
    Glazing.TRIPLE: 149_00,
    Glazing.LAMINATED: 172_00,
    Glazing.ACOUSTIC: 196_00,
}
FRAME_CENTS_PER_M = {
    Frame.PVC: 41_00,
    Frame.WOOD: 68_00,
    Frame.ALUMINIUM: 83_00,
}
# (from this quantity, percent off), largest first.
DISCOUNTS = ((50, 12), (20, 8), (5, 4))


class UnpriceableError(ValueError):
    """The window is outside what the workshop makes; the message is fit for the customer."""


@dataclass(frozen=True)
class Price:
    """All amounts in euro cents; `total_cents` includes VAT."""

    unit_cents: int
    discount_percent: int
    net_cents: int
    vat_cents: int
    total_cents: int


def calculate(
    width_mm: int, height_mm: int, glazing: Glazing, frame: Frame, quantity: int
) -> Price:
    """Price `quantity` equal windows.

    Raises `UnpriceableError` for sizes and quantities that the workshop does not make.

    >>> calculate(1000, 1000, Glazing.DOUBLE, Frame.PVC, 1).unit_cents
    35700
    """
    check_size(width_mm, height_mm)
    if not 1 <= quantity <= MAX_QUANTITY:
        raise UnpriceableError(f"The quantity must be from 1 to {MAX_QUANTITY}.")

    billed_area_mm2 = max(width_mm * height_mm, MIN_BILLED_AREA_MM2)
    perimeter_mm = 2 * (width_mm + height_mm)
    glass = Decimal(GLASS_CENTS_PER_M2[glazing] * billed_area_mm2) / 1_000_000
    profile = Decimal(FRAME_CENTS_PER_M[frame] * perimeter_mm) / 1_000
    unit_cents = _whole_cents(glass + profile + FITTING_CENTS)

    discount_percent = next((off for least, off in DISCOUNTS if quantity >= least), 0)
    net_cents = _whole_cents(Decimal(unit_cents * quantity * (100 - discount_percent)) / 100)
    vat_cents = _whole_cents(Decimal(net_cents * VAT_PERCENT) / 100)
    return Price(unit_cents, discount_percent, net_cents, vat_cents, net_cents + vat_cents)


def check_size(width_mm: int, height_mm: int) -> None:
    for name, side in (("width", width_mm), ("height", height_mm)):
        if not MIN_SIDE_MM <= side <= MAX_SIDE_MM:
            raise UnpriceableError(f"The {name} must be from {MIN_SIDE_MM} to {MAX_SIDE_MM} mm.")
    if width_mm * height_mm > MAX_AREA_MM2:
        square_metres = MAX_AREA_MM2 // 1_000_000
        raise UnpriceableError(f"A single window cannot be larger than {square_metres} m².")


def _whole_cents(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))
