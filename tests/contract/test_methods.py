"""Every method of the contracts has code and a rule of who may call it."""

from typing import Any

import pytest

from services.integrations.access import ACCESS as INTEGRATIONS_ACCESS
from services.integrations.integrations_servicer import IntegrationsServicer
from services.integrations.invoices_servicer import InvoiceProviderServicer
from services.invoicing.access import ACCESS as INVOICING_ACCESS
from services.invoicing.invoices_servicer import InvoicesServicer
from services.invoicing.shows_servicer import ShowsServicer
from services.rpc.showbill.integrations.v1 import integrations_pb2, integrations_pb2_grpc
from services.rpc.showbill.invoicing.v1 import invoicing_pb2, invoicing_pb2_grpc

SERVICERS: dict[str, tuple[type, Any, Any]] = {
    "IntegrationsService": (IntegrationsServicer, integrations_pb2_grpc, integrations_pb2),
    "InvoiceProviderService": (InvoiceProviderServicer, integrations_pb2_grpc, integrations_pb2),
    "ShowsService": (ShowsServicer, invoicing_pb2_grpc, invoicing_pb2),
    "InvoicesService": (InvoicesServicer, invoicing_pb2_grpc, invoicing_pb2),
}
ACCESS = INTEGRATIONS_ACCESS | INVOICING_ACCESS


@pytest.mark.parametrize("name", SERVICERS)
def test_every_method_has_code(name: str) -> None:
    servicer, generated, contract = SERVICERS[name]
    base = getattr(generated, f"{name}Servicer")
    methods = [method.name for method in contract.DESCRIPTOR.services_by_name[name].methods]
    assert [method for method in methods if getattr(servicer, method) is getattr(base, method)] == []


def test_every_method_has_a_rule_and_no_rule_is_left_over() -> None:
    methods = {
        f"/{service.full_name}/{method.name}"
        for contract in (integrations_pb2, invoicing_pb2)
        for service in contract.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }
    assert set(ACCESS) == methods
