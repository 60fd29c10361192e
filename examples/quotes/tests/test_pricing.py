import pytest

from app.pricing import MAX_QUANTITY, Frame, Glazing, Price, UnpriceableError, calculate


def test_price_adds_glass_frame_fitting_and_vat() -> None:
    # 1 m² at 98.00, 4 m at 41.00, fitting 95.00
    assert calculate(1000, 1000, Glazing.DOUBLE, Frame.PVC, 1) == Price(
        unit_cents=357_00,
        discount_percent=0,
        net_cents=357_00,
        vat_cents=71_40,
        total_cents=428_40,
    )


def test_small_panes_are_billed_as_half_a_square_metre() -> None:
    smallest = calculate(300, 300, Glazing.DOUBLE, Frame.PVC, 1)
    assert smallest.unit_cents == 49_00 + 49_20 + 95_00


def test_half_cents_are_rounded_up() -> None:
    # Glass: 0.8325 m² at 98.00 = 8158.5 cents; frame: 3.65 m at 41.00 = 14965 cents.
    assert calculate(900, 925, Glazing.DOUBLE, Frame.PVC, 1).unit_cents == 8159 + 14965 + 9500


@pytest.mark.parametrize(
    ("quantity", "percent"),
    [(1, 0), (4, 0), (5, 4), (19, 4), (20, 8), (49, 8), (50, 12), (500, 12)],
)
def test_discount_begins_at_its_quantity(quantity: int, percent: int) -> None:
    price = calculate(1000, 1000, Glazing.DOUBLE, Frame.PVC, quantity)
    assert price.discount_percent == percent
    assert price.net_cents == 357 * quantity * (100 - percent)


@pytest.mark.parametrize("glazing", Glazing)
@pytest.mark.parametrize("frame", Frame)
def test_every_combination_has_a_price(glazing: Glazing, frame: Frame) -> None:
    assert calculate(1000, 1000, glazing, frame, 1).unit_cents >= 357_00


@pytest.mark.parametrize(
    ("width", "height", "quantity", "complaint"),
    [
        (299, 1000, 1, "The width must be from 300 to 4000 mm."),
        (4001, 1000, 1, "The width must be from 300 to 4000 mm."),
        (1000, 299, 1, "The height must be from 300 to 4000 mm."),
        (1000, 4001, 1, "The height must be from 300 to 4000 mm."),
        (2001, 4000, 1, "A single window cannot be larger than 8 m²."),
        (1000, 1000, 0, f"The quantity must be from 1 to {MAX_QUANTITY}."),
        (1000, 1000, MAX_QUANTITY + 1, f"The quantity must be from 1 to {MAX_QUANTITY}."),
    ],
)
def test_what_cannot_be_made_has_no_price(
    width: int, height: int, quantity: int, complaint: str
) -> None:
    with pytest.raises(UnpriceableError) as caught:
        calculate(width, height, Glazing.DOUBLE, Frame.PVC, quantity)
    assert str(caught.value) == complaint


def test_limits_themselves_can_be_made() -> None:
    for width, height in ((300, 4000), (4000, 300), (2000, 4000)):
        assert calculate(width, height, Glazing.DOUBLE, Frame.PVC, MAX_QUANTITY).net_cents > 0
