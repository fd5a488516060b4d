"""The invoicing service: shows, items, claims and buyers."""

from collections.abc import AsyncIterator, Sequence
from typing import Final

from google.protobuf.field_mask_pb2 import FieldMask
from msgspec import UNSET

from services.common.client import GrpcClient
from services.common.context import Identity
from services.common.timestamps import to_proto
from services.gateway.backends.convert import STREAM, enum_names, enum_numbers, moment, requests_of
from services.gateway.schemas.shows import (
    BuyerBody,
    BuyerChange,
    BuyerPage,
    BuyerView,
    ClaimBody,
    ClaimPage,
    ClaimsTaken,
    ClaimStatus,
    ClaimView,
    ItemBody,
    ItemChange,
    ItemPage,
    ItemsTaken,
    ItemView,
    NewShow,
    RejectedClaim,
    RejectedRow,
    RowsTaken,
    ShowChange,
    ShowPage,
    ShowState,
    ShowView,
)
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from services.rpc.showbill.invoicing.v1.invoicing_pb2_grpc import ShowsServiceStub

BATCH: Final = 5_000
"""Most items, claims or buyers that one call takes."""
STATE: Final[dict[int, ShowState]] = enum_names(pb.ShowState.DESCRIPTOR, "SHOW_STATE_")
SHOW_STATE_NUMBERS: Final = enum_numbers(pb.ShowState.DESCRIPTOR, "SHOW_STATE_")
CLAIM_STATUS: Final[dict[int, ClaimStatus]] = enum_names(pb.ClaimStatus.DESCRIPTOR, "CLAIM_STATUS_")
CLAIM_STATUS_NUMBERS: Final = enum_numbers(pb.ClaimStatus.DESCRIPTOR, "CLAIM_STATUS_")
_BULK: Final = 30.0
"""Seconds for a call with a full batch."""


