"""What happens to an invoice that stands: finalized, e-mailed, voided, read."""

from services.integrations.adapters.stripe.amounts import from_stripe
from services.integrations.adapters.stripe.answers import Json
from services.integrations.adapters.stripe.api import StripeApi
from services.integrations.adapters.stripe.finalizing import finalize
from services.integrations.adapters.stripe.listing import read_invoice
from services.integrations.adapters.stripe.operations import DELETE_INVOICE, PAY_INVOICE, SEND_INVOICE, VOID_INVOICE
from services.integrations.adapters.stripe.steps import walk
from services.integrations.failures import AdapterError, Failure
from services.integrations.ports import InvoiceRef, Link


class Changing:
    """Changes invoices; each is read first, since only the invoice itself says what is still possible."""

    def __init__(self, api: StripeApi) -> None:
        self._api = api

    async def finalize(self, link: Link, ref: InvoiceRef, total: int) -> Json:
        """`total` in our minor units."""
        found = await read_invoice(self._api, link, ref.external_id)
        if found["status"] != "draft":
            return found
        theirs = from_stripe(found["total"], found["currency"].upper())
        if theirs != total:
            raise AdapterError(
                Failure.TOTAL_MISMATCH,
                "The draft in Stripe has another total than ours, so it was not finalized. Compare the two first.",
                details={"provider_total": theirs, "our_total": total},
            )
        base = f"inv:{ref.invoice_id}:r{ref.revision}:finalize:a{ref.attempt}"
        return await finalize(self._api, link, ref.external_id, base)

    async def send(self, link: Link, ref: InvoiceRef, delivery_id: str) -> Json:
        async def call(key: str) -> Json:
            return await self._api.call(link, SEND_INVOICE, id=ref.external_id, key=key)

        async def look() -> None:
            """Nothing at Stripe tells whether an e-mail went out: a second one is better than none."""

        return await walk(f"inv:{ref.invoice_id}:r{ref.revision}:send:{delivery_id}", call, look)

    async def mark_paid(self, link: Link, ref: InvoiceRef) -> Json:
        """Notes at Stripe that it was paid elsewhere."""

        async def call(key: str) -> Json:
            return await self._api.call(link, PAY_INVOICE, {"paid_out_of_band": True}, id=ref.external_id, key=key)

        async def look() -> Json | None:
            found = await read_invoice(self._api, link, ref.external_id)
            return found if found["status"] == "paid" else None

        paid = await look()
        if paid is not None:
            return paid
        try:
            return await walk(f"inv:{ref.invoice_id}:r{ref.revision}:pay", call, look)
        except AdapterError as error:
            paid = await look() if error.failure is Failure.PROVIDER_REFUSED else None
            if paid is None:
                raise
            return paid

    async def void(self, link: Link, ref: InvoiceRef) -> Json:
        """Raises NotThere for a draft that is gone, which is what voiding a draft leads to."""
        found = await read_invoice(self._api, link, ref.external_id)
        if found["status"] == "draft":
            return await self._delete(link, found)
        if found["status"] == "void":
            return found
        if found["status"] == "paid":
            raise AdapterError(
                Failure.PROVIDER_REFUSED, "This invoice is paid and cannot be voided. Refund it in Stripe."
            )
        return await self._void(link, ref)

    async def _delete(self, link: Link, found: Json) -> Json:
        await self._api.call(link, DELETE_INVOICE, id=found["id"])
        return {**found, "deleted": True}

    async def _void(self, link: Link, ref: InvoiceRef) -> Json:
        async def call(key: str) -> Json:
            return await self._api.call(link, VOID_INVOICE, id=ref.external_id, key=key)

        async def look() -> Json | None:
            found = await read_invoice(self._api, link, ref.external_id)
            return found if found["status"] == "void" else None

        try:
            return await walk(f"inv:{ref.invoice_id}:r{ref.revision}:void", call, look)
        except AdapterError as error:
            settled = await look() if error.failure is Failure.PROVIDER_REFUSED else None
            if settled is None:
                raise
            return settled
