"""A store of own invoices in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from services.integrations.connection_values import Link
from services.integrations.invoice_values import InvoiceState, ProviderInvoice, ProviderLine
from services.integrations.ports import NumberTaken


class MemoryStore:
    """See ports.InvoiceStore."""

    def __init__(self) -> None:
        self._invoices: dict[tuple[str, str, bool, str], ProviderInvoice] = {}

    async def add(self, link: Link, invoice: ProviderInvoice) -> ProviderInvoice:
        key = _key(link, invoice.external_id)
        if key not in self._invoices:
            self._keep_numbers_apart(key, invoice.number)
        return self._invoices.setdefault(key, invoice)

    async def renew(self, link: Link, draft: ProviderInvoice) -> ProviderInvoice | None:
        found = self._invoices.get(_key(link, draft.external_id))
        if found is None or found.state not in (InvoiceState.VOID, InvoiceState.DELETED):
            return None
        renewed = replace(draft, state=InvoiceState.DRAFT, number=found.number, finalize_time=None)
        self._invoices[_key(link, draft.external_id)] = renewed
        return renewed

    def _keep_numbers_apart(self, key: tuple[str, str, bool, str], number: str) -> None:
        others = (one.number for at, one in self._invoices.items() if at[:3] == key[:3] and at != key)
        if number and number in others:
            raise NumberTaken

    async def move(
        self, link: Link, external_id: str, sources: Sequence[InvoiceState], target: InvoiceState, number: str = ""
    ) -> ProviderInvoice | None:
        found = self._invoices.get(_key(link, external_id))
        if found is None or found.state not in sources:
            return None
        self._keep_numbers_apart(_key(link, external_id), number)
        paid, now = target is InvoiceState.PAID, datetime.now(UTC)
        moved = replace(
            found,
            state=target,
            number=number or found.number,
            amount_paid=found.total if paid else 0,
            paid_time=now if paid else None,
            finalize_time=now if target is InvoiceState.OPEN else found.finalize_time,
        )
        self._invoices[_key(link, external_id)] = moved
        return moved

    async def rewrite(
        self, link: Link, external_id: str, total: int, lines: Sequence[ProviderLine]
    ) -> ProviderInvoice | None:
        found = self._invoices.get(_key(link, external_id))
        if found is None or found.state is not InvoiceState.DRAFT:
            return None
        self._invoices[_key(link, external_id)] = replace(found, total=total, lines=lines)
        return self._invoices[_key(link, external_id)]

    async def find(self, link: Link, external_id: str) -> ProviderInvoice | None:
        return self._invoices.get(_key(link, external_id))

    async def list(
        self, link: Link, created_from: datetime | None, created_to: datetime | None, size: int, after: str
    ) -> Sequence[ProviderInvoice]:
        ours = [one for key, one in reversed(self._invoices.items()) if key[:3] == _key(link, "")[:3]]
        since = [one for one in ours if not created_from or (one.create_time and one.create_time >= created_from)]
        then = [one for one in since if not created_to or (one.create_time and one.create_time <= created_to)]
        start = next((place + 1 for place, one in enumerate(then) if one.external_id == after), 0)
        return then[start : start + size]


def _key(link: Link, external_id: str) -> tuple[str, str, bool, str]:
    return link.workspace_id, link.account_id, link.livemode, external_id
