"""A wish for a page of invoices, and its page token. The token names the order that it was made for."""

from typing import Final

from services.common import paging
from services.common.errors import Fault, InvalidRequest, require
from services.common.ids import parse_id
from services.invoicing import parse, parse_invoices
from services.invoicing.listing import Page, Sort, Wanted
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb

_USUAL, _LARGEST = 200, 1000
_LONGEST_SEARCH: Final = 200


def wanted(request: pb.ListInvoicesRequest) -> Wanted:
    """Raises InvalidRequest."""
    require(
        [
            *parse.text_fault("query", request.query, _LONGEST_SEARCH),
            *parse.count_fault("invoice_ids", request.invoice_ids, _LARGEST),
            *parse.id_faults("invoice_ids", request.invoice_ids, "an invoice"),
        ]
    )
    ids = list(request.invoice_ids)
    size = _LARGEST if ids else paging.page_size(request.page_size, _USUAL, _LARGEST)
    show_id, statuses = parse_id(request.show_id, "show"), parse_invoices.statuses(request.statuses)
    sort, downwards = _order(request.order_by)
    search = request.query.strip().lower()
    after = _after(request.page_token, sort, downwards=downwards, searched=bool(search))
    return Wanted(show_id, statuses, search, sort, downwards, after, size, ids)


def next_token(page: Page) -> str:
    """Empty after the last page."""
    if not page.more:
        return ""
    place, invoice_id = page.last
    if place is None:
        return paging.encode_token(invoice_id)
    return paging.encode_token(_name(page.sort, downwards=page.downwards), place, invoice_id)


def _order(text: str) -> tuple[Sort, bool]:
    """`handle`, `total desc`: one field, as AIP-132 writes it."""
    name, _, direction = text.strip().partition(" ")
    known = name in frozenset(Sort) and direction.strip() in ("", "asc", "desc") and bool(name or not direction)
    options = ", ".join(sort for sort in Sort if sort)
    require([] if known else [Fault("order_by", f"The order is none of {options}, each with or without desc.")])
    return Sort(name), direction.strip() == "desc"


def _name(sort: Sort, *, downwards: bool) -> str:
    return f"{sort} desc" if downwards else str(sort)


def _after(token: str, sort: Sort, *, downwards: bool, searched: bool) -> tuple[str | int | None, str] | None:
    if sort is Sort.PLAN and not searched:
        found = parse.id_key(token)
        return (None, found) if found else None
    key = paging.decode_token(token, (str, str if sort is Sort.HANDLE else int, str))
    if key is None:
        return None
    invoice_id = parse.uuid_of(str(key[2]))
    if key[0] != _name(sort, downwards=downwards) or invoice_id is None:
        fault = Fault("page_token", "The page token was made for another order. Start again without it.")
        raise InvalidRequest(fault.problem, faults=[fault])
    return key[1], invoice_id
