"""A draft that is held back: brought to the prices of now, and finalized once nothing is in the way.

Our row bills the claims of now before the provider is asked, so that whatever is cut off in between, its answer and its
events meet a row that has the same total.
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import asyncpg

from services.common.context import Identity
from services.common.errors import Kind, ShowbillError
from services.invoicing import amending, repository
from services.invoicing.amending import Held, Which
from services.invoicing.courier import InvoiceStatus
from services.invoicing.domain.amending import NO_DRAFT, bill_anew
from services.invoicing.domain.invoice import DraftReason, Invoice, Standing, held_back_because
from services.invoicing.domain.rollup import NOTHING, untold
from services.invoicing.domain.sighting import Sighting, provider_lines
from services.invoicing.domain.terms import Terms, held_back, why_not
from services.invoicing.generate import usable
from services.invoicing.ledger import Change, Entry, Ledger
from services.invoicing.ports import Order, Provider
from services.invoicing.repository import SQL

_ASKED: Final = "Finalizing it was asked for."
_FINALIZED: Final = "It was finalized; it can be paid."
_NOT_FINALIZED: Final = "It was not finalized."
_NOT_CHANGED: Final = "The draft was not changed at the provider."
_GONE: Final = "The draft was deleted at the provider, so the invoice is void. Generate a new one for the buyer."
_STILL_DRAFT: Final = "The provider left the invoice a draft, so it cannot be paid yet. Try again in a moment."
_OTHER_LINES: Final = (
    "It was finalized at the provider before, with the items of before. Look at it there, then at the plan: it says"
    " what you can do."
)
_PRICE_THERE: Final = " Or finalize it at the provider with the price set there."


class NothingOwed(ShowbillError):
    """The buyer owes nothing that could be billed. {why} Void the invoice."""

    kind = Kind.FAILED_PRECONDITION
    reason = "NOTHING_OWED"


class BesideSettled(ShowbillError):
    """Another invoice of this buyer is settled: the draft is to bill the difference. Apply the plan's changes to it."""

    kind = Kind.FAILED_PRECONDITION
    reason = "BESIDE_SETTLED"


class StillHeldBack(ShowbillError):
    """Something still holds the invoice back."""

    kind = Kind.FAILED_PRECONDITION
    reason = "HELD_BACK"


class Drafts:
    """The use cases. Raise ShowNotFound, InvoiceNotFound and InvoiceStatus; after an unknown outcome call again."""

    def __init__(self, ledger: Ledger, provider: Provider) -> None:
        self._ledger = ledger
        self._provider = provider

    async def update(self, identity: Identity, which: Which) -> Invoice:
        """The draft, billing what is owed now; still a draft."""
        invoice, terms = await self._terms(identity, which)
        if invoice.standing is not Standing.HELD_BACK:
            raise InvoiceStatus(NO_DRAFT[invoice.status])
        return await self._bring(identity, which, terms, finalize=False)

    async def finalize(self, identity: Identity, which: Which) -> Invoice:
        """The invoice, payable. One that is so already, or beyond, is answered as it is."""
        invoice, terms = await self._terms(identity, which)
        if invoice.standing is not Standing.HELD_BACK:
            return _finalized(invoice)
        after = await self._bring(identity, which, terms, finalize=True)
        if after.standing is Standing.HELD_BACK:
            raise InvoiceStatus(_STILL_DRAFT)
        return after

    async def _terms(self, identity: Identity, which: Which) -> tuple[Invoice, Terms]:
        """The invoice as it stands, and what its provider sets."""
        async with self._ledger.entry() as entry:
            invoice, show = await amending.lock(entry, identity, which)
        if invoice.standing is not Standing.HELD_BACK:
            return invoice, Terms(show["currency"])
        return invoice, usable(await self._provider.connection(identity, invoice.provider)).terms(show["currency"])

    async def _bring(self, identity: Identity, which: Which, terms: Terms, *, finalize: bool) -> Invoice:
        async with self._ledger.entry() as entry:
            invoice, _ = await amending.lock(entry, identity, which)
            if invoice.standing is not Standing.HELD_BACK and finalize:
                return _finalized(invoice)  # by an earlier call whose answer was lost, and of which an event told
            if invoice.standing is not Standing.HELD_BACK:
                raise InvoiceStatus(NO_DRAFT[invoice.status])
            await amending.require_free(entry, invoice)
            if finalize:
                invoice = await amending.note(entry, invoice, _ASKED, identity.actor)
            order, held, digest = await _bill_anew(entry, invoice, terms, identity.actor, finalize=finalize)
        undone = _NOT_FINALIZED if finalize else _NOT_CHANGED
        try:
            async with amending.telling_refusal(self._ledger, invoice, undone, identity.actor):
                seen = await self._provider.update_draft(identity, order, invoice.external_id)
            after = await self._take_in(invoice, seen, order, held, digest, identity.actor)
            if _kept_its_lines(seen, order):
                raise InvoiceStatus(_OTHER_LINES)
        except BaseException as error:
            await amending.let_go(self._ledger, invoice, held, error)
            raise
        if seen.deleted:
            raise InvoiceStatus(_GONE)
        return after

    async def _take_in(
        self, invoice: Invoice, seen: Sighting, order: Order, held: Held, digest: str, actor: str
    ) -> Invoice:
        """The provider's answer. The invoice is held until it is noted: else a change after this one could be taken for
        what the provider has.
        """
        async with self._ledger.entry() as entry:
            known = await amending.again(entry, invoice)
            ours = await entry.connection.fetchval(SQL["holds_lease"], invoice.id, held.holder)
            kept = _kept_its_lines(seen, order)
            after = await amending.apply(entry, known, seen, None if kept else Standing.PAYABLE, _FINALIZED, actor)
            if kept:
                after = await _as_it_is_there(entry, after, seen)
            elif ours and seen.standing is not Standing.VOID and seen.total in (None, order.total):
                await entry.connection.execute(SQL["note_planned"], invoice.id, digest, 0)
            await entry.connection.execute(SQL["release_invoice"], invoice.id, held.holder)
        return after