class Shows:
    """Shows of the caller's workspace."""

    def __init__(self, client: GrpcClient) -> None:
        self._client = client
        self._stub = ShowsServiceStub(client.channel)

    async def create(self, caller: Identity, show: NewShow, request_id: str) -> ShowView:
        """`request_id` makes the call idempotent; empty when the caller gave none."""
        request = pb.CreateShowRequest(
            name=show.name,
            currency=show.currency,
            request_id=request_id,
            start_time=to_proto(show.start_time),
        )
        return show_view((await self._client.call(self._stub.CreateShow, request, caller)).show)

    async def get(self, caller: Identity, show_id: str) -> ShowView:
        request = pb.GetShowRequest(show_id=show_id)
        return show_view((await self._client.call(self._stub.GetShow, request, caller)).show)

    async def list(
        self, caller: Identity, page_size: int, page_token: str, *, search: str = "", states: Sequence[ShowState] = ()
    ) -> ShowPage:
        """The newest first; in any state when none is named."""
        request = pb.ListShowsRequest(
            page_size=page_size,
            page_token=page_token,
            query=search,
            states=[SHOW_STATE_NUMBERS[state] for state in states],
        )
        answer = await self._client.call(self._stub.ListShows, request, caller)
        return ShowPage(items=[show_view(show) for show in answer.shows], next_page_token=answer.next_page_token)

    async def update(self, caller: Identity, show_id: str, change: ShowChange, etag: str = "") -> ShowView:
        """`etag` is that of the show as it was read; empty for any."""
        show, mask = pb.Show(id=show_id, etag=etag), FieldMask()
        if change.name is not UNSET:
            show.name = change.name
            mask.paths.append("name")
        if change.currency is not UNSET:
            show.currency = change.currency
            mask.paths.append("currency")
        if change.start_time is not UNSET:
            if (start_time := to_proto(change.start_time)) is not None:
                show.start_time.CopyFrom(start_time)
            mask.paths.append("start_time")
        request = pb.UpdateShowRequest(show=show, update_mask=mask)
        return show_view((await self._client.call(self._stub.UpdateShow, request, caller)).show)

    async def start(self, caller: Identity, show_id: str) -> ShowView:
        request = pb.StartShowRequest(show_id=show_id)
        return show_view((await self._client.call(self._stub.StartShow, request, caller)).show)

    async def pause(self, caller: Identity, show_id: str) -> ShowView:
        request = pb.PauseShowRequest(show_id=show_id)
        return show_view((await self._client.call(self._stub.PauseShow, request, caller)).show)

    async def end(self, caller: Identity, show_id: str) -> ShowView:
        request = pb.EndShowRequest(show_id=show_id)
        return show_view((await self._client.call(self._stub.EndShow, request, caller)).show)

    async def put_items(self, caller: Identity, show_id: str, items: Sequence[ItemBody]) -> ItemsTaken:
        """One batch: all or none."""
        request = pb.UpsertItemsRequest(show_id=show_id, items=[_item_to_proto(item) for item in items])
        answer = await self._client.call(self._stub.UpsertItems, request, caller, timeout=_BULK)
        return ItemsTaken(created=answer.created_count, updated=answer.updated_count, unchanged=answer.unchanged_count)

    async def stream_items(
        self, caller: Identity, show_id: str, batches: AsyncIterator[Sequence[ItemBody]], all_or_none: bool
    ) -> RowsTaken:
        """Any number; what cannot be taken is answered with its place and reason."""

        def request(items: Sequence[ItemBody]) -> pb.StreamItemsRequest:
            told = [_item_to_proto(item) for item in items]
            return pb.StreamItemsRequest(show_id=show_id, items=told, all_or_none=all_or_none)

        answer = await self._client.feed(self._stub.StreamItems, requests_of(batches, request), caller, timeout=STREAM)
        return _taken(answer, [RejectedRow(index=one.index, reason=one.reason) for one in answer.rejected_items])

    async def create_item(self, caller: Identity, show_id: str, item: ItemBody) -> ItemView:
        """Never changes one that is there."""
        request = pb.CreateItemRequest(show_id=show_id, item=_item_to_proto(item))
        return item_view((await self._client.call(self._stub.CreateItem, request, caller)).item)

    async def update_item(
        self, caller: Identity, show_id: str, item_number: str, change: ItemChange, etag: str
    ) -> ItemView:
        """`etag` is that of the item as it was read; empty for any."""
        item, mask = pb.Item(item_number=item_number, etag=etag), FieldMask()
        for name in ("title", "price", "quantity"):
            value = getattr(change, name)
            if value is not UNSET:
                mask.paths.append(name)
            if value is not UNSET and value is not None:
                setattr(item, name, value)
        request = pb.UpdateItemRequest(show_id=show_id, item=item, update_mask=mask)
        return item_view((await self._client.call(self._stub.UpdateItem, request, caller)).item)

    async def list_items(self, caller: Identity, show_id: str, page_size: int, page_token: str) -> ItemPage:
        request = pb.ListItemsRequest(show_id=show_id, page_size=page_size, page_token=page_token)
        answer = await self._client.call(self._stub.ListItems, request, caller)
        return ItemPage(items=[item_view(item) for item in answer.items], next_page_token=answer.next_page_token)

    async def take_claims(self, caller: Identity, show_id: str, claims: Sequence[ClaimBody]) -> ClaimsTaken:
        """One batch: what cannot be taken is answered with its place and reason."""
        request = pb.IngestClaimsRequest(show_id=show_id, claims=[_claim_to_proto(claim) for claim in claims])
        answer = await self._client.call(self._stub.IngestClaims, request, caller, timeout=_BULK)
        return ClaimsTaken(
            created=answer.created_count,
            updated=answer.updated_count,
            unchanged=answer.unchanged_count,
            rejected=[
                RejectedClaim(index=rejected.index, claim_id=rejected.claim_id, reason=rejected.reason)
                for rejected in answer.rejected_claims
            ],
        )

    async def stream_claims(
        self, caller: Identity, show_id: str, batches: AsyncIterator[Sequence[ClaimBody]], all_or_none: bool
    ) -> RowsTaken:
        """Any number; what cannot be taken is answered with its place and reason."""

        def request(claims: Sequence[ClaimBody]) -> pb.StreamClaimsRequest:
            told = [_claim_to_proto(claim) for claim in claims]
            return pb.StreamClaimsRequest(show_id=show_id, claims=told, all_or_none=all_or_none)

        answer = await self._client.feed(self._stub.StreamClaims, requests_of(batches, request), caller, timeout=STREAM)
        return _taken(answer, [RejectedRow(index=one.index, reason=one.reason) for one in answer.rejected_claims])

    async def list_claims(
        self, caller: Identity, show_id: str, page_size: int, page_token: str, status: ClaimStatus | None
    ) -> ClaimPage:
        request = pb.ListClaimsRequest(
            show_id=show_id,
            page_size=page_size,
            page_token=page_token,
            status=CLAIM_STATUS_NUMBERS[status] if status else pb.CLAIM_STATUS_UNSPECIFIED,
        )
        answer = await self._client.call(self._stub.ListClaims, request, caller)
        return ClaimPage(items=[claim_view(claim) for claim in answer.claims], next_page_token=answer.next_page_token)

    async def list_buyers(self, caller: Identity, show_id: str, page_size: int, page_token: str) -> BuyerPage:
        request = pb.ListBuyersRequest(show_id=show_id, page_size=page_size, page_token=page_token)
        answer = await self._client.call(self._stub.ListBuyers, request, caller)
        return BuyerPage(items=[buyer_view(buyer) for buyer in answer.buyers], next_page_token=answer.next_page_token)

    async def stream_buyers(
        self, caller: Identity, show_id: str, batches: AsyncIterator[Sequence[BuyerBody]], all_or_none: bool
    ) -> RowsTaken:
        """Any number; what cannot be taken is answered with its place and reason."""

        def request(buyers: Sequence[BuyerBody]) -> pb.StreamBuyersRequest:
            told = [_buyer_to_proto(buyer) for buyer in buyers]
            return pb.StreamBuyersRequest(show_id=show_id, buyers=told, all_or_none=all_or_none)

        answer = await self._client.feed(self._stub.StreamBuyers, requests_of(batches, request), caller, timeout=STREAM)
        return _taken(answer, [RejectedRow(index=one.index, reason=one.reason) for one in answer.rejected_buyers])

    async def update_buyer(
        self, caller: Identity, buyer_id: str, change: BuyerChange, etag: str = "", show_id: str = ""
    ) -> BuyerView:
        """`etag` is that of the buyer as it was read, empty for any; who listens to the show is told."""
        buyer, mask = pb.Buyer(id=buyer_id, etag=etag), FieldMask()
        if change.email is not UNSET:
            buyer.email = change.email
            mask.paths.append("email")
        if change.display_name is not UNSET:
            buyer.display_name = change.display_name
            mask.paths.append("display_name")
        request = pb.UpdateBuyerRequest(buyer=buyer, update_mask=mask, show_id=show_id)
        return buyer_view((await self._client.call(self._stub.UpdateBuyer, request, caller)).buyer)


