"""A provider in memory, with webhooks: the smallest thing that keeps every promise of an adapter."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

from services.common.errors import Fault
from services.common.secret import Secret
from services.integrations.connection_values import (
    ConnectedAccount,
    Credentials,
    Endpoint,
    EndpointState,
    EndpointWish,
    Health,
    Limits,
    Link,
    Permission,
)
from services.integrations.failures import AdapterError, Failure
from services.integrations.invoice_values import (
    BadSignature,
    Binding,
    Buyer,
    DraftContent,
    EventPage,
    EventType,
    InvoiceOrder,
    InvoicePage,
    InvoiceRef,
    InvoiceState,
    MalformedEvent,
    ProviderEvent,
    ProviderInvoice,
    ProviderLine,
)

GOOD_KEY = "fake_good"
SIGNATURE = "fake-signature"

_EVENTS = {
    InvoiceState.OPEN: EventType.FINALIZED,
    InvoiceState.PAID: EventType.PAID,
    InvoiceState.VOID: EventType.VOIDED,
    InvoiceState.DELETED: EventType.DELETED,
}


class FakeAdapter:
    """See ports.IntegrationAdapter."""

    provider = "fake"
    has_webhooks = True

    def __init__(self) -> None:
        self._invoices: dict[str, ProviderInvoice] = {}
        self._endpoints: dict[str, tuple[EndpointWish, Secret]] = {}
        self._numbers = count(1)
        self._events: list[ProviderEvent] = []

    def read_credentials(self, fields: Mapping[str, str]) -> Credentials:
        if set(fields) != {"key"} or not fields["key"].startswith("fake_"):
            fault = Fault("key", "This is no key of the fake. It begins with fake_.")
            raise AdapterError(Failure.CREDENTIALS_MALFORMED, fault.problem, faults=[fault])
        return {"key": Secret(fields["key"])}

    def limits(self) -> Limits:
        return Limits({"GBP": 30}, 99_999_999, 250, longest_memo=1500, longest_footer=5000)

    def invoices_url(self, account_id: str, *, livemode: bool) -> str:
        return f"https://fake.example/{account_id}/{'live' if livemode else 'test'}"

    def keys_url(self) -> str:
        return ""

    async def probe(self, credentials: Credentials) -> ConnectedAccount:
        if credentials["key"].reveal() != GOOD_KEY:
            raise AdapterError(Failure.CREDENTIALS_REJECTED, "The fake does not take this key. Nothing was saved.")
        permission = Permission("Invoices: Write", granted=True, required=True, purpose="No invoices without it.")
        return ConnectedAccount("fake_account", livemode=False, permissions=[permission])

    async def ensure_endpoint(self, link: Link, wish: EndpointWish) -> Endpoint:
        if wish.known_id in self._endpoints and wish.secret_known:
            return Endpoint(wish.known_id, None)
        made = f"end_{next(self._numbers)}"
        secret = Secret(f"secret of {made}")
        self._endpoints[made] = (wish, secret)
        return Endpoint(made, secret)

    async def remove_strays(self, link: Link, wish: EndpointWish, kept_id: str) -> None:
        for one, (made_for, _) in list(self._endpoints.items()):
            if one != kept_id and made_for.workspace_id == wish.workspace_id:
                del self._endpoints[one]

    async def remove_endpoint(self, link: Link, endpoint_id: str) -> None:
        self._endpoints.pop(endpoint_id, None)

    async def check(self, link: Link, endpoint_id: str, url: str, heard: datetime | None) -> Health:
        exists = endpoint_id in self._endpoints
        state = EndpointState(exists, exists, url, problem="" if exists else "The endpoint is gone.")
        return Health(healthy=True, sentence="The fake answered.", seconds=0.0, endpoint=state)

    async def create_invoice(self, link: Link, order: InvoiceOrder) -> ProviderInvoice:
        external_id = f"fake_{order.invoice_id}_{order.revision}"
        now = datetime.now(UTC)
        made = ProviderInvoice(
            external_id=external_id,
            state=InvoiceState.DRAFT,
            account_id=link.account_id,
            livemode=link.livemode,
            total=order.total,
            currency=order.currency,
            create_time=now,
            invoice_id=order.invoice_id,
            revision=order.revision,
            lines=[ProviderLine(line.title, line.amount) for line in order.lines],
        )
        if order.attempt > 1 and self._invoices.get(external_id, made).state in (
            InvoiceState.VOID,
            InvoiceState.DELETED,
        ):
            del self._invoices[external_id]
        known = self._invoices.setdefault(external_id, made)
        if (known.total, known.currency) != (order.total, order.currency):
            raise AdapterError(Failure.TOTAL_MISMATCH, "The invoice has another total than ours. Compare the two.")
        return known if order.keep_draft or known.state is not InvoiceState.DRAFT else self._finalized(known)

    def _finalized(self, draft: ProviderInvoice) -> ProviderInvoice:
        return self._keep(
            replace(
                draft,
                state=InvoiceState.OPEN,
                number=f"F-{next(self._numbers)}",
                finalize_time=datetime.now(UTC),
                external_url=f"https://fake.example/{draft.external_id}",
            )
        )

    async def find_invoice(self, link: Link, buyer: Buyer, invoice_id: str, revision: int) -> ProviderInvoice | None:
        return self._invoices.get(f"fake_{invoice_id}_{revision}")

    async def update_draft(self, link: Link, ref: InvoiceRef, content: DraftContent) -> ProviderInvoice:
        found = await self.get_invoice(link, ref.external_id)
        lines = [ProviderLine(line.title, line.amount) for line in content.lines]
        if found.state is not InvoiceState.DRAFT:
            gone = found.state in (InvoiceState.VOID, InvoiceState.DELETED)
            return replace(found, other_lines=not gone and list(found.lines) != lines)
        draft = self._invoices[ref.external_id] = replace(found, total=content.total, lines=lines)
        return draft if content.keep_draft else self._finalized(draft)

    async def finalize_invoice(self, link: Link, ref: InvoiceRef, total: int, currency: str) -> ProviderInvoice:
        found = await self.get_invoice(link, ref.external_id)
        if found.state is InvoiceState.DRAFT and (found.total, found.currency) != (total, currency):
            raise AdapterError(Failure.TOTAL_MISMATCH, "The draft has another total than ours. Compare the two.")
        return self._finalized(found) if found.state is InvoiceState.DRAFT else found

    async def send_invoice(self, link: Link, ref: InvoiceRef, delivery_id: str) -> ProviderInvoice:
        raise AdapterError(Failure.PROVIDER_REFUSED, "The fake sends no e-mail. Copy the link.")

    async def mark_paid(self, link: Link, ref: InvoiceRef, total: int = 0, currency: str = "") -> ProviderInvoice:
        found = await self.get_invoice(link, ref.external_id)
        if found.state is InvoiceState.DRAFT:
            raise AdapterError(Failure.PROVIDER_REFUSED, "The invoice is a draft. Finalize it first.")
        if found.state is not InvoiceState.OPEN:
            before = found.state is InvoiceState.PAID
            return replace(found, paid_before=before, paid_outside=True if before else None)
        paid = replace(found, state=InvoiceState.PAID, amount_paid=found.total, paid_time=datetime.now(UTC))
        return self._keep(paid)

    async def void_invoice(self, link: Link, ref: InvoiceRef) -> ProviderInvoice:
        found = await self.get_invoice(link, ref.external_id)
        if found.state is InvoiceState.DRAFT:
            return self._keep(replace(found, state=InvoiceState.DELETED))
        if found.state is not InvoiceState.OPEN:
            return found
        return self._keep(replace(found, state=InvoiceState.VOID))

    async def get_invoice(self, link: Link, external_id: str) -> ProviderInvoice:
        gone = ProviderInvoice(external_id, InvoiceState.DELETED, link.account_id, link.livemode)
        return self._invoices.get(external_id, gone)

    async def list_invoices(
        self, link: Link, created_from: datetime | None, created_to: datetime | None, size: int, after: str
    ) -> InvoicePage:
        span = (created_from or datetime.min.replace(tzinfo=UTC), created_to or datetime.max.replace(tzinfo=UTC))
        made = reversed(self._invoices.values())
        found = [one for one in made if one.create_time and span[0] <= one.create_time <= span[1]]
        start = next((place + 1 for place, one in enumerate(found) if one.external_id == after), 0)
        page = found[start : start + size]
        return InvoicePage(page, page[-1].external_id if start + size < len(found) else "")

    async def list_changed(self, link: Link, since: datetime | None, size: int, after: str) -> EventPage:
        found = [one for one in reversed(self._events) if since is None or (one.occur_time or since) >= since]
        start = next((place + 1 for place, one in enumerate(found) if one.event_id == after), 0)
        page = found[start : start + size]
        return EventPage(page, page[-1].event_id if start + size < len(found) else "")

    def read_event(self, binding: Binding, body: bytes, headers: Mapping[str, str]) -> ProviderEvent:
        if headers.get(SIGNATURE, "") not in [secret.reveal() for secret in binding.secrets]:
            raise BadSignature
        try:
            event = json.loads(body)
            identifier = str(event["id"])
        except (ValueError, KeyError, TypeError) as error:
            raise MalformedEvent("The body is signed, but is no event that can be read.") from error
        return ProviderEvent(
            identifier, binding.account_id, binding.livemode, EventType.OTHER, "other", datetime.now(UTC), None
        )

    async def close(self) -> None: ...

    def _keep(self, invoice: ProviderInvoice) -> ProviderInvoice:
        self._invoices[invoice.external_id] = invoice
        kind = _EVENTS[invoice.state]
        identifier = f"evt_{next(self._numbers)}"
        self._events.append(
            ProviderEvent(
                identifier, invoice.account_id, invoice.livemode, kind, kind.value, datetime.now(UTC), invoice
            )
        )
        return invoice
