"""What happens to an invoice that stands: finalized, e-mailed, marked as paid, voided."""

from typing import Final

import structlog

from services.integrations.adapters.stripe.answers import Json
from services.integrations.adapters.stripe.api import Parameters, StripeApi
from services.integrations.adapters.stripe.errors import NotThere
from services.integrations.adapters.stripe.finalizing import finalize, key_of_its_own
from services.integrations.adapters.stripe.listing import read_invoice
from services.integrations.adapters.stripe.operations import (
    DELETE_INVOICE,
    PAY_INVOICE,
    READ_INVOICE,
    SEND_INVOICE,
    VOID_INVOICE,
    Operation,
)
from services.integrations.adapters.stripe.totals import OPEN, require_our_total
from services.integrations.connection_values import Link
from services.integrations.failures import AdapterError, Failure
from services.integrations.invoice_values import InvoiceRef

log = structlog.get_logger()

_SETTLED: Final = frozenset({"paid", "void"})
_PAID_OFF_STRIPE: Final = "amount_paid_off_stripe"
_DOES_NOT_SAY: Final = frozenset({Failure.PROVIDER_REFUSED, Failure.PERMISSION_MISSING})
"""Failures that the next try meets again."""


class Changing:
    """Changes invoices; each is read first, since only the invoice itself says what is still possible."""

    def __init__(self, api: StripeApi) -> None:
        self._api = api

    async def finalize(self, link: Link, ref: InvoiceRef, total: int, currency: str) -> Json:
        """`total` in our minor units."""
        found = await read_invoice(self._api, link, ref.external_id)
        if found["status"] != "draft":
            return found
        require_our_total(found, total, currency)
        return await finalize(self._api, link, ref.external_id, key_of_its_own(ref, "finalize"))

    async def send(self, link: Link, ref: InvoiceRef, delivery_id: str) -> Json:
        async def call(key: str) -> Json:
            return await self._api.call(link, SEND_INVOICE, id=ref.external_id, key=key)

        async def look() -> None:
            """Nothing at Stripe tells whether an e-mail went out: a second one is better than none."""

        return await self._api.chains.walk(f"inv:{ref.invoice_id}:r{ref.revision}:send:{delivery_id}", call, look)

    async def mark_paid(self, link: Link, ref: InvoiceRef, total: int, currency: str) -> tuple[Json, bool]:
        """Notes at Stripe that it was paid elsewhere. Stripe would finalize a draft on the way, at whatever total.

        Answers beside it whether this call did it: one that somebody settled before is answered as it is.
        """
        found = await read_invoice(self._api, link, ref.external_id)
        if found["status"] == "draft":
            raise AdapterError(
                Failure.PROVIDER_REFUSED,
                "The invoice is still a draft in Stripe. Finalize it first, then mark it as paid.",
            )
        if currency and found["status"] not in _SETTLED:
            require_our_total(found, total, currency, OPEN)
        return await self._settle(link, ref, found, PAY_INVOICE, {"paid_out_of_band": True})

    async def paid_outside(self, link: Link, ref: InvoiceRef) -> bool | None:
        """Of a paid one: whether outside Stripe; None where Stripe does not say. Only asked for does Stripe tell it.

        Raises AdapterError where it may say so in a moment.
        """
        try:
            found = await self._api.call(link, READ_INVOICE, {"expand": [_PAID_OFF_STRIPE]}, id=ref.external_id)
        except AdapterError as error:
            if error.failure not in _DOES_NOT_SAY:
                raise
            log.info("stripe does not say how an invoice was paid", details=error.details)
            return None
        amount = found.get(_PAID_OFF_STRIPE)
        return amount > 0 if isinstance(amount, int) else None

    async def void(self, link: Link, ref: InvoiceRef) -> Json:
        """Raises NotThere for a draft that is gone, which is what voiding a draft leads to."""
        found = await read_invoice(self._api, link, ref.external_id)
        if found["status"] == "draft":
            deleted = await self._delete(link, found)
            if deleted is not None:
                return deleted
            found = await read_invoice(self._api, link, ref.external_id)
        return (await self._settle(link, ref, found, VOID_INVOICE, {}))[0]

    async def _delete(self, link: Link, found: Json) -> Json | None:
        """None when it was finalized meanwhile."""
        try:
            await self._api.call(link, DELETE_INVOICE, id=found["id"])
        except AdapterError as error:
            if error.failure is not Failure.PROVIDER_REFUSED or isinstance(error, NotThere):
                raise
            still = await read_invoice(self._api, link, found["id"])
            if still["status"] == "draft":
                raise
            return None
        return {**found, "deleted": True}

    async def _settle(
        self, link: Link, ref: InvoiceRef, found: Json, operation: Operation, parameters: Parameters
    ) -> tuple[Json, bool]:
        """What is settled is answered as it is, and so is what somebody settled a moment before us: not done by us."""
        if found["status"] in _SETTLED:
            return found, False
        key = key_of_its_own(ref, operation.name)
        try:
            return await self._api.call(link, operation, parameters, id=ref.external_id, key=key), True
        except AdapterError as error:
            if error.failure is not Failure.PROVIDER_REFUSED or isinstance(error, NotThere):
                raise
            found = await read_invoice(self._api, link, ref.external_id)
            if found["status"] not in _SETTLED:
                raise
            return found, False
