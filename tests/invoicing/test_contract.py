"""What the contract promises of the whole service."""

import pytest

from services.invoicing.access import ACCESS
from services.invoicing.invoices_servicer import InvoicesServicer
from services.invoicing.shows_servicer import ShowsServicer
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb


def test_every_method_says_who_may_call_it() -> None:
    methods = {
        f"/{service.full_name}/{method.name}"
        for service in pb.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }
    assert set(ACCESS) == methods


@pytest.mark.parametrize("servicer", [ShowsServicer, InvoicesServicer])
def test_every_method_is_built(servicer: type) -> None:
    service = servicer.__name__.replace("Servicer", "Service")
    methods = {method.name for method in pb.DESCRIPTOR.services_by_name[service].methods}
    ours = [part for part in servicer.__mro__ if part.__module__.startswith("services.invoicing.")]
    assert methods <= {name for part in ours for name in vars(part)}
