"""Invoices at a provider, through the workspace's connection and of the planned account only."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from services.integrations.connection import Connection, Settings
from services.integrations.connection_values import Link
from services.integrations.failures import AdapterError, Failure
from services.integrations.invoice_values import (
    Buyer,
    DraftContent,
    EventPage,
    InvoiceOrder,
    InvoicePage,
    InvoiceRef,
    ProviderInvoice,
)
from services.integrations.opening import Opener
from services.integrations.ports import IntegrationAdapter
from services.integrations.registry import Registry
from services.integrations.terms import Terms

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Target:
    """Whose invoice is meant, at which provider, of which account and mode."""

    workspace_id: str
    provider: str
    account_id: str
    livemode: bool
    background: bool = False
    """Nobody waits for the answer: other calls go first."""


class AccountChanged(AdapterError):
    """This invoice belongs to another account or mode than the one that is connected now. Connect that one again."""

    def __init__(self) -> None:
        super().__init__(Failure.ACCOUNT_CHANGED, self.__doc__ or "")


class Issuing:
    """The use cases."""

    def __init__(self, opener: Opener, registry: Registry, terms: Terms) -> None:
        self._opener = opener
        self._registry = registry
        self._terms = terms

    async def create(self, target: Target, order: Callable[[Settings], InvoiceOrder]) -> ProviderInvoice:
        """`order` completes the invoice with the connection's settings; a retry keeps those of the first try."""

        async def create(adapter: IntegrationAdapter, link: Link, connection: Connection) -> ProviderInvoice:
            wanted = await self._terms.fixed(target.workspace_id, order(connection.settings))
            return await adapter.create_invoice(link, wanted)

        return await self._do(target, "create_invoice", create)

    async def find(self, target: Target, buyer: Buyer, invoice_id: str, revision: int) -> ProviderInvoice | None:
        return await self._do(
            target, "find_invoice", lambda adapter, link, _: adapter.find_invoice(link, buyer, invoice_id, revision)
        )

    async def update_draft(self, target: Target, ref: InvoiceRef, content: DraftContent) -> ProviderInvoice:
        return await self._do(target, "update_draft", lambda adapter, link, _: adapter.update_draft(link, ref, content))

    async def finalize(self, target: Target, ref: InvoiceRef, total: int, currency: str) -> ProviderInvoice:
        return await self._do(
            target, "finalize_invoice", lambda adapter, link, _: adapter.finalize_invoice(link, ref, total, currency)
        )

    async def send(self, target: Target, ref: InvoiceRef, delivery_id: str) -> ProviderInvoice:
        return await self._do(
            target, "send_invoice", lambda adapter, link, _: adapter.send_invoice(link, ref, delivery_id)
        )

    async def mark_paid(self, target: Target, ref: InvoiceRef, total: int, currency: str) -> ProviderInvoice:
        return await self._do(
            target, "mark_paid", lambda adapter, link, _: adapter.mark_paid(link, ref, total, currency)
        )

    async def void(self, target: Target, ref: InvoiceRef) -> ProviderInvoice:
        return await self._do(target, "void_invoice", lambda adapter, link, _: adapter.void_invoice(link, ref))

    async def read(self, target: Target, external_id: str) -> ProviderInvoice:
        return await self._do(target, "get_invoice", lambda adapter, link, _: adapter.get_invoice(link, external_id))

    async def list(
        self, target: Target, created: tuple[datetime | None, datetime | None], size: int, after: str
    ) -> InvoicePage:
        return await self._do(
            target, "list_invoices", lambda adapter, link, _: adapter.list_invoices(link, *created, size, after)
        )

    async def changed(self, target: Target, since: datetime | None, size: int, after: str) -> tuple[str, EventPage]:
        """What happened, and the connection through which it was read."""

        async def list_changed(adapter: IntegrationAdapter, link: Link, _: Connection) -> tuple[str, EventPage]:
            return link.integration_id, await adapter.list_changed(link, since, size, after)

        return await self._do(target, "list_changed", list_changed)

    async def _do(
        self, target: Target, verb: str, act: Callable[[IntegrationAdapter, Link, Connection], Awaitable[T]]
    ) -> T:
        """Raises AdapterError: NOT_CONNECTED, CREDENTIALS_REJECTED, ACCOUNT_CHANGED, or what the provider says."""
        connection, link = await self._opener.open(target.workspace_id, target.provider)
        if (target.account_id, target.livemode) != (link.account_id, link.livemode):
            raise AccountChanged
        link = replace(link, background=target.background)
        adapter = self._registry.adapter(target.provider)
        return await self._opener.use(connection, verb, lambda: act(adapter, link, connection))
