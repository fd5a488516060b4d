"""One gateway for all tests of this folder; every test has its own workspaces on it."""

from collections.abc import AsyncIterator

import pytest
from argon2 import PasswordHasher

from services.cli.embedded.nats import Nats
from services.gateway.identity import passwords
from tests.conftest import DatabaseMaker
from tests.gateway.harness import Gateway, Owner, running_gateway


@pytest.fixture(scope="session")
async def shared_gateway(database_maker: DatabaseMaker, nats: Nats) -> AsyncIterator[Gateway]:
    # What makes a hash costly is for those who guess; `test_passwords.py` sees that it stays so outside of here.
    passwords._hasher = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
    async with running_gateway(await database_maker.make("gateway"), nats.url) as gateway:
        yield gateway


@pytest.fixture
async def gateway(shared_gateway: Gateway) -> Gateway:
    """The shared gateway, with nothing scripted yet."""
    shared_gateway.integrations.reset()
    shared_gateway.invoicing.reset()
    await shared_gateway.pool.execute("DELETE FROM sign_in_failures")
    return shared_gateway


@pytest.fixture
async def owner(gateway: Gateway) -> Owner:
    return await gateway.make_owner()
