"""The gRPC boundary and client, over a real socket, with a small servicer of the real contract."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, cast

import asyncpg
import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from services.common.client import GrpcClient
from services.common.context import Identity, bind_request, identity, request_id
from services.common.errors import AnswerLost, CannotStart, Kind, NotFound, ShowbillError, Unavailable
from services.common.secret import Secret
from services.common.server import Access, Boundary, GrpcServer
from services.common.status import RemoteError
from services.common.tokens import PublicKeys, Signer, Verifier, parse_public_keys, public_key_of
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from services.rpc.showbill.invoicing.v1 import invoicing_pb2_grpc as rpc

PREFIX = "/showbill.invoicing.v1.ShowsService/"
ACCESS = {
    PREFIX + name: Access(frozenset({"gateway"})) for name in ("GetShow", "ListShows", "CreateShow", "EndShow")
} | {PREFIX + "ListItems": Access(frozenset({"claims"}))}
SEED = Secret(base64.b64encode(b"g" * 32).decode())
WHO = Identity("w-1", "user:1")
Context = grpc.aio.ServicerContext[Any, Any]


class Shows(rpc.ShowsServiceServicer):
    """Answers a show by its name: what happens is in the id that is asked for."""

    seen: list[tuple[Identity, str]] = []  # noqa: RUF012  # one server a session

    async def GetShow(self, request: pb.GetShowRequest, context: Context) -> pb.GetShowResponse:
        self.seen.append((identity(), request_id()))
        match request.show_id:
            case "missing":
                raise NotFound(what="show")
            case "bug":
                raise ZeroDivisionError("sk_live_" + "a" * 20)
            case "database-away":
                raise asyncpg.InternalClientError("lost")
            case "slow":
                await asyncio.Event().wait()
        return pb.GetShowResponse(show=pb.Show(id=request.show_id))


@dataclass
class Side:
    client: GrpcClient
    stub: rpc.ShowsServiceStub = field(init=False)

    def __post_init__(self) -> None:
        self.stub = rpc.ShowsServiceStub(self.client.channel)

    async def get(self, show_id: str, who: Identity = WHO, timeout: float = 20) -> pb.GetShowResponse:
        return await self.client.call(self.stub.GetShow, pb.GetShowRequest(show_id=show_id), who, timeout=timeout)


@pytest.fixture(scope="module")
async def side() -> AsyncIterator[Side]:
    verifier = Verifier("invoicing", parse_public_keys(f"gateway={public_key_of(SEED)}"))
    server = GrpcServer("127.0.0.1:0", Boundary(verifier, ACCESS), ("showbill.invoicing.v1.ShowsService",))
    rpc.add_ShowsServiceServicer_to_server(Shows(), server.server)  # type: ignore[abstract]  # the rest is unimplemented
    await server.start()
    client = GrpcClient(f"127.0.0.1:{server.port}", "invoicing", Signer("gateway", SEED))
    yield Side(client)
    await client.close()
    await server.stop(0)


async def refused(call: object) -> RemoteError:
    with pytest.raises(RemoteError) as error:
        await call  # type: ignore[misc]  # any awaitable
    return error.value


async def test_identity_and_request_id_travel_with_the_call(side: Side) -> None:
    bind_request("request-0001")
    await side.get("a")
    assert Shows.seen[-1] == (WHO, "request-0001")


async def test_an_error_arrives_with_its_sentence(side: Side) -> None:
    error = await refused(side.get("missing"))
    assert (error.kind, error.reason) == (Kind.NOT_FOUND, "NOT_FOUND")
    assert error.message == "There is no show with this id in your workspace."


async def test_a_bug_answers_internal_and_tells_nothing(side: Side) -> None:
    error = await refused(side.get("bug"))
    assert error.kind is Kind.INTERNAL
    assert error.message == ShowbillError().message
    assert error.details == {}


async def test_a_database_that_is_away_means_try_again(side: Side) -> None:
    error = await refused(side.get("database-away"))
    assert error.kind is Kind.UNAVAILABLE
    assert error.retry_after is not None


async def test_a_deadline_ends_the_call(side: Side) -> None:
    assert (await refused(side.get("slow", timeout=0.1))).kind is Kind.TIMED_OUT


async def test_a_method_without_code_says_so(side: Side) -> None:
    error = await refused(side.client.call(side.stub.CreateShow, pb.CreateShowRequest(), WHO))
    assert error.kind is Kind.UNIMPLEMENTED
    assert error.message.endswith(".")


async def test_a_service_outside_the_table_is_turned_away(side: Side) -> None:
    error = await refused(side.client.call(side.stub.ListItems, pb.ListItemsRequest(), WHO))
    assert (error.kind, error.reason) == (Kind.FORBIDDEN, "CALL_NOT_ALLOWED")


async def test_a_method_missing_from_the_table_is_closed(side: Side) -> None:
    error = await refused(side.client.call(side.stub.PauseShow, pb.PauseShowRequest(), WHO))
    assert error.kind is Kind.FORBIDDEN


async def test_a_token_without_workspace_opens_nothing_else(side: Side) -> None:
    before = len(Shows.seen)
    error = await refused(side.get("a", Identity("", "worker:webhooks")))
    assert (error.kind, len(Shows.seen)) == (Kind.UNAUTHENTICATED, before)


@pytest.mark.parametrize("metadata", [(), (("authorization", "Bearer x"),), (("authorization", "Basic x"),)])
async def test_a_call_without_valid_token_touches_nothing(side: Side, metadata: tuple[tuple[str, str], ...]) -> None:
    before = len(Shows.seen)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await side.stub.GetShow(pb.GetShowRequest(show_id="a"), metadata=metadata)
    assert error.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert len(Shows.seen) == before


async def test_health_and_reflection_need_no_token(side: Side) -> None:
    channel = cast(Any, side.client.channel)  # the stubs of these two know only the synchronous channel
    answer = await cast(Any, health_pb2_grpc.HealthStub(channel)).Check(health_pb2.HealthCheckRequest())
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    reflect = cast(Any, reflection_pb2_grpc.ServerReflectionStub(channel))
    call = reflect.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
    names = [service.name async for answer in call for service in answer.list_services_response.service]
    assert "showbill.invoicing.v1.ShowsService" in names


async def test_a_server_that_is_gone_is_unavailable_at_once() -> None:
    client = GrpcClient("127.0.0.1:1", "invoicing", Signer("gateway", SEED))
    error = await refused(Side(client).get("a", timeout=30))
    assert (error.kind, error.message) == (Kind.UNAVAILABLE, Unavailable().message)
    await client.close()


async def test_a_server_that_goes_away_in_the_middle_is_not_said_to_have_done_nothing() -> None:
    """It may have been carried out, with only the answer lost: money is marked, links are sent by such calls."""
    entered, server = asyncio.Event(), grpc.aio.server()

    async def never(_request: bytes, _context: Context) -> bytes:
        entered.set()
        await asyncio.Event().wait()
        return b""

    handlers: dict[str, Any] = {"GetShow": grpc.unary_unary_rpc_method_handler(never)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(PREFIX.strip("/"), handlers),))
    client = GrpcClient(f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}", "invoicing", Signer("gateway", SEED))
    await server.start()
    call = asyncio.create_task(refused(Side(client).get("a")))
    await entered.wait()
    await server.stop(0)
    error = await call
    assert (error.kind, error.message) == (Kind.UNAVAILABLE, AnswerLost().message)
    await client.close()


async def test_a_taken_port_is_a_sentence_that_names_it(side: Side) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(CannotStart, match=f"{address}.*GRPC_LISTEN"):
            GrpcServer(address, Boundary(Verifier("invoicing", PublicKeys()), ACCESS), ())
