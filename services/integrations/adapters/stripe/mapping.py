"""Stripe's invoice, as the API and the webhooks have it, in our words. Pure."""

from datetime import UTC, datetime
from typing import Final

from services.integrations.adapters.stripe.amounts import from_stripe
from services.integrations.adapters.stripe.answers import Json
from services.integrations.adapters.stripe.parameters import INVOICE, REVISION
from services.integrations.invoice_values import InvoiceState, ProviderInvoice, ProviderLine

STATES: Final = {
    "draft": InvoiceState.DRAFT,
    "open": InvoiceState.OPEN,
    "paid": InvoiceState.PAID,
    "void": InvoiceState.VOID,
    "uncollectible": InvoiceState.UNCOLLECTIBLE,
}


class InvoiceMapper:
    """Knows where the operator's dashboard is."""

    def __init__(self, dashboard_base: str) -> None:
        self._dashboard = dashboard_base.rstrip("/")

    def invoice(self, found: Json, account_id: str, *, livemode: bool) -> ProviderInvoice:
        """Raises KeyError or TypeError for an object that is not an invoice."""
        currency = found["currency"].upper()
        times = found.get("status_transitions") or {}
        metadata = found.get("metadata") or {}
        latest = found.get("latest_revision")
        origin = found.get("from_invoice") or {}
        mailed = found.get("collection_method") == "send_invoice"
        return ProviderInvoice(
            external_id=found["id"],
            state=InvoiceState.DELETED if found.get("deleted") else STATES[found["status"]],
            account_id=account_id,
            livemode=livemode,
            total=from_stripe(found["total"], currency),
            amount_paid=from_stripe(found.get("amount_paid") or 0, currency),
            currency=currency,
            external_url=found.get("hosted_invoice_url") or "",
            provider_url=self.provider_url(account_id, found["id"], livemode=livemode),
            number=found.get("number") or "",
            paid_time=moment(times.get("paid_at")),
            finalize_time=moment(times.get("finalized_at")),
            create_time=moment(found.get("created")),
            invoice_id=metadata.get(INVOICE, ""),
            revision=_revision(metadata.get(REVISION)),
            replaced_by=_id(latest) if latest != found["id"] else "",
            replaces=_id(origin.get("invoice")) if origin.get("action") == "revision" else "",
            emailed_by_provider=mailed,
            mailed_to=(found.get("customer_email") or "") if mailed else "",
            lines=_lines(found.get("lines"), currency),
        )

    def deleted(self, external_id: str, account_id: str, *, livemode: bool) -> ProviderInvoice:
        """An invoice of which Stripe knows nothing any more: only drafts can be deleted."""
        return ProviderInvoice(external_id, InvoiceState.DELETED, account_id, livemode)

    def provider_url(self, account_id: str, external_id: str, *, livemode: bool) -> str:
        return f"{self.invoices_url(account_id, livemode=livemode)}/{external_id}"

    def keys_url(self) -> str:
        return f"{self._dashboard}/apikeys"

    def invoices_url(self, account_id: str, *, livemode: bool) -> str:
        """Where the operator sees all of them."""
        return f"{self._dashboard}/{account_id}/{'' if livemode else 'test/'}invoices"


def moment(seconds: object) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) else None


def _id(told: object) -> str:
    return told if isinstance(told, str) else ""


def _revision(text: object) -> int:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 10 else 0


def _lines(listed: object, currency: str) -> tuple[ProviderLine, ...]:
    if not isinstance(listed, dict) or listed.get("has_more"):
        return ()
    return tuple(
        ProviderLine(line.get("description") or "", from_stripe(line["amount"], currency)) for line in listed["data"]
    )
