"""What is announced and not built yet answers UNIMPLEMENTED, by name, so that none is forgotten and none lingers."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from services.common.context import Identity
from services.common.secret import Secret
from services.common.server import Boundary, GrpcServer
from services.common.tokens import PublicKeys, Signer, Verifier, parse_public_keys, public_key_of
from services.integrations.access import ACCESS as INTEGRATIONS_ACCESS
from services.integrations.integrations_servicer import IntegrationsServicer
from services.integrations.invoices_servicer import InvoiceProviderServicer
from services.invoicing.access import ACCESS as INVOICING_ACCESS
from services.invoicing.invoices_servicer import InvoicesServicer
from services.invoicing.shows_servicer import ShowsServicer
from services.rpc.showbill.integrations.v1 import integrations_pb2, integrations_pb2_grpc
from services.rpc.showbill.invoicing.v1 import invoicing_pb2, invoicing_pb2_grpc

ANNOUNCED: dict[str, set[str]] = {
    "IntegrationsService": set(),
    "InvoiceProviderService": set(),
    "ShowsService": set(),
    "InvoicesService": set(),
}
SERVICERS: dict[str, tuple[type, Any, Any]] = {
    "IntegrationsService": (IntegrationsServicer, integrations_pb2_grpc, integrations_pb2),
    "InvoiceProviderService": (InvoiceProviderServicer, integrations_pb2_grpc, integrations_pb2),
    "ShowsService": (ShowsServicer, invoicing_pb2_grpc, invoicing_pb2),
    "InvoicesService": (InvoicesServicer, invoicing_pb2_grpc, invoicing_pb2),
}
ACCESS = INTEGRATIONS_ACCESS | INVOICING_ACCESS
CALLERS = {caller for access in ACCESS.values() for caller in access.callers}
SEED = Secret(base64.b64encode(b"u" * 32).decode())


@pytest.mark.parametrize("service", SERVICERS)
def test_exactly_the_announced_methods_have_no_code(service: str) -> None:
    servicer, generated, contract = SERVICERS[service]
    base = getattr(generated, f"{service}Servicer")
    methods = {method.name for method in contract.DESCRIPTOR.services_by_name[service].methods}
    without_code = {name for name in methods if getattr(servicer, name) is getattr(base, name)}
    assert without_code == ANNOUNCED[service]


@pytest.fixture(scope="module")
async def channel() -> AsyncIterator[grpc.aio.Channel]:
    """A server with the generated servicers alone, behind the boundary and the access tables of the real ones."""
    keys = PublicKeys({name: parse_public_keys(f"x={public_key_of(SEED)}")["x"] for name in CALLERS})
    server = GrpcServer("127.0.0.1:0", Boundary(Verifier("any", keys), ACCESS), ())
    for service, (_, generated, _) in SERVICERS.items():
        servicer = getattr(generated, f"{service}Servicer")()
        getattr(generated, f"add_{service}Servicer_to_server")(servicer, server.server)
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield channel
    await server.stop(0)


@pytest.mark.parametrize(("service", "name"), [(service, name) for service in ANNOUNCED for name in ANNOUNCED[service]])
async def test_an_announced_method_says_so(channel: grpc.aio.Channel, service: str, name: str) -> None:
    _, generated, contract = SERVICERS[service]
    method = contract.DESCRIPTOR.services_by_name[service].methods_by_name[name]
    caller = min(ACCESS[f"/{method.containing_service.full_name}/{name}"].callers)
    token = Signer(caller, SEED).mint("any", Identity("0198c0de-0000-7000-8000-000000000001", "user:1"))
    request = getattr(contract, method.input_type.name)()
    call = getattr(getattr(generated, f"{service}Stub")(channel), name)(
        iter([request]) if method.client_streaming else request, metadata=[("authorization", f"Bearer {token}")]
    )
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await (call.read() if method.server_streaming else call)
    assert error.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert str(error.value.details()).endswith(".")
