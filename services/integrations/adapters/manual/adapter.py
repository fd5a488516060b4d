"""The manual adapter: its invoices are kept here, shown with the operator's instructions, and marked paid by hand."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, NoReturn, TypeVar

from services.common.errors import Fault
from services.integrations.connection_values import (
    ConnectedAccount,
    Credentials,
    Endpoint,
    EndpointWish,
    Health,
    Limits,
    Link,
)
from services.integrations.failures import AdapterError, Failure
from services.integrations.invoice_values import (
    BadSignature,
    Binding,
    Buyer,
    DraftContent,
    EventPage,
    InvoiceOrder,
    InvoicePage,
    InvoiceRef,
    InvoiceState,
    Line,
    ProviderEvent,
    ProviderInvoice,
    ProviderLine,
)
from services.integrations.ports import InvoiceStore, NumberTaken

T = TypeVar("T")

_SHORT_NUMBERS: Final = (8, 12)
"""Digits of the invoice's id in its number, the usual ones first."""
_GONE: Final = (InvoiceState.VOID, InvoiceState.DELETED)

ACCOUNT: Final = "manual"
"""There is one in each workspace."""
LIMITS: Final = Limits(
    minimum_totals={},
    maximum_total=999_999_999_999,
    maximum_lines=1000,
    longest_memo=1500,
    longest_footer=5000,
    cannot_email=True,
)


class ManualAdapter:
    """See ports.IntegrationAdapter."""

    provider = "manual"
    has_webhooks = False

    def __init__(self, store: InvoiceStore) -> None:
        self._store = store

    def read_credentials(self, fields: Mapping[str, str]) -> Credentials:
        if fields:
            sentence = "Payments that are marked by hand need no keys. Send none."
            raise AdapterError(
                Failure.CREDENTIALS_MALFORMED, sentence, faults=[Fault(name, sentence) for name in fields]
            )
        return {}

    def limits(self) -> Limits:
        return LIMITS

    def invoices_url(self, account_id: str, *, livemode: bool) -> str:
        return ""  # they are seen here alone

    def keys_url(self) -> str:
        return ""

    async def probe(self, credentials: Credentials) -> ConnectedAccount:
        return ConnectedAccount(
            ACCOUNT, livemode=True, warnings=["Write in the settings how buyers pay: they read it on their pay page."]
        )

    async def ensure_endpoint(self, link: Link, wish: EndpointWish) -> Endpoint:
        return _nobody_tells()

    async def remove_strays(self, link: Link, wish: EndpointWish, kept_id: str) -> None:
        """There are none."""

    async def remove_endpoint(self, link: Link, endpoint_id: str) -> None:
        """There is none."""

    async def check(self, link: Link, endpoint_id: str, url: str, heard: datetime | None) -> Health:
        return Health(healthy=True, sentence="Nobody has to be reached: invoices are kept here.", seconds=0.0)

    async def create_invoice(self, link: Link, order: InvoiceOrder) -> ProviderInvoice:
        wanted = _invoice(link, order)
        if order.keep_draft:
            found = await self._store.add(link, wanted)
        else:
            found = await _numbered(
                wanted, lambda number: self._store.add(link, replace(wanted, number=number, state=InvoiceState.OPEN))
            )
        if order.attempt > 1 and found.state in _GONE:
            found = await self._store.renew(link, wanted) or await self.get_invoice(link, wanted.external_id)
        _require_our_total(found, order.total, order.currency)
        if found.state is InvoiceState.DRAFT and not order.keep_draft:  # of an earlier try, which kept it
            return await self._open(link, found)
        return found

    async def _open(self, link: Link, draft: ProviderInvoice) -> ProviderInvoice:
        moved = await _numbered(
            draft,
            lambda number: self._store.move(link, draft.external_id, (InvoiceState.DRAFT,), InvoiceState.OPEN, number),
        )
        return moved or await self.get_invoice(link, draft.external_id)

    async def find_invoice(self, link: Link, buyer: Buyer, invoice_id: str, revision: int) -> ProviderInvoice | None:
        return await self._store.find(link, _external_id(invoice_id, revision))

    async def update_draft(self, link: Link, ref: InvoiceRef, content: DraftContent) -> ProviderInvoice:
        lines = [ProviderLine(_described(line), line.amount) for line in content.lines]
        draft = await self._store.rewrite(link, ref.external_id, content.total, lines)
        if draft is None:
            found = await self.get_invoice(link, ref.external_id)
            return replace(found, other_lines=found.state not in _GONE and list(found.lines) != lines)
        if content.keep_draft:
            return draft
        return await self.finalize_invoice(link, ref, content.total, content.currency)

    async def finalize_invoice(self, link: Link, ref: InvoiceRef, total: int, currency: str) -> ProviderInvoice:
        found = await self.get_invoice(link, ref.external_id)
        if found.state is not InvoiceState.DRAFT:
            return found
        _require_our_total(found, total, currency)
        return await self._open(link, found)

    async def send_invoice(self, link: Link, ref: InvoiceRef, delivery_id: str) -> ProviderInvoice:
        raise AdapterError(
            Failure.PROVIDER_REFUSED,
            "Nobody e-mails invoices that are paid by hand. Copy the link, or send it as a message.",
        )

    async def mark_paid(self, link: Link, ref: InvoiceRef, total: int = 0, currency: str = "") -> ProviderInvoice:
        """Nobody edits an invoice here: its total is ours."""
        moved = await self._move(link, ref, InvoiceState.PAID)
        found = moved or await self.get_invoice(link, ref.external_id)
        if found.state is InvoiceState.DRAFT:
            raise AdapterError(
                Failure.PROVIDER_REFUSED,
                "This invoice is held back and cannot be paid yet. Set the missing prices first.",
            )
        before = moved is None and found.state is InvoiceState.PAID
        return replace(found, paid_before=before, paid_outside=True if before else None)

    async def void_invoice(self, link: Link, ref: InvoiceRef) -> ProviderInvoice:
        gone = await self._store.move(link, ref.external_id, (InvoiceState.DRAFT,), InvoiceState.DELETED)
        if gone is not None:
            return gone
        moved = await self._move(link, ref, InvoiceState.VOID)
        return moved or await self.get_invoice(link, ref.external_id)

    async def _move(self, link: Link, ref: InvoiceRef, target: InvoiceState) -> ProviderInvoice | None:
        """None for what is settled already."""
        return await self._store.move(link, ref.external_id, (InvoiceState.OPEN, InvoiceState.UNCOLLECTIBLE), target)

    async def get_invoice(self, link: Link, external_id: str) -> ProviderInvoice:
        found = await self._store.find(link, external_id)
        return found or ProviderInvoice(external_id, InvoiceState.DELETED, link.account_id, link.livemode)

    async def list_invoices(
        self, link: Link, created_from: datetime | None, created_to: datetime | None, size: int, after: str
    ) -> InvoicePage:
        found = await self._store.list(link, created_from, created_to, size + 1, after)
        return InvoicePage(found[:size], found[size - 1].external_id if len(found) > size else "")

    async def list_changed(self, link: Link, since: datetime | None, size: int, after: str) -> EventPage:
        """Nothing ever changes by itself: what the operator does here is known at once."""
        return EventPage([], "")

    def read_event(self, binding: Binding, body: bytes, headers: Mapping[str, str]) -> ProviderEvent:
        raise BadSignature

    async def close(self) -> None:
        """Nothing is open."""


