"""Pages of items, claims and buyers as the contract's messages, and the few figures of a show."""

from collections.abc import Mapping, Sequence

import asyncpg

from services.common import paging
from services.common.timestamps import to_proto
from services.invoicing import parse_browsing, render, repository
from services.invoicing.browsing import Page, WantedItems
from services.invoicing.claims import etag
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb


def items(page: Page, wanted: WantedItems) -> pb.ListItemsResponse:
    last = page.rows[-1] if page.more else None
    return pb.ListItemsResponse(
        items=[_item(row) for row in page.rows],
        next_page_token=parse_browsing.item_token(
            last.get("rank", 1), last["number_order"], unpriced_first=wanted.unpriced_first
        )
        if last
        else "",
        counts=pb.ItemCounts(**page.counts) if page.counts else None,
    )


def _item(row: asyncpg.Record) -> pb.Item:
    item = render.item(row)
    item.winner_count, item.winner = row.get("winner_count", 0), row.get("winner", "")
    return item


def claims(page: Page) -> pb.ListClaimsResponse:
    last = page.rows[-1] if page.more else None
    return pb.ListClaimsResponse(
        claims=[render.claim(row) for row in page.rows],
        next_page_token=paging.encode_token(last["claim_time"].isoformat(), str(last["id"])) if last else "",
        counts=[
            pb.ClaimCount(status=pb.ClaimStatus.Value(f"CLAIM_STATUS_{status.upper()}"), count=count)
            for status, count in page.counts.items()
        ],
    )


def buyers(page: Page) -> pb.ListBuyersResponse:
    last = page.rows[-1] if page.more else None
    return pb.ListBuyersResponse(
        buyers=[_buyer(row) for row in page.rows],
        next_page_token=paging.encode_token(last["handle"], str(last["id"])) if last else "",
        total_size=page.counts["all"],
    )


def _buyer(row: asyncpg.Record) -> pb.Buyer:
    told = ("claim_count", "line_count", "unpriced_count", "total", "paid_total", "opened_count")
    buyer = render.buyer(repository.buyer(row), {name: row[name] for name in told})
    buyer.etag = etag(row)
    if (first := to_proto(row["first_opened_at"])) is not None:
        buyer.first_opened_time.CopyFrom(first)
    return buyer


def changed_buyer(row: asyncpg.Record) -> pb.Buyer:
    buyer = render.buyer(repository.buyer(row), {})
    buyer.etag = etag(row)
    return buyer


def sums(row: asyncpg.Record, platforms: Sequence[str]) -> pb.ShowSums:
    told = {name: row[name] for name in ("claimed", "collected", "invoice_count", "error_count")}
    return pb.ShowSums(**told, platforms=platforms)


def shows(
    rows: Sequence[asyncpg.Record],
    next_page_token: str,
    known: Sequence[tuple[asyncpg.Record, Sequence[str]]],
    counts: Mapping[str, int],
) -> pb.ListShowsResponse:
    """`known` are the sums and platforms of each, where they were asked for; `counts` are by state."""
    return pb.ListShowsResponse(
        shows=[render.show(row) for row in rows],
        next_page_token=next_page_token,
        sums=[sums(*one) for one in known],
        counts=[
            pb.ShowStateCount(state=pb.ShowState.Value(f"SHOW_STATE_{state.upper()}"), count=count)
            for state, count in counts.items()
        ],
    )