def _kept_its_lines(seen: Sighting, order: Order) -> bool:
    """Whether it was final before with the lines of before, which nothing else tells where its total is ours."""
    return seen.other_lines and seen.total == order.total


async def _as_it_is_there(entry: Entry, invoice: Invoice, seen: Sighting) -> Invoice:
    """What was finalized there with the lines of before bills those. The invoice must be locked."""
    after = replace(invoice, adjusted_at_provider=True, version=invoice.version + 1, updated_at=datetime.now(UTC))
    lines = provider_lines(seen) or None
    await entry.change([Change(invoice, after, _OTHER_LINES, amending.ACTOR, lines)])
    return after


def _finalized(invoice: Invoice) -> Invoice:
    """The same. Raises InvoiceStatus for one that can never become payable."""
    if invoice.payable or invoice.standing is Standing.PAID:
        return invoice
    raise InvoiceStatus(NO_DRAFT[invoice.status])


async def _bill_anew(
    entry: Entry, invoice: Invoice, terms: Terms, actor: str, *, finalize: bool
) -> tuple[Order, Held, str]:
    """Writes what is owed now into the row; answers what the provider is to be told, and the digest of what is owed.

    The invoice must be locked.
    """
    if await entry.connection.fetch(SQL["settled_invoices"], invoice.show_id, [invoice.buyer_id]):
        raise BesideSettled
    rows = await entry.connection.fetch(SQL["owed_now"], invoice.show_id, [invoice.buyer_id])
    owed = repository.owed(rows[0]) if rows else NOTHING
    why = why_not(owed, terms)
    if why:
        raise NothingOwed(why=why)
    reason = held_back(owed, terms)
    if finalize and reason is not None:
        raise StillHeldBack(held_back_because(reason) + (_PRICE_THERE if reason is DraftReason.NEEDS_PRICE else ""))
    await _write(entry, invoice, rows[0], reason, actor)
    held = await amending.hold(entry, invoice)
    order = await entry.connection.fetchrow(SQL["get_order"], invoice.id)
    assert order is not None
    now = {name: getattr(invoice, name) for name in held.buyer}  # it goes to where the buyer is reached now
    return replace(repository.order(order), keep_draft=not finalize, buyer=now), held, owed.digest


async def _write(entry: Entry, invoice: Invoice, owed: asyncpg.Record, reason: DraftReason | None, actor: str) -> None:
    """What is owed is noted as what was planned once the provider said that it has it, or finalized just that."""
    digest = owed["digest"]
    if await entry.connection.fetchval(SQL["bills"], invoice.id, digest, untold(digest)) and invoice.draft_reason == (
        reason or DraftReason.NOT_FINALIZED
    ):
        return
    after, sentence = bill_anew(invoice, repository.owed(owed), reason, datetime.now(UTC))
    await entry.change([Change(invoice, after, sentence, actor, owed["line_items"])])
    await entry.connection.execute(SQL["note_planned"], invoice.id, untold(digest), 0)
