"""No method that works at a provider reaches the account of another workspace, whatever its request names."""

import pytest
from google.protobuf.message_factory import GetMessageClass

from services.common.context import Identity
from services.common.ids import new_id
from services.common.status import RemoteError
from services.rpc.showbill.integrations.v1 import integrations_pb2 as pb
from tests.integrations.conftest import MakeShop
from tests.integrations.shop import Shop

METHODS = list(pb.DESCRIPTOR.services_by_name["InvoiceProviderService"].methods)


async def refusals(owner: Shop, who: Identity) -> dict[str, str]:
    """The reasons of all methods, asked in the name of `who` for an invoice of the owner's account."""
    made = await owner.create(order := owner.order())
    named = {
        "provider": "stripe",
        "account_id": owner.account.id,
        "external_id": made.external_id,
        "invoice_id": order.invoice_id,
        "revision": 1,
        "attempt": 1,
        "buyer": order.buyer,
        "currency": "GBP",
        "lines": order.lines,
        "total": order.total,
        "show_name": "Friday live",
        "show_date": "2010-12-01",
        "delivery_id": new_id(),
    }
    before, reasons = await owner.calls(), {}
    for method in METHODS:
        fields = {name: value for name, value in named.items() if name in method.input_type.fields_by_name}
        request = GetMessageClass(method.input_type)(**fields)
        stub = getattr(owner.caller.invoices, method.name)
        with pytest.raises(RemoteError) as refused:
            await owner.caller.invoicing.call(stub, request, who, timeout=30)
        reasons[method.name] = refused.value.reason
    assert await owner.calls() == before
    return reasons


async def test_a_workspace_without_a_connection_reaches_nothing(connected: Shop) -> None:
    reasons = await refusals(connected, Identity(new_id(), "worker:invoices"))
    assert set(reasons.values()) == {"NOT_CONNECTED"}


async def test_a_workspace_with_keys_of_its_own_reaches_nothing(connected: Shop, make_shop: MakeShop) -> None:
    other = await make_shop()
    await other.connect()
    reasons = await refusals(connected, other.who)
    assert set(reasons.values()) == {"ACCOUNT_CHANGED"}
