"""Marks that a provider is asked for: noted before it is told, and ended by its answer, whoever asked.

Until then whatever tells of the payment, an event or a reading, is told as the mark where it is the mark's.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from services.common.errors import Kind, ShowbillError
from services.invoicing import amending, repository
from services.invoicing.domain import marks
from services.invoicing.domain.invoice import Invoice, Standing, Status
from services.invoicing.domain.sighting import Sighting
from services.invoicing.ledger import Change, Entry, Ledger
from services.invoicing.repository import SQL

_OF_THE_INVOICE: Final = frozenset(("PROVIDER_REFUSED", "TOTAL_MISMATCH"))
"""Reasons of a provider that looked at the invoice: it is not paid there."""


async def ask(entry: Entry, invoice: Invoice, note: str, actor: str) -> None:
    """Notes that the provider is told from now on. The invoice must be locked."""
    await entry.connection.execute(SQL["ask_for_mark"], invoice.id, note, actor, invoice.total, invoice.external_id)


async def ask_about(entry: Entry, invoice: Invoice) -> bool:
    """Whether the provider is to be asked of an invoice that is paid: a try was not answered, so only it knows whether
    the payment is the mark. The invoice must be locked.
    """
    row = await entry.connection.fetchrow(SQL["ask_about_mark"], invoice.id, invoice.total, invoice.external_id)
    return row is not None


@asynccontextmanager
async def trying(ledger: Ledger, invoice_id: str) -> AsyncIterator[None]:
    """Around one try: what surely did nothing is taken back. A provider that refuses this invoice has not marked it."""
    try:
        yield
    except ShowbillError as error:
        if error.kind is Kind.RATE_LIMITED or amending.is_refusal(error):
            await ledger.pool.execute(SQL["take_try_back"], invoice_id, error.reason in _OF_THE_INVOICE)
        raise


async def take_answer(entry: Entry, invoice: Invoice, seen: Sighting, note: str, actor: str) -> tuple[Invoice, str]:
    """The invoice after the provider's answer, and why it is not marked, a sentence; empty where it is.

    An event may have been quicker, and have taken it for another's than it is: the answer knows better.
    """
    known = await amending.again(entry, invoice)
    row = await entry.connection.fetchrow(SQL["end_ask"], invoice.id)
    mark = repository.asked_mark(row) if row else None
    outside = marks.kept(note) if marks.is_marked_there(seen, mark) else ""
    asked = Standing.PAID if outside else None
    after = await amending.apply(entry, known, seen, asked, marks.MARKED, actor, paid_outside=outside)
    told = after.status is Status.PAID and seen.standing is Standing.PAID and seen.external_id == after.external_id
    if told and outside and not after.paid_outside:
        after = await _set(entry, after, outside, marks.MARKED, actor)
    elif told and not outside and after.paid_outside and mark is not None:
        after = await _set(entry, after, "", marks.PAID_BY_BUYER, amending.ACTOR)
    return after, _why_not(after)


def _why_not(after: Invoice) -> str:
    if after.status is Status.PAID:
        return "" if after.paid_outside else marks.PAID_THERE
    return marks.VOID_MEANWHILE if after.status is Status.VOID else marks.EDITED_MEANWHILE


async def _set(entry: Entry, invoice: Invoice, outside: str, sentence: str, actor: str) -> Invoice:
    after = replace(invoice, paid_outside=outside, version=invoice.version + 1, updated_at=datetime.now(UTC))
    await entry.change([Change(invoice, after, sentence, actor)])
    return after
