"""One running product for end-to-end and browser tests; each has its own workspaces and Stripe accounts on it."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from services.cli.embedded.nats import Nats
from services.cli.rest import Rest
from tests.conftest import DatabaseMaker
from tests.e2e.sandbox import Sandbox
from tests.e2e.stack import Stack, running_stack
from tests.e2e.workspace import Workspace

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

    async def make() -> Workspace:
        name = f"workspace-{next(numbers)}"
        email = f"{name}@example.com"
        token = await stack.make_owner(name, email, PASSWORD)
        clients.append(Rest(stack.url("gateway"), token, patience=120))
        return Workspace(clients[-1], await sandbox.make_account(name), token, email)

    yield make
    for client in clients:
        await client.__aexit__(None, None, None)


@pytest.fixture
async def workspace(make_workspace: MakeWorkspace) -> Workspace:
    return await make_workspace()
