"""One running product for end-to-end and browser tests; each has its own workspaces and Stripe accounts on it."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from services.cli.embedded.nats import Nats
from services.cli.rest import Rest
from services.common.client import GrpcClient
from services.common.context import Identity
from services.common.ids import new_id
from services.common.secret import Secret
from services.common.status import RemoteError
from services.common.tokens import Signer
from services.rpc.showbill.invoicing.v1.invoicing_pb2 import GetHearingRequest
from services.rpc.showbill.invoicing.v1.invoicing_pb2_grpc import InvoicesServiceStub
from tests.conftest import DatabaseMaker
from tests.e2e.sandbox import Sandbox
from tests.e2e.stack import Stack, running_stack
from tests.e2e.workspace import Workspace
from tests.waiting import eventually

PASSWORD = "correct horse battery staple"
MakeWorkspace = Callable[[], Awaitable[Workspace]]


@pytest.fixture(scope="session")
async def stack(
    database_maker: DatabaseMaker, nats: Nats, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    databases = {name: await database_maker.make(name) for name in ("integrations", "invoicing", "gateway")}
    stack = Stack(tmp_path_factory.mktemp("stack"), databases, nats.url)
    async with running_stack(stack, "sandbox", "integrations", "invoicing", "gateway"):
        yield stack


@pytest.fixture(scope="session")
async def sandbox(stack: Stack) -> AsyncIterator[Sandbox]:
    sandbox = Sandbox(stack.url("sandbox"))
    await sandbox.set_limits(False)
    yield sandbox
    await sandbox.close()


@pytest.fixture(scope="session")
async def make_workspace(stack: Stack, sandbox: Sandbox) -> AsyncIterator[MakeWorkspace]:
    """Makes a workspace with its owner's token and a Stripe account of its own, not yet connected."""
    numbers = itertools.count(1)
    clients: list[Rest] = []
    invoicing = GrpcClient(stack.address("invoicing"), "invoicing", Signer("gateway", Secret(stack.seeds["gateway"])))

    async def whole() -> bool:
        """Whether invoicing finds integrations, which the test before may have started again a moment ago."""
        ask, nobody = InvoicesServiceStub(invoicing.channel).GetHearing, Identity(new_id(), "user:tests")
        try:
            await invoicing.call(ask, GetHearingRequest(provider="stripe"), nobody)
        except RemoteError as error:
            return error.reason == "NOT_CONNECTED"
        return False

    async def make() -> Workspace:
        await eventually(whole, why="the services did not find each other")
        name = f"workspace-{next(numbers)}"
        email = f"{name}@example.com"
        token = await stack.make_owner(name, email, PASSWORD)
        clients.append(Rest(stack.url("gateway"), token, patience=120))
        return Workspace(clients[-1], await sandbox.make_account(name), token, email)

    yield make
    for client in clients:
        await client.__aexit__(None, None, None)
    await invoicing.close()


@pytest.fixture
async def workspace(make_workspace: MakeWorkspace) -> Workspace:
    return await make_workspace()
