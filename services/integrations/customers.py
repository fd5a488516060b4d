"""The book of which provider customer a buyer is, by account and mode. See CustomerBook."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import asyncpg

from services.common.db import Pool, load_queries
from services.common.ids import new_id
from services.integrations.connection_values import Link
from services.integrations.invoice_values import Buyer
from services.integrations.ports import CustomerRecord

SQL: Final = load_queries(Path(__file__).parent / "sql")


class PostgresCustomerBook:
    """The book of one provider."""

    def __init__(self, pool: Pool, provider: str) -> None:
        self._pool = pool
        self._provider = provider

    async def reserve(self, link: Link, buyer: Buyer, parameters: Mapping[str, object]) -> CustomerRecord:
        """Always as it reads from the table, also right after writing: the same parameters in the same order."""
        found = await self.find(link, buyer)
        if found is None:
            found = _record(
                await self._pool.fetchrow(SQL["insert_customer"], *self._key(link, buyer), new_id(), dict(parameters))
            )
        if found is None:  # somebody was faster
            found = await self.find(link, buyer)
        assert found is not None, "written by us or by whoever was faster"
        return found

    async def find(self, link: Link, buyer: Buyer) -> CustomerRecord | None:
        return _record(await self._pool.fetchrow(SQL["find_customer"], *self._key(link, buyer)))

    async def ever(self, link: Link, buyer: Buyer) -> list[str]:
        return [row["customer_id"] for row in await self._pool.fetch(SQL["ever_customers"], *self._key(link, buyer))]

    def _key(self, link: Link, buyer: Buyer) -> tuple[object, ...]:
        return (
            *(link.workspace_id, self._provider, link.account_id, link.livemode),
            *(buyer.platform, buyer.platform_user_id),
        )

    async def settle(self, record: CustomerRecord, customer_id: str, parameters: Mapping[str, object]) -> bool:
        return bool(await self._pool.fetchval(SQL["settle_customer"], record.id, customer_id, dict(parameters)))

    async def forget(self, record: CustomerRecord) -> None:
        await self._pool.execute(SQL["forget_customer"], record.id, record.customer_id)


def _record(row: asyncpg.Record | None) -> CustomerRecord | None:
    if row is None:
        return None
    return CustomerRecord(str(row["id"]), row["parameters"], row["customer_id"] or "", row["create_time"])
