"""Server-rendered pages."""

from pathlib import Path

from fastapi import Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from app import __version__
from app.dependencies import current_user, get_settings
from app.money import euros

FOLDER = Path(__file__).parent

_templates = Jinja2Templates(directory=FOLDER / "templates")
_templates.env.filters["euros"] = euros
_templates.env.globals["version"] = __version__


def page(
    request: Request, template: str, /, status_code: int = 200, **values: object
) -> HTMLResponse:
    """Render a template with `values` and what every page shows."""
    context = {
        "user": current_user(request),
        "login_enabled": get_settings(request).login_enabled,
        **values,
    }
    return _templates.TemplateResponse(request, template, context, status_code=status_code)
