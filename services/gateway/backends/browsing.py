"""The invoicing service: shows with their money, and a show's items, claims and buyers as the pages list them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.common.client import GrpcClient
from services.common.context import Identity
from services.gateway.backends.convert import enum_numbers, moment
from services.gateway.backends.shows import (
    CLAIM_STATUS,
    CLAIM_STATUS_NUMBERS,
    SHOW_STATE_NUMBERS,
    STATE,
    buyer_view,
    claim_view,
    item_view,
    show_view,
)
from services.gateway.schemas.browsing import (
    BuyerList,
    ClaimList,
    ItemFilter,
    ItemList,
    ItemRow,
    Owed,
    ShowList,
    ShowRow,
    TrendPoint,
)
from services.gateway.schemas.invoices import SummaryPartView
from services.gateway.schemas.shows import BuyerView, ClaimStatus, ShowState
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from services.rpc.showbill.invoicing.v1.invoicing_pb2_grpc import InvoicesServiceStub, ShowsServiceStub

_ITEM_FILTERS: Final = enum_numbers(pb.ItemFilter.DESCRIPTOR, "ITEM_FILTER_")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which page of what a search finds."""

    page_size: int
    page: str = ""
    search: str = ""


class Browsing:
    """Readings of the caller's workspace."""

    def __init__(self, client: GrpcClient) -> None:
        self._client = client
        self._shows = ShowsServiceStub(client.channel)
        self._invoices = InvoicesServiceStub(client.channel)

    async def shows(self, caller: Identity, wanted: Wanted, states: Sequence[ShowState] = ()) -> ShowList:
        """The newest first; in any state when none is named."""
        request = pb.ListShowsRequest(
            page_size=wanted.page_size,
            page_token=wanted.page,
            query=wanted.search,
            states=[SHOW_STATE_NUMBERS[state] for state in states],
            with_sums=True,
            with_counts=True,
        )
        answer = await self._client.call(self._shows.ListShows, request, caller)
        rows = [
            ShowRow(
                show_view(show),
                sums.claimed,
                sums.collected,
                sums.invoice_count,
                sums.error_count,
                list(sums.platforms),
            )
            for show, sums in zip(answer.shows, answer.sums, strict=True)
        ]
        counts = {STATE[one.state]: one.count for one in answer.counts}
        return ShowList(rows, answer.next_page_token, counts)

    async def claimed(self, caller: Identity, show_id: str) -> tuple[list[str], int]:
        """Where a show's claims come from, most first, and how many items are claimed."""
        request = pb.GetShowRequest(show_id=show_id, with_platforms=True, with_claimed_items=True)
        answer = await self._client.call(self._shows.GetShow, request, caller)
        return list(answer.platforms), answer.claimed_item_count

    async def items(
        self, caller: Identity, show_id: str, wanted: Wanted, chosen: ItemFilter, *, unpriced_first: bool
    ) -> ItemList:
        request = pb.ListItemsRequest(
            show_id=show_id,
            page_size=wanted.page_size,
            page_token=wanted.page,
            query=wanted.search,
            filter=_ITEM_FILTERS[chosen] if chosen else pb.ITEM_FILTER_UNSPECIFIED,
            unpriced_first=unpriced_first,
            with_counts=True,
        )
        answer = await self._client.call(self._shows.ListItems, request, caller)
        counts, rows = answer.counts, [ItemRow(item_view(one), one.winner_count, one.winner) for one in answer.items]
        return ItemList(rows, answer.next_page_token, counts.all, counts.unpriced, counts.claimed)

    async def item(self, caller: Identity, show_id: str, number: str) -> ItemRow | None:
        """One by its number."""
        request = pb.ListItemsRequest(show_id=show_id, item_number=number, with_counts=True)
        answer = await self._client.call(self._shows.ListItems, request, caller)
        return next((ItemRow(item_view(one), one.winner_count, one.winner) for one in answer.items), None)

    async def claims(self, caller: Identity, show_id: str, wanted: Wanted, status: ClaimStatus | None) -> ClaimList:
        """The newest first."""
        request = pb.ListClaimsRequest(
            show_id=show_id,
            page_size=wanted.page_size,
            page_token=wanted.page,
            query=wanted.search,
            status=CLAIM_STATUS_NUMBERS[status] if status else pb.CLAIM_STATUS_UNSPECIFIED,
            newest_first=True,
            with_counts=True,
        )
        answer = await self._client.call(self._shows.ListClaims, request, caller)
        counts = {CLAIM_STATUS[one.status]: one.count for one in answer.counts}
        return ClaimList([claim_view(claim) for claim in answer.claims], answer.next_page_token, counts)

    async def buyers(self, caller: Identity, show_id: str, wanted: Wanted) -> BuyerList:
        request = pb.ListBuyersRequest(
            show_id=show_id, page_size=wanted.page_size, page_token=wanted.page, query=wanted.search
        )
        answer = await self._client.call(self._shows.ListBuyers, request, caller)
        return BuyerList([buyer_view(buyer) for buyer in answer.buyers], answer.next_page_token, answer.total_size)

    async def buyer(self, caller: Identity, show_id: str, buyer_id: str) -> BuyerView | None:
        """One by its id."""
        request = pb.ListBuyersRequest(show_id=show_id, buyer_id=buyer_id)
        answer = await self._client.call(self._shows.ListBuyers, request, caller)
        return next((buyer_view(buyer) for buyer in answer.buyers), None)

    async def trend(self, caller: Identity, show_id: str, points: int) -> list[TrendPoint]:
        """How the money came in."""
        request = pb.GetShowSummaryRequest(show_id=show_id, trend_points=points)
        answer = await self._client.call(self._invoices.GetShowSummary, request, caller)
        known = ((moment(one.time), one) for one in answer.trend)
        return [TrendPoint(at, one.collected, one.count) for at, one in known if at is not None]

    async def owed(self, caller: Identity, show_id: str) -> Owed | None:
        """None while nobody owes anything."""
        request = pb.GetShowSummaryRequest(show_id=show_id, with_owed=True)
        owed = (await self._client.call(self._invoices.GetShowSummary, request, caller)).owed
        return Owed(owed.line_count, owed.largest_total, owed.largest_buyer) if owed.largest_total else None

    async def mailable(self, caller: Identity, show_id: str, chosen: Sequence[str] = ()) -> SummaryPartView:
        """What of the chosen and payable invoices is mailed; of all that are unsent without a choice."""
        request = pb.GetShowSummaryRequest(show_id=show_id, with_mailable=True, mailable_of=chosen)
        part = (await self._client.call(self._invoices.GetShowSummary, request, caller)).mailable
        return SummaryPartView(amount=part.amount, count=part.count)
