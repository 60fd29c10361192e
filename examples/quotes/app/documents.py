"""The PDF and the e-mail of a quotation, as bytes."""

import unicodedata
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from fpdf import FPDF

from app.models import Quotation
from app.money import euros
from app.pricing import VAT_PERCENT

SENDER = "quotes@example.com"
_INK = (28, 44, 58)
_FAINT = (110, 126, 140)
_GLASS = (214, 233, 242)


def pdf(quotation: Quotation) -> bytes:
    """Render the quotation on one A4 page."""
    page = FPDF(format="A4")
    page.set_title(f"Quotation {quotation.number}")
    page.set_creation_date(datetime.fromisoformat(quotation.created_at))
    page.set_margin(22)
    page.add_page()
    _write_head(page, quotation)
    _draw_window(page, quotation)
    _write_prices(page, quotation)
    return bytes(page.output())


def mail(quotation: Quotation, document: bytes) -> bytes:
    """Compose the message that brings the document to the customer."""
    message = EmailMessage(policy=SMTP)
    message["From"] = SENDER
    message["To"] = quotation.email
    message["Subject"] = f"Your quotation {quotation.number}"
    message["Date"] = format_datetime(datetime.fromisoformat(quotation.created_at))
    # Fixed by the quotation: should it ever be sent twice, mail programs see one message.
    message["Message-ID"] = f"<{quotation.number}@example.com>"
    message.set_content(
        f"Dear {quotation.customer},\n\n"
        f"thank you for asking. {quotation.quantity} x window, "
        f"{quotation.width_mm} x {quotation.height_mm} mm, {quotation.glazing} glazing, "
        f"{quotation.frame} frame: {euros(quotation.total_cents)} including VAT.\n\n"
        f"The quotation is attached and valid for 30 days.\n"
    )
    message.add_attachment(
        document, maintype="application", subtype="pdf", filename=f"{quotation.number}.pdf"
    )
    return message.as_bytes()


def _write_head(page: FPDF, quotation: Quotation) -> None:
    page.set_text_color(*_INK)
    page.set_font("Helvetica", "B", 22)
    page.cell(0, 12, f"Quotation {quotation.number}", new_x="LMARGIN", new_y="NEXT")
    page.set_text_color(*_FAINT)
    page.set_font("Helvetica", "", 10)
    page.cell(
        0, 6, f"{quotation.created_at[:10]}, valid for 30 days", new_x="LMARGIN", new_y="NEXT"
    )
    page.ln(8)
    page.set_text_color(*_INK)
    page.set_font("Helvetica", "", 12)
    page.multi_cell(0, 6, _printable(quotation.customer), new_x="LMARGIN", new_y="NEXT")
    page.cell(0, 6, quotation.email, new_x="LMARGIN", new_y="NEXT")
    page.ln(8)


def _draw_window(page: FPDF, quotation: Quotation) -> None:
    longest_mm = max(quotation.width_mm, quotation.height_mm)
    width = 60 * quotation.width_mm / longest_mm
    height = 60 * quotation.height_mm / longest_mm
    left, top = page.l_margin, page.get_y()
    page.set_draw_color(*_INK)
    page.set_fill_color(*_GLASS)
    page.set_line_width(1.2)
    page.rect(left, top, width, height, style="DF")
    page.set_line_width(0.2)
    page.line(left, top + height, left + width, top)

    page.set_xy(left + 75, top)
    for name, value in (
        ("Size", f"{quotation.width_mm} x {quotation.height_mm} mm"),
        ("Glazing", quotation.glazing),
        ("Frame", quotation.frame),
        ("Quantity", str(quotation.quantity)),
    ):
        page.set_x(left + 75)
        page.set_text_color(*_FAINT)
        page.cell(28, 8, name)
        page.set_text_color(*_INK)
        page.cell(0, 8, value, new_x="LMARGIN", new_y="NEXT")
    page.set_y(top + 70)


def _write_prices(page: FPDF, quotation: Quotation) -> None:
    rows = [("Price for one window", euros(quotation.unit_cents))]
    if quotation.discount_percent:
        rows.append(("Quantity discount", f"{quotation.discount_percent} %"))
    rows += [
        (f"Net for {quotation.quantity}", euros(quotation.net_cents)),
        (f"VAT {VAT_PERCENT} %", euros(quotation.vat_cents)),
    ]
    page.set_draw_color(*_FAINT)
    for name, value in rows:
        page.cell(110, 9, name, border="B")
        page.cell(0, 9, value, border="B", align="R", new_x="LMARGIN", new_y="NEXT")
    page.set_font("Helvetica", "B", 13)
    page.cell(110, 12, "Total")
    page.cell(0, 12, euros(quotation.total_cents), align="R", new_x="LMARGIN", new_y="NEXT")


def _printable(text: str) -> str:
    """Fit the text to the PDF standard fonts, which know Latin-1 only; drop foreign accents."""
    fitted = []
    for character in text:
        if ord(character) < 256:
            fitted.append(character)
        else:
            plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
            fitted.append(plain or "?")
    return "".join(fitted)
