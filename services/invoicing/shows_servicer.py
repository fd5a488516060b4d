"""ShowsService: each method reads the request, makes one call, renders the answer."""

from collections.abc import AsyncIterator
from typing import Any, Final

import grpc

from services.common import paging
from services.common.context import identity
from services.common.errors import require
from services.common.ids import parse_id
from services.invoicing import parse, parse_browsing, parse_shows, render, render_browsing
from services.invoicing.browsing import Browsing
from services.invoicing.buyers import ContactLoad
from services.invoicing.claims import Buyers, ClaimLoad
from services.invoicing.feed import Batch, Feed
from services.invoicing.items import ItemLoad, Items, WholeItems
from services.invoicing.shows import END, PAUSE, START, Move, Shows
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from services.rpc.showbill.invoicing.v1.invoicing_pb2_grpc import ShowsServiceServicer

CLAIMS: Final = ClaimLoad()
ITEMS: Final = ItemLoad()
WHOLE_ITEMS: Final = WholeItems()
CONTACTS: Final = ContactLoad()

Context = grpc.aio.ServicerContext[Any, Any]


class ShowsServicer(ShowsServiceServicer):
    """Shows, items, claims and buyers."""

    def __init__(self, shows: Shows, items: Items, buyers: Buyers, browsing: Browsing, feed: Feed) -> None:
        self._shows = shows
        self._items = items
        self._buyers = buyers
        self._browsing = browsing
        self._feed = feed

    async def CreateShow(self, request: pb.CreateShowRequest, context: Context) -> pb.CreateShowResponse:
        start_at, faults = parse.moment("start_time", request.start_time)
        faults += parse.text_fault("name", request.name.strip(), 200, least=1)
        require(faults + parse.currency_fault("currency", request.currency))
        request_id = parse.request_id(request.request_id)
        show = await self._shows.create(
            identity().workspace_id, request.name.strip(), request.currency, request_id, start_at
        )
        return pb.CreateShowResponse(show=render.show(show))

    async def GetShow(self, request: pb.GetShowRequest, context: Context) -> pb.GetShowResponse:
        show = await self._shows.get(identity().workspace_id, parse_id(request.show_id, "show"))
        places = await self._shows.platforms([show["id"]]) if request.with_platforms else {}
        claimed = await self._shows.claimed_items(show["id"]) if request.with_claimed_items else 0
        return pb.GetShowResponse(
            show=render.show(show), platforms=places.get(show["id"], []), claimed_item_count=claimed
        )

    async def ListShows(self, request: pb.ListShowsRequest, context: Context) -> pb.ListShowsResponse:
        size = paging.page_size(request.page_size, 50, 200)
        after, (query, states) = parse.id_key(request.page_token), parse_browsing.shows_wanted(request)
        workspace_id = identity().workspace_id
        rows = await self._shows.page(workspace_id, after, size + 1, query=query, states=states)
        more = paging.encode_token(str(rows[size - 1]["id"])) if len(rows) > size else ""
        sums = await self._shows.sums(rows[:size]) if request.with_sums else []
        counts = await self._shows.counts(workspace_id, query) if request.with_counts else {}
        return render_browsing.shows(rows[:size], more, sums, counts)

    async def UpdateShow(self, request: pb.UpdateShowRequest, context: Context) -> pb.UpdateShowResponse:
        paths, told = set(request.update_mask.paths), request.show
        start_at, faults = parse.moment("start_time", told.start_time)
        faults += parse_shows.mask_faults(paths, {"name", "currency", "start_time"})
        if "name" in paths:
            faults += parse.text_fault("name", told.name.strip(), 200, least=1)
        if "currency" in paths:
            faults += parse.currency_fault("currency", told.currency)
        require(faults)
        show = await self._shows.update(
            identity().workspace_id,
            parse_id(told.id, "show"),
            name=told.name.strip() if "name" in paths else None,
            currency=told.currency if "currency" in paths else None,
            start_at=start_at if "start_time" in paths else None,
            without_start="start_time" in paths and not told.HasField("start_time"),
            expected=told.etag,
        )
        return pb.UpdateShowResponse(show=render.show(show))

    async def StartShow(self, request: pb.StartShowRequest, context: Context) -> pb.StartShowResponse:
        return pb.StartShowResponse(show=await self._move(request.show_id, START))

    async def PauseShow(self, request: pb.PauseShowRequest, context: Context) -> pb.PauseShowResponse:
        return pb.PauseShowResponse(show=await self._move(request.show_id, PAUSE))

    async def EndShow(self, request: pb.EndShowRequest, context: Context) -> pb.EndShowResponse:
        return pb.EndShowResponse(show=await self._move(request.show_id, END))

    async def _move(self, show_id: str, move: Move) -> pb.Show:
        return render.show(await self._shows.move(identity().workspace_id, parse_id(show_id, "show"), move))

    async def UpsertItems(self, request: pb.UpsertItemsRequest, context: Context) -> pb.UpsertItemsResponse:
        batch = Batch(parse_id(request.show_id, "show"), parse_shows.items(request.items))
        done = await self._feed.batch(identity().workspace_id, WHOLE_ITEMS, batch)
        return pb.UpsertItemsResponse(
            created_count=done.created, updated_count=done.updated, unchanged_count=done.unchanged
        )

    async def StreamItems(
        self, request_iterator: AsyncIterator[pb.StreamItemsRequest], context: Context
    ) -> pb.StreamItemsResponse:
        batches = parse_shows.item_batches(request_iterator)
        return render.streamed_items(await self._feed.stream(identity().workspace_id, ITEMS, batches))

    async def CreateItem(self, request: pb.CreateItemRequest, context: Context) -> pb.CreateItemResponse:
        show_id, item = parse_id(request.show_id, "show"), parse_shows.new_item(request.item)
        return pb.CreateItemResponse(item=render.item(await self._items.create(identity().workspace_id, show_id, item)))

    async def UpdateItem(self, request: pb.UpdateItemRequest, context: Context) -> pb.UpdateItemResponse:
        change = parse_shows.item_change(request.item, set(request.update_mask.paths))
        show_id, number = parse_id(request.show_id, "show"), request.item.item_number
        row = await self._items.update(identity().workspace_id, show_id, number, change, request.item.etag)
        return pb.UpdateItemResponse(item=render.item(row))

    async def ListItems(self, request: pb.ListItemsRequest, context: Context) -> pb.ListItemsResponse:
        wanted = parse_browsing.items(request)
        return render_browsing.items(await self._browsing.items(identity().workspace_id, wanted), wanted)

    async def IngestClaims(self, request: pb.IngestClaimsRequest, context: Context) -> pb.IngestClaimsResponse:
        done = await self._feed.batch(identity().workspace_id, CLAIMS, parse_shows.claim_batch(request))
        return render.ingested_claims(done)

    async def StreamClaims(
        self, request_iterator: AsyncIterator[pb.StreamClaimsRequest], context: Context
    ) -> pb.StreamClaimsResponse:
        batches = parse_shows.claim_batches(request_iterator)
        return render.streamed_claims(await self._feed.stream(identity().workspace_id, CLAIMS, batches))

    async def ListClaims(self, request: pb.ListClaimsRequest, context: Context) -> pb.ListClaimsResponse:
        wanted = parse_browsing.claims(request)
        return render_browsing.claims(await self._browsing.claims(identity().workspace_id, wanted))

    async def ListBuyers(self, request: pb.ListBuyersRequest, context: Context) -> pb.ListBuyersResponse:
        wanted = parse_browsing.buyers(request)
        return render_browsing.buyers(await self._browsing.buyers(identity().workspace_id, wanted))

    async def UpdateBuyer(self, request: pb.UpdateBuyerRequest, context: Context) -> pb.UpdateBuyerResponse:
        paths, told = set(request.update_mask.paths), request.buyer
        faults = parse_shows.mask_faults(paths, {"email", "display_name"})
        faults += parse.email_fault("email", told.email) + parse.text_fault("display_name", told.display_name, 200)
        require(faults)
        row = await self._buyers.update(
            identity().workspace_id,
            parse_id(told.id, "buyer"),
            email=told.email if "email" in paths else None,
            display_name=told.display_name if "display_name" in paths else None,
            expected=told.etag,
            show_id=parse_id(request.show_id, "show") if request.show_id else None,
        )
        return pb.UpdateBuyerResponse(buyer=render_browsing.changed_buyer(row))

    async def StreamBuyers(
        self, request_iterator: AsyncIterator[pb.StreamBuyersRequest], context: Context
    ) -> pb.StreamBuyersResponse:
        batches = parse_shows.contact_batches(request_iterator)
        return render.streamed_buyers(await self._feed.stream(identity().workspace_id, CONTACTS, batches))
