"""Invoices that were replaced at the provider: the new counterpart is read at once, to learn how it stands.

The news of it may have come before we knew that it is ours, and was only recorded. What a failed reading misses, the
catch-up finds, which reads every open invoice.
"""

import asyncio
from datetime import UTC, datetime
from typing import Final

import structlog

from services.common.context import Identity
from services.common.errors import ShowbillError
from services.invoicing import repository
from services.invoicing.domain.invoice import Invoice
from services.invoicing.ledger import Ledger
from services.invoicing.ports import Provider
from services.invoicing.repository import SQL
from services.invoicing.settle import step

log = structlog.get_logger()

ACTOR: Final = "worker:following"


class Following:
    """Reads counterparts in the background."""

    def __init__(self, ledger: Ledger, provider: Provider) -> None:
        self._ledger = ledger
        self._provider = provider
        self._readings: set[asyncio.Task[None]] = set()

    def read_soon(self, invoice: Invoice) -> None:
        """Does not hold up the caller."""
        reading = asyncio.create_task(self._read(invoice))
        self._readings.add(reading)
        reading.add_done_callback(self._readings.discard)

    async def _read(self, invoice: Invoice) -> None:
        account = repository.account_of(invoice)
        try:
            seen = await self._provider.read(Identity(account.workspace_id, ACTOR), account, invoice.external_id)
            async with self._ledger.entry() as entry:
                rows = await entry.connection.fetch(SQL["lock_invoices"], [invoice.id])
                change = step(repository.invoice(rows[0]), seen, ACTOR, datetime.now(UTC))
                if change is not None:
                    await entry.change([change])
        except ShowbillError as error:
            log.info("a replacement could not be read yet", invoice_id=invoice.id, reason=error.reason)
        except Exception:  # outermost of this reading: the catch-up reads it again
            log.exception("a replacement could not be read", invoice_id=invoice.id)
