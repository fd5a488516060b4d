"""What every change of a single invoice by its operator has in common: it is found, locked, held, and told."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import asyncpg

from services.common.context import Identity
from services.common.errors import Kind, ShowbillError
from services.common.ids import new_id
from services.invoicing import repository
from services.invoicing.deliver import InvoiceNotFound
from services.invoicing.domain.invoice import Invoice, Standing
from services.invoicing.domain.sighting import Sighting, mailed_elsewhere
from services.invoicing.ledger import Change, Entry, Ledger
from services.invoicing.repository import SQL
from services.invoicing.settle import step
from services.invoicing.shows import ShowNotFound

ACTOR: Final = "worker:amend"
"""Of what was found at the provider while something else was asked for."""
_REFUSALS: Final = frozenset(
    (Kind.FAILED_PRECONDITION, Kind.INVALID, Kind.FORBIDDEN, Kind.UNAUTHENTICATED, Kind.NOT_FOUND, Kind.CONFLICT)
)
_HOLD: Final = 90.0
"""Seconds that an invoice is kept for one change: longer than all its calls together."""
SETTLING: Final = 2.0
"""Seconds that it is still kept after a call of which no answer came: longer than the provider is at such a call."""


class InvoiceBusy(ShowbillError):
    """The invoice is being made or changed just now. Try again in a moment."""

    kind = Kind.FAILED_PRECONDITION
    reason = "INVOICE_BUSY"
    default_retry_after = 5.0


@dataclass(frozen=True, slots=True)
class Which:
    """The invoice that is meant."""

    show_id: str
    invoice_id: str


@dataclass(frozen=True, slots=True)
class Held:
    """An invoice that is kept for one change."""

    holder: str
    buyer: dict[str, str]
    """As the provider was told of the buyer."""


async def lock(entry: Entry, identity: Identity, which: Which) -> tuple[Invoice, asyncpg.Record]:
    """The invoice, locked, and its show. Raises ShowNotFound and InvoiceNotFound."""
    show = await entry.connection.fetchrow(SQL["get_show"], which.show_id, identity.workspace_id)
    if show is None:
        raise ShowNotFound
    rows = await entry.connection.fetch(SQL["lock_invoices"], [which.invoice_id])
    if not rows or rows[0]["show_id"] != show["id"]:
        raise InvoiceNotFound
    return repository.invoice(rows[0]), show


async def again(entry: Entry, invoice: Invoice) -> Invoice:
    """The same invoice, locked once more: it may have moved meanwhile."""
    return repository.invoice((await entry.connection.fetch(SQL["lock_invoices"], [invoice.id]))[0])


async def require_free(entry: Entry, invoice: Invoice) -> asyncpg.Record:
    """How far its making is. The invoice must be locked. Raises InvoiceBusy while something is under way."""
    making = await entry.connection.fetchrow(SQL["making"], invoice.id)
    assert making is not None
    if making["under_way"]:
        raise InvoiceBusy
    return making


async def hold(entry: Entry, invoice: Invoice) -> Held:
    """Keeps workers and other changes away until it is released or lapses. The invoice must be locked.

    Raises InvoiceBusy. A write that moves the status gives it free again; else whoever holds it does.
    """
    making, holder = await require_free(entry, invoice), new_id()
    await entry.connection.execute(SQL["hold_invoice"], invoice.id, holder, _HOLD)
    return Held(holder, making["buyer"])


async def let_go(ledger: Ledger, invoice: Invoice, held: Held, error: BaseException) -> None:
    """Gives it free after what failed: at once where the provider said no, for then it is at nothing any more."""
    if is_refusal(error):
        await ledger.pool.execute(SQL["release_invoice"], invoice.id, held.holder)
    else:
        await ledger.pool.execute(SQL["release_soon"], invoice.id, held.holder, SETTLING)


def is_refusal(error: BaseException) -> bool:
    """Whether the provider said no, so that what was asked for was not done."""
    return isinstance(error, ShowbillError) and error.kind in _REFUSALS


async def note(entry: Entry, invoice: Invoice, sentence: str, actor: str) -> Invoice:
    """Writes into the history what changes nothing by itself, once for each who says it. The invoice must be locked.

    What is asked for is told before anything is done about it: however the answer gets lost, it is known who asked.
    """
    if await entry.connection.fetchval(SQL["has_history"], invoice.id, sentence, actor):
        return invoice
    after = replace(invoice, version=invoice.version + 1)
    await entry.change([Change(invoice, after, sentence, actor)])
    return after


@asynccontextmanager
async def telling_refusal(
    ledger: Ledger, invoice: Invoice, undone: str, actor: str, *, unless: Callable[[Invoice], bool] | None = None
) -> AsyncIterator[None]:
    """Around what is asked of the provider: where it says no, the history says so after what was asked for, and why;
    `unless` it is told as done by then.

    An answer that never came is no refusal: what was asked for may have been done.
    """
    try:
        yield
    except ShowbillError as error:
        if is_refusal(error):
            async with ledger.entry() as entry:
                known = await again(entry, invoice)
                if unless is None or not unless(known):
                    await note(entry, known, f"{undone} {error.message}", actor)
        raise


async def apply(
    entry: Entry,
    invoice: Invoice,
    seen: Sighting,
    asked: Standing | None,
    sentence: str,
    actor: str,
    *,
    paid_outside: str = "",
) -> Invoice:
    """Takes in the provider's answer by rank: told in the operator's name where it is what was asked for. `asked` is
    None where somebody else did it; `paid_outside` is kept with what was asked for.

    An event of the provider may have been quicker, and have told it in its own.
    """
    change = step(invoice, seen, actor if seen.standing is asked else ACTOR, datetime.now(UTC))
    if change is None:
        return invoice
    if change.after.standing is asked:
        reason = sentence if asked is Standing.VOID else change.after.status_reason
        moved = change.after.total != invoice.total  # which its own reason says
        told = f"{sentence} {change.reason}" if moved else sentence + mailed_elsewhere(invoice, change.after)
        change = replace(
            change, reason=told, after=replace(change.after, status_reason=reason, paid_outside=paid_outside)
        )
    await entry.change([change])
    return change.after
