"""Shows, their items, claims and buyers."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from services.gateway.schemas.base import Amount, Body, Currency, Key, Label, Moment, Name, Quantity, Stock, View

ShowState = Literal["draft", "active", "paused", "ended"]
ClaimStatus = Literal["winner", "waitlist", "released", "passed"]
MOST_AT_ONCE = 50_000
"""Items or claims in one body."""


class NewShow(Body):
    """A show to be made."""

    name: Name
    currency: Currency
    start_time: Moment | None = None


class ShowChange(Body):
    """What to change of a show; what is left out stays."""

    name: Name | UnsetType = UNSET
    currency: Currency | UnsetType = UNSET
    start_time: Moment | UnsetType | None = UNSET


class ShowView(View):
    """One live sale."""

    id: str
    name: str
    state: ShowState
    currency: str
    start_time: datetime | None
    end_time: datetime | None
    created_at: datetime | None
    seq: Annotated[int, msgspec.Meta(description="Position: rises by one with every event of the show.")]
    item_count: int
    claim_count: int
    buyer_count: Annotated[int, msgspec.Meta(description="Buyers with winner claims.")]
    etag: Annotated[str, msgspec.Meta(description="Names this state of the show, for `If-Match` of a change.")]
    claims_arrived_at: Annotated[
        datetime | None, msgspec.Meta(description="When claims that changed something came in last, by our clock.")
    ]


class ShowPage(View):
    """Shows, newest first."""

    items: list[ShowView]
    next_page_token: str


class ItemBody(Body):
    """An item to be added or corrected, by its number."""

    item_number: Key
    title: Label = ""
    price: Annotated[Amount | None, msgspec.Meta(description="Null is unpriced; 0 is free on purpose.")] = None
    quantity: Annotated[Stock | None, msgspec.Meta(description="Null is unlimited.")] = None


class ItemsBody(Body):
    """Items to be added or corrected."""

    items: Annotated[list[ItemBody], msgspec.Meta(max_length=MOST_AT_ONCE)]


class ItemView(View):
    """A numbered thing for sale."""

    id: str
    item_number: str
    title: str
    price: int | None
    quantity: int | None
    etag: Annotated[str, msgspec.Meta(description="Names this state of the item, for `If-Match` of a change.")]


class ItemChange(Body):
    """What to change of an item; what is left out stays."""

    title: Label | UnsetType = UNSET
    price: Annotated[Amount | None, msgspec.Meta(description="Null is unpriced; 0 is free on purpose.")] | UnsetType = (
        UNSET
    )
    quantity: Annotated[Stock | None, msgspec.Meta(description="Null is unlimited.")] | UnsetType = UNSET


class ItemPage(View):
    """Items by number."""

    items: list[ItemView]
    next_page_token: str


class ClaimBody(Body):
    """A claim as the caller decided it. The claim id is the caller's own; the same one again changes nothing."""

    claim_id: Key
    platform: Key
    platform_user_id: Key
    item_number: Key
    status: ClaimStatus
    user_handle: Label = ""
    display_name: Label = ""
    quantity: Quantity = 1
    claimed_at: Moment | None = None
    sequence: Annotated[
        int, msgspec.Meta(ge=0, description="The caller's counter of states; 0 orders by claimedAt.")
    ] = 0
    email: Label = ""


class ClaimsBody(Body):
    """Claims to be taken."""

    claims: Annotated[list[ClaimBody], msgspec.Meta(max_length=MOST_AT_ONCE)]


class ClaimView(View):
    """A buyer's claim of an item."""

    claim_id: str
    platform: str
    platform_user_id: str
    user_handle: str
    display_name: str
    item_number: str
    quantity: int
    status: ClaimStatus
    claimed_at: datetime | None
    sequence: int
    email: str
    item_title: str
    item_price: Annotated[int | None, msgspec.Meta(description="Null while the item has no price.")]


class ClaimPage(View):
    """Claims, oldest first."""

    items: list[ClaimView]
    next_page_token: str


class RejectedClaim(View):
    """A claim that was not taken."""

    index: Annotated[int, msgspec.Meta(description="Place in the request, from 0.")]
    claim_id: str
    reason: str


class ItemsTaken(View):
    """What became of items."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0


class ClaimsTaken(View):
    """What became of claims."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[RejectedClaim] = msgspec.field(default_factory=list)


class RejectedRow(View):
    """A row of a stream that was not taken."""

    index: int
    reason: str


class RowsTaken(View):
    """What became of a stream of rows."""

    created: int
    updated: int
    unchanged: int
    rejected: list[RejectedRow]
    """The first of them."""
    rejected_count: int


class RejectedLine(View):
    """A line of a file that was not taken."""

    line: Annotated[int, msgspec.Meta(description="Counted from 1, the header included.")]
    reason: str


class ImportReport(View):
    """What became of a file: good lines are taken, bad ones named."""

    created: int
    updated: int
    unchanged: int
    rejected: Annotated[list[RejectedLine], msgspec.Meta(description="The first 1,000 of them.")]
    rejected_count: int
    encoding: Annotated[str, msgspec.Meta(description="In which the file was read: UTF-8, UTF-16 or Windows-1252.")]
    separator: Annotated[str, msgspec.Meta(description="Of its columns: comma, semicolon, tab or pipe.")]


class BuyerView(View):
    """A buyer of a show, with what they owe."""

    id: str
    platform: str
    platform_user_id: str
    handle: str
    display_name: str
    email: str
    claim_count: int
    line_count: int
    unpriced_count: int
    total: int
    pay_path: str
    paid_total: Annotated[int, msgspec.Meta(description="Of the show's paid invoices; 0 in the answer to a change.")]
    opened_count: Annotated[int, msgspec.Meta(description="How often the pay link in force was opened.")]
    first_opened_at: datetime | None
    etag: Annotated[str, msgspec.Meta(description="Names this state of the buyer, for `If-Match` of a change.")]


class BuyerPage(View):
    """The rollup of a show's winner claims."""

    items: list[BuyerView]
    next_page_token: str


class BuyerBody(Body):
    """What is told of a buyer. What is empty is not told."""

    platform: Key
    platform_user_id: Key
    user_handle: Label = ""
    display_name: Label = ""
    email: Annotated[str, msgspec.Meta(max_length=320)] = ""


class BuyerChange(Body):
    """What to change of a buyer, for all shows; what is left out stays."""

    email: Annotated[str, msgspec.Meta(max_length=320)] | UnsetType = UNSET
    display_name: Label | UnsetType = UNSET
