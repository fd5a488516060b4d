"""One invoice settled by its operator's hand: voided, or marked as paid elsewhere.

One that was edited at the provider is followed where it is voided: it is the one that replaced it there that is voided.
What was paid was another total, perhaps: one that was edited is not marked.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

from services.common.context import Identity
from services.invoicing import amending, asking, repository
from services.invoicing.amending import Held, InvoiceBusy, Which
from services.invoicing.courier import InvoiceStatus
from services.invoicing.domain import marks
from services.invoicing.domain.amending import NOT_VOIDABLE, UNMADE, withdraw
from services.invoicing.domain.invoice import Invoice, Standing, Status
from services.invoicing.domain.sighting import Sighting, was_replaced
from services.invoicing.ledger import Change, Entry, Ledger
from services.invoicing.ports import Provider
from services.invoicing.repository import SQL

_ASKED_TO_VOID: Final = "Voiding it was asked for."
_VOIDED: Final = "It was voided."
_NOT_VOIDED: Final = "It was not voided."
_NEVER_MADE: Final = "It was voided before it was made. The buyer can be invoiced again."
_PAID_MEANWHILE: Final = (
    "The invoice was paid a moment before, so it was not voided. Refund the payment where it was made."
)
_STILL_THERE: Final = "The provider did not void the invoice. Look at it there, then try again."
_EDITED_MEANWHILE: Final = (
    "It is edited at the provider again and again, and another one takes its place each time. Look at it there first."
)
_MOST_EDITS: Final = 5
"""That are followed in one call."""


class Amending:
    """The use cases. Raise ShowNotFound, InvoiceNotFound and InvoiceStatus; after an unknown outcome call again."""

    def __init__(self, ledger: Ledger, provider: Provider) -> None:
        self._ledger = ledger
        self._provider = provider

    async def mark_paid(self, identity: Identity, which: Which, note: str, amount: int | None = None) -> Invoice:
        """Out of band, at the provider and here; the note is kept in the history. `amount` is what the whole is to be,
        in minor units; None where nobody says."""
        async with self._ledger.entry() as entry:
            invoice, _ = await amending.lock(entry, identity, which)
            paid = invoice.status is Status.PAID
            if paid and not await asking.ask_about(entry, invoice):
                return await amending.note(entry, invoice, marks.asked(note), identity.actor) if note else invoice
            if why := marks.not_markable(invoice) or marks.other_total(invoice, None if paid else amount):
                raise InvoiceStatus(why)
            invoice = await amending.note(entry, invoice, marks.asked(note), identity.actor)
            if not paid:
                await asking.ask(entry, invoice, note, identity.actor)
        async with amending.telling_refusal(
            self._ledger, invoice, marks.NOT_MARKED, identity.actor, unless=marks.is_marked
        ):
            account = repository.account_of(invoice)
            async with asking.trying(self._ledger, invoice.id):
                named = (invoice.external_id, invoice.id, invoice.revision, invoice.total, invoice.currency)
                seen = await self._provider.mark_paid(identity, account, *named)
            async with self._ledger.entry() as entry:
                after, why = await asking.take_answer(entry, invoice, seen, note, identity.actor)
            if was_replaced(invoice, after):
                await self._read(identity, after)
            if why:
                raise InvoiceStatus(why)
        return after

    async def _read(self, identity: Identity, invoice: Invoice) -> None:
        """How the one that took its place stands, for whoever looks at it now."""

        async def read(one: Invoice) -> Sighting:
            return await self._provider.read(identity, repository.account_of(one), one.external_id)

        async def take(entry: Entry, known: Invoice, seen: Sighting) -> Invoice:
            return await amending.apply(entry, known, seen, None, "", identity.actor)

        await self._follow(invoice, read, take)

    async def void(self, identity: Identity, which: Which) -> Invoice:
        """At the provider and here. One that was not made yet is voided once it is proved that nothing stands there."""
        async with self._ledger.entry() as entry:
            invoice, _ = await amending.lock(entry, identity, which)
            if invoice.status is Status.VOID:
                return invoice
            if invoice.status in NOT_VOIDABLE:
                raise InvoiceStatus(NOT_VOIDABLE[invoice.status])
            making, unmade = await amending.require_free(entry, invoice), invoice.status in UNMADE
            if making["unbegun"] and unmade:
                return await _withdraw(entry, invoice, identity.actor)
            await amending.note(entry, invoice, _ASKED_TO_VOID, identity.actor)
            held = await amending.hold(entry, invoice) if unmade else None
        async with amending.telling_refusal(self._ledger, invoice, _NOT_VOIDED, identity.actor):
            after = await (self._clear(identity, invoice, held) if held else self._void(identity, invoice))
        if after.status is not Status.VOID:
            raise InvoiceStatus(_PAID_MEANWHILE if after.status is Status.PAID else _STILL_THERE)
        return after

    async def _void(self, identity: Identity, invoice: Invoice) -> Invoice:
        async def void(one: Invoice) -> Sighting:
            account = repository.account_of(one)
            return await self._provider.void(identity, account, one.external_id, one.id, one.revision)

        async def take(entry: Entry, known: Invoice, seen: Sighting) -> Invoice:
            return await amending.apply(entry, known, seen, Standing.VOID, _VOIDED, identity.actor)

        return await self._follow(invoice, void, take)

    async def _follow(
        self,
        invoice: Invoice,
        ask: Callable[[Invoice], Awaitable[Sighting]],
        take: Callable[[Entry, Invoice, Sighting], Awaitable[Invoice]],
    ) -> Invoice:
        """Asks it of the invoice that counts: once more where another one at the provider had taken its place."""
        for _ in range(_MOST_EDITS):
            seen = await ask(invoice)
            async with self._ledger.entry() as entry:
                after = await take(entry, await amending.again(entry, invoice), seen)
            if not was_replaced(invoice, after):
                return after
            invoice = after
        raise InvoiceStatus(_EDITED_MEANWHILE)

    async def _clear(self, identity: Identity, invoice: Invoice, held: Held) -> Invoice:
        """Of an invoice whose making failed, or waits for its next try: voids first what may have been left there."""
        try:
            seen = await self._left(identity, invoice, held)
        except BaseException as error:
            await amending.let_go(self._ledger, invoice, held, error)
            raise
        async with self._ledger.entry() as entry:
            known = await amending.again(entry, invoice)
            if not await entry.connection.fetchval(SQL["holds_lease"], known.id, held.holder):
                raise InvoiceBusy
            if seen is not None and not seen.deleted:
                return await amending.apply(entry, known, seen, Standing.VOID, _VOIDED, identity.actor)
            return await _withdraw(entry, known, identity.actor)

    async def _left(self, identity: Identity, invoice: Invoice, held: Held) -> Sighting | None:
        """What an unfinished making left at the provider, after it was voided there; None when there is nothing."""
        account, external_id = repository.account_of(invoice), invoice.external_id
        if not external_id:
            found = await self._provider.find(identity, account, invoice.id, invoice.revision, held.buyer)
            if found is None or (found.standing is Standing.VOID and not found.replaced_by):
                return found
            external_id = found.replaced_by or found.external_id
        for _ in range(_MOST_EDITS):
            seen = await self._provider.void(identity, account, external_id, invoice.id, invoice.revision)
            if not seen.replaced_by:
                return seen
            external_id = seen.replaced_by
        raise InvoiceStatus(_EDITED_MEANWHILE)


async def _withdraw(entry: Entry, invoice: Invoice, actor: str) -> Invoice:
    after = withdraw(invoice, _NEVER_MADE, datetime.now(UTC))
    await entry.change([Change(invoice, after, _NEVER_MADE, actor, withdrawn=True)])
    return after
