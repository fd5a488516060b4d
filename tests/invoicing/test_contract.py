"""What the contract promises of the whole service."""

import pytest

from services.common.errors import Kind
from services.common.status import RemoteError
from services.invoicing.access import ACCESS
from services.invoicing.invoices_servicer import InvoicesServicer
from services.invoicing.shows_servicer import ShowsServicer
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller

LATER = {
    "ShowsService": set(),
    "InvoicesService": {
        "WatchGeneration",
        "CancelGeneration",
        "UpdateDraft",
        "FinalizeInvoice",
        "MarkPaid",
        "VoidInvoice",
    },
}


def test_every_method_says_who_may_call_it() -> None:
    methods = {
        f"/{service.full_name}/{method.name}"
        for service in pb.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }
    assert set(ACCESS) == methods


@pytest.mark.parametrize("servicer", [ShowsServicer, InvoicesServicer])
def test_what_is_not_built_yet_is_known_by_name(servicer: type) -> None:
    service = servicer.__name__.replace("Servicer", "Service")
    methods = {method.name for method in pb.DESCRIPTOR.services_by_name[service].methods}
    assert methods - set(vars(servicer)) == LATER[service]


async def test_method_that_is_not_built_yet_says_so(caller: Caller) -> None:
    show = await caller.create_show()
    request = pb.MarkPaidRequest(show_id=show.id)
    with pytest.raises(RemoteError) as caught:
        await caller.client.call(caller.invoices.MarkPaid, request, caller.who)
    assert caught.value.kind is Kind.UNIMPLEMENTED
