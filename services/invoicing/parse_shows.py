"""Items, claims and buyers as they come in: items all or none, the others each by itself."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Final

from services.common.errors import Fault, require
from services.invoicing.buyers import Contact
from services.invoicing.domain.claim import Claim
from services.invoicing.feed import Batch
from services.invoicing.items import Item, ItemChange
from services.invoicing.parse import count_fault, email_fault, moment, text_fault
from services.invoicing.parse_feed import MOST_IN_BATCH, Kind, batch_of, batches_of
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb

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
    return batch_of(request, CLAIMS, first)


def claim_batches(requests: AsyncIterator[pb.StreamClaimsRequest]) -> AsyncIterator[Batch[Claim]]:
    """Raises InvalidRequest at a batch that is none, or is of another show."""
    return batches_of(requests, CLAIMS)


def item_batches(requests: AsyncIterator[pb.StreamItemsRequest]) -> AsyncIterator[Batch[Item]]:
    """As claim_batches."""
    return batches_of(requests, ITEMS)


def contact_batches(requests: AsyncIterator[pb.StreamBuyersRequest]) -> AsyncIterator[Batch[Contact]]:
    """As claim_batches."""
    return batches_of(requests, CONTACTS)


def _read_claim(index: int, message: pb.Claim) -> Claim | list[Fault]:
    claim_time, faults = moment("claim_time", message.claim_time)
    return [*faults, *_claim_faults(message)] or _claim(index, message, claim_time)


def _read_item(index: int, message: pb.Item) -> Item | list[Fault]:
    return _item_faults(message) or _item(message, index)


def _read_contact(index: int, buyer: pb.Buyer) -> Contact | list[Fault]:
    known = (buyer.platform, buyer.platform_user_id, buyer.handle, buyer.display_name, buyer.email)
    return [*_person_faults(buyer), *text_fault("handle", buyer.handle, 200)] or Contact(index, *known)


CLAIMS: Final[Kind[pb.Claim, Claim]] = Kind("claims", lambda claim: claim.claim_id, _read_claim)
ITEMS: Final[Kind[pb.Item, Item]] = Kind("items", lambda item: item.item_number, _read_item)
CONTACTS: Final[Kind[pb.Buyer, Contact]] = Kind(
    "buyers", lambda buyer: f"{buyer.platform} {buyer.platform_user_id}", _read_contact
)


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