def _taken(
    answer: pb.StreamItemsResponse | pb.StreamClaimsResponse | pb.StreamBuyersResponse, rejected: list[RejectedRow]
) -> RowsTaken:
    return RowsTaken(
        created=answer.created_count,
        updated=answer.updated_count,
        unchanged=answer.unchanged_count,
        rejected=rejected,
        rejected_count=answer.rejected_count,
    )


def show_view(show: pb.Show) -> ShowView:
    return ShowView(
        id=show.id,
        name=show.name,
        state=STATE[show.state],
        currency=show.currency,
        start_time=moment(show.start_time),
        end_time=moment(show.end_time),
        created_at=moment(show.create_time),
        seq=show.seq,
        item_count=show.item_count,
        claim_count=show.claim_count,
        buyer_count=show.buyer_count,
        etag=show.etag,
        claims_arrived_at=moment(show.claims_arrive_time),
    )


def _item_to_proto(item: ItemBody) -> pb.Item:
    return pb.Item(item_number=item.item_number, title=item.title, price=item.price, quantity=item.quantity)


def item_view(item: pb.Item) -> ItemView:
    return ItemView(
        id=item.id,
        item_number=item.item_number,
        title=item.title,
        price=item.price if item.HasField("price") else None,
        quantity=item.quantity if item.HasField("quantity") else None,
        etag=item.etag,
    )


def _claim_to_proto(claim: ClaimBody) -> pb.Claim:
    return pb.Claim(
        claim_id=claim.claim_id,
        platform=claim.platform,
        platform_user_id=claim.platform_user_id,
        user_handle=claim.user_handle,
        display_name=claim.display_name,
        item_number=claim.item_number,
        quantity=claim.quantity,
        status=CLAIM_STATUS_NUMBERS[claim.status],
        claim_time=to_proto(claim.claimed_at),
        sequence=claim.sequence,
        email=claim.email,
    )


def claim_view(claim: pb.Claim) -> ClaimView:
    return ClaimView(
        claim_id=claim.claim_id,
        platform=claim.platform,
        platform_user_id=claim.platform_user_id,
        user_handle=claim.user_handle,
        display_name=claim.display_name,
        item_number=claim.item_number,
        quantity=claim.quantity,
        status=CLAIM_STATUS[claim.status],
        claimed_at=moment(claim.claim_time),
        sequence=claim.sequence,
        email=claim.email,
        item_title=claim.item_title,
        item_price=claim.item_price if claim.HasField("item_price") else None,
    )


def _buyer_to_proto(buyer: BuyerBody) -> pb.Buyer:
    return pb.Buyer(
        platform=buyer.platform,
        platform_user_id=buyer.platform_user_id,
        handle=buyer.user_handle,
        display_name=buyer.display_name,
        email=buyer.email,
    )


def buyer_view(buyer: pb.Buyer) -> BuyerView:
    return BuyerView(
        id=buyer.id,
        platform=buyer.platform,
        platform_user_id=buyer.platform_user_id,
        handle=buyer.handle,
        display_name=buyer.display_name,
        email=buyer.email,
        claim_count=buyer.claim_count,
        line_count=buyer.line_count,
        unpriced_count=buyer.unpriced_count,
        total=buyer.total,
        pay_path=buyer.pay_path,
        paid_total=buyer.paid_total,
        opened_count=buyer.opened_count,
        first_opened_at=moment(buyer.first_opened_time),
        etag=buyer.etag,
    )
