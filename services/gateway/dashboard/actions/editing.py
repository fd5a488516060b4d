"""Items and buyers changed in the row where they stand. Of two people who change the same, the second is told."""

from typing import Any, Final

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from services.common.addresses import BaseUrl
from services.common.errors import Kind, ShowbillError
from services.gateway.backends.browsing import Browsing
from services.gateway.backends.shows import Shows
from services.gateway.dashboard.formats import decimal_mark, locale_of
from services.gateway.dashboard.problems import NoSuchPage, told_page
from services.gateway.dashboard.rendering import AnyRequest, go, is_htmx, render, said, toast
from services.gateway.faults import sentence_of
from services.gateway.identity.principal import Principal
from services.gateway.imports.prices import decimal_price
from services.gateway.imports.report import Unfit, whole_number
from services.gateway.schemas.shows import BuyerChange, ItemBody, ItemChange

_NOT_SAVED: Final = "That was not saved"
_MENDABLE: Final = (Kind.INVALID, Kind.CONFLICT, Kind.OUTDATED, Kind.FAILED_PRECONDITION)


def _sentence(error: Exception) -> str:
    """Of what the person at the row can mend. Raises what is nobody's to mend there."""
    if isinstance(error, msgspec.ValidationError):
        return sentence_of(error)
    if isinstance(error, ShowbillError) and error.kind not in _MENDABLE:
        raise error
    return error.message if isinstance(error, ShowbillError) else str(error)


def _price(request: AnyRequest, text: str, currency: str) -> int | None:
    """Nothing is unpriced. Raises Unfit."""
    return decimal_price(text, currency, mark=decimal_mark(locale_of(request.headers))) if text else None


@post("/shows/{show_id:str}/items/price", status_code=200)
async def set_price(
    request: AnyRequest,
    show_id: FromPath[str],
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
    browsing: NamedDependency[Browsing],
) -> Response[bytes]:
    """From the state that the row showed; answers the row."""
    form = await request.form()
    number, typed = str(form.get("number", ""))[:200], str(form.get("price", "")).strip()[:100]
    show, problem = await shows.get(caller.identity, show_id), ""
    try:
        change = msgspec.convert({"price": _price(request, typed, show.currency)}, ItemChange)
        await shows.update_item(caller.identity, show_id, number, change, str(form.get("etag", ""))[:200])
    except (Unfit, msgspec.ValidationError, ShowbillError) as error:
        problem = _sentence(error)
        typed = "" if isinstance(error, ShowbillError) and error.kind is Kind.OUTDATED else typed
    row = await browsing.item(caller.identity, show_id, number)
    if row is None:
        raise NoSuchPage
    values = {"show": show, "row": row, "problem": problem, "typed": typed}
    return _row(request, "parts/item-row.html", values, f"Price of item {number} saved", f"/shows/{show_id}/items")


@post("/shows/{show_id:str}/items", status_code=200)
async def add_item(
    request: AnyRequest, show_id: FromPath[str], caller: NamedDependency[Principal], shows: NamedDependency[Shows]
) -> Response[bytes]:
    """Never changes one that is there; answers the form, empty for the next one."""
    form = await request.form()
    names = ("item_number", "title", "price", "quantity")
    told = {name: str(form.get(name, "")).strip()[:1000] for name in names}
    show = await shows.get(caller.identity, show_id)
    try:
        item = {
            "itemNumber": told["item_number"],
            "title": told["title"],
            "price": _price(request, told["price"], show.currency),
            "quantity": whole_number(told["quantity"], "quantity") if told["quantity"] else None,
        }
        await shows.create_item(caller.identity, show_id, msgspec.convert(item, ItemBody))
    except (Unfit, msgspec.ValidationError, ShowbillError) as error:
        values = {"show": show, "told": told, "problem": _sentence(error)}
        if not is_htmx(request):
            return told_page(request, 422, _NOT_SAVED, _sentence(error))
        return render(request, "parts/item-form.html", values, status=422)
    if not is_htmx(request):
        return go(request, f"/shows/{show_id}/items")
    values = {"show": show, "told": dict.fromkeys(names, ""), "problem": ""}
    return render(request, "parts/item-form.html", values, headers=toast("ok", f"Item {told['item_number']} added"))


@post("/shows/{show_id:str}/buyers/{buyer_id:str}", status_code=200)
async def change_buyer(
    request: AnyRequest,
    show_id: FromPath[str],
    buyer_id: FromPath[str],
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
    browsing: NamedDependency[Browsing],
    base_url: NamedDependency[BaseUrl],
) -> Response[bytes]:
    """E-mail address or name, from the state that the row showed; answers the row."""
    form = await request.form()
    field = "display_name" if "display_name" in form else "email"
    typed, problem = str(form.get(field, "")).strip()[:1000], ""
    show = await shows.get(caller.identity, show_id)
    try:
        told = {"displayName" if field == "display_name" else "email": typed}
        change, etag = msgspec.convert(told, BuyerChange), str(form.get("etag", ""))[:200]
        await shows.update_buyer(caller.identity, buyer_id, change, etag, show_id)
    except (msgspec.ValidationError, ShowbillError) as error:
        problem = _sentence(error)
        typed = "" if isinstance(error, ShowbillError) and error.kind is Kind.OUTDATED else typed
    buyer = await browsing.buyer(caller.identity, show_id, buyer_id)
    if buyer is None:
        raise NoSuchPage
    values = {"show": show, "buyer": buyer, "problem": problem, "field": field, "typed": typed}
    done = f"{'Name' if field == 'display_name' else 'E-mail address'} of {buyer.handle or 'the buyer'} saved"
    return _row(request, "parts/buyer-row.html", values | {"base_url": str(base_url)}, done, f"/shows/{show_id}/buyers")


def _row(request: AnyRequest, template: str, values: dict[str, Any], done: str, path: str) -> Response[bytes]:
    """The row, with a sentence where it was not changed; without our script the sentence alone, or back to the list."""
    if not is_htmx(request):
        return told_page(request, 422, _NOT_SAVED, values["problem"]) if values["problem"] else go(request, path)
    if values["problem"]:
        return render(request, template, values, status=422)
    return render(request, template, values, headers=said(done))


HANDLERS: Final = [set_price, add_item, change_buyer]
