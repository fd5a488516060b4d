"""The invoicing service on real Postgres, NATS and gRPC, with a provider in memory."""

import base64
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest

from services.cli.embedded.nats import Nats
from services.cli.embedded.postgres import Postgres
from services.common.bus import Bus
from services.common.db import Pool, open_pool
from services.common.secret import Secret
from services.common.server import Boundary, GrpcServer
from services.common.tokens import PublicKeys, Verifier, parse_public_keys, public_key_of
from services.invoicing.access import ACCESS, SERVICE_NAMES
from services.invoicing.wiring import Pace, Service
from tests.conftest import DatabaseMaker
from tests.invoicing.caller import Caller
from tests.invoicing.fake_provider import FakeProvider
from tests.invoicing.lending import Lender, Lent

SEEDS = {
    name: base64.b64encode(secrets.token_bytes(32)).decode()
    for name in ("gateway", "claims", "integrations", "messaging")
}
PACE = Pace(concurrency=16, lease=1.0, catchup=3600.0)


def public_keys() -> PublicKeys:
    return parse_public_keys(",".join(f"{name}={public_key_of(Secret(seed))}" for name, seed in SEEDS.items()))


@dataclass
class Replica:
    """One process's worth of the service."""

    service: Service
    pool: Pool
    address: str


@asynccontextmanager
async def running_replica(url: str, nats_url: str, provider: FakeProvider, pace: Pace = PACE) -> AsyncIterator[Replica]:
    """One beside the one that a test has."""
    pool = await open_pool(Secret(url), "invoicing-test", largest=5)
    async with _running(pool, nats_url, provider, pace) as replica:
        yield replica
    await pool.close()


@asynccontextmanager
async def _running(pool: Pool, nats_url: str, provider: FakeProvider, pace: Pace) -> AsyncIterator[Replica]:
    bus = Bus(Secret(nats_url), "invoicing-test")
    bus.start()
    service = Service(pool, bus, provider, pace)
    server = GrpcServer("127.0.0.1:0", Boundary(Verifier("invoicing", public_keys()), ACCESS), SERVICE_NAMES)
    service.register(server)
    await server.start()
    async with service.background():
        yield Replica(service, pool, f"127.0.0.1:{server.port}")
    await server.stop(0.2)
    await bus.close()


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider()


@pytest.fixture(scope="session")
async def lender(database_maker: DatabaseMaker, postgres: Postgres) -> AsyncIterator[Lender]:
    lender = Lender(database_maker, postgres)
    yield lender
    await lender.close()


@pytest.fixture
async def lent(lender: Lender, request: pytest.FixtureRequest) -> AsyncIterator[Lent]:
    """A test marked `new_database` gets one that none had before."""
    async with lender.lend(new=request.node.get_closest_marker("new_database") is not None) as lent:
        yield lent


@pytest.fixture
def database_url(lent: Lent) -> str:
    return lent.url


@pytest.fixture
def pace() -> Pace:
    """Parametrized by a test that needs another one."""
    return PACE


@pytest.fixture
async def replica(lent: Lent, nats: Nats, provider: FakeProvider, pace: Pace) -> AsyncIterator[Replica]:
    async with _running(lent.pool, nats.url, provider, pace) as replica:
        yield replica


MakeCaller = Callable[..., Awaitable[Caller]]


@pytest.fixture
async def make_caller(replica: Replica) -> AsyncIterator[MakeCaller]:
    """Makes callers, each with a workspace of its own."""
    async with AsyncExitStack() as stack:

        async def make(service: str = "gateway") -> Caller:
            caller = Caller(replica.address, SEEDS[service], service)
            stack.push_async_callback(caller.close)
            return caller

        yield make


@pytest.fixture
async def caller(make_caller: MakeCaller) -> Caller:
    return await make_caller()