def _external_id(invoice_id: str, revision: int) -> str:
    return f"{invoice_id}.{revision}"


def _invoice(link: Link, order: InvoiceOrder) -> ProviderInvoice:
    """As a draft, which has no number."""
    now = datetime.now(UTC)
    return ProviderInvoice(
        external_id=_external_id(order.invoice_id, order.revision),
        state=InvoiceState.DRAFT,
        account_id=link.account_id,
        livemode=link.livemode,
        total=order.total,
        currency=order.currency,
        create_time=now,
        finalize_time=None if order.keep_draft else now,
        invoice_id=order.invoice_id,
        revision=order.revision,
        lines=[ProviderLine(_described(line), line.amount) for line in order.lines],
        payment_instructions=order.payment_instructions,
    )


def _require_our_total(found: ProviderInvoice, total: int, currency: str) -> None:
    """Raises AdapterError TOTAL_MISMATCH."""
    if (found.total, found.currency) == (total, currency):
        return
    draft = found.state is InvoiceState.DRAFT
    raise AdapterError(
        Failure.TOTAL_MISMATCH,
        "The draft has another total than the invoice, so it was not finalized. Void it and make it anew."
        if draft
        else "This invoice was made before with another total, and stays as it is. Void it and make it anew.",
        details={"external_id": found.external_id, "provider_total": found.total, "our_total": total},
    )


async def _numbered(invoice: ProviderInvoice, use: Callable[[str], Awaitable[T]]) -> T:
    """Uses a number short enough to be written on a transfer, and the same at every try; a longer one where another
    invoice bears it."""
    digits = invoice.invoice_id.replace("-", "").upper()
    for length in _SHORT_NUMBERS:
        try:
            return await use(f"{digits[-length:]}-{invoice.revision}")
        except NumberTaken:
            continue
    return await use(f"{digits}-{invoice.revision}")  # all digits: no other invoice has them


def _described(line: Line) -> str:
    name = " ".join(part for part in (line.item_number, line.title) if part)
    return f"{line.quantity} × {name}" + (" (no price yet)" if line.unit_price is None else "")


def _nobody_tells() -> NoReturn:
    raise AdapterError(Failure.PROVIDER_REFUSED, "Payments are marked by hand: there is nobody who could tell of them.")
