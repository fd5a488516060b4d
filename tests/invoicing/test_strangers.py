"""Whatever names a thing of another workspace finds nothing and touches nothing: over every method of the contract."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message_factory import GetMessageClass

from services.common.errors import Kind
from services.common.ids import new_id
from services.common.status import RemoteError
from services.invoicing.access import ACCESS
from services.invoicing.repository import SQL
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller, winner
from tests.invoicing.conftest import MakeCaller, Replica

SERVICES = [pb.DESCRIPTOR.services_by_name[name] for name in ("ShowsService", "InvoicesService")]
NAMING_NOTHING = {
    "CreateShow": "makes something new",
    "ListShows": "lists the caller's own",
    "GetHearing": "names a provider of the catalogue",
    "ApplyProviderEvents": "names the workspace of each event, whose own account verified it",
    "ResolvePayLink": "is for whoever has the link",
}
METHODS = [method for service in SERVICES for method in service.methods if method.name not in NAMING_NOTHING]
FILLED: dict[str, dict[str, Any]] = {
    "UpdateShow": {"show": pb.Show(name="Mine now"), "update_mask": FieldMask(paths=["name"])},
    "UpsertItems": {"items": [pb.Item(item_number="1", title="Mine")]},
    "StreamItems": {"items": [pb.Item(item_number="1", title="Mine")]},
    "CreateItem": {"item": pb.Item(item_number="new", title="Mine")},
    "UpdateItem": {"item": pb.Item(item_number="0", title="Mine"), "update_mask": FieldMask(paths=["title"])},
    "IngestClaims": {"claims": [winner(1, claim_id="mine")]},
    "StreamClaims": {"claims": [winner(1, claim_id="mine")]},
    "UpdateBuyer": {"buyer": pb.Buyer(display_name="Mine"), "update_mask": FieldMask(paths=["display_name"])},
    "SendInvoice": {"channel": pb.DELIVERY_CHANNEL_MANUAL, "pay_link_base": "https://shop.example"},
    "SendInvoices": {"pay_link_base": "https://shop.example"},
    "ListUnsent": {"pay_link_base": "https://shop.example"},
    "ReportDelivery": {"state": pb.DELIVERY_STATE_DELIVERED},
    "SettleStrayPayment": {"settlement": pb.STRAY_SETTLEMENT_RETURNED, "note": "Mine."},
}
"""What a request needs beside the id, so that only the id can be what is refused."""


@pytest.fixture
async def ids(caller: Caller, replica: Replica) -> dict[str, str]:
    """Of one thing of each kind, all of one workspace."""
    show_id = await caller.small_show(2, emails=True)
    generation = await caller.generate(show_id)
    invoice = (await caller.listed(show_id))[0]
    sending = await caller.sent((await caller.send_many(show_id)).id)
    delivery = await caller.send(invoice, pb.DELIVERY_CHANNEL_DM)
    stray_id = new_id()
    about = ("stripe", "acct_old", False, "in_stray", 1000, "GBP", None, "")
    await replica.pool.execute(SQL["add_stray_payment"], stray_id, invoice.id, show_id, *about)
    return {
        "show_id": show_id,
        "generation_id": generation.id,
        "invoice_id": invoice.id,
        "buyer_id": invoice.buyer_id,
        "sending_id": sending.id,
        "delivery_id": delivery.delivery.id,
        "stray_payment_id": stray_id,
    }


def request_of(method: MethodDescriptor, ids: dict[str, str]) -> Any:
    """A request that names a thing by every field that can."""
    request = GetMessageClass(method.input_type)(**FILLED.get(method.name, {}))
    named = [field.name for field in method.input_type.fields if field.name in ids]
    for name in named:
        setattr(request, name, ids[name])
    for part in ("show", "buyer"):
        if part in method.input_type.fields_by_name:
            named.append(part)
            getattr(request, part).id = ids[f"{part}_id"]
    assert named, f"{method.name} names nothing that is known here: add what it names to the ids, or to NAMING_NOTHING"
    return request


async def refusal(caller: Caller, method: MethodDescriptor, request: Any) -> Kind | None:
    """How the service refuses; None where it does what is asked."""
    stub = getattr(caller.shows if method.containing_service.name == "ShowsService" else caller.invoices, method.name)

    async def requests() -> AsyncIterator[Any]:
        yield request

    try:
        if method.client_streaming:
            await caller.client.feed(stub, requests(), caller.who, timeout=60)
        elif method.server_streaming:
            async for _ in caller.client.stream(stub, request, caller.who):
                break
        else:
            await caller.client.call(stub, request, caller.who)
    except RemoteError as error:
        return error.kind
    return None


async def test_a_stranger_finds_nothing_by_any_method(
    caller: Caller, make_caller: MakeCaller, ids: dict[str, str]
) -> None:
    by_service = {name: await make_caller(name) for name in ("gateway", "claims", "messaging")}
    chosen = {}
    for method in METHODS:
        allowed = ACCESS[f"/{method.containing_service.full_name}/{method.name}"].callers
        chosen[method.name] = next(one for name, one in by_service.items() if name in allowed)

    async def state() -> list[Any]:
        show_id = ids["show_id"]
        first = (await caller.listed(show_id))[0]
        return [
            await caller.show(show_id),
            await caller.listed(show_id),
            await caller.history(first),
            await caller.deliveries(first),
            await caller.listed_items(show_id),
            await caller.buyers(show_id),
            await caller.summary(show_id),
        ]

    before = await state()
    kinds = {method.name: await refusal(chosen[method.name], method, request_of(method, ids)) for method in METHODS}
    assert {name: kind for name, kind in kinds.items() if kind is not Kind.NOT_FOUND} == {}
    assert await state() == before
    for stranger in by_service.values():  # the same requests find everything in the name of the workspace itself
        stranger.who = caller.who
    found = {method.name: await refusal(chosen[method.name], method, request_of(method, ids)) for method in METHODS}
    assert [name for name, kind in found.items() if kind is Kind.NOT_FOUND] == []
