"""The fixtures, as everybody else uses them."""

import asyncpg
import nats as nats_client
import pytest

from services.cli.embedded.nats import Nats
from tests.conftest import Database


async def test_a_database_belongs_to_its_own_role(database: Database) -> None:
    connection = await asyncpg.connect(await database("invoicing"))
    assert await connection.fetchval("SELECT current_user") == "invoicing"
    await connection.close()


async def test_no_role_enters_the_database_of_another(database: Database) -> None:
    own, other = await database("invoicing"), await database("gateway")
    trespass = own.rpartition("/")[0] + "/" + other.rpartition("/")[2]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(trespass)


async def test_nats_serves_jetstream_to_who_knows_the_password(nats: Nats) -> None:
    client = await nats_client.connect(nats.url)
    jetstream = client.jetstream()
    await jetstream.add_stream(name="PROBE", subjects=["probe"])
    assert (await jetstream.publish("probe", b"x")).stream == "PROBE"
    await jetstream.delete_stream("PROBE")
    await client.close()


async def test_migrated_database_is_a_copy_that_its_service_owns(database: Database) -> None:
    for _ in range(2):
        connection = await asyncpg.connect(await database("invoicing", migrated=True))
        assert await connection.fetchval("SELECT count(*) FROM invoices") == 0
        assert await connection.fetchval("SELECT tableowner FROM pg_tables WHERE tablename = 'invoices'") == "invoicing"
        await connection.close()
