"""Jinja templates and the filters they use."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import jinja2
from aiohttp import web

from services.sandbox.money import decimals, shown

_environment: Final = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent.parent / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
)


def day(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%-d %B %Y, %H:%M UTC")


def plain(amount: int, currency: str) -> str:
    """`1234` and `gbp` as `12.34`: for an input field."""
    places = decimals(currency)
    return f"{Decimal(amount).scaleb(-places):.{places}f}"


_environment.filters.update(money=shown, day=day, plain=plain)


def page(template: str, *, status: int = 200, error: str | None = None, **values: Any) -> web.Response:
    text = _environment.get_template(template).render(error=error, **values)
    headers = {
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'",
    }
    return web.Response(status=status, text=text, content_type="text/html", headers=headers)


def missing(message: str) -> web.Response:
    return page("missing.html", status=404, message=message)
