"""The Stripe adapter: our verbs on the outside, Stripe's calls within."""

from collections.abc import Awaitable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.integrations.adapters.stripe.answers import Json, not_understood
from services.integrations.adapters.stripe.api import StripeApi
from services.integrations.adapters.stripe.catchup import list_changed
from services.integrations.adapters.stripe.changing import Changing
from services.integrations.adapters.stripe.customers import Customers
from services.integrations.adapters.stripe.editing import Editing
from services.integrations.adapters.stripe.endpoints import Endpoints
from services.integrations.adapters.stripe.errors import NotThere
from services.integrations.adapters.stripe.health import health
from services.integrations.adapters.stripe.issuing import Issuing
from services.integrations.adapters.stripe.keys import read_keys
from services.integrations.adapters.stripe.limits import LIMITS
from services.integrations.adapters.stripe.listing import read_invoice
from services.integrations.adapters.stripe.mapping import InvoiceMapper
from services.integrations.adapters.stripe.operations import LIST_INVOICES, READ_INVOICE
from services.integrations.adapters.stripe.parameters import WORKSPACE
from services.integrations.adapters.stripe.probe import read_account
from services.integrations.adapters.stripe.webhook import read_event
from services.integrations.connection_values import (
    ConnectedAccount,
    Credentials,
    Endpoint,
    EndpointWish,
    Health,
    Limits,
    Link,
)
from services.integrations.invoice_values import (
    Binding,
    Buyer,
    DraftContent,
    EventPage,
    InvoiceOrder,
    InvoicePage,
    InvoiceRef,
    InvoiceState,
    ProviderEvent,
    ProviderInvoice,
)
from services.integrations.ports import CustomerBook, Pace


class StripeAdapter:
    """Make it inside the running loop."""

    provider = "stripe"
    has_webhooks = True

    def __init__(self, api_base: str, dashboard_base: str, pace: Pace, book: CustomerBook) -> None:
        self._api = StripeApi(api_base, pace)
        self._mapper = InvoiceMapper(dashboard_base)
        self._endpoints = Endpoints(self._api)
        customers = Customers(self._api, book)
        self._changing = Changing(self._api)
        self._issuing = Issuing(self._api, customers, self._changing)
        self._editing = Editing(self._api, customers)

    def read_credentials(self, fields: Mapping[str, str]) -> Credentials:
        return read_keys(fields)

    def limits(self) -> Limits:
        return LIMITS

    def invoices_url(self, account_id: str, *, livemode: bool) -> str:
        return self._mapper.invoices_url(account_id, livemode=livemode)

    def keys_url(self) -> str:
        return self._mapper.keys_url()

    async def probe(self, credentials: Credentials) -> ConnectedAccount:
        return await read_account(self._api, credentials)

    async def ensure_endpoint(self, link: Link, wish: EndpointWish) -> Endpoint:
        return await self._endpoints.ensure(link, wish)

    async def remove_strays(self, link: Link, wish: EndpointWish, kept_id: str) -> None:
        await self._endpoints.remove_strays(link, wish, kept_id)

    async def remove_endpoint(self, link: Link, endpoint_id: str) -> None:
        await self._endpoints.remove(link, endpoint_id)

    async def check(self, link: Link, endpoint_id: str, url: str, heard: datetime | None) -> Health:
        return await health(self._api, self._endpoints, link, endpoint_id, url, heard)

    async def create_invoice(self, link: Link, order: InvoiceOrder) -> ProviderInvoice:
        return self._mapped(link, await self._issuing.issue(link, order))

    async def find_invoice(self, link: Link, buyer: Buyer, invoice_id: str, revision: int) -> ProviderInvoice | None:
        found = await self._issuing.find(link, buyer, invoice_id, revision)
        return self._mapped(link, found) if found else None

    async def update_draft(self, link: Link, ref: InvoiceRef, content: DraftContent) -> ProviderInvoice:
        try:
            found, other_lines = await self._editing.edit(link, ref, content)
        except NotThere:
            return self._mapper.deleted(ref.external_id, link.account_id, livemode=link.livemode)
        return replace(self._mapped(link, found), other_lines=other_lines)

    async def finalize_invoice(self, link: Link, ref: InvoiceRef, total: int, currency: str) -> ProviderInvoice:
        return await self._standing(link, ref, self._changing.finalize(link, ref, total, currency))

    async def send_invoice(self, link: Link, ref: InvoiceRef, delivery_id: str) -> ProviderInvoice:
        return self._mapped(link, await self._changing.send(link, ref, delivery_id))

    async def mark_paid(self, link: Link, ref: InvoiceRef, total: int = 0, currency: str = "") -> ProviderInvoice:
        try:
            told, done = await self._changing.mark_paid(link, ref, total, currency)
        except NotThere:
            return self._mapper.deleted(ref.external_id, link.account_id, livemode=link.livemode)
        found = self._mapped(link, told)
        if done or found.state is not InvoiceState.PAID:
            return found
        return replace(found, paid_before=True, paid_outside=await self._changing.paid_outside(link, ref))

    async def void_invoice(self, link: Link, ref: InvoiceRef) -> ProviderInvoice:
        return await self._standing(link, ref, self._changing.void(link, ref))

    async def get_invoice(self, link: Link, external_id: str) -> ProviderInvoice:
        return await self._standing(link, InvoiceRef(external_id), read_invoice(self._api, link, external_id))

    async def _standing(self, link: Link, ref: InvoiceRef, asked: Awaitable[Json]) -> ProviderInvoice:
        """What stands at Stripe; only drafts can be deleted there."""
        try:
            return self._mapped(link, await asked)
        except NotThere:
            return self._mapper.deleted(ref.external_id, link.account_id, livemode=link.livemode)

    async def list_invoices(
        self, link: Link, created_from: datetime | None, created_to: datetime | None, size: int, after: str
    ) -> InvoicePage:
        params: dict[str, Any] = {"limit": size}
        bounds = {"gte": created_from, "lte": created_to}
        if created := {name: int(when.timestamp()) for name, when in bounds.items() if when}:
            params["created"] = created
        if after:
            params["starting_after"] = after
        page = await self._api.call(link, LIST_INVOICES, params)
        ours = [one for one in page["data"] if (one.get("metadata") or {}).get(WORKSPACE) == link.workspace_id]
        next_after = page["data"][-1]["id"] if page["has_more"] and page["data"] else ""
        return InvoicePage([self._mapped(link, one) for one in ours], next_after)

    async def list_changed(self, link: Link, since: datetime | None, size: int, after: str) -> EventPage:
        return await list_changed(self._api, self._mapper, link, since, size, after)

    def read_event(self, binding: Binding, body: bytes, headers: Mapping[str, str]) -> ProviderEvent:
        return read_event(self._mapper, binding, body, headers)

    async def close(self) -> None:
        await self._api.close()

    def _mapped(self, link: Link, found: Json) -> ProviderInvoice:
        try:
            return self._mapper.invoice(found, link.account_id, livemode=link.livemode)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise not_understood(READ_INVOICE) from error
