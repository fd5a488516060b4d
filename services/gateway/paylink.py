"""`/p/{token}`: the buyer's stable link. Leads to the provider's page while there is something to pay."""

from typing import Any, Final
from urllib.parse import urlsplit

from litestar import Response, Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from services.common.errors import Kind
from services.common.money import format_money
from services.common.status import RemoteError
from services.gateway.backends.invoices import Invoices
from services.gateway.pages import page
from services.gateway.schemas.paylink import PayLink

_HEADERS: Final = {"X-Robots-Tag": "noindex, nofollow"}
_LONGEST_TOKEN: Final = 200
# Heading and sentence by status, where nothing can be paid.
_TOLD: Final = {
    "paid": ("Paid", "This invoice is paid. Thank you."),
    "void": ("Cancelled", "This invoice was cancelled. There is nothing to pay."),
    "uncollectible": ("Closed", "This invoice was closed. Ask the seller if you want to pay it."),
}
_NOT_YET: Final = ("Not ready yet", "This invoice is being prepared. Look again a little later.")
_BY_HAND: Final = ("Pay the seller directly", "Pay as the seller says below, and name the number with your payment.")
_UNKNOWN: Final = ("Link not found", "This link leads nowhere. Ask the seller for a new one.")
_AWAY: Final = ("Just a moment", "The invoice cannot be shown just now. Nothing is lost: try again in a minute.")


@get("/p/{token:str}", include_in_schema=False)
async def follow_pay_link(token: FromPath[str], invoices: NamedDependency[Invoices]) -> Response[Any]:
    """To the provider's page, or a page that says why there is nothing to pay."""
    try:
        link = await invoices.resolve_pay_link(token[:_LONGEST_TOKEN])
    except RemoteError as error:
        if error.kind in (Kind.NOT_FOUND, Kind.INVALID):
            return _page(404, *_UNKNOWN)
        return _page(503, *_AWAY, headers={"Retry-After": "30"})
    if link.external_url and urlsplit(link.external_url).scheme in ("https", "http"):
        return Redirect(link.external_url, status_code=303, headers=_HEADERS)
    if link.payment_instructions:
        return _page(200, *_BY_HAND, link=link)
    return _page(200, *_TOLD.get(link.status or "", _NOT_YET), link=link)


def _page(
    status: int, heading: str, sentence: str, *, link: PayLink | None = None, headers: dict[str, str] | None = None
) -> Response[Any]:
    facts = {}
    if link is not None:
        facts = {"Show": link.show_name, "Buyer": link.handle}
        if link.currency:
            facts["Total"] = format_money(link.total, link.currency)
        if link.payment_instructions and link.number:
            facts["Number"] = link.number
    instructions = link.payment_instructions if link else ""
    body = {"heading": heading, "sentence": sentence, "facts": facts, "instructions": instructions}
    return page("pay-link.html", body, status=status, headers={**_HEADERS, **(headers or {})})


ROUTES: Final = Router("/", route_handlers=[follow_pay_link])
