"""A key management service in place of our own keys: the whole service on a keyring that only asks."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.cli.embedded.nats import Nats
from services.common.bus import Bus
from services.common.config import load
from services.common.db import Pool, open_pool
from services.common.errors import Kind
from services.common.secret import Secret
from services.common.status import RemoteError
from services.integrations.canary import UnusableKeyring, check_keyring
from services.integrations.config import PARSERS, Config
from services.integrations.discovery import part, with_settings
from services.integrations.rewrap import retire, rewrap
from services.integrations.wiring import Service
from services.rpc.showbill.integrations.v1 import integrations_pb2 as pb
from tests.conftest import Database
from tests.e2e.sandbox import Sandbox
from tests.e2e.stack import Stack
from tests.fakes.kms import KeyManagement, KmsKeyring
from tests.integrations.caller import Caller
from tests.integrations.shop import Shop
from tests.waiting import free_port


@dataclass
class Running:
    """The service, and what it stands on."""

    kms: KeyManagement
    pool: Pool
    shop: Shop


@pytest.fixture
async def running(
    database: Database, nats: Nats, tmp_path: Path, stack: Stack, sandbox: Sandbox
) -> AsyncIterator[Running]:
    url = await database("integrations", migrated=True)
    mine = Stack(tmp_path, {"integrations": url}, nats.url, ports={**stack.ports, "integrations": free_port()})
    environment = load(with_settings(Config), mine._integrations("integrations"), PARSERS)
    pool, bus = await open_pool(Secret(url), "tests"), Bus(Secret(nats.url), "tests")
    bus.start()
    kms = KeyManagement("first")
    await check_keyring(pool, KmsKeyring(kms))
    service = Service(part(Config, environment), environment, pool, bus, KmsKeyring(kms))
    await service.holding.say()
    await service.server.start()
    caller = Caller(mine.address("integrations"), mine.seeds)
    yield Running(kms, pool, Shop(mine, caller, sandbox, await sandbox.make_account("kms")))
    await caller.close()
    await service.server.stop(0)
    await service.registry.close()
    await bus.close()
    await pool.close()


async def everything_works(shop: Shop) -> None:
    """Keys are read for an invoice, a test and a webhook."""
    assert (await shop.create(shop.order())).status == pb.PROVIDER_INVOICE_STATUS_OPEN
    assert (await shop.caller.test(shop.who)).healthy
    secret = (await shop.sandbox.webhook_endpoint(shop.account.id))["secret"]
    (verdict,) = await shop.caller.verify(shop.delivery((await shop.connection()).id, secret))
    assert verdict.outcome == pb.WEBHOOK_OUTCOME_VERIFIED


async def test_keys_that_are_far_away_seal_and_open(running: Running) -> None:
    await running.shop.connect()
    await everything_works(running.shop)
    await running.shop.replace()
    await everything_works(running.shop)
    assert running.kms.calls > 4
    await running.shop.caller.disconnect(running.shop.who)
    assert await running.shop.endpoints() == []


async def test_keys_that_are_far_away_are_rotated(running: Running) -> None:
    await running.shop.connect()
    running.kms.make_current("second")
    keyring = KmsKeyring(running.kms)
    await check_keyring(running.pool, keyring)
    progress = [one async for one in rewrap(running.pool, keyring, "second")]
    assert (progress[-1].done, progress[-1].unreadable) == (1, 0)
    assert await retire(running.pool, "first")
    running.kms.destroy("first")
    await check_keyring(running.pool, keyring)
    await everything_works(running.shop)


async def test_keys_out_of_reach_are_no_reason_to_reconnect(running: Running) -> None:
    await running.shop.connect()
    running.kms.away = True
    for call in (running.shop.create(running.shop.order()), running.shop.caller.test(running.shop.who)):
        with pytest.raises(RemoteError) as refused:
            await call
        assert refused.value.kind is Kind.UNAVAILABLE
    with pytest.raises(RemoteError):
        await running.shop.replace()
    assert (await running.shop.connection()).status == pb.INTEGRATION_STATUS_ACTIVE
    running.kms.away = False
    await everything_works(running.shop)


async def test_keys_out_of_reach_do_not_keep_a_connection(running: Running) -> None:
    await running.shop.connect()
    running.kms.away = True
    done = await running.shop.caller.disconnect(running.shop.who)
    assert done.integration.status == pb.INTEGRATION_STATUS_INACTIVE
    assert done.orphaned_endpoint_id in done.warning
    rows = await running.pool.fetch("SELECT wrapped_key FROM integrations")
    assert [row["wrapped_key"] for row in rows] == [None]


async def test_foreign_service_of_the_same_ids_is_refused(running: Running) -> None:
    await running.shop.connect()
    with pytest.raises(UnusableKeyring, match="first"):
        await check_keyring(running.pool, KmsKeyring(KeyManagement("first")))


async def test_many_read_while_keys_rotate(running: Running) -> None:
    await running.shop.connect()
    running.kms.make_current("second")
    keyring = KmsKeyring(running.kms)
    await check_keyring(running.pool, keyring)

    async def rotate() -> None:
        async for _ in rewrap(running.pool, keyring, "second"):
            pass

    made, *_ = await asyncio.gather(
        asyncio.gather(*(running.shop.create(running.shop.order()) for _ in range(5))), rotate()
    )
    assert {one.status for one in made} == {pb.PROVIDER_INVOICE_STATUS_OPEN}
