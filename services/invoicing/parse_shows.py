"""Items, claims and buyers as they come in: items all or none, the others each by itself."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Final

from services.common.errors import Fault, require
from services.common.ids import parse_id
from services.invoicing.buyers import Contact
from services.invoicing.domain.claim import Claim
from services.invoicing.feed import Batch, Rejection
from services.invoicing.items import Item, ItemChange
from services.invoicing.parse import count_fault, email_fault, moment, text_fault
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb

MOST_IN_BATCH: Final = 5_000
MOST_QUANTITY: Final = 1_000_000


def items(messages: Sequence[pb.Item]) -> list[Item]:
    """Raises InvalidRequest: all or none are taken."""
    faults = count_fault("items", messages, MOST_IN_BATCH)
    seen: set[str] = set()
    for place, message in enumerate(messages):
        faults += [Fault(f"items[{place}].{fault.field}", fault.problem) for fault in _item_faults(message)]
        if message.item_number in seen:
            problem = f"The item number {message.item_number} is in the call more than once."
            faults.append(Fault(f"items[{place}].item_number", problem))
        seen.add(message.item_number)
    require(faults)
    return [_item(message, place) for place, message in enumerate(messages)]


def new_item(message: pb.Item) -> Item:
    """Raises InvalidRequest."""
    require([Fault(f"item.{fault.field}", fault.problem) for fault in _item_faults(message)])
    return _item(message)


def _item(message: pb.Item, index: int = 0) -> Item:
    return Item(
        item_number=message.item_number,
        title=message.title,
        price=message.price if message.HasField("price") else None,
        quantity=message.quantity if message.HasField("quantity") else None,
        index=index,
    )


def item_change(item: pb.Item, paths: set[str]) -> ItemChange:
    """What the mask names of an item. Raises InvalidRequest."""
    faults = mask_faults(paths, {"title", "price", "quantity"})
    require(faults + [Fault(f"item.{fault.field}", fault.problem) for fault in _item_faults(item)])
    told = _item(item)
    change: ItemChange = {}
    if "title" in paths:
        change["title"] = told.title
    if "price" in paths:
        change["price"] = told.price
    if "quantity" in paths:
        change["quantity"] = told.quantity
    return change


def mask_faults(paths: set[str], known: set[str]) -> list[Fault]:
    if not paths:
        return [Fault("update_mask", "The update mask names no field, so there is nothing to change.")]
    unknown = sorted(paths - known)
    return [Fault("update_mask", f"The field {path} cannot be changed.") for path in unknown]


def _item_faults(item: pb.Item) -> list[Fault]:
    faults = text_fault("item_number", item.item_number, 64, least=1) + text_fault("title", item.title, 500)
    if item.price < 0:  # how dear it may be goes by the show's currency: items.py
        faults.append(Fault("price", "The price is below 0. Leave it out while it is not known; 0 is free."))
    if item.HasField("quantity") and item.quantity < 0:
        faults.append(Fault("quantity", "The quantity is below 0. Leave it out when it is unlimited."))
    return faults


def claim_batch(request: pb.IngestClaimsRequest | pb.StreamClaimsRequest, first: int = 0) -> Batch[Claim]:
    """What can be read, and why the rest cannot; `first` is how many came before. Raises InvalidRequest."""
    require(count_fault("claims", request.claims, MOST_IN_BATCH))
    read: list[Claim] = []
    rejections: list[Rejection] = []
    for index, message in enumerate(request.claims, first):
        claim_time, faults = moment("claim_time", message.claim_time)
        faults += _claim_faults(message)
        if faults:
            rejections.append(Rejection(index, message.claim_id, " ".join(fault.problem for fault in faults)))
            continue
        read.append(_claim(index, message, claim_time))
    return Batch(parse_id(request.show_id, "show"), read, rejections, request.all_or_none)


def item_batch(request: pb.StreamItemsRequest, first: int) -> Batch[Item]:
    """As claim_batch."""
    require(count_fault("items", request.items, MOST_IN_BATCH))
    read: list[Item] = []
    rejections: list[Rejection] = []
    for index, message in enumerate(request.items, first):
        if faults := _item_faults(message):
            rejections.append(Rejection(index, message.item_number, " ".join(fault.problem for fault in faults)))
        else:
            read.append(_item(message, index))
    return Batch(parse_id(request.show_id, "show"), read, rejections, request.all_or_none)


def contact_batch(request: pb.StreamBuyersRequest, first: int) -> Batch[Contact]:
    """As claim_batch."""
    require(count_fault("buyers", request.buyers, MOST_IN_BATCH))
    read: list[Contact] = []
    rejections: list[Rejection] = []
    for index, buyer in enumerate(request.buyers, first):
        if faults := [*_person_faults(buyer), *text_fault("handle", buyer.handle, 200)]:
            name = f"{buyer.platform} {buyer.platform_user_id}"
            rejections.append(Rejection(index, name, " ".join(fault.problem for fault in faults)))
        else:
            known = (buyer.platform, buyer.platform_user_id, buyer.handle, buyer.display_name, buyer.email)
            read.append(Contact(index, *known))
    return Batch(parse_id(request.show_id, "show"), read, rejections, request.all_or_none)


async def claim_batches(requests: AsyncIterator[pb.StreamClaimsRequest]) -> AsyncIterator[Batch[Claim]]:
    """Raises InvalidRequest at a batch that is none, or is of another show."""
    first, show_id = 0, ""
    async for request in requests:
        show_id = _same_show(show_id, request.show_id)
        yield claim_batch(request, first)
        first += len(request.claims)


async def item_batches(requests: AsyncIterator[pb.StreamItemsRequest]) -> AsyncIterator[Batch[Item]]:
    """As claim_batches."""
    first, show_id = 0, ""
    async for request in requests:
        show_id = _same_show(show_id, request.show_id)
        yield item_batch(request, first)
        first += len(request.items)


async def contact_batches(requests: AsyncIterator[pb.StreamBuyersRequest]) -> AsyncIterator[Batch[Contact]]:
    """As claim_batches."""
    first, show_id = 0, ""
    async for request in requests:
        show_id = _same_show(show_id, request.show_id)
        yield contact_batch(request, first)
        first += len(request.buyers)


def _same_show(before: str, show_id: str) -> str:
    problem = "The batch names another show than the one before. A stream is for one show; open another for the other."
    require([Fault("show_id", problem)] if before and show_id != before else [])
    return show_id


def _claim(index: int, message: pb.Claim, claim_time: datetime | None) -> Claim:
    return Claim(
        index=index,
        claim_id=message.claim_id,
        platform=message.platform,
        platform_user_id=message.platform_user_id,
        handle=message.user_handle,
        display_name=message.display_name,
        email=message.email,
        item_number=message.item_number,
        quantity=message.quantity or 1,
        status=CLAIM_STATUSES[message.status],
        claim_time=claim_time,
        sequence=message.sequence,
    )


CLAIM_STATUSES: Final = {
    pb.CLAIM_STATUS_WINNER: "winner",
    pb.CLAIM_STATUS_WAITLIST: "waitlist",
    pb.CLAIM_STATUS_RELEASED: "released",
    pb.CLAIM_STATUS_PASSED: "passed",
}


def claim_status(value: pb.ClaimStatus.ValueType) -> str | None:
    """None where every status is wanted. Raises InvalidRequest."""
    known = value == pb.CLAIM_STATUS_UNSPECIFIED or value in CLAIM_STATUSES
    require([] if known else [Fault("status", "The status is not winner, waitlist, released or passed.")])
    return CLAIM_STATUSES.get(value)


def _person_faults(told: pb.Claim | pb.Buyer) -> list[Fault]:
    return [
        *text_fault("platform", told.platform, 50, least=1),
        *text_fault("platform_user_id", told.platform_user_id, 200, least=1),
        *text_fault("display_name", told.display_name, 200),
        *email_fault("email", told.email),
    ]


def _claim_faults(claim: pb.Claim) -> list[Fault]:
    faults = [
        *text_fault("claim_id", claim.claim_id, 200, least=1),
        *_person_faults(claim),
        *text_fault("user_handle", claim.user_handle, 200),
        *text_fault("item_number", claim.item_number, 64, least=1),
    ]
    if not 0 <= claim.quantity <= MOST_QUANTITY:
        faults.append(Fault("quantity", f"The quantity is not between 1 and {MOST_QUANTITY:,}."))
    if claim.status not in CLAIM_STATUSES:
        faults.append(Fault("status", "The status is not winner, waitlist, released or passed."))
    if claim.sequence < 0:
        faults.append(Fault("sequence", "The sequence is below 0."))
    return faults
