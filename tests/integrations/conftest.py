"""The integrations service as a real process against a real sandbox, spoken to over gRPC."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from services.cli.embedded.nats import Nats
from tests.conftest import DatabaseMaker
from tests.e2e.sandbox import Sandbox
from tests.e2e.stack import Stack, running_stack
from tests.integrations.caller import Caller
from tests.integrations.shop import Shop

MakeShop = Callable[[], Awaitable[Shop]]


@pytest.fixture(scope="session")
async def stack(
    database_maker: DatabaseMaker, nats: Nats, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    databases = {"integrations": await database_maker.make("integrations")}
    stack = Stack(tmp_path_factory.mktemp("integrations"), databases, nats.url)
    async with running_stack(stack, "sandbox", "integrations"):
        yield stack


@pytest.fixture(scope="session")
async def sandbox(stack: Stack) -> AsyncIterator[Sandbox]:
    sandbox = Sandbox(stack.url("sandbox"))
    await sandbox.set_limits(False)
    yield sandbox
    await sandbox.close()


@pytest.fixture(scope="session")
async def caller(stack: Stack) -> AsyncIterator[Caller]:
    caller = Caller(stack.address("integrations"), stack.seeds)
    yield caller
    await caller.close()


@pytest.fixture
async def make_shop(stack: Stack, caller: Caller, sandbox: Sandbox) -> MakeShop:
    """Makes a workspace with a Stripe account of its own, not yet connected."""

    async def make() -> Shop:
        return Shop(stack, caller, sandbox, await sandbox.make_account("shop"))

    return make


@pytest.fixture
async def shop(make_shop: MakeShop) -> Shop:
    return await make_shop()


@pytest.fixture
async def connected(shop: Shop) -> Shop:
    await shop.connect()
    return shop
