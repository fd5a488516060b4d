"""Wishes for pages of items, claims and buyers, and their page tokens."""

from typing import Final

from services.common import paging
from services.common.errors import Fault, InvalidRequest, require
from services.common.ids import parse_id
from services.invoicing import parse, parse_shows
from services.invoicing.browsing import ItemFilter, WantedBuyers, WantedClaims, WantedItems
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb

_USUAL, _LARGEST = 200, 1000
_LONGEST_SEARCH: Final = 200
_FILTERS: Final = {
    pb.ITEM_FILTER_UNSPECIFIED: ItemFilter.ALL,
    pb.ITEM_FILTER_UNPRICED: ItemFilter.UNPRICED,
    pb.ITEM_FILTER_CLAIMED: ItemFilter.CLAIMED,
    pb.ITEM_FILTER_UNCLAIMED: ItemFilter.UNCLAIMED,
}

_SHOW_STATES: Final = {
    pb.SHOW_STATE_DRAFT: "draft",
    pb.SHOW_STATE_ACTIVE: "active",
    pb.SHOW_STATE_PAUSED: "paused",
    pb.SHOW_STATE_ENDED: "ended",
}


def items(request: pb.ListItemsRequest) -> WantedItems:
    """Raises InvalidRequest."""
    known = request.filter in _FILTERS
    require([] if known else [Fault("filter", "The filter is not unpriced, claimed or unclaimed.")])
    return WantedItems(
        show_id=parse_id(request.show_id, "show"),
        after=_item_key(request.page_token, unpriced_first=request.unpriced_first),
        size=paging.page_size(request.page_size, _USUAL, _LARGEST),
        filter=_FILTERS[request.filter],
        search=_search(request.query),
        unpriced_first=request.unpriced_first,
        counted=request.with_counts,
        number=request.item_number,
    )


def item_token(rank: int, number_order: str, *, unpriced_first: bool) -> str:
    """The usual order has no rank: its tokens are as they were before there was another."""
    return paging.encode_token(rank, number_order) if unpriced_first else paging.encode_token(number_order)


def _item_key(token: str, *, unpriced_first: bool) -> tuple[int, str] | None:
    key = paging.decode_token(token, (int, str) if unpriced_first else (str,))
    if key is None:
        return None
    rank, order = key if unpriced_first else (1, key[0])
    if rank not in (0, 1):
        fault = Fault("page_token", "The page token is not one of ours. Start again without it.")
        raise InvalidRequest(fault.problem, faults=[fault])
    return int(rank), str(order)


def claims(request: pb.ListClaimsRequest) -> WantedClaims:
    """Raises InvalidRequest."""
    return WantedClaims(
        show_id=parse_id(request.show_id, "show"),
        after=parse.time_and_id_key(request.page_token),
        size=paging.page_size(request.page_size, _USUAL, _LARGEST),
        status=parse_shows.claim_status(request.status),
        search=_search(request.query),
        newest_first=request.newest_first,
        counted=request.with_counts,
    )


def buyers(request: pb.ListBuyersRequest) -> WantedBuyers:
    """Raises InvalidRequest."""
    return WantedBuyers(
        show_id=parse_id(request.show_id, "show"),
        after=parse.text_and_id_key(request.page_token),
        size=paging.page_size(request.page_size, _USUAL, _LARGEST),
        search=_search(request.query),
        buyer_id=parse_id(request.buyer_id, "buyer") if request.buyer_id else None,
    )


def shows_wanted(request: pb.ListShowsRequest) -> tuple[str, list[str]]:
    """The text and the states. Raises InvalidRequest."""
    require([Fault("states", "There is no such state.") for state in request.states if state not in _SHOW_STATES][:1])
    return _search(request.query), [_SHOW_STATES[state] for state in request.states]


def _search(text: str) -> str:
    require(parse.text_fault("query", text, _LONGEST_SEARCH))
    return text.strip().lower()
