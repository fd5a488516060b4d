"""Payments that count for no invoice: what came in for something that a late try had left at a provider.

Only a person can know what became of the money: the provider is not asked. The database keeps each until it is settled.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

import asyncpg

from services.common.context import Identity
from services.common.db import Connection
from services.common.errors import Kind, NotFound, ShowbillError
from services.common.money import format_money
from services.invoicing import amending
from services.invoicing.amending import Which
from services.invoicing.ledger import Change, Ledger
from services.invoicing.repository import SQL
from services.invoicing.shows import ShowNotFound


class Settlement(StrEnum):
    """What became of one, as the database names it."""

    RETURNED = "returned"
    COUNTED_ELSEWHERE = "counted_elsewhere"


_SAID: Final = {
    Settlement.RETURNED: "{money} that came in beside it in the account {account} was given back. Note: {note}",
    Settlement.COUNTED_ELSEWHERE: (
        "{money} that came in beside it in the account {account} counts for something else. Note: {note}"
    ),
}


class StrayPaymentNotFound(NotFound):
    """There is no payment with this id in the show that counts for no invoice."""

    reason = "STRAY_PAYMENT_NOT_FOUND"


class StrayPaymentSettled(ShowbillError):
    """Somebody settled this payment in the other way before. The timeline of its invoice says who, and how."""

    kind = Kind.FAILED_PRECONDITION
    reason = "STRAY_PAYMENT_SETTLED"


@dataclass(frozen=True, slots=True)
class Settling:
    """What somebody says of one."""

    show_id: str
    payment_id: str
    settlement: Settlement
    note: str


class StrayPayments:
    """The use cases. Raise ShowNotFound."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def page(
        self, identity: Identity, show_id: str, after: tuple[datetime, str] | None, size: int, *, with_settled: bool
    ) -> Sequence[asyncpg.Record]:
        """The oldest first."""
        time, payment_id = after or (None, None)
        async with self._ledger.pool.acquire() as connection:
            await _require_show(connection, identity, show_id)
            wanted = (show_id, with_settled, time, payment_id, size)
            return await connection.fetch(SQL["list_stray_payments"], *wanted)

    async def settle(self, identity: Identity, said: Settling) -> asyncpg.Record:
        """As it is then. Raises StrayPaymentNotFound and StrayPaymentSettled."""
        async with self._ledger.entry() as entry:
            await _require_show(entry.connection, identity, said.show_id)
            found = await _get(entry.connection, said)
            invoice, _ = await amending.lock(entry, identity, Which(said.show_id, str(found["invoice_id"])))
            found = await _get(entry.connection, said)  # it may have been settled while the lock was waited for
            if found["settlement"] == said.settlement:
                return found
            if found["settlement"]:
                raise StrayPaymentSettled
            told = (said.settlement, said.note, identity.actor)
            await entry.connection.execute(SQL["settle_stray_payment"], said.payment_id, *told)
            after = replace(invoice, version=invoice.version + 1)
            await entry.change([Change(invoice, after, _sentence(found, said), identity.actor)])
            return await _get(entry.connection, said)


async def _require_show(connection: Connection, identity: Identity, show_id: str) -> None:
    if await connection.fetchrow(SQL["get_show"], show_id, identity.workspace_id) is None:
        raise ShowNotFound


async def _get(connection: Connection, said: Settling) -> asyncpg.Record:
    found = await connection.fetchrow(SQL["get_stray_payment"], said.payment_id, said.show_id)
    if found is None:
        raise StrayPaymentNotFound
    return found


def _sentence(found: asyncpg.Record, said: Settling) -> str:
    money, account = format_money(found["total"], found["currency"]), found["external_account"]
    return _SAID[said.settlement].format(money=money, account=account, note=said.note)
